"""Annotation files as MMPose's data sets get them."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.registry import DATASETS
from scipy.io import savemat

from mmpose_occlusion.engine.annotation_check import check_annotations
from mmpose_occlusion.errors import DataError
from tests.broken_files import coco_people
from tests.test_engine.test_checks import dataset


@pytest.fixture
def checked(tmp_path):
    """The config's data set after the check of a file."""
    (tmp_path / 'img').mkdir()
    cv2.imwrite(str(tmp_path / 'img/a.png'), np.zeros((50, 50, 3), np.uint8))

    def check(content, skip=False, **changes):
        path = tmp_path / 'a.json'
        path.write_text(json.dumps(content))
        cfg = Config(
            dict(
                work_dir=str(tmp_path / 'work'),
                test_dataloader=dict(dataset=dataset(tmp_path, **changes)),
                test_evaluator=dict(type='CocoMetric', ann_file=str(path)),
            )
        )
        check_annotations(cfg, 'test', skip)
        return cfg

    return check


def test_a_good_file_is_read_as_it_is(checked, tmp_path):
    cfg = checked(coco_people())
    assert cfg.test_dataloader.dataset.ann_file == 'a.json'
    assert not (tmp_path / 'work').exists()


@pytest.mark.parametrize(
    ('change', 'key', 'value'),
    [
        (dict(bbox=None), 'bbox', [5, 5, 21, 37]),
        (dict(id=0), 'id', 2**53),
        (dict(category_id='1'), 'category_id', 1),
        (dict(num_keypoints=0), 'num_keypoints', 17),
        (dict(image_id='1'), 'img_id', 1),
    ],
)
def test_mmpose_reads_the_corrected_copy(checked, change, key, value):
    cfg = checked(coco_people(**change))
    given = cfg.test_dataloader.dataset
    assert cfg.test_evaluator.ann_file == given.ann_file
    (info,) = DATASETS.build(
        dict(given, serialize_data=False)
    ).load_data_list()
    if key == 'bbox':
        value = [[5, 5, 5 + 16, 5 + 32]]
    assert np.array_equal(info[key], value)


@pytest.mark.parametrize('category', [0, 3])
def test_people_get_the_category_that_is_scored(checked, category):
    content = coco_people(category_id=category)
    content['categories'][0]['id'] = category
    cfg = checked(content)
    (info,) = DATASETS.build(cfg.test_dataloader.dataset)
    assert info['category_id'] == 1


def test_sizes_of_images_are_read_from_them(checked):
    content = coco_people()
    del content['images'][0]['width']
    cfg = checked(content)
    with open(cfg.test_dataloader.dataset.ann_file) as file:
        (image,) = json.load(file)['images']
    assert (image['width'], image['height']) == (50, 50)


def test_images_that_cannot_be_read(checked):
    content = coco_people()
    content['images'].append(
        dict(id=2, file_name='no.png', width=50, height=50)
    )
    content['annotations'].append(
        dict(content['annotations'][0], id=2, image_id=2)
    )
    cfg = checked(content, skip=True)
    assert len(DATASETS.build(cfg.test_dataloader.dataset)) == 1


def test_other_joints(checked):
    content = coco_people()
    names = content['categories'][0]['keypoints']
    names[:2] = names[1::-1]
    with pytest.raises(DataError, match='in another order'):
        checked(content)
    del names[12:], content['annotations'][0]['keypoints'][36:]
    with pytest.raises(DataError, match=r'has 12 keypoints .* names 17'):
        checked(content)


def test_detections(checked, tmp_path):
    boxes = tmp_path / 'boxes.json'
    good = dict(image_id=1, category_id=1, bbox=[1, 2, 9, 9], score=0.5)
    boxes.write_text(json.dumps([good, dict(good, score=None)]))
    cfg = checked(coco_people(), bbox_file=str(boxes), test_mode=True)
    (info,) = DATASETS.build(cfg.test_dataloader.dataset)
    assert info['bbox_score'] == [0.5]
    boxes.write_text('{}')
    with pytest.raises(DataError, match='holds a dict'):
        checked(coco_people(), bbox_file=str(boxes))


@pytest.mark.parametrize(
    ('boxes', 'words'),
    [(3, '3 head boxes and .* has 2 people'), (None, 'has no head boxes')],
)
def test_head_boxes_of_other_people(boxes, words, tmp_path):
    (tmp_path / 'a.json').write_text('[{}, {}]')
    path = str(tmp_path / 'gt.mat')
    content = {} if boxes is None else dict(headboxes_src=np.ones((2, 2, 3)))
    savemat(path, content)
    mpii = dict(
        type='MpiiDataset',
        data_root=str(tmp_path),
        ann_file='a.json',
        headbox_file=path,
    )
    cfg = Config(dict(test_dataloader=dict(dataset=mpii)))
    with pytest.raises(DataError, match=words):
        check_annotations(cfg, 'test')
    savemat(path, dict(headboxes_src=np.ones((2, 2, 2))))
    check_annotations(cfg, 'test')
