"""Loading checkpoints into models, completely or not at all."""

import logging
import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

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

_SHAPES = re.compile(
    r'size mismatch for (\S+): copying a param with shape (.*?) from '
    r'checkpoint, the shape in current model is (.*?)\.?$',
    re.MULTILINE,
)


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
    what = f'checkpoint "{path}"'
    if is_reference(checkpoint):
        if (converter := _converter()) is None:
            raise CheckpointError(
                f'{what} has the key names of the reference code: convert it, '
                'in a checkout of this project, with "python '
                f'projects/{PROJECT.name}/convert_checkpoint.py {path} '
                'OUT.pth"'
            )
        checkpoint = converter.convert(checkpoint, path)
        source = checkpoint['meta']['converted_from']['weights']
        _log(f"Converted {what} of the reference, {source}, to MMPose's keys")
    if is_model_wrapper(model):
        model = model.module
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    _load(model, _state_dict(checkpoint, what), what, _remedy(meta))
    _log(f'Loaded {what}')
    if 'converted_from' in meta and (converter := _converter()):
        for text in converter.differences(model, meta):
            _log(f'{what}: {text}', logging.WARNING)
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


def _load(model: nn.Module, state: Mapping, what: str, remedy: str) -> None:
    misfit: list[list[str]] = []

    def collect(_: nn.Module, keys: Any) -> None:
        # also called where load_state_dict raises, for shapes that differ
        missing = [k for k in keys.missing_keys if COUNTER not in k]
        misfit[:] = [missing, list(keys.unexpected_keys)]

    handle = model.register_load_state_dict_post_hook(collect)
    reshaped: list[tuple] = []
    try:
        model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        # torch.Size([17, 8]) -> (17, 8)
        reshaped = [
            (key, *(tuple(map(int, re.findall(r'\d+', s))) for s in sizes))
            for key, *sizes in _SHAPES.findall(str(error))
        ]
        if not reshaped:
            raise CheckpointError(
                f'{what} cannot be loaded into the model: '
                f'{" ".join(str(error).split())}'
            ) from error
    finally:
        handle.remove()
    broken = [
        f'"{key}"'
        for key, value in state.items()
        if isinstance(value, Tensor) and value.is_floating_point()
        if not value.isfinite().all()
    ]
    if broken:
        raise CheckpointError(
            f'{what} holds NaN or infinite numbers in {len(broken):,} weights '
            f'({enumerate_first(broken)}): its training has diverged, give an '
            'earlier one'
        )
    if text := describe_misfit(*misfit, reshaped):
        raise CheckpointError(
            f'{what} does not match the model of the config: of '
            f'{len(state):,} keys in the checkpoint and '
            f'{len(model.state_dict()):,} in the model, {text}: {remedy}'
        )


def _state_dict(checkpoint: Mapping, what: str) -> Mapping[str, Tensor]:
    state = checkpoint.get('state_dict', checkpoint)
    if not (
        isinstance(state, Mapping)
        and all(isinstance(key, str) for key in state)
        and any(isinstance(value, Tensor) for value in state.values())
    ):
        raise CheckpointError(
            f'{what} holds no weights: it has '
            f'{", ".join(map(str, list(checkpoint)[:5])) or "nothing"}, and '
            'neither a "state_dict" of weights nor bare ones'
        )
    return without_wrapper(state)


def without_wrapper(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The state dict without the prefix of a wrapper, if it has one."""
    if not all(key.startswith(PARALLEL) for key in state):
        return state
    return {key[len(PARALLEL) :]: value for key, value in state.items()}


def describe_misfit(
    missing: Collection[str],
    unexpected: Collection[str],
    reshaped: Iterable[tuple[str, tuple, tuple]],
) -> str:
    """Counts and first names of keys that the checkpoint lacks, that the model
    lacks, and of other shapes (key, shape in the checkpoint, shape in the
    model); '' if all fit."""
    lists = {
        'missing': [f'"{key}"' for key in missing],
        'unexpected': [f'"{key}"' for key in unexpected],
        'of another shape': [
            f'"{key}" {tuple(theirs)} instead of {tuple(ours)}'
            for key, theirs, ours in reshaped
        ],
    }
    return ', '.join(
        f'{len(items):,} {words} ({enumerate_first(items)})'
        for words, items in lists.items()
        if items
    )


def enumerate_first(items: Collection[str]) -> str:
    """``a, b, c and 4 more``."""
    rest = len(items) - 3
    named = ', '.join(list(items)[:3])
    return f'{named} and {rest:,} more' if rest > 0 else named


def _remedy(meta: Mapping) -> str:
    if not meta.get('config'):
        return 'give the config that it was trained with'
    return f'its config is {meta["config"]}'


def _log(text: str, level: int = logging.INFO) -> None:
    print_log(text, logger='current', level=level)
