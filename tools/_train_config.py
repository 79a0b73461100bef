"""The options of tools/train.py, applied to a config."""

import logging
from argparse import Namespace

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmpose_occlusion.engine.config import (
    name_visualizer,
    set_work_dir,
    type_name,
)
from mmpose_occlusion.engine.insertion import carry_records, lost_occlusions
from mmpose_occlusion.errors import UsageError


def configure_training(cfg: Config, options: Namespace) -> None:
    """Change a config as MMPose's training tool does, and also

    - add the records of occlusions to the data samples,
    - warn of a later stage without the occlusions of the first,
    - write scalars for TensorBoard.

    Args:
        cfg: Modified.
        options: The tool's.

    Raises:
        UsageError: The config lacks a setting that an option needs.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    set_work_dir(cfg, options.config, options.work_dir)
    if not cfg.get('train_dataloader'):
        raise UsageError(
            f'config "{options.config}" has no train_dataloader, so there is '
            'nothing to train on'
        )
    if options.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if options.amp:
        _use_amp(cfg)
    if options.resume:
        cfg.resume = True
        cfg.load_from = None if options.resume == 'auto' else options.resume
    if options.exact_resume:
        _resume_exactly(cfg)
    if options.auto_scale_lr:
        if not cfg.get('auto_scale_lr'):
            raise UsageError(
                '--auto-scale-lr needs to know the batch size that the '
                'learning rate is for: add --cfg-options '
                'auto_scale_lr.base_batch_size=512'
            )
        cfg.auto_scale_lr.enable = True
    if options.show or options.show_dir:
        _show(cfg, options)
    if 'preprocess_cfg' in cfg:
        cfg.model.setdefault('data_preprocessor', cfg.preprocess_cfg)
    for split in ('train', 'val'):
        carry_records(cfg, split)
    for sentence in lost_occlusions(cfg):
        print_log(sentence, 'current', logging.WARNING)
    name_visualizer(cfg)
    _write_tensorboard(cfg)


def _resume_exactly(cfg: Config) -> None:
    """Add ``ExactResumeHook`` unless the config has it."""
    loop = cfg.get('train_cfg') or {}
    by_epoch = loop.get('by_epoch', True)
    if not by_epoch or type_name(loop) == 'IterBasedTrainLoop':
        raise UsageError(
            '--exact-resume keys random numbers by the epoch, but train_cfg '
            'counts iterations: set train_cfg.by_epoch=True and '
            'train_cfg.max_epochs, or leave it out'
        )
    hooks = [*(cfg.get('custom_hooks') or [])]
    if not any(type_name(hook) == 'ExactResumeHook' for hook in hooks):
        hooks.append({'type': 'ExactResumeHook'})
    cfg.custom_hooks = hooks


def _use_amp(cfg: Config) -> None:
    wrapper = type_name({'type': 'OptimWrapper', **cfg.optim_wrapper})
    if wrapper not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise UsageError(
            f'--amp cannot be used with optim_wrapper.type="{wrapper}", only '
            'with OptimWrapper'
        )
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def _show(cfg: Config, options: Namespace) -> None:
    cfg.setdefault('default_hooks', {})
    cfg.default_hooks.setdefault(
        'visualization', {'type': 'PoseVisualizationHook'}
    )
    cfg.default_hooks.visualization.update(
        enable=True,
        show=options.show,
        wait_time=options.wait_time,
        out_dir=options.show_dir,
        interval=options.interval,
    )


def _write_tensorboard(cfg: Config) -> None:
    """Add TensorBoard to the visualizer's backends unless it is there."""
    visualizer = cfg.visualizer
    backends = list(visualizer.get('vis_backends') or [])
    if not backends:
        backends.append({'type': 'LocalVisBackend'})
    if not any('Tensorboard' in type_name(each) for each in backends):
        backends.append({'type': 'TensorboardVisBackend'})
    visualizer['vis_backends'] = backends
