"""The test tool's arguments, put into a config."""

from argparse import Namespace
from collections.abc import Mapping

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from numpy.lib import NumpyVersion

from .attack import attack_config, read_attacks, use_gt_boxes
from .config import name_visualizer, set_work_dir
from .errors import UsageError


def apply_arguments(cfg: Config, args: Namespace) -> None:
    """Do to a config what MMPose's test tool would do, and put attacks in.

    Args:
        cfg: Modified.
        args: Of ``tools/test.py``.

    Raises:
        UsageError: The config lacks what an argument is about, or an attack
            does not fit.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    set_work_dir(cfg, args.config, args.work_dir)
    name_visualizer(cfg)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    attacks = read_attacks(cfg, args.attack)
    if args.gt_boxes:
        use_gt_boxes(cfg)
    shown = bool(args.show_dir or args.show) and not args.badcase
    names = attack_config(cfg, attacks, args.attack_seed, keep_pictures=shown)
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
    if args.dump:
        _dump_predictions(cfg, args.dump)


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


def _dump_predictions(cfg: Config, path: str) -> None:
    if not path.endswith(('.pkl', '.pickle')):
        raise UsageError(f'--dump "{path}" must be a .pkl file')
    evaluator = cfg.test_evaluator
    if isinstance(evaluator, Mapping):
        evaluator = [evaluator]
    dump = {'type': 'DumpResults', 'out_file_path': path}
    cfg.test_evaluator = [*evaluator, dump]
