"""The command that links, checks and converts data."""

import json
import re
import shutil
from pathlib import Path

import prepare_data
import pytest

from tests.test_projects.test_mpii_release import write_release

CONFIG = """
_base_ = ['mmpose::_base_/default_runtime.py']
dataset = dict(
    type='CocoDataset',
    data_root='data/coco/',
    ann_file='annotations/person_keypoints_val2017.json',
    data_prefix=dict(img='val2017/'),
)
val_dataloader = dict(dataset=dataset)
"""


@pytest.fixture
def prepare(monkeypatch, tmp_path):
    """The tool's main, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return prepare_data.main


@pytest.fixture
def coco(synthetic_people: Path, prepare, tmp_path: Path) -> Path:
    """Synthetic people as COCO's validation set, in the reference layout."""
    root = tmp_path / 'data' / 'coco'
    (root / 'annotations').mkdir(parents=True)
    shutil.copy(
        synthetic_people / 'annotations' / 'person_keypoints_val.json',
        root / 'annotations' / 'person_keypoints_val2017.json',
    )
    shutil.copytree(synthetic_people / 'val', root / 'images' / 'val2017')
    return root


def write_config(path: Path) -> str:
    path.write_text(CONFIG)
    return str(path)


def rows(text: str) -> list[str]:
    return [' '.join(line.split()) for line in text.splitlines()]


def test_check(prepare, coco, tmp_path, capsys):
    config = write_config(tmp_path / 'c.py')
    assert prepare(['check', 'data', config]) == 1
    assert 'run "prepare_data.py link"' in capsys.readouterr().out
    prepare(['link'])
    capsys.readouterr()
    assert prepare(['check', 'data', config]) == 0
    found = rows(capsys.readouterr().out)
    images = 'data/coco/val2017 for person_keypoints_val2017.json'
    assert f'#2 {images} ok all 8 images' in found
    assert f'{config} - yes -' in found
    min((coco / 'images' / 'val2017').iterdir()).unlink()
    assert prepare(['check', 'data', config]) == 1
    found = rows(capsys.readouterr().out)
    assert f'{config} - no - #2' in found


def test_check_of_another_folder(prepare, coco, tmp_path, capsys):
    config = write_config(tmp_path / 'c.py')
    (tmp_path / 'data').rename(tmp_path / 'elsewhere')
    prepare(['link', 'elsewhere'])
    assert prepare(['check', 'elsewhere', config]) == 0
    assert 'elsewhere/coco/val2017 for' in capsys.readouterr().out


def test_check_of_all_configs(prepare, coco, monkeypatch, capsys):
    """No config can run, and the table lists what each lacks."""
    configs = prepare_data.own_configs()
    assert configs
    assert not any('_base_' in name for name in configs)
    few = configs[:: max(1, len(configs) // 2)]
    monkeypatch.setattr(prepare_data, 'own_configs', lambda: few)
    assert prepare(['check']) == 1
    text = capsys.readouterr().out
    listed = re.findall(r'^(\S+\.py) +(?:(?:yes|no|-) +){3}#', text, re.M)
    assert listed == few


def test_check_of_no_folder(prepare, capsys):
    assert prepare(['check', 'nowhere']) == 2
    assert '"nowhere" is not a folder' in capsys.readouterr().err


def test_link(prepare, coco, tmp_path, capsys):
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
    assert prepare(['mpii', 'none.mat', 'out', *split]) == 2
    missing = split[1] if split else 'none.mat'
    assert f'file "{missing}" does not exist' in capsys.readouterr().err
