"""The test tool's arguments, put into a config."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from numpy.lib import NumpyVersion

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.evaluation.predictions import load_predictions

from .attack import attack_config, match_boxes, read_attacks, use_gt_boxes
from .checks import check_data_files
from .config import name_visualizer, set_work_dir

_SHARED = (
    'ann_file',
    'use_area',
    'score_mode',
    'keypoint_score_thr',
    'nms_mode',
    'nms_thr',
)
"""Arguments that a config's CocoMetric gives to the metrics added here."""


def apply_arguments(cfg: Config, args: Namespace) -> list[str]:
    """Do to a config what MMPose's test tool would do, and put attacks in.

    The checkpoint is left to the tool, which loads it itself.

    Args:
        cfg: Modified.
        args: Of ``tools/test.py``.

    Returns:
        The attacks' names.

    Raises:
        UsageError: The config lacks what an argument is about, a file does
            not exist, or an attack does not fit.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    set_work_dir(cfg, args.config, args.work_dir)
    name_visualizer(cfg)
    cfg.load_from = None
    cfg.resume = False
    attacks = read_attacks(cfg, args.attack)
    if args.gt_boxes:
        use_gt_boxes(cfg)
    check_data_files(cfg, 'test')
    if args.box_nms is not None:
        match_boxes(cfg, nms_thr=args.box_nms)
    shown = bool(args.show_dir or args.show) and not args.badcase
    names = attack_config(cfg, attacks, args.attack_seed, keep_images=shown)
    hooks = [*(cfg.get('custom_hooks') or [])]
    hooks.append({'type': 'OcclusionSummaryHook', 'names': names})
    if shown:
        hooks.append(
            {
                'type': 'OcclusionVisualizationHook',
                'out_dir': args.show_dir,
                'name': '+'.join(names) or 'clean',
                'interval': args.interval,
                'show': args.show,
                'wait_time': args.wait_time,
            }
        )
    cfg.custom_hooks = hooks
    if args.badcase:
        _analyse_badcases(cfg, args)
    if args.per_keypoint:
        _add_metric(cfg, _like_coco(cfg, 'PerKeypointMetric'))
    if args.per_keypoint_paper:
        metric = _like_coco(cfg, 'PerKeypointMetric')
        _add_metric(cfg, dict(metric, paper_exact=True, prefix='paper'))
    if args.save_clean or args.compare:
        _compare(cfg, args, names)
    if args.dump:
        _dump_predictions(cfg, args.dump)
    return names


def _analyse_badcases(cfg: Config, args: Namespace) -> None:
    """Turn MMPose's ``BadCaseAnalysisHook`` on."""
    if NumpyVersion(np.__version__) >= '2.4.0':
        raise UsageError(
            f'--badcase does not work with NumPy {np.__version__}: '
            "MMPose's hook makes numbers of arrays, which NumPy 2.4 and "
            'later refuse; look at the crops with --show-dir'
        )
    hook = (cfg.get('default_hooks') or {}).get('badcase')
    if not hook:
        raise UsageError(
            f'--badcase needs default_hooks.badcase, which config '
            f'"{args.config}" does not have: add it as in MMPose\'s '
            '_base_/default_runtime.py'
        )
    hook.update(enable=True, show=args.show, interval=args.interval)
    if args.show:
        hook['wait_time'] = args.wait_time
    if not hook.get('metric'):
        by_loss = hook.get('metric_type', 'loss') == 'loss'
        hook['metric'] = cfg.model.head.loss if by_loss else cfg.test_evaluator


def _compare(cfg: Config, args: Namespace, names: list[str]) -> None:
    """Keep a clean run's predictions, or compare with them."""
    if args.save_clean and (names or args.compare):
        other = 'an attack' if names else '--compare'
        raise UsageError(
            f'--save-clean is for a run without attack, and there is {other}: '
            'test clean first, then under attack with --compare'
        )
    metric = _like_coco(cfg, 'ForcedOcclusionMetric')
    if args.save_clean:
        if not args.save_clean.endswith('.npz'):
            raise UsageError(f'--save-clean "{args.save_clean}" must be .npz')
        if Path(args.save_clean).exists():
            raise UsageError(
                f'--save-clean "{args.save_clean}" exists already and is not '
                'overwritten: give another name, or delete it'
            )
        _add_metric(cfg, dict(metric, save=args.save_clean))
        return
    if not names:
        raise UsageError(
            '--compare says what an attack did: name one, for example '
            '--attack keypoint:nose:black'
        )
    if not Path(args.compare).is_file():
        raise UsageError(
            f'--compare "{args.compare}" does not exist: write it by a run '
            f'without attack and with --save-clean {args.compare}'
        )
    try:
        load_predictions(args.compare)
    except ValueError as error:
        raise UsageError(f'--compare: {error}') from error
    _add_metric(cfg, dict(metric, clean=args.compare))


def _like_coco(cfg: Config, type_: str) -> dict:
    """A metric that reads, scores and thins out as the config's own."""
    for metric in _metrics(cfg):
        if str(metric.get('type')).rpartition('.')[2] == 'CocoMetric':
            given = {key: metric[key] for key in _SHARED if key in metric}
            return {'type': type_, **given}
    return {'type': type_}


def _dump_predictions(cfg: Config, path: str) -> None:
    if not path.endswith(('.pkl', '.pickle')):
        raise UsageError(f'--dump "{path}" must be a .pkl file')
    _add_metric(cfg, {'type': 'DumpResults', 'out_file_path': path})


def _metrics(cfg: Config) -> list[Any]:
    evaluator = cfg.test_evaluator
    return [evaluator] if isinstance(evaluator, Mapping) else list(evaluator)


def _add_metric(cfg: Config, metric: dict) -> None:
    metrics = _metrics(cfg)
    if any('metrics' in each for each in metrics):
        raise UsageError(
            f'{metric["type"]} cannot be added to the evaluator of several '
            f'data sets of config "{cfg.filename}": test on one data set, '
            'with --cfg-options test_evaluator._delete_=True '
            'test_evaluator.type=CocoMetric'
        )
    cfg.test_evaluator = [*metrics, metric]
