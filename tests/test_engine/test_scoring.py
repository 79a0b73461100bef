"""Each option of MMPose's metrics is taken over or refused by name."""

import inspect

import pytest
from mmpose.evaluation.metrics import CocoMetric, MpiiPCKAccuracy

from mmpose_occlusion.engine.scoring import scoring_metric
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.mmpose_topdown.dataset import (
    describe_metric,
)

OUTPUT = {'ann_file', 'outfile_prefix', 'collect_device', 'prefix'}
"""Options that no number depends on (ann_file: see annotation_check)."""

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
def test_every_option(metric, option):
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
