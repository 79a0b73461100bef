"""Checks before a run starts."""

import json

import pytest
from mmengine.config import Config

from mmpose_occlusion.engine import checks
from mmpose_occlusion.errors import UsageError
from tests.broken_files import coco_people


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
    checks.check_data_files(config(dataset(data)), 'val')
    absolute = dataset(
        data,
        data_root=None,
        ann_file=str(data / 'a.json'),
        data_prefix={'img': str(data / 'img')},
    )
    checks.check_data_files(config(absolute), 'val')
    checks.check_data_files(
        config(dataset(data, headbox_file=str(data / 'a.json'))), 'val'
    )


def test_other_storage_is_not_judged():
    elsewhere = {
        'type': 'CocoDataset',
        'ann_file': 's3://bucket/a.json',
        'data_prefix': {'img': 'cluster:s3://bucket/img'},
    }
    checks.check_data_files(config(elsewhere), 'val')
    checks.check_checkpoint('https://example.org/x.pth')
    checks.check_checkpoint('torchvision://resnet50')


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
        checks.check_data_files(config(dataset(data, **change)), 'val')


def test_missing_inside_a_wrapper(data):
    wrapped = {
        'type': 'CombinedDataset',
        'datasets': [dataset(data), dataset(data, ann_file='b.json')],
    }
    with pytest.raises(
        UsageError, match=r'^val_dataloader\.dataset\.datasets\.1\.ann_file'
    ):
        checks.check_data_files(config(wrapped), 'val')


@pytest.mark.parametrize(
    ('evaluator', 'key'),
    [
        ({'type': 'CocoMetric', 'ann_file': 'b'}, r'val_evaluator\.ann_file'),
        ([{'type': 'A'}, {'ann_file': 'b'}], r'val_evaluator\.1\.ann_file'),
        (
            {'type': 'M', 'metrics': [{'ann_file': 'b'}]},
            r'val_evaluator\.metrics\.0\.ann_file',
        ),
    ],
)
def test_missing_file_of_an_evaluator(data, evaluator, key):
    cfg = config(dataset(data), evaluator)
    with pytest.raises(UsageError, match=f'^{key}: file "b" does not exist'):
        checks.check_data_files(cfg, 'val')
    checks.check_data_files(cfg, 'val', evaluator=False)


def test_pretrained_parts_are_found():
    weights = {'type': 'Pretrained', 'checkpoint': 'no.pth'}
    cfg = Config(
        {
            'model': {
                'init_cfg': None,
                'backbone': {'init_cfg': [{'type': 'Normal'}]},
                'necks': [{'type': 'A'}, {'init_cfg': weights}],
            }
        }
    )
    with pytest.raises(
        UsageError, match=r'^the weights model\.necks\.1\.init_cfg starts from'
    ):
        checks.fetch_pretrained(cfg)
    cfg.model.necks.pop()
    checks.fetch_pretrained(cfg)


def test_pretrained_file_is_accepted(tmp_path):
    import torch

    path = tmp_path / 'weights.pth'
    torch.save({'state_dict': {}}, path)
    weights = {'type': 'Pretrained', 'checkpoint': str(path)}
    checks.fetch_pretrained(Config({'model': {'init_cfg': weights}}))


def test_checkpoint_to_start_from():
    checks.check_resume(Config({'load_from': None}))
    with pytest.raises(UsageError, match=r'^load_from "x\.pth" does not'):
        checks.check_resume(Config({'load_from': 'x.pth', 'resume': False}))
