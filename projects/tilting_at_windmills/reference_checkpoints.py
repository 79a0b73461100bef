"""From checkpoints of the reference code to MMPose's."""

import logging
import os
import shlex
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.registry import DefaultScope
from reference_models import Model, config_meta, recognise
from torch import Tensor, nn

from mmpose_occlusion.checkpoints import CheckpointError
from mmpose_occlusion.checkpoints.load import (
    COUNTER,
    describe_misfit,
    options_of,
    without_wrapper,
)
from mmpose_occlusion.files import write_bytes
from mmpose_occlusion.version import __version__

WEIGHTS = {'best': 'best_state_dict', 'last': 'state_dict'}
"""Choice -> key of the reference's training checkpoints."""

_HEAD = ('deconv_layers.', 'final_layer.')


def convert(
    checkpoint: Mapping, path: str = '', weights: str = 'auto'
) -> dict[str, Any]:
    """Convert a reference checkpoint to MMPose's ``TopdownPoseEstimator``.

    Width, depth, deconvolutions and joints are read from keys and shapes;
    then MMPose's model is built, without memory, and all keys and shapes
    must be the same.

    Args:
        checkpoint: A state dict; or one under ``state_dict``, its keys with
            the prefix ``module.`` or without; or ``best_state_dict`` beside
            it.
        path: Its file, for messages and meta data.
        weights: ``best`` or ``last``, of a file that has both; ``auto``
            takes the best if there is one.

    Returns:
        ``state_dict``, with keys ``backbone.*`` and ``head.*``, and plain
        data under ``meta``: ``recognised`` (name, num_joints, backbone,
        head), ``converted_from`` (file, weights and, if known, epoch and
        perf), ``channel_order`` of the images in training (rgb or bgr), and
        the keys of :func:`~reference_models.config_meta`.

    Raises:
        CheckpointError: It is no such checkpoint, or a key does not fit.
    """
    what = f'checkpoint "{path}"' if path else 'the checkpoint'
    source, state = _weights(checkpoint, what, weights)
    model = recognise({k: tuple(v.shape) for k, v in state.items()}, what)
    meta = {
        'recognised': dict(vars(model)),
        'converted_from': {
            'file': os.path.basename(path),
            'weights': source,
            **_numbers(checkpoint, ('epoch', 'perf')),
        },
        'channel_order': 'bgr' if model.family == 'ResNet' else 'rgb',
        'mmpose_occlusion_version': __version__,
        # training leaves MODEL_384x288_.../model_best.pth
        **config_meta(model, '/'.join(Path(path).parts[-2:])),
    }
    return {'meta': meta, 'state_dict': _renamed(state, model, what)}


def _weights(
    checkpoint: Mapping, what: str, weights: str
) -> tuple[str, dict[str, Tensor]]:
    """Key that the weights were found under, and the weights."""
    if weights != 'auto' and weights not in WEIGHTS:
        raise ValueError(f'weights "{weights}" must be auto, best or last')
    choices = WEIGHTS if weights == 'auto' else {weights: WEIGHTS[weights]}
    wrapped = [key for key in WEIGHTS.values() if key in checkpoint]
    chosen = [key for key in choices.values() if key in checkpoint]
    if weights != 'auto' and not chosen:
        has = f'"{wrapped[0]}" alone' if wrapped else 'neither'
        raise CheckpointError(
            f'{what} has no "{WEIGHTS[weights]}", which the {weights} '
            f'weights would be: it has {has}, so leave the choice out'
        )
    state = checkpoint[chosen[0]] if chosen else checkpoint
    source = chosen[0] if chosen else 'bare state dict'
    if not isinstance(state, Mapping) or not state:
        kind = type(state).__name__
        raise CheckpointError(
            f'{what} holds no weights: its "{source}" is '
            f'{"empty" if isinstance(state, Mapping) else kind}'
        )
    for key, value in state.items():
        if not isinstance(value, Tensor) or not (
            value.is_floating_point() or str(key).endswith(COUNTER)
        ):
            kind = getattr(value, 'dtype', type(value).__name__)
            raise CheckpointError(
                f'{what} is no state dict: its "{key}" is of type {kind}, '
                'not a tensor of weights'
            )
    state = {str(key): value for key, value in state.items()}
    return source, dict(without_wrapper(state))


def _renamed(
    state: dict[str, Tensor], recognised: Model, what: str
) -> Mapping[str, Tensor]:
    """The state dict of MMPose's model, sharing the tensors."""
    model = _build(recognised)
    renamed = {
        f'{"head" if key.startswith(_HEAD) else "backbone"}.{key}': value
        for key, value in state.items()
    }
    own = model.state_dict()
    if not any(key.endswith(COUNTER) for key in state):
        # PyTorch before 0.4.1 did not count batches
        renamed |= {k: torch.tensor(0) for k in own if k.endswith(COUNTER)}
    misfit = describe_misfit(
        [key for key in own if key not in renamed],
        [key for key in renamed if key not in own],
        [
            (key, value.shape, own[key].shape)
            for key, value in renamed.items()
            if key in own and value.shape != own[key].shape
        ],
    )
    if misfit:
        raise CheckpointError(
            f'{what} looks like {recognised.name} with '
            f'{recognised.num_joints} joints, but its keys are not this '
            f"model's: {misfit}"
        )
    model.load_state_dict(renamed, strict=True, assign=True)
    return model.state_dict()


def _build(recognised: Model) -> nn.Module:
    """MMPose's model on the meta device."""
    import mmpose.models  # noqa: F401
    from mmpose.registry import MODELS

    with (
        DefaultScope.overwrite_default_scope('mmpose'),
        torch.device('meta'),
    ):
        return MODELS.build(
            dict(
                type='TopdownPoseEstimator',
                backbone=recognised.backbone,
                head=recognised.head,
            )
        )


