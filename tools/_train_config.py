"""The options of tools/train.py, applied to a config, and its checkpoints."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader, load_from_local

from mmpose_occlusion.checkpoints import (
    load_checkpoint_safely,
    without_wrapper,
)
from mmpose_occlusion.engine import config
from mmpose_occlusion.engine.insertion import lost_occlusions
from mmpose_occlusion.errors import UsageError


def configure_training(cfg: Config, options: Any) -> None:
    """Change a config as MMPose's training tool does, write checkpoints
    atomically, and warn of a later stage without the occlusions of the
    first."""
    config.prepare_run(cfg, options.work_dir)
    config.dataloader(cfg, 'train')  # exists
    if options.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if options.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if options.resume:
        cfg.resume = True
        cfg.load_from = None if options.resume == 'auto' else options.resume
    if options.exact_resume:
        hook = dict(type='ExactResumeHook')
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
    saving = cfg.get('default_hooks', {}).get('checkpoint')
    if saving and config.type_name(saving) == 'CheckpointHook':
        saving['type'] = 'AtomicCheckpointHook'
    if options.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if options.show or options.show_dir:
        cfg.setdefault('default_hooks', {}).setdefault(
            'visualization', {'type': 'PoseVisualizationHook'}
        ).update(
            enable=True,
            show=options.show,
            wait_time=options.wait_time,
            out_dir=options.show_dir,
            interval=options.interval,
        )
    if 'preprocess_cfg' in cfg:
        cfg.model.setdefault('data_preprocessor', cfg.preprocess_cfg)
    for sentence in lost_occlusions(cfg):
        _warn(sentence)


def read_start(cfg: Config, trust: bool = False) -> Mapping | None:
    """Read and check the checkpoint that a training starts from, as MMEngine
    unpickles files of all kinds; with ``--resume`` alone, find it and set the
    config's ``load_from``. Returns its content, or None."""
    if path := cfg.get('load_from'):
        return load_checkpoint_safely(path, trust)
    return _read_latest(cfg, trust) if cfg.get('resume') else None


def _read_latest(cfg: Config, trust: bool) -> Mapping | None:
    """The readable checkpoint of a work dir that ``last_checkpoint`` names,
    or else the newest; None where there is none, which is logged."""
    folder = Path(cfg.work_dir)
    try:
        text = (folder / 'last_checkpoint').read_text().strip()
    except (OSError, ValueError):
        text = ''
    hook = cfg.get('default_hooks', {}).get('checkpoint') or {}
    if hook.get('out_dir'):
        folder = Path(hook['out_dir']) / folder.name
    numbered = [
        (int(match[1]), path)
        for path in folder.glob('*.pth')
        if (match := re.fullmatch(r'(?:epoch|iter)_(\d+)', path.stem))
    ]
    found = [path for _, path in sorted(numbered, reverse=True)]
    named = Path(text)
    if named.is_file():
        found.insert(0, named)
    error: UsageError | None = None
    for path in dict.fromkeys(found):
        try:
            checkpoint = load_checkpoint_safely(path, trust)
        except UsageError as refusal:
            if '--trust-checkpoint' in str(refusal):
                raise  # a user's decision; an older one would lose epochs
            _warn(f'{refusal}; not used')
            error = error or refusal
            continue
        if path != named:
            _warn(
                f'"{cfg.work_dir}/last_checkpoint" names '
                f'{repr(text) if text else "no checkpoint"}, so the training '
                f'resumes from "{path}", the newest that can be read'
            )
        cfg.load_from = str(path)
        return checkpoint
    if error:
        raise error
    _warn(
        f'"{folder}" holds no checkpoint to resume from: the training starts '
        'at its beginning'
    )
    return None


def _warn(text: str) -> None:
    print_log(text, 'current', logging.WARNING)


def check_start(runner: Runner, checkpoint: Mapping | None) -> None:
    """Check that a training's checkpoint, see :func:`read_start`, fits its
    model (in ``load_from``: some keys) and leaves work.

    MMEngine skips keys that do not fit and trains from random weights.
    """
    path = runner._load_from
    if checkpoint is None:
        return

    # MMEngine tries PyTorch's weights-only reader, prints its failure, and
    # then reads all; this file is checked
    def load(filename: str, map_location: Any = None) -> Any:
        if filename != path:
            return load_from_local(filename, map_location)
        return torch.load(filename, map_location, weights_only=False)

    CheckpointLoader.register_scheme('', load, force=True)
    theirs = without_wrapper(checkpoint.get('state_dict', checkpoint))
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    ours = {k: v.shape for k, v in model.state_dict().items()}
    fit = [
        k for k, v in theirs.items() if ours.get(k) == getattr(v, 'shape', 0)
    ]
    if len(fit) < len(ours) and (runner._resume or not fit):
        raise UsageError(
            f'checkpoint "{path}" is of another model: {len(fit):,} of the '
            f"model's {len(ours):,} parameters are in it with their shape; "
            'give a checkpoint of this config'
        )
    meta = checkpoint.get('meta') or {}
    for unit in ('epoch', 'iter') if runner._resume else ():
        limit = runner.cfg.train_cfg.get(f'max_{unit}s')
        if limit and meta.get(unit, 0) >= limit:
            raise UsageError(
                f'the training in "{path}" has finished ({unit} '
                f'{meta[unit]} of {limit}): raise --cfg-options '
                f'train_cfg.max_{unit}s to train on'
            )


def fetch_pretrained(cfg: Config) -> None:
    """Download the pretrained weights of the model's parts into PyTorch's
    cache, from where MMEngine reads them; its failure is a long traceback."""
    for key, part in config.walk(cfg.model, 'model'):
        if config.type_name(part) != 'Pretrained':
            continue
        path = part['checkpoint']
        try:
            CheckpointLoader.load_checkpoint(path, map_location='cpu')
        except Exception as error:
            # of many types, from a refused connection to a damaged file
            reason = ' '.join(str(error).split()) or type(error).__name__
            raise UsageError(
                f'the weights {key} starts from, "{path}", cannot be read '
                f'({reason}): start without them by --cfg-options '
                f'{key}=None, or name a file on disk by '
                f'--cfg-options {key}.checkpoint=FILE'
            ) from error
