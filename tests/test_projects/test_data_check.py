"""Checks of data files, and the configs that can run on them."""

import json
from pathlib import Path

import data_check
import numpy as np
import pytest
from data_check import (
    BROKEN,
    INCOMPLETE,
    MISSING,
    OK,
    DataCheck,
    read_annotations,
    report,
)
from data_layout import link
from scipy.io import savemat

from mmpose_occlusion.errors import UsageError

TOPDOWN = 'mmpose::body_2d_keypoint/topdown_heatmap'
COCO = f'{TOPDOWN}/coco/td-hm_res50_8xb64-210e_coco-256x192.py'
MPII = f'{TOPDOWN}/mpii/td-hm_res50_8xb64-210e_mpii-256x256.py'
BOXES = 'coco/person_detection_results/COCO_val2017_detections_AP_H_56_person'


BOX = [0, 0, 9, 9]


def write(path: Path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def coco(names: list[str]) -> dict:
    return dict(
        images=[dict(id=i, file_name=name) for i, name in enumerate(names)],
        annotations=[
            dict(id=0, image_id=0, bbox=BOX, keypoints=[1, 1, 2] + [0] * 48),
            dict(id=1, image_id=0, bbox=BOX, keypoints=[0] * 51),
            dict(id=2, image_id=1, bbox=BOX, keypoints=[0] * 51),
        ],
    )


def images(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b'pixels')


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """COCO in MMPose's layout and MPII in the reference's, linked."""
    root = tmp_path / 'd'
    for split, names in {
        'train2017': ['a.jpg', 'b.jpg', 'c.jpg'],
        'val2017': ['d.jpg', 'e.jpg'],
    }.items():
        write(
            root / f'coco/annotations/person_keypoints_{split}.json',
            coco(names),
        )
        images(root / f'coco/{split}', names)
    write(root / f'{BOXES}.json', [dict(image_id=1, score=0.5, bbox=[])])
    for split, names in {
        'train': ['1.jpg', '2.jpg'],
        'valid': ['3.jpg'],
    }.items():
        people = [dict(image=name, joints_vis=[0, 1]) for name in names]
        write(root / f'mpii/annot/{split}.json', people)
    images(root / 'mpii/images', ['1.jpg', '2.jpg', '3.jpg'])
    savemat(
        root / 'mpii/annot/gt_valid.mat',
        dict(headboxes_src=np.ones((2, 2, 1))),
    )
    link(root, root)
    return root


def states(checked) -> dict[str, str]:
    """Last path segment -> state, of each finding that is not OK."""
    return {
        name.rpartition('/')[2]: finding.state
        for name, finding in checked.findings.items()
        if finding.state != OK
    }


def check(data: Path, *configs: str):
    found = DataCheck(str(data))
    for config in configs or (COCO, MPII):
        found.add(config)
    return found


def test_all_is_there(data):
    checked = check(data)
    assert states(checked) == {}
    assert checked.runs_wholly(COCO)
    assert checked.runs_wholly(MPII)
    words = {
        name.removeprefix(f'{data}/'): finding.text
        for name, finding in checked.findings.items()
    }
    assert words == {
        'coco/annotations/person_keypoints_train2017.json': '3 images, '
        '1 people with joints',
        'coco/annotations/person_keypoints_val2017.json': '2 images, '
        '1 people with joints',
        'coco/train2017 for person_keypoints_train2017.json': 'all 3 images',
        'coco/val2017 for person_keypoints_val2017.json': 'all 2 images',
        f'{BOXES}.json': '1 boxes in 1 images',
        'mpii/annotations/mpii_train.json': '2 images, 2 people with joints',
        'mpii/annotations/mpii_val.json': '1 images, 1 people with joints',
        'mpii/images for mpii_train.json': 'all 2 images',
        'mpii/images for mpii_val.json': 'all 1 images',
        'mpii/annotations/mpii_gt_val.mat': '1 head boxes',
    }


def test_missing_files(data):
    (data / f'{BOXES}.json').unlink()
    (data / 'mpii/annot/gt_valid.mat').unlink()
    checked = check(data)
    assert states(checked) == {
        'COCO_val2017_detections_AP_H_56_person.json': MISSING,
        'mpii_gt_val.mat': MISSING,
    }
    for config in (COCO, MPII):
        assert [checked.runs(config, s) for s in ('train', 'val', 'test')] == [
            True,
            False,
            False,
        ]
        assert not checked.runs_wholly(config)
    name = f'{data}/mpii/annotations/mpii_gt_val.mat'
    assert 'prepare_data.py mpii' in checked.findings[name].text


def test_files_that_are_not_linked(data):
    link = data / 'mpii/annotations/mpii_train.json'
    link.unlink()
    finding = check(data, MPII).findings[str(link)]
    assert finding.state == MISSING
    assert finding.text == (
        f'is at {data}/mpii/annot/train.json: run "prepare_data.py link"'
    )


def test_missing_and_empty_images(data):
    (data / 'coco/train2017/b.jpg').write_bytes(b'')
    (data / 'coco/val2017/d.jpg').unlink()
    (data / 'coco/val2017/e.jpg').unlink()
    checked = check(data, COCO)
    assert states(checked) == {
        'train2017 for person_keypoints_train2017.json': INCOMPLETE,
        'val2017 for person_keypoints_val2017.json': BROKEN,
    }
    (words,) = [
        finding.text
        for finding in checked.findings.values()
        if finding.state == INCOMPLETE
    ]
    assert words == '1 of 3 images missing or empty, such as "b.jpg"'
    assert not checked.runs(COCO, 'train')


def test_files_that_do_not_fit(data):
    write(data / 'mpii/annot/train.json', [dict(name='1.jpg')])
    write(data / f'{BOXES}.json', [dict(image_id=9, score=0.5)])
    savemat(
        data / 'mpii/annot/gt_valid.mat',
        dict(headboxes_src=np.ones((2, 2, 7))),
    )
    ann = data / 'coco/annotations/person_keypoints_train2017.json'
    ann.write_text(ann.read_text()[:50])
    checked = check(data)
    assert states(checked) == {
        'mpii_train.json': BROKEN,
        'COCO_val2017_detections_AP_H_56_person.json': BROKEN,
        'mpii_gt_val.mat': BROKEN,
        'person_keypoints_train2017.json': BROKEN,
    }
    words = {
        name.rpartition('/')[2]: finding.text
        for name, finding in checked.findings.items()
    }
    assert 'is not complete JSON' in words['person_keypoints_train2017.json']
    assert words['mpii_train.json'].startswith("is neither COCO's format")
    assert '1 of its 1 images' in words[f'{Path(BOXES).name}.json']
    assert 'need (2, 2, 1)' in words['mpii_gt_val.mat']


@pytest.mark.parametrize(
    'fault',
    [
        dict(id=1),
        dict(image_id=77),
        dict(bbox=None),
        dict(bbox=[0, 0, -3, 9]),
        dict(bbox=[0, 0, float('nan'), 9]),
        dict(keypoints=None),
        dict(keypoints=[float('nan'), 1, 2] + [0] * 48),
        dict(keypoints=[1, 1, -1] + [0] * 48),
        dict(category_id=0),
    ],
    ids=str,
)
def test_broken_people(data, fault):
    path = data / 'coco/annotations/person_keypoints_val2017.json'
    content = json.loads(path.read_text())
    content['annotations'][0].update(fault)
    write(path, content)
    assert states(check(data, COCO))[path.name] == BROKEN


def test_files_of_another_kind(data):
    write(data / f'{BOXES}.json', dict(images=[]))
    (data / 'mpii/annot/gt_valid.mat').write_text('no Matlab')
    findings = check(data).findings
    for name in (f'{BOXES}.json', 'mpii/annotations/mpii_gt_val.mat'):
        finding = findings[f'{data}/{name}']
        assert finding.state == BROKEN
        assert finding.text.startswith('is not a ')


def test_each_file_is_read_once(data, monkeypatch):
    read = []
    monkeypatch.setattr(
        data_check,
        'read_annotations',
        lambda path: read.append(path) or read_annotations(path),
    )
    check(data, COCO, COCO, MPII)
    assert len(read) == len(set(read)) == 4


def test_configs_that_cannot_be_read(data, tmp_path):
    bad = tmp_path / 'bad.py'
    bad.write_text("_base_ = ['nowhere.py']")
    checked = check(data, str(bad), MPII)
    assert 'nowhere.py' in checked.failed[str(bad)]
    assert not checked.runs_wholly(str(bad))
    assert 'cannot be read: FileNotFoundError' in report(checked)


def test_config_without_a_split(data, tmp_path):
    path = tmp_path / 'train_only.py'
    ann = data / 'coco/annotations/person_keypoints_val2017.json'
    path.write_text(
        f'train_dataloader = dict(dataset=dict(ann_file={str(ann)!r}))'
    )
    checked = check(data, str(path))
    assert checked.runs(str(path), 'train')
    assert checked.runs(str(path), 'test') is None
    assert checked.runs_wholly(str(path))


def test_report(data):
    (data / f'{BOXES}.json').unlink()
    text = report(check(data, COCO))
    files, configs = text.split('\n\n')
    (line,) = [row for row in files.splitlines() if 'missing' in row]
    number = line.split()[0]
    assert number.startswith('#')
    assert configs.splitlines()[1].split() == [COCO, 'yes', 'no', 'no', number]


def test_missing_folder(tmp_path):
    with pytest.raises(UsageError, match='is not a folder'):
        DataCheck(str(tmp_path / 'none'))
