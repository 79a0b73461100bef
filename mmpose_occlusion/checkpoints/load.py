"""Loading checkpoints into models, completely or not at all."""

import logging
import os
import sys
from collections import OrderedDict
from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from .read import CheckpointError, load_checkpoint_safely

COUNTER = '.num_batches_tracked'
"""Ending of the keys that count batches, which only training reads."""

PARALLEL = 'module.'
"""Prefix of the keys of models wrapped for several devices."""

PROJECT = Path(__file__).parents[2] / 'projects/tilting_at_windmills'
"""Folder of a checkout with the converter of reference checkpoints."""


def load_into(
    model: nn.Module, path: str | os.PathLike, trust: bool = False
) -> Mapping[str, Any]:
    """Load a checkpoint into a model, or a wrapper of one for several
    processes; all keys and shapes must match.

    A file of the reference code is converted first, which takes a checkout
    of this project. MMPose's own conversions of its older formats apply.
    Arguments are those of :func:`~.read.load_checkpoint_safely`.

    Returns:
        The checkpoint, after conversion.

    Raises:
        CheckpointError: It cannot be read safely, cannot be converted, or
            does not match the model, which may then have taken a part.
    """
    checkpoint = load_checkpoint_safely(path, trust)
    path = os.fspath(path)
    what, remedy = f'checkpoint "{path}"', 'give the config of its training'
    meta = checkpoint.get('meta')
    converted = isinstance(meta, Mapping) and 'converted_from' in meta
    reference = is_reference(checkpoint)
    converter = _converter() if converted or reference else None
    if reference and converter is None:
        raise CheckpointError(
            f'{what} has the key names of the reference code: convert it, in '
            f'a checkout of this project, with "python projects/{PROJECT.name}'
            f'/convert_checkpoint.py {path} OUT.pth"'
        )
    if reference:
        checkpoint = converter.convert(checkpoint, path)
        meta = checkpoint['meta']
        what = f'{what} ({meta["recognised"]["name"]} of the reference)'
        source = meta['converted_from']['weights']
        _log(f"Converted {what}, {source}, to MMPose's keys")
    if is_model_wrapper(model):
        model = model.module
    if converter:
        remedy = converter.remedy(meta) or remedy
    _load(model, checkpoint.get('state_dict', checkpoint), what, remedy)
    _log(f'Loaded {what}')
    if converter:
        for level, text in converter.differences(model, meta):
            _log(f'{what}: {text}', level)
    return checkpoint


def is_reference(checkpoint: Mapping) -> bool:
    """Whether a checkpoint has the key names of the reference code."""
    inner = (checkpoint.get(k) for k in ('best_state_dict', 'state_dict'))
    weights = next((w for w in inner if isinstance(w, Mapping) and w), None)
    keys = {str(key).removeprefix(PARALLEL) for key in weights or checkpoint}
    return {'conv1.weight', 'layer1.0.conv1.weight'} <= keys


def _converter() -> Any:
    """The module that knows reference checkpoints; None outside a checkout."""
    if not (PROJECT / 'reference_checkpoints.py').is_file():
        return None
    if str(PROJECT) not in sys.path:
        sys.path.append(str(PROJECT))
    return import_module('reference_checkpoints')


def _load(model: nn.Module, state: Any, what: str, remedy: str) -> None:
    counters = [k for k in model.state_dict() if k.endswith(COUNTER)]
    weights = OrderedDict.fromkeys(counters, torch.tensor(0))
    # which tell hooks the format of the keys
    weights._metadata = getattr(state, '_metadata', OrderedDict())
    try:
        weights.update(without_wrapper(state))
        model.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f'{what} does not match the model of the config: '
            f'{describe_misfit(error)}: {remedy}'
        ) from error
    broken = [
        f'"{key}"'
        for key, value in model.state_dict().items()
        if value.is_floating_point() and not value.isfinite().all()
    ]
    if broken:
        raise CheckpointError(
            f'{what} holds NaN or infinite numbers in {len(broken):,} weights '
            f'({enumerate_first(broken)}): its training has diverged, give an '
            'earlier one'
        )


def without_wrapper(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The state dict without the prefix of a wrapper, if it has one."""
    if not all(key.startswith(PARALLEL) for key in state):
        return state
    return {key[len(PARALLEL) :]: value for key, value in state.items()}


def describe_misfit(error: Exception) -> str:
    """PyTorch's words about a state dict that does not fit, cut short: one
    line for missing keys, for unexpected ones, and for each of another shape
    or type, after the name of the model."""
    _, *lines = str(error).splitlines() or ['']
    return enumerate_first([shorten(line, 200).strip('. ') for line in lines])


def enumerate_first(items: Collection[str]) -> str:
    """``a, b, c and 4 more``."""
    rest = len(items) - 3
    named = ', '.join(list(items)[:3])
    return f'{named} and {rest:,} more' if rest > 0 else named


def _log(text: str, level: int = logging.INFO) -> None:
    print_log(text, logger='current', level=level)
