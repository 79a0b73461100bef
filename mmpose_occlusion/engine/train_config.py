"""The training tool's arguments, put into a config."""

from argparse import Namespace

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpose_occlusion.errors import UsageError

from .attack import carry_records
from .config import name_visualizer, set_work_dir


def apply_arguments(cfg: Config, args: Namespace) -> None:
    """Do to a config what MMPose's training tool would do, and

    - have the records of occlusions reach the data samples,
    - write scalars for TensorBoard besides what the config asks for.

    Args:
        cfg: Modified.
        args: Of ``tools/train.py``.

    Raises:
        UsageError: The config lacks what an argument is about.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    set_work_dir(cfg, args.config, args.work_dir)
    if not cfg.get('train_dataloader'):
        raise UsageError(
            f'config "{args.config}" has no train_dataloader, so there is '
            'nothing to train on'
        )
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        _use_amp(cfg)
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.exact_resume:
        _resume_exactly(cfg)
    if args.auto_scale_lr:
        if not cfg.get('auto_scale_lr'):
            raise UsageError(
                '--auto-scale-lr needs to know the batch size that the '
                'learning rate is for: add --cfg-options '
                'auto_scale_lr.base_batch_size=512'
            )
        cfg.auto_scale_lr.enable = True
    if args.show or args.show_dir:
        _show(cfg, args)
    if 'preprocess_cfg' in cfg:
        cfg.model.setdefault('data_preprocessor', cfg.preprocess_cfg)
    for split in ('train', 'val'):
        carry_records(cfg, split)
    name_visualizer(cfg)
    _write_tensorboard(cfg)


def _resume_exactly(cfg: Config) -> None:
    """Add ``ExactResumeHook`` unless the config has it."""
    loop = cfg.get('train_cfg') or {}
    type_ = loop.get('type', 'EpochBasedTrainLoop')
    if not loop.get('by_epoch', True) or type_ == 'IterBasedTrainLoop':
        raise UsageError(
            '--exact-resume keys random numbers by the epoch, but train_cfg '
            'counts iterations: set train_cfg.by_epoch=True and '
            'train_cfg.max_epochs, or leave it out'
        )
    hooks = [*(cfg.get('custom_hooks') or [])]
    if not any('ExactResumeHook' in str(hook['type']) for hook in hooks):
        hooks.append({'type': 'ExactResumeHook'})
    cfg.custom_hooks = hooks


def _use_amp(cfg: Config) -> None:
    type_ = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if type_ not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise UsageError(
            f'--amp cannot be used with optim_wrapper.type="{type_}", only '
            'with OptimWrapper'
        )
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def _show(cfg: Config, args: Namespace) -> None:
    cfg.setdefault('default_hooks', {})
    cfg.default_hooks.setdefault(
        'visualization', {'type': 'PoseVisualizationHook'}
    )
    cfg.default_hooks.visualization.update(
        enable=True,
        show=args.show,
        wait_time=args.wait_time,
        out_dir=args.show_dir,
        interval=args.interval,
    )


def _write_tensorboard(cfg: Config) -> None:
    """Add TensorBoard to the visualizer's backends unless it is there."""
    visualizer = cfg.visualizer
    backends = list(visualizer.get('vis_backends') or [])
    if not backends:
        backends.append({'type': 'LocalVisBackend'})
    if not any('Tensorboard' in str(each['type']) for each in backends):
        backends.append({'type': 'TensorboardVisBackend'})
    visualizer['vis_backends'] = backends