def _numbers(checkpoint: Mapping, keys: tuple[str, ...]) -> dict[str, Any]:
    """Plain numbers among a checkpoint's entries."""
    found = {}
    for key in keys:
        value = checkpoint.get(key)
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, int | float):
            found[key] = value
    return found


def save(
    converted: Mapping[str, Any], path: str | os.PathLike, force: bool = False
) -> None:
    """Write a converted checkpoint, completely or not at all.

    Args:
        converted: The result of :func:`convert`.
        path: The file; its folder is made if need be.
        force: Whether an existing file is replaced.

    Raises:
        CheckpointError: It exists.
        OSError: It cannot be written.
    """
    path = Path(path).expanduser()
    check_target(path, force)
    # a tensor that is a view would be written with its whole storage
    state = converted['state_dict'].copy()
    state.update({key: value.clone() for key, value in state.items()})
    content = BytesIO()
    torch.save({**converted, 'state_dict': state}, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content.getvalue())


def check_target(path: str | os.PathLike, force: bool = False) -> None:
    """Check that no file would be overwritten.

    Raises:
        CheckpointError: The file exists, or is a folder.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise CheckpointError(
            f'checkpoint "{path}" is a folder: name a file in it'
        )
    if path.exists() and not force:
        raise CheckpointError(
            f'checkpoint "{path}" exists: add --force to replace it, or '
            'choose another name'
        )


def differences(
    model: Any, meta: Mapping[str, Any]
) -> Iterator[tuple[int, str]]:
    """Differences between a converted checkpoint's training and a config.

    Args:
        model: Built from the config.
        meta: Of the checkpoint; see :func:`convert`.

    Yields:
        Logging level and sentence: warnings where config and checkpoint
        differ, infos where the checkpoint does not say.
    """
    decoder = getattr(getattr(model, 'head', None), 'decoder', None)
    crop = meta.get('crop_size')
    if isinstance(crop, Mapping) and hasattr(decoder, 'input_size'):
        width, height = decoder.input_size
        theirs, ours = crop.get('height_x_width'), f'{height}x{width}'
        if not crop.get('known'):
            yield (
                logging.INFO,
                'neither weights nor name tell the size of its crops; the '
                f'config has {ours} (height x width)',
            )
        elif theirs != ours:
            yield (
                logging.WARNING,
                f'it was trained on crops of {theirs} (height x width), and '
                f'the config has {ours}: its config is {meta.get("config")}',
            )
    style = meta.get('stride_style')
    ours = getattr(getattr(model, 'backbone', None), 'style', None)
    if style == 'pytorch':
        yield (
            logging.INFO,
            'weights do not tell which convolution of a block has the '
            f'stride; the config has model.backbone.style={ours}, and the '
            'default of the reference is pytorch',
        )
    elif style is not None and style != ours:
        yield (
            logging.WARNING,
            f'its name says strides in the style of {style}, and the config '
            f'has {ours}: add --cfg-options model.backbone.style={style}',
        )
    preprocessor = getattr(model, 'data_preprocessor', None)
    if meta.get('channel_order') == 'bgr' and getattr(
        preprocessor, '_channel_conversion', False
    ):
        yield (
            logging.WARNING,
            "the reference's ResNet recipes read images as BGR, and the "
            'config converts them to RGB; unless this model was trained on '
            'RGB, add --cfg-options '
            'model.data_preprocessor.bgr_to_rgb=False',
        )


def summarize(converted: Mapping[str, Any], path: str) -> list[str]:
    """Lines that describe a converted checkpoint and how to test it.

    Args:
        converted: The result of :func:`convert`.
        path: Where it was written.
    """
    meta = converted['meta']
    source, recognised = meta['converted_from'], meta['recognised']
    numbers = [f'{k} {source[k]:g}' for k in ('epoch', 'perf') if k in source]
    size = sum(
        value.numel()
        for key, value in converted['state_dict'].items()
        if key.endswith(('.weight', '.bias'))
    )
    lines = [
        f'{source["file"]} ({", ".join([source["weights"], *numbers])}): '
        f'{recognised["name"]} with {recognised["num_joints"]} joints, '
        f'{size / 1e6:.1f} M parameters',
        f'Wrote {path}',
    ]
    if meta['config'] is None:
        return [
            *lines,
            f'The reference has no data set of {recognised["num_joints"]} '
            'joints: to test it, take a config whose data set has, with the '
            'model that the file names under meta.recognised.',
        ]
    if not meta['crop_size']['known']:
        lines.append(
            'Weights do not tell the size of the crops: the config is that '
            f'for {meta["crop_size"]["height_x_width"]}.'
        )
    if meta['stride_style'] == 'pytorch':
        lines.append(
            'Weights do not tell the style of strides: it is assumed to be '
            "PyTorch's, the reference's default; add "
            'model.backbone.style=caffe for the other.'
        )
    if meta['channel_order'] == 'bgr':
        lines.append(
            "The reference's ResNet recipes read images as BGR, hence the "
            'last option: leave it out for a model trained on RGB.'
        )
    return [*lines, 'Test it with', f'  {command_of(meta, path)}']


def command_of(meta: Mapping[str, Any], path: str) -> str:
    """The command line that tests a converted checkpoint."""
    words = ['python', 'tools/test.py', meta['config'], path, '--gt-boxes']
    if meta['cfg_options']:
        words += ['--cfg-options', *options_of(meta)]
    return shlex.join(words)
