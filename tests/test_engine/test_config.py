"""Configs: data sets, pipelines, metainfo and metrics in them."""

import inspect
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmpose.evaluation.metrics import CocoMetric, MpiiPCKAccuracy

from mmpose_occlusion.engine.config import (
    dataloader,
    load_config,
    metainfo_of,
    parse_metainfo,
    prepare_run,
    scoring_metric,
    walk,
    walk_datasets,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.mmpose_dataset import (
    describe_metric,
)

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
        (
            OWN.replace('256x192', '256x19'),
            r'needs a file .*/td-hm_res50_8xb64-210e_coco-256x19\.py"',
        ),
        ('mmpos::x.py', 'package "mmpos", which is not installed'),
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


def test_syntax_error(tmp_path: Path):
    child = tmp_path / 'child.py'
    child.write_text('a = (\n')
    with pytest.raises(UsageError, match=r'child\.py" cannot be read: '):
        load_config(str(child))


def test_option_that_does_not_fit():
    with pytest.raises(UsageError, match=r'^--cfg-options model\.type\.x do'):
        load_config(OWN, {'model.type.x': 1})


def test_a_run_has_a_work_dir_and_a_visualizer_of_its_own():
    first, second = load_config(OWN), load_config(OWN)
    prepare_run(first)
    assert first.work_dir == 'work_dirs/td-hm_res50_8xb64-210e_coco-256x192'
    prepare_run(second, 'here')
    assert second.work_dir == 'here'
    assert first.visualizer.name != second.visualizer.name
    prepare_run(second)
    assert second.work_dir == 'here'


def test_walk():
    cfg = Config(dict(model=dict(heads=[dict(type='A'), 3]), a=1))
    assert [key for key, _ in walk(cfg)] == ['', 'model', 'model.heads.0']
    assert list(walk(dict(a=dict(b={}), c={}), names=('a',))) == [
        ('', dict(a=dict(b={}), c={})),
        ('a', dict(b={})),
    ]


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


def metainfo(**changes):
    info = {
        0: dict(name='nose', swap=''),
        1: dict(name='left_hand', swap='right_hand'),
        2: dict(name='right_hand', swap='left_hand'),
    }
    base = dict(
        dataset_name='three',
        keypoint_info=info,
        skeleton_info={0: dict(link=('nose', 'left_hand'))},
        joint_weights=[1.0] * 3,
        sigmas=[0.1] * 3,
    )
    return {k: v for k, v in {**base, **changes}.items() if v is not ...}


def test_good_metainfo():
    assert parse_metainfo(metainfo(), 'D')['flip_indices'] == [0, 2, 1]


def hands(**left):
    info = metainfo()['keypoint_info']
    info[1] = {**info[1], **left}
    return dict(keypoint_info=info)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (dict(sigmas=...), 'lacks "sigmas"'),
        (dict(sigmas=[0.1] * 2), 'has 2 sigmas for 3 keypoints'),
        (hands(swap='paw'), "uses 'paw', which is not the name"),
        (hands(swap='nose'), 'swaps "left_hand" with "nose"'),
        (hands(name='nose', swap=''), "uses 'left_hand'"),
        (dict(skeleton_info={0: dict(link=('a', 'b'))}), "uses 'a'"),
        (dict(keypoint_info=[]), 'cannot be read'),
        (
            dict(
                keypoint_info={
                    k: dict(name=str(k), swap='') for k in (1, 2, 4)
                },
                skeleton_info={},
            ),
            'numbers its keypoints 1, 2, 4',
        ),
        (dict(from_file='none.py'), 'none.py.*does not exist'),
    ],
)
def test_metainfo_that_does_not_fit_itself(change, words):
    with pytest.raises(UsageError, match=words) as caught:
        parse_metainfo(metainfo(**change), 'D')
    assert '\n' not in str(caught.value)


OUTPUT = {'ann_file', 'outfile_prefix', 'collect_device', 'prefix'}
"""Options that no number depends on (ann_file: see data_files)."""

OTHER = dict(
    use_area=False,
    iou_type='bbox',
    score_mode='bbox',
    keypoint_score_thr=0.4,
    nms_mode='none',
    nms_thr=0.3,
    format_only=True,
    pred_converter=dict(num_keypoints=1, mapping=[(0, 0)]),
    gt_converter=dict(num_keypoints=1, mapping=[(0, 0)]),
    thr=0.2,
    norm_item='torso',
)
REFUSED = {
    'iou_type',
    'format_only',
    'pred_converter',
    'gt_converter',
    'thr',
    'norm_item',
}


@pytest.mark.parametrize(
    ('metric', 'option'),
    [
        (metric, option)
        for metric in (CocoMetric, MpiiPCKAccuracy)
        for option in inspect.signature(metric).parameters
        if option not in OUTPUT
    ],
)
def test_every_option_of_a_metric(metric, option):
    given = {'type': metric.__name__, option: OTHER[option]}
    if option in REFUSED:
        with pytest.raises(
            UsageError, match=f'{metric.__name__} with {option}'
        ):
            describe_metric(given)
    else:
        assert describe_metric(given)[option] == OTHER[option]


def test_coco_metric_counts_wherever_it_stands():
    coco = dict(type='CocoMetric', nms_mode='none')
    pck = dict(type='PCKAccuracy')
    for evaluator in ([pck, coco], dict(type='X', metrics=[pck, coco]), coco):
        assert describe_metric(evaluator)['nms_mode'] == 'none'
    with pytest.raises(UsageError, match='2 CocoMetrics of different'):
        scoring_metric([coco, dict(type='CocoMetric')])
    assert scoring_metric([coco, dict(coco, prefix='again')]) == coco
    assert scoring_metric(None) == {}


def test_mpii_pixels_count_from_one():
    assert describe_metric(dict(type='MpiiPCKAccuracy'))['offset'] == 1


def test_crowdpose():
    metric = dict(type='CocoMetric', iou_type='keypoints_crowd')
    assert describe_metric(metric)['iou_type'] == 'keypoints_crowd'


def test_custom_imports_from_the_current_folder(tmp_path, monkeypatch):
    """As with python -m: a checkout's projects, without PYTHONPATH."""
    (tmp_path / 'mine_alone.py').write_text('DONE = True\n')
    (tmp_path / 'config.py').write_text(
        "custom_imports = dict(imports=['mine_alone'])\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [path for path in sys.path if path])
    load_config('config.py')
    assert sys.modules.pop('mine_alone').DONE
