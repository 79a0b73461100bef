"""The command that links, checks and converts data."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import prepare_data
import pytest
from scipy.io import savemat

from tests.synthetic_fixtures import BOXES
from tests.test_projects.test_mpii_release import write_release

TOPDOWN = 'mmpose::body_2d_keypoint/topdown_heatmap'
COCO = f'{TOPDOWN}/coco/td-hm_res50_8xb64-210e_coco-256x192.py'
MPII = f'{TOPDOWN}/mpii/td-hm_res50_8xb64-210e_mpii-256x256.py'


@pytest.fixture
def prepare(monkeypatch, tmp_path):
    """The tool's main, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return prepare_data.main


@pytest.fixture
def data(prepare, reference_folder, tmp_path) -> Path:
    """Synthetic people as COCO and MPII, linked; to be damaged."""
    folder = reference_folder / 'data'
    return shutil.copytree(folder, tmp_path / 'data', symlinks=True)


def check(prepare, capsys, *configs, status=1, folder='data'):
    """Split -> cell, per config; and the numbered faults."""
    assert prepare(['check', folder, *(configs or (COCO, MPII))]) == status
    lines = capsys.readouterr().out.splitlines()
    faults = [line.partition(' ')[2] for line in lines if line[0] == '#']
    cells = [line.split()[1:4] for line in lines if '.py ' in line]
    return [c for c in cells if set(c) <= {'yes', 'no', '-'}], faults


def test_all_is_there(prepare, data, capsys):
    cells, faults = check(prepare, capsys, status=0)
    assert cells == [['yes'] * 3] * 2
    assert faults == []
    data.rename(data.with_name('elsewhere'))
    cells, _ = check(prepare, capsys, status=0, folder='elsewhere')
    assert cells == [['yes'] * 3] * 2


def test_missing_files(prepare, data, capsys):
    (data / 'coco' / BOXES).unlink()
    for name in ('annot/gt_valid.mat', 'annotations/mpii_gt_val.mat'):
        (data / 'mpii' / name).unlink()
    (data / 'mpii/annotations/mpii_train.json').unlink()
    cells, faults = check(prepare, capsys)
    assert cells == [['yes', 'no', 'no'], ['no', 'no', 'no']]
    assert faults == [
        f'data/coco/{BOXES} does not exist',
        'data/mpii/annotations/mpii_train.json is at '
        'data/mpii/annot/train.json: run "prepare_data.py link"',
        'data/mpii/annotations/mpii_gt_val.mat does not exist; '
        '"prepare_data.py mpii" makes it from MPII\'s release',
    ]


def test_damaged_files(prepare, data, capsys):
    path = data / 'coco/annotations/person_keypoints_train2017.json'
    path.unlink()
    path.write_text('{"images": [')
    image = min((data / 'mpii/images').iterdir())
    image.unlink()
    image.write_bytes(b'')
    path = data / 'mpii/annotations/mpii_gt_val.mat'
    path.unlink()
    savemat(path, dict(headboxes_src=np.ones((2, 2, 99))))
    cells, faults = check(prepare, capsys)
    assert cells == [['no', 'yes', 'yes'], ['no', 'no', 'no']]
    assert 'person_keypoints_train2017.json" is not JSON' in faults[0]
    assert re.match(r'1 of 16 images of .* missing or empty', faults[1])
    assert 'has 99 head boxes' in faults[2]


def test_people_of_another_kind(prepare, data, capsys):
    path = data / 'mpii/annotations/mpii_train.json'
    path.unlink()
    path.write_text(json.dumps([dict(name='1.jpg')]))
    _, faults = check(prepare, capsys, MPII)
    assert faults[0].endswith('is a list of entries without "image"')


def test_other_configs(prepare, data, tmp_path, capsys, monkeypatch):
    bad, part = tmp_path / 'bad.py', tmp_path / 'part.py'
    bad.write_text("_base_ = ['nowhere.py']")
    part.write_text(
        "train_dataloader = dict(dataset=dict(type='CocoDataset', "
        "ann_file='data/coco/annotations/person_keypoints_val2017.json'))"
    )
    cells, faults = check(prepare, capsys, str(bad), str(part))
    assert cells == [['no'] * 3, ['yes', '-', '-']]
    assert 'nowhere.py' in faults[0]
    assert prepare(['check', 'nowhere']) == 2
    assert '"nowhere" is not a folder' in capsys.readouterr().err
    names = prepare_data.own_configs()
    assert names
    assert not any('_base_' in name for name in names)
    monkeypatch.setattr(
        prepare_data, 'own_configs', lambda: [str(part), str(bad)]
    )
    assert prepare(['check']) == 0


def test_link(prepare, data, tmp_path, capsys):
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
    assert prepare(['mpii', 'none.mat', 'out', *split]) == 2
    missing = split[1] if split else 'none.mat'
    assert f'file "{missing}" does not exist' in capsys.readouterr().err
