"""From the reference's checkpoints to MMPose's."""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmpose_occlusion.version import __version__

from . import zoo
from .errors import CheckpointError
from .keys import COUNTER, PARALLEL, describe_misfit, without_wrapper
from .read import load_checkpoint_safely, local_file
from .recognise import Recognised, recognise

WEIGHTS = {'best': 'best_state_dict', 'last': 'state_dict'}
"""Choice -> key of the reference's training checkpoints."""

_HEAD = ('deconv_layers.', 'final_layer.')


def is_reference(checkpoint: Mapping) -> bool:
    """Whether a checkpoint has the reference's keys.

    That is no promise that it can be converted.
    """
    for key in ('best_state_dict', 'state_dict'):
        inner = checkpoint.get(key)
        if isinstance(inner, Mapping) and inner:
            return _has_reference_keys(inner)
    return _has_reference_keys(checkpoint)


def _has_reference_keys(weights: Mapping) -> bool:
    keys = {str(key).removeprefix(PARALLEL) for key in weights}
    return {'conv1.weight', 'layer1.0.conv1.weight'} <= keys


def convert_file(
    path: str | os.PathLike, weights: str = 'auto'
) -> dict[str, Any]:
    """Read a reference checkpoint and convert it.

    Args:
        path: A file or its URL.
        weights: See :func:`convert`.

    Returns:
        As :func:`convert`, with the file's SHA-256 in the meta data.

    Raises:
        CheckpointError: It cannot be read safely, or not be converted.
    """
    path = os.fspath(path)
    converted = convert(load_checkpoint_safely(path), path, weights)
    digest = hashlib.sha256(Path(local_file(path)).read_bytes()).hexdigest()
    converted['meta']['converted_from']['sha256'] = digest
    return converted


def save(
    converted: Mapping[str, Any], path: str | os.PathLike, force: bool = False
) -> None:
    """Write a converted checkpoint, whole or not at all.

    Args:
        converted: As of :func:`convert`.
        path: The file; its folder is made if need be.
        force: Whether it may exist, and is replaced.

    Raises:
        CheckpointError: It exists, or cannot be written.
    """
    path = Path(path).expanduser()
    check_target(path, force)
    # a tensor that is a view would take its whole storage along
    state = converted['state_dict'].copy()
    state.update({key: value.clone() for key, value in state.items()})
    unfinished = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({**converted, 'state_dict': state}, unfinished)
        unfinished.replace(path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise CheckpointError(
            f'checkpoint "{path}" cannot be written: '
            f'{" ".join(reason.split())}'
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def check_target(path: str | os.PathLike, force: bool = False) -> None:
    """See to it that nothing is overwritten.

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


def convert(
    checkpoint: Mapping, path: str = '', weights: str = 'auto'
) -> dict[str, Any]:
    """Convert a reference checkpoint to MMPose's ``TopdownPoseEstimator``.

    The model that is recognised is built, without memory for its weights,
    and takes the checkpoint's: all keys and shapes must be the same.

    Args:
        checkpoint: A state dict; or one under ``state_dict``, its keys with
            the prefix ``module.`` or without; or ``best_state_dict`` beside
            it.
        path: Its file, for messages and meta data.
        weights: ``best`` or ``last``, of a file that has both; ``auto``
            takes the best if there is one.

    Returns:
        ``state_dict``, with keys ``backbone.*`` and ``head.*``, and
        ``meta``: ``recognised`` (name, num_joints, backbone, head),
        ``converted_from`` (file, weights and, if known, epoch and perf),
        ``config`` (MMPose's; None if it has none), ``cfg_options`` (what
        must differ from it), ``channel_order`` (of training: rgb or bgr),
        and, with a config, ``crop_size`` (of the config, and whether the
        file's name or folder says it), ``stride_style`` (see
        :class:`~.zoo.Match`) and ``dataset_meta`` for MMPose's inference.
        Plain data all of it.

    Raises:
        CheckpointError: It is no such checkpoint, or a key does not fit.
    """
    what = f'checkpoint "{path}"' if path else 'the checkpoint'
    source, state = _weights(checkpoint, what, weights)
    recognised = recognise({k: tuple(v.shape) for k, v in state.items()}, what)
    file_name = os.path.basename(path)
    # training leaves MODEL_384x288_.../model_best.pth
    match = zoo.match(recognised, '/'.join(Path(path).parts[-2:]))
    meta = {
        'recognised': {
            'name': recognised.name,
            'num_joints': recognised.num_joints,
            'backbone': recognised.backbone,
            'head': recognised.head,
        },
        'converted_from': {
            'file': file_name,
            'weights': source,
            **_numbers(checkpoint, ('epoch', 'perf')),
        },
        'config': match and match.config,
        'cfg_options': match.options if match else {},
        'channel_order': 'bgr' if recognised.family == 'ResNet' else 'rgb',
        'mmpose_occlusion_version': __version__,
    }
    if match:
        meta['dataset_meta'] = zoo.dataset_meta(match.dataset)
        meta['crop_size'] = {
            'height_x_width': match.size,
            'known': match.size_is_known,
        }
        meta['stride_style'] = match.style
    return {'meta': meta, 'state_dict': _renamed(state, recognised, what)}


def _weights(
    checkpoint: Mapping, what: str, weights: str
) -> tuple[str, dict[str, Tensor]]:
    """Where the weights were found, and the weights by bare keys."""
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
    state: dict[str, Tensor], recognised: Recognised, what: str
) -> Mapping[str, Tensor]:
    """The state dict of MMPose's model, from the very tensors."""
    model = _build(recognised)
    renamed = {_renamed_key(key): value for key, value in state.items()}
    own = model.state_dict()
    if not any(key.endswith(COUNTER) for key in state):
        # PyTorch before 0.4.1 did not count batches; nothing reads the count
        renamed.update(
            {k: torch.tensor(0) for k in own if k.endswith(COUNTER)}
        )
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


def _renamed_key(key: str) -> str:
    return f'{"head" if key.startswith(_HEAD) else "backbone"}.{key}'


def _build(recognised: Recognised) -> nn.Module:
    """MMPose's model, on the device that has no memory."""
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
