"""The command that links and converts data."""

import json
import shutil
from pathlib import Path

import prepare_data
import pytest
from mmengine.hub import get_config
from prepare_data import NAMES, link

from mmpose_occlusion.engine.data_files import data_files
from tests.test_projects.test_mpii_release import write_release

TOPDOWN = 'mmpose::body_2d_keypoint/topdown_heatmap'
CONFIGS = [
    f'{TOPDOWN}/coco/td-hm_res50_8xb64-210e_coco-256x192.py',
    f'{TOPDOWN}/mpii/td-hm_res50_8xb64-210e_mpii-256x256.py',
]
REFERENCE = [
    'coco/annotations/person_keypoints_train2017.json',
    'coco/annotations/person_keypoints_val2017.json',
    'coco/person_detection_results/'
    'COCO_val2017_detections_AP_H_56_person.json',
    'coco/images/train2017/a.jpg',
    'coco/images/val2017/b.jpg',
    'mpii/annot/train.json',
    'mpii/annot/valid.json',
    'mpii/annot/gt_valid.mat',
    'mpii/images/c.jpg',
]


@pytest.fixture
def prepare(monkeypatch, tmp_path):
    """The tool's main, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return prepare_data.main


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A data folder in the reference's layout."""
    for name in REFERENCE:
        path = tmp_path / 'data' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / 'data'


@pytest.mark.parametrize('into', ['data', 'links/data'])
def test_configs_find_all_their_files(reference, tmp_path, into):
    made = link(reference, tmp_path / into)

    for config in CONFIGS:
        for split in ('train', 'val', 'test'):
            for path in data_files(get_config(config), split).values():
                below = Path(into).parent / path
                assert (tmp_path / below).exists()
    image = tmp_path / into / 'coco/val2017/b.jpg'
    assert image.read_text() == 'coco/images/val2017/b.jpg'
    assert len(made) == (5 if into == 'data' else 8)
    # a second call finds nothing left to do, and the folder can be moved
    assert link(reference, tmp_path / into) == {}
    if into == 'data':
        moved = reference.rename(tmp_path / 'moved')
        assert (moved / 'coco/val2017/b.jpg').exists()


def test_mmposes_own_name_comes_first(reference):
    own = reference / 'mpii/annotations/mpii_val.json'
    own.parent.mkdir()
    own.write_text('own')
    assert own not in link(reference, reference)
    assert own.read_text() == 'own'


def test_names_do_not_overlap():
    names = [*NAMES, *(each for others in NAMES.values() for each in others)]
    assert len(names) == len(set(names))


def test_link(prepare, reference_folder, tmp_path, capsys):
    data = tmp_path / 'data'
    shutil.copytree(reference_folder / 'data', data, symlinks=True)
    (data / 'coco/val2017').unlink()
    capsys.readouterr()
    assert prepare(['link']) == 0
    assert capsys.readouterr().out == (
        'data/coco/val2017 -> data/coco/images/val2017\n'
    )
    assert prepare(['link', 'data', 'links']) == 0
    assert list((tmp_path / 'links/coco/val2017').iterdir())
    assert prepare(['link', 'nowhere']) == 2
    assert '"nowhere" is not a folder' in capsys.readouterr().err


def test_mpii(prepare, tmp_path, capsys):
    mat = str(write_release(tmp_path / 'release.mat'))
    names = tmp_path / 'val.txt'
    names.write_text('0004.jpg\n')
    assert prepare(['mpii', mat, 'out', '--val', str(names)]) == 0
    assert 'out/mpii_val.json: 1 people' in capsys.readouterr().out
    assert len(json.loads(Path('out/mpii_trainval.json').read_text())) == 4
    assert prepare(['mpii', mat, 'out']) == 0  # the same files
    Path('out/mpii_trainval.json').write_text('[]')
    assert prepare(['mpii', mat, 'out']) == 2
    assert 'mpii_trainval.json" exists' in capsys.readouterr().err


@pytest.mark.parametrize('split', [[], ['--val', 'none.txt']])
def test_mpii_files_that_are_missing(prepare, tmp_path, capsys, split):
    if split:
        write_release(tmp_path / 'none.mat')
    assert prepare(['mpii', 'none.mat', 'out', *split]) == (1 if split else 2)
    missing = split[1] if split else 'none.mat'
    assert missing in capsys.readouterr().err


def test_a_split_without_names(prepare, tmp_path, capsys):
    mat = str(write_release(tmp_path / 'release.mat'))
    (tmp_path / 'valid.json').write_text('{"images": []}')
    assert prepare(['mpii', mat, 'out', '--val', 'valid.json']) == 2
    assert '"valid.json" names no images' in capsys.readouterr().err


def test_a_split_by_an_annotation_file(prepare, tmp_path, capsys):
    mat = str(write_release(tmp_path / 'release.mat'))
    people = [{'image': '0004.jpg'}, {'image': '0004.jpg'}]
    (tmp_path / 'valid.json').write_text(json.dumps(people))
    assert prepare(['mpii', mat, 'out', '--val', 'valid.json']) == 0
    assert 'out/mpii_val.json: 1 people' in capsys.readouterr().out
