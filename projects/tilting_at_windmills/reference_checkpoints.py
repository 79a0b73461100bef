"""From checkpoints of the reference code to MMPose's.

Width, depth, deconvolutions and joints are read from keys and shapes; then
MMPose's model is built, without memory, and all keys and shapes must be the
same.
"""

import logging
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DefaultScope
from reference_models import Model, config_meta, recognise
from torch import Tensor, nn

from mmpose_occlusion import __version__
from mmpose_occlusion.checkpoints import (
    COUNTER,
    PARALLEL,
    CheckpointError,
    describe_misfit,
    without_wrapper,
)
from mmpose_occlusion.files import write_bytes


def prepare(
    checkpoint: Mapping, path: str, log: Callable[[str], object]
) -> tuple[Mapping, str]:
    """A checkpoint, converted if it has the key names of the reference, and
    words that say what it is."""
    what = f'checkpoint "{path}"'
    inner = (checkpoint.get(k) for k in ('best_state_dict', 'state_dict'))
    weights = next((w for w in inner if isinstance(w, Mapping) and w), None)
    keys = {str(key).removeprefix(PARALLEL) for key in weights or checkpoint}
    if not {'conv1.weight', 'layer1.0.conv1.weight'} <= keys:
        return checkpoint, what
    checkpoint = convert(checkpoint, path)
    meta = checkpoint['meta']
    what = f'{what} ({meta["recognised"]["name"]} of the reference)'
    source = meta['converted_from']['weights']
    log(f"Converted {what}, {source}, to MMPose's keys")
    return checkpoint, what


def convert(checkpoint: Mapping, path: str = '') -> dict[str, Any]:
    """Convert a reference checkpoint to MMPose's ``TopdownPoseEstimator``.

    Args:
        checkpoint: A state dict; or one under ``best_state_dict`` or, if that
            is missing, ``state_dict``, its keys with the prefix ``module.``
            or without.
        path: Its file, for messages and meta data.

    Returns:
        ``state_dict`` and, under ``meta``, ``recognised`` (:class:`Model`),
        ``converted_from`` (file, weights), ``channel_order`` of the images in
        training (rgb or bgr), and the keys of :func:`config_meta`.
    """
    what = f'checkpoint "{path}"' if path else 'the checkpoint'
    source, state = _weights(checkpoint, what)
    model = recognise({k: tuple(v.shape) for k, v in state.items()}, what)
    is_resnet = model.backbone['type'] == 'ResNet'
    meta = {
        'recognised': dict(vars(model)),
        'converted_from': {'file': os.path.basename(path), 'weights': source},
        'channel_order': 'bgr' if is_resnet else 'rgb',
        'mmpose_occlusion_version': __version__,
        # training leaves MODEL_384x288_.../model_best.pth
        **config_meta(model, '/'.join(Path(path).parts[-2:])),
    }
    return {'meta': meta, 'state_dict': _renamed(state, model, what)}


def _weights(checkpoint: Mapping, what: str) -> tuple[str, dict[str, Tensor]]:
    """Key that the weights were found under, and the weights."""
    keys = ('best_state_dict', 'state_dict')
    source = next((key for key in keys if key in checkpoint), '')
    state = checkpoint[source] if source else checkpoint
    if not isinstance(state, Mapping) or not state:
        kind = type(state).__name__
        raise CheckpointError(
            f'{what} holds no weights: its "{source}" is '
            f'{"empty" if isinstance(state, Mapping) else kind}'
        )
    for key, value in state.items():
        is_weight = isinstance(value, Tensor) and value.is_floating_point()
        is_count = isinstance(value, Tensor) and str(key).endswith(COUNTER)
        if not is_weight and not is_count:
            kind = getattr(value, 'dtype', type(value).__name__)
            raise CheckpointError(
                f'{what} is no state dict: its "{key}" is of type {kind}, '
                'not a tensor of weights'
            )
    state = {str(key): value for key, value in state.items()}
    return source or 'bare state dict', dict(without_wrapper(state))


