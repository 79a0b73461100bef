"""The reference's layout is found and linked to MMPose's names."""

from pathlib import Path

import pytest
from data_layout import NAMES, find, link
from mmengine.hub import get_config

from mmpose_occlusion.engine.data_files import data_files
from mmpose_occlusion.errors import UsageError

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
def data(tmp_path: Path) -> Path:
    """A data folder in the reference's layout."""
    for name in REFERENCE:
        path = tmp_path / 'data' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / 'data'


@pytest.mark.parametrize('into', ['data', 'links/data'])
def test_configs_find_all_their_files(data, tmp_path, into):
    made = link(data, tmp_path / into)

    for config in CONFIGS:
        for split in ('train', 'val', 'test'):
            for file in data_files(get_config(config), split):
                below = Path(into).parent / file.path
                assert (tmp_path / below).exists()
    image = tmp_path / into / 'coco/val2017/b.jpg'
    assert image.read_text() == 'coco/images/val2017/b.jpg'
    assert len(made) == (5 if into == 'data' else 8)
    # a second call finds nothing left to do, and the folder can be moved
    assert link(data, tmp_path / into) == {}
    if into == 'data':
        moved = data.rename(tmp_path / 'moved')
        assert (moved / 'coco/val2017/b.jpg').exists()


def test_mmposes_own_name_comes_first(data):
    name = 'mpii/annotations/mpii_val.json'
    assert find(data, name) == data / 'mpii/annot/valid.json'
    (data / name).parent.mkdir()
    (data / name).write_text('own')
    assert find(data, name) == data / name
    assert data / name not in link(data, data)
    assert (data / name).read_text() == 'own'
    assert find(data, 'aic/train.json') is None


def test_names_do_not_overlap():
    names = [*NAMES, *(each for others in NAMES.values() for each in others)]
    assert len(names) == len(set(names))


def test_links_that_cannot_be_made(data, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UsageError, match='choose another folder for the li'):
        link(data, tmp_path / 'file')
