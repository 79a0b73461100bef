"""Finding data sets and pipelines in configs."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmpose_occlusion.engine.config import (
    dataloader,
    load_config,
    metainfo_of,
    set_work_dir,
    walk_datasets,
)
from mmpose_occlusion.errors import UsageError

OWN = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py'
)


def test_mmpose_config_by_name():
    cfg = load_config(OWN, {'model.backbone.depth': 18})
    assert cfg.model.backbone.depth == 18
    assert cfg.test_dataloader.dataset.type == 'CocoDataset'


@pytest.mark.parametrize(
    ('path', 'words'),
    [
        ('no.py', r'config file "no\.py" does not exist'),
        ('mmpose::no/such.py', r'config "mmpose::no/such\.py" needs a file'),
    ],
)
def test_missing_configs(path, words):
    with pytest.raises(UsageError, match=words):
        load_config(path)


def test_missing_base(tmp_path: Path):
    child = tmp_path / 'child.py'
    child.write_text('_base_ = "parent.py"\n')
    with pytest.raises(UsageError, match=r'needs a file .*parent\.py'):
        load_config(str(child))


def test_base_modules_that_the_wheel_lacks():
    name = 'edpose/coco/edpose_res50_8xb2-50e_coco-800x1333.py'
    words = (
        r'800x1333\.py" inherits from the module '
        r'"mmpose\.configs\._base_\.default_runtime", which is not installed'
    )
    with pytest.raises(UsageError, match=words):
        load_config(f'mmpose::body_2d_keypoint/{name}')


def test_syntax_error(tmp_path: Path):
    child = tmp_path / 'child.py'
    child.write_text('a = (\n')
    with pytest.raises(UsageError, match=r'child\.py" cannot be read: '):
        load_config(str(child))


def test_option_that_does_not_fit():
    with pytest.raises(UsageError, match=r'^--cfg-options model\.type\.x do'):
        load_config(OWN, {'model.type.x': 1})


def test_work_dir():
    cfg = Config({})
    set_work_dir(cfg, OWN, None)
    assert cfg.work_dir == 'work_dirs/td-hm_res50_8xb64-210e_coco-256x192'
    set_work_dir(cfg, 'other.py', None)
    assert cfg.work_dir == 'work_dirs/td-hm_res50_8xb64-210e_coco-256x192'
    set_work_dir(cfg, 'other.py', 'here')
    assert cfg.work_dir == 'here'


def test_dataloader_is_a_copy():
    cfg = Config({'val_dataloader': {'dataset': {'type': 'X', 'a': [1]}}})
    dataloader(cfg, 'val')['dataset']['a'].append(2)
    assert cfg.val_dataloader.dataset.a == [1]
    with pytest.raises(UsageError, match='has no test_dataloader'):
        dataloader(cfg, 'test')


def test_walk_datasets():
    nested = {
        'type': 'RepeatDataset',
        'dataset': {
            'type': 'CombinedDataset',
            'datasets': [{'type': 'A'}, {'type': 'B'}],
        },
    }
    found = [(key, entry['type']) for key, entry in walk_datasets(nested)]
    assert found == [
        ('dataset', 'RepeatDataset'),
        ('dataset.dataset', 'CombinedDataset'),
        ('dataset.dataset.datasets.0', 'A'),
        ('dataset.dataset.datasets.1', 'B'),
    ]


def test_metainfo_of_class_of_file_and_of_wrapped():
    import mmpose.datasets  # noqa: F401

    coco = metainfo_of({'type': 'mmpose.CocoDataset'})
    assert coco['keypoint_id2name'][0] == 'nose'
    mpii = metainfo_of(
        {
            'type': 'mmpose.CocoDataset',
            'metainfo': {'from_file': 'configs/_base_/datasets/mpii.py'},
        }
    )
    assert mpii['keypoint_id2name'][0] == 'right_ankle'
    wrapped = metainfo_of(
        {'type': 'RepeatDataset', 'dataset': {'type': 'mmpose.AicDataset'}}
    )
    assert wrapped['dataset_name'] == 'aic'
    with pytest.raises(UsageError, match='has no metainfo'):
        metainfo_of({'type': 'RepeatDataset'})