def _renamed(
    state: dict[str, Tensor], recognised: Model, what: str
) -> Mapping[str, Tensor]:
    """The state dict of MMPose's model, sharing the tensors."""
    model = _build(recognised)
    heads = ('deconv_layers.', 'final_layer.')
    renamed = {
        f'{"head" if key.startswith(heads) else "backbone"}.{key}': value
        for key, value in state.items()
    }
    # PyTorch before 0.4.1 did not count batches
    counters = [key for key in model.state_dict() if key.endswith(COUNTER)]
    renamed = dict.fromkeys(counters, torch.tensor(0)) | renamed
    try:
        model.load_state_dict(renamed, strict=True, assign=True)
    except RuntimeError as error:
        raise CheckpointError(
            f'{what} looks like {recognised.name} with '
            f'{recognised.num_joints} joints, but its keys are not this '
            f"model's: {describe_misfit(error)}"
        ) from error
    return model.state_dict()


def _build(recognised: Model) -> nn.Module:
    """MMPose's model on the meta device."""
    import mmpose.models  # noqa: F401
    from mmpose.registry import MODELS

    parts = dict(backbone=recognised.backbone, head=recognised.head)
    scope = DefaultScope.overwrite_default_scope('mmpose')
    with scope, torch.device('meta'):
        return MODELS.build(dict(parts, type='TopdownPoseEstimator'))


def save(converted: Mapping[str, Any], path: str | os.PathLike) -> None:
    """Write the result of :func:`convert`, completely or not at all."""
    # a tensor that is a view would be written with its whole storage
    state = converted['state_dict'].copy()
    state.update({key: value.clone() for key, value in state.items()})
    content = BytesIO()
    torch.save({**converted, 'state_dict': state}, content)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content.getvalue())


def differences(
    model: Any, checkpoint: Mapping[str, Any]
) -> Iterator[tuple[int, str]]:
    """Differences between a converted checkpoint's training and a config's
    model: logging level and sentence."""
    meta = _meta(checkpoint)
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


def remedy(checkpoint: Mapping) -> str:
    """What to do where a converted checkpoint does not fit a model; '' for
    others, and for models of no data set of the reference."""
    meta = _meta(checkpoint)
    if not meta.get('config'):
        return ''
    options = shlex.join(_options_of(meta))
    more = f' with --cfg-options {options}' if options else ''
    return f'its config is {meta["config"]}{more}'


def _meta(checkpoint: Mapping) -> Mapping[str, Any]:
    """The meta data of a converted checkpoint; {} of others."""
    meta = checkpoint.get('meta')
    converted = isinstance(meta, Mapping) and 'converted_from' in meta
    return meta if converted else {}


def _options_of(meta: Mapping[str, Any]) -> list[str]:
    """The changes to its config, as KEY=VALUE of ``--cfg-options``."""
    return [
        f'{k}={list(v) if isinstance(v, tuple) else v}'.replace(' ', '')
        for k, v in meta['cfg_options'].items()
    ]


def summarize(converted: Mapping[str, Any], path: str) -> list[str]:
    """Lines that describe a converted checkpoint, written to a path, and how
    to test it."""
    meta = converted['meta']
    source, recognised = meta['converted_from'], meta['recognised']
    lines = [
        f'{source["file"]} ({source["weights"]}): {recognised["name"]} with '
        f'{recognised["num_joints"]} joints',
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
    if meta['channel_order'] == 'bgr':
        lines.append(
            "The reference's ResNet recipes read images as BGR, hence the "
            'last option: leave it out for a model trained on RGB.'
        )
        if recognised['backbone']['depth'] >= 50:
            lines.append(
                'Strides are taken to be in the style of PyTorch, as in the '
                'reference; add model.backbone.style=caffe for the other.'
            )
    words = ['python', 'tools/test.py', meta['config'], path, '--gt-boxes']
    if meta['cfg_options']:
        words += ['--cfg-options', *_options_of(meta)]
    return [*lines, 'Test it with', f'  {shlex.join(words)}']
