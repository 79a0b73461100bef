"""The files that configs name, and annotation files as MMPose gets them."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.hub import get_config
from mmpose.registry import DATASETS
from scipy.io import savemat

from mmpose_occlusion.engine.data_files import (
    check_data_files,
    data_files,
)
from mmpose_occlusion.errors import DataError, UsageError
from tests.broken_files import coco_people

TOPDOWN = 'mmpose::body_2d_keypoint/topdown_heatmap'
COCO = f'{TOPDOWN}/coco/td-hm_res50_8xb64-210e_coco-256x192.py'
IN_COCO = 'data/coco/annotations/person_keypoints_'


def named(cfg: Config) -> dict[str, str]:
    """Dotted key -> path."""
    return {
        key: path
        for split in ('train', 'val', 'test')
        for key, path in data_files(cfg, split).items()
    }


def test_a_config_of_mmpose():
    boxes = 'COCO_val2017_detections_AP_H_56_person.json'
    files = named(get_config(COCO))
    assert {
        'train_dataloader.dataset.ann_file': f'{IN_COCO}train2017.json',
        'train_dataloader.dataset.data_prefix.img': 'data/coco/train2017/',
        'test_dataloader.dataset.bbox_file': (
            f'data/coco/person_detection_results/{boxes}'
        ),
        'test_evaluator.ann_file': f'{IN_COCO}val2017.json',
    }.items() <= files.items()
    assert len(files) == 2 + 2 * 4


def test_combined_data_sets_and_metrics():
    sets = [
        dict(data_root='d', ann_file='a.json', data_prefix=dict(img='')),
        dict(ann_file='s3://bucket/a.json', data_prefix=dict(img='')),
        dict(ann_file='', data_root='d', headbox_file='e/h.mat'),
        dict(type='RepeatDataset', dataset=dict(ann_file='/x/b.json')),
    ]
    metric = dict(type='CocoMetric', ann_file='d/c.json')
    cfg = Config(
        dict(
            test_dataloader=dict(dataset=dict(datasets=sets)),
            test_evaluator=dict(
                type='MultiDatasetEvaluator', metrics=[metric]
            ),
        )
    )
    dataset = 'test_dataloader.dataset.datasets'
    assert named(cfg) == {
        f'{dataset}.0.ann_file': 'd/a.json',
        f'{dataset}.0.data_prefix.img': 'd/',
        f'{dataset}.2.headbox_file': 'e/h.mat',
        f'{dataset}.3.dataset.ann_file': '/x/b.json',
        'test_evaluator.metrics.0.ann_file': 'd/c.json',
    }


def config(dataset, evaluator=None):
    return Config(
        {
            'val_dataloader': {'dataset': dataset},
            'val_evaluator': evaluator or {'type': 'CocoMetric'},
        }
    )


@pytest.fixture
def data(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps(coco_people()))
    (tmp_path / 'img').mkdir()
    return tmp_path


def dataset(data, **changes):
    return {
        'type': 'CocoDataset',
        'data_root': str(data),
        'ann_file': 'a.json',
        'data_prefix': {'img': 'img/'},
        **changes,
    }


def test_all_there(data):
    check_data_files(config(dataset(data)), 'val')
    absolute = dataset(
        data,
        data_root=None,
        ann_file=str(data / 'a.json'),
        data_prefix={'img': str(data / 'img')},
    )
    check_data_files(config(absolute), 'val')
    check_data_files(
        config(dataset(data, headbox_file=str(data / 'a.json'))), 'val'
    )


def test_other_storage_is_not_judged():
    elsewhere = {
        'type': 'CocoDataset',
        'ann_file': 's3://bucket/a.json',
        'data_prefix': {'img': 'cluster:s3://bucket/img'},
    }
    check_data_files(config(elsewhere), 'val')


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'ann_file': 'b.json'}, r'^val_dataloader\.dataset\.ann_file: file '),
        ({'data_prefix': {'img': 'x'}}, r'\.data_prefix\.img: folder ".*x"'),
        ({'bbox_file': 'b'}, r'\.bbox_file: file "b".*bbox_file=None'),
        ({'headbox_file': 'b'}, r'\.headbox_file: file "b" does not exist'),
    ],
)
def test_missing(data, change, words):
    with pytest.raises(UsageError, match=words):
        check_data_files(config(dataset(data, **change)), 'val')


def test_missing_file_of_an_evaluator(data):
    cfg = config(dataset(data), [{'type': 'A'}, {'ann_file': 'b'}])
    words = r'^val_evaluator\.1\.ann_file: file "b" does not exist'
    with pytest.raises(UsageError, match=words):
        check_data_files(cfg, 'val')
    check_data_files(cfg, 'val', evaluator=False)


def test_a_metric_reads_what_the_data_set_reads(data):
    (data / 'b.json').write_bytes((data / 'a.json').read_bytes())
    metric = {'type': 'CocoMetric', 'ann_file': str(data / 'b.json')}
    check_data_files(config(dataset(data), metric), 'val')
    (data / 'b.json').write_text(json.dumps(coco_people(area=3)))
    with pytest.raises(UsageError, match='a file of other contents'):
        check_data_files(config(dataset(data), metric), 'val')


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
        check_data_files(cfg, 'test', skip_unreadable=skip)
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


def test_a_new_id_is_nobody_elses(checked):
    content = coco_people(id=None)
    content['annotations'].append(dict(content['annotations'][0], id=0))
    cfg = checked(content)
    with open(cfg.test_dataloader.dataset.ann_file) as file:
        ids = [person['id'] for person in json.load(file)['annotations']]
    assert ids == [2**53 + 1, 2**53]


def test_people_of_all_categories_as_mmpose_reads_them(checked, tmp_path):
    """As in AP-10K; unless an annotation would stop MMPose."""
    content = coco_people()
    content['annotations'].append(
        dict(content['annotations'][0], id=2, category_id=2)
    )
    checked(content)
    assert not (tmp_path / 'work').exists()
    content['annotations'][1]['bbox'] = None
    cfg = checked(content)
    with open(cfg.test_dataloader.dataset.ann_file) as file:
        assert len(json.load(file)['annotations']) == 1


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
    other = dict(good, image_id='1', score=0.25)
    boxes.write_text(json.dumps([good, dict(good, score=None), other]))
    cfg = checked(coco_people(), bbox_file=str(boxes), test_mode=True)
    found = DATASETS.build(cfg.test_dataloader.dataset)
    assert [info['bbox_score'] for info in found] == [[0.5], [0.25]]
    boxes.write_text('{}')
    with pytest.raises(DataError, match='holds a dict'):
        checked(coco_people(), bbox_file=str(boxes))


def test_head_boxes_of_other_people(tmp_path):
    (tmp_path / 'a.json').write_text('[{}, {}]')
    path = str(tmp_path / 'gt.mat')
    savemat(path, dict(headboxes_src=np.ones((2, 2, 3))))
    mpii = dict(
        type='MpiiDataset',
        data_root=str(tmp_path),
        ann_file='a.json',
        headbox_file=path,
    )
    cfg = Config(dict(test_dataloader=dict(dataset=mpii)))
    words = '3 head boxes and .* has 2 people'
    with pytest.raises(DataError, match=words):
        check_data_files(cfg, 'test')
    savemat(path, dict(headboxes_src=np.ones((2, 2, 2))))
    check_data_files(cfg, 'test')
