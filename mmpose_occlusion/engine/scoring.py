"""The metric of a config that a benchmark scores as."""

from collections.abc import Mapping
from typing import Any

from mmpose_occlusion.errors import UsageError

from .config import type_name

_ONLY: dict[str, dict[str, tuple]] = {
    'CocoMetric': {
        'gt_converter': (None,),
        'pred_converter': (None,),
        'format_only': (False,),
        # CrowdPose's AP has COCO's formula, and AP by crowding besides
        'iou_type': ('keypoints', 'keypoints_crowd'),
    },
    'MpiiPCKAccuracy': {'thr': (0.5,), 'norm_item': ('head', ['head'])},
}
"""Metric -> option -> values under which the benchmark counts as it does. The
benchmark takes over all other options of these metrics; its PCK is PCK@0.2,
whatever a ``PCKAccuracy`` of the config has."""


def scoring_metric(evaluator: Any) -> Mapping:
    """The metric that says how poses are scored and suppressed.

    Args:
        evaluator: Config of a metric, or of several.

    Returns:
        The config of the ``CocoMetric``, or of the first where there is none.

    Raises:
        UsageError: A metric has an option that the benchmark would ignore,
            or there are several that differ.
    """
    metrics = _metrics(evaluator)
    for metric in metrics:
        name = type_name(metric)
        for option, same in _ONLY.get(name, {}).items():
            value = metric.get(option, same[0])
            if isinstance(value, tuple):
                value = list(value)
            if value not in same:
                raise UsageError(
                    f'test_evaluator: the benchmark does not score as {name} '
                    f'with {option}={value!r} does: set it to {same[0]!r}, '
                    'or leave this metric out'
                )
    coco = [m for m in metrics if type_name(m) == 'CocoMetric']
    ways = [
        {k: v for k, v in m.items() if k not in ('prefix', 'ann_file')}
        for m in coco
    ]
    if any(way != ways[0] for way in ways):
        raise UsageError(
            f'test_evaluator has {len(coco)} CocoMetrics of different '
            'options, and the benchmark scores as one: leave one of them'
        )
    return (coco or metrics or [{}])[0]


def _metrics(evaluator: Any) -> list[Mapping]:
    if isinstance(evaluator, Mapping):
        if not evaluator.get('metrics'):
            return [evaluator] if evaluator.get('type') else []
        evaluator = evaluator['metrics']
    return [m for entry in evaluator or () for m in _metrics(entry)]
