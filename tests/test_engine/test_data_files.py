"""The files that configs name."""

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from mmpose_occlusion.engine.data_files import data_files

TOPDOWN = 'mmpose::body_2d_keypoint/topdown_heatmap'
COCO = f'{TOPDOWN}/coco/td-hm_res50_8xb64-210e_coco-256x192.py'
IN_COCO = 'data/coco/annotations/person_keypoints_'


def named(cfg: Config) -> dict[str, str]:
    """Dotted key -> path."""
    return {
        file.key: file.path
        for split in ('train', 'val', 'test')
        for file in data_files(cfg, split)
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


@pytest.mark.parametrize(
    ('name', 'owner', 'is_images'),
    [
        ('ann_file', 'val_dataloader.dataset', False),
        ('img', 'val_dataloader.dataset', True),
    ],
)
def test_whose_file_it_is(name, owner, is_images):
    files = data_files(get_config(COCO), 'val')
    (file, *_) = (file for file in files if file.name == name)
    assert (file.owner, file.is_images) == (owner, is_images)
