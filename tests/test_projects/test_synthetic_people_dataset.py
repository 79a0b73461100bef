"""Data sets: same settings, same bytes; interrupted runs are resumed."""

import json
import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from synthetic_people import dataset, generate

from mmpose_occlusion.errors import UsageError

TOOL = Path(__file__).parents[2] / 'projects/synthetic_people/make.py'


def files(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob('*')
        if path.is_file()
    }


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """A set of 6 and 2 images, made in this process."""
    root = tmp_path_factory.mktemp('made') / 'people'
    return generate(root, train=6, val=2, seed=5, workers=0)


@pytest.fixture
def copy(made, tmp_path):
    """The set, made once more in a folder that may be changed."""
    root = tmp_path / 'people'
    for name, data in files(made).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def again(root, **kwargs):
    return generate(root, **dict(train=6, val=2, seed=5, workers=0) | kwargs)


def test_layout(made):
    assert sorted(files(made)) == sorted(
        [
            'manifest.json',
            *(f'train/{i:012d}.jpg' for i in range(1, 7)),
            *(f'val/{1_000_000 + i:012d}.jpg' for i in range(1, 3)),
            'annotations/person_keypoints_train.json',
            'annotations/person_keypoints_val.json',
        ]
    )


@pytest.mark.parametrize('workers', [1, 3])
def test_the_number_of_processes_does_not_matter(made, tmp_path, workers):
    root = again(tmp_path / 'people', workers=workers)
    assert files(root) == files(made)


def test_an_image_depends_on_seed_and_number_alone(made, tmp_path):
    more = again(tmp_path / 'more', train=8, val=0)
    for i in range(1, 7):
        name = f'train/{i:012d}.jpg'
        assert (more / name).read_bytes() == (made / name).read_bytes()
    other = again(tmp_path / 'other', train=1, seed=6)
    name = f'train/{1:012d}.jpg'
    assert (other / name).read_bytes() != (made / name).read_bytes()
    first = (made / 'val' / f'{1_000_001:012d}.jpg').read_bytes()
    assert first != (made / name).read_bytes()


def test_a_finished_set_is_left_alone(copy):
    before = {p: p.stat().st_mtime_ns for p in copy.rglob('*')}
    assert again(copy) == copy
    assert {p: p.stat().st_mtime_ns for p in copy.rglob('*')} == before


def test_another_set_is_not_overwritten(copy):
    before = files(copy)
    with pytest.raises(UsageError, match='val 2 instead of 1') as error:
        again(copy, val=1)
    assert 'name another folder, or delete it' in str(error.value)
    assert files(copy) == before


def test_another_version_of_the_generator_is_noticed(copy, monkeypatch):
    monkeypatch.setattr(dataset, 'code_version', lambda: 'another')
    with pytest.raises(UsageError, match='instead of another'):
        again(copy)


@pytest.mark.parametrize('text', ['{"mine": 1}', '[]', 'no JSON'])
def test_other_folders_are_not_touched(tmp_path, text):
    root = tmp_path / 'holiday'
    root.mkdir()
    (root / 'manifest.json').write_text(text)
    with pytest.raises(UsageError, match='format None instead of'):
        again(root)
    assert files(root) == {'manifest.json': text.encode()}


def test_a_file_in_the_way_is_not_touched(tmp_path):
    root = tmp_path / 'people'
    root.write_text('mine')
    with pytest.raises(UsageError, match='name another folder'):
        again(root)
    assert root.read_text() == 'mine'


def test_an_empty_folder_is_filled(made, tmp_path):
    root = tmp_path / 'people'
    root.mkdir()
    assert files(again(root)) == files(made)


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """The folder of a run that was interrupted after four images."""
    draw, left = dataset.make_scene, iter(range(4))

    def stop(rng):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return draw(rng)

    root = tmp_path / 'people'
    with monkeypatch.context() as patch:
        patch.setattr(dataset, 'make_scene', stop)
        with pytest.raises(KeyboardInterrupt):
            again(root)
    assert not root.exists()
    return root


def count_scenes(monkeypatch):
    """A list that grows by one with each scene that is drawn."""
    draw, drawn = dataset.make_scene, []
    monkeypatch.setattr(
        dataset, 'make_scene', lambda rng: drawn.append(1) or draw(rng)
    )
    return drawn


def test_an_interrupted_run_is_resumed(interrupted, made, monkeypatch):
    drawn = count_scenes(monkeypatch)
    assert files(again(interrupted)) == files(made)
    assert len(drawn) == 4
    assert [p.name for p in interrupted.parent.iterdir() if p.is_dir()] == [
        'people'
    ]


def test_other_settings_do_not_resume(interrupted, monkeypatch):
    drawn = count_scenes(monkeypatch)
    assert len(files(again(interrupted, train=3, seed=1))) == 3 + 2 + 3
    assert len(drawn) == 5


def test_a_dying_worker_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, 'make_scene', lambda rng: os._exit(3))
    with pytest.raises(BrokenProcessPool):
        again(tmp_path / 'people', workers=2)
    assert not (tmp_path / 'people').exists()


def test_an_empty_split(tmp_path):
    root = generate(tmp_path / 'people', train=0, val=0, workers=0)
    data = json.loads(
        (root / 'annotations/person_keypoints_val.json').read_text()
    )
    assert data['images'] == data['annotations'] == []


def run_tool(*args):
    return subprocess.run(
        [sys.executable, str(TOOL), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_tool_makes_a_set(made, tmp_path):
    root = tmp_path / 'people'
    args = ('--out', root, '--train', 6, '--val', 2, '--seed', 5)
    done = run_tool(*args)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f'{root}\n')
    assert 'ETA' in done.stdout
    assert files(root) == files(made)
    done = run_tool('--out', root, '--train', 7)
    assert done.returncode != 0
    assert 'Traceback' not in done.stderr
    assert 'seed 5 instead of 0' in done.stderr


@pytest.mark.skipif(not Path('/proc').is_dir(), reason='reads /proc')
def test_workers_end_with_a_killed_parent(tmp_path):
    """They hold the output open until they end; the next run goes on."""
    argv = [sys.executable, str(TOOL), '--out', str(tmp_path / 'people')]
    argv += ['--train', '4000', '--val', '0', '--workers', '2']
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as parent:
        while not list(tmp_path.glob('.people.partial/train/*.jpg')):
            assert parent.poll() is None
        parent.kill()
        parent.communicate(timeout=60)
    assert generate(tmp_path / 'people', train=1, val=0, workers=0).is_dir()
