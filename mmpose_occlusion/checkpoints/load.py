"""Loading checkpoints into models, whole or not at all."""

import logging
import os
import re
import shlex
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from .convert import convert, is_reference
from .errors import CheckpointError
from .keys import COUNTER, describe_misfit, without_wrapper
from .read import load_checkpoint_safely
from .report import options_of

_SHAPES = re.compile(
    r'size mismatch for (\S+): copying a param with shape (.*?) from '
    r'checkpoint, the shape in current model is (.*?)\.?$',
    re.MULTILINE,
)


def load_into(
    model: nn.Module, path: str | os.PathLike, trust: bool = False
) -> Mapping[str, Any]:
    """Load a checkpoint into a model; all keys and shapes must match.

    A file in the reference's format is converted on the way. MMPose's own
    conversions of its older formats apply.

    Args:
        model: A model, or a wrapper of one for several processes.
        path: A file or its URL.
        trust: See :func:`~.read.load_checkpoint_safely`.

    Returns:
        The checkpoint; if it was converted, as of :func:`~.convert.convert`.

    Raises:
        CheckpointError: It cannot be read safely, or does not match the
            model; the sentence counts the keys. The model may then have
            taken a part of it.
    """
    checkpoint = load_checkpoint_safely(path, trust)
    path = os.fspath(path)
    what = f'checkpoint "{path}"'
    if is_reference(checkpoint):
        checkpoint = convert(checkpoint, path)
        meta = checkpoint['meta']
        what = f'{what} ({meta["recognised"]["name"]} of the reference)'
        source = meta['converted_from']['weights']
        _say(f"Converted {what}, {source}, to MMPose's keys")
    model = _unwrapped(model)
    _load(model, _state_dict(checkpoint, what), what, _hint(checkpoint))
    _say(f'Loaded {what}')
    meta = checkpoint.get('meta')
    if isinstance(meta, Mapping):
        _tell_of_crops(model, meta, what)
        _tell_of_strides(model, meta, what)
        _warn_of_channels(model, meta, what)
    return checkpoint


def _unwrapped(model: Any) -> nn.Module:
    return model.module if is_model_wrapper(model) else model


def _load(model: nn.Module, state: Mapping, what: str, hint: str) -> None:
    missing: list[str] = []
    unexpected: list[str] = []

    def collect(_: nn.Module, keys: Any) -> None:
        # called even if shapes differ, when load_state_dict returns nothing
        missing.extend(k for k in keys.missing_keys if COUNTER not in k)
        unexpected.extend(keys.unexpected_keys)

    handle = model.register_load_state_dict_post_hook(collect)
    reshaped: list[tuple] = []
    try:
        model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        reshaped = [
            (key, _numbers(theirs), _numbers(ours))
            for key, theirs, ours in _SHAPES.findall(str(error))
        ]
        if not reshaped:
            raise CheckpointError(
                f'{what} cannot be loaded into the model: '
                f'{" ".join(str(error).split())}'
            ) from error
    finally:
        handle.remove()
    misfit = describe_misfit(missing, unexpected, reshaped)
    if misfit:
        raise CheckpointError(
            f'{what} does not match the model of the config: of '
            f'{len(state):,} keys in the checkpoint and '
            f'{len(model.state_dict()):,} in the model, {misfit}: {hint}'
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


def _hint(checkpoint: Mapping) -> str:
    meta = checkpoint.get('meta')
    if not isinstance(meta, Mapping) or not meta.get('config'):
        return 'give the config that it was trained with'
    options = options_of(meta)
    more = f' with --cfg-options {shlex.join(options)}' if options else ''
    return f'its config is {meta["config"]}{more}'


def _numbers(shape: str) -> tuple[int, ...]:
    """``torch.Size([17, 8])`` -> ``(17, 8)``."""
    return tuple(int(number) for number in re.findall(r'\d+', shape))


def _tell_of_crops(model: nn.Module, meta: Mapping, what: str) -> None:
    decoder = getattr(getattr(model, 'head', None), 'decoder', None)
    size = getattr(decoder, 'input_size', None)
    if size is None or not isinstance(meta.get('crop_size'), Mapping):
        return
    ours = f'{size[1]}x{size[0]}'
    theirs = meta['crop_size'].get('height_x_width')
    if not meta['crop_size'].get('known'):
        _say(
            f'{what}: neither the weights nor the name tell the size of the '
            f'crops that it was trained on; the config makes {ours} (height '
            'x width)'
        )
    elif theirs != ours:
        _say(
            f'{what} is for crops of {theirs} (height x width), and the '
            f'config makes {ours}: its config is {meta.get("config")}',
            logging.WARNING,
        )


def _tell_of_strides(model: nn.Module, meta: Mapping, what: str) -> None:
    theirs = meta.get('stride_style')
    ours = getattr(getattr(model, 'backbone', None), 'style', None)
    if theirs == 'pytorch':
        _say(
            f'{what}: weights do not tell which convolution of a block has '
            f'the stride; the config takes the style of {ours} '
            '(model.backbone.style), and the reference by default pytorch'
        )
    elif theirs is not None and theirs != ours:
        _say(
            f'{what} has strides in the style of {theirs}, by its name, and '
            f'the config takes that of {ours}: add '
            f'--cfg-options model.backbone.style={theirs}',
            logging.WARNING,
        )


def _warn_of_channels(model: nn.Module, meta: Mapping, what: str) -> None:
    order = meta.get('channel_order')
    swaps = getattr(
        getattr(model, 'data_preprocessor', None), '_channel_conversion', False
    )
    if order == 'bgr' and swaps:
        _say(
            f"{what}: the reference's ResNet recipes read pictures as BGR, "
            'and the config turns them to RGB; unless this model was trained '
            'on RGB, add '
            '--cfg-options model.data_preprocessor.bgr_to_rgb=False',
            logging.WARNING,
        )


def _say(text: str, level: int = logging.INFO) -> None:
    print_log(text, logger='current', level=level)
