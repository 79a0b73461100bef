"""From checkpoints of the reference code to MMPose's."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mmpose.models  # noqa: F401
import torch
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from mmpose.registry import MODELS
from torch import Tensor

from mmpose_occlusion.checkpoints import PARALLEL, without_wrapper

COUNTER = '.num_batches_tracked'
"""Ending of the keys that count batches, which PyTorch adds where old files
lack them."""

HEADS = ('deconv_layers.', 'final_layer.')
"""Beginnings of the keys that belong to MMPose's head."""

_DATA = {17: ('coco', ('256x192', '384x288')), 16: ('mpii', ('256x256',))}
"""Number of joints -> data set and height x width of its crops."""

_DEPTHS = {6: 'res50', 23: 'res101', 36: 'res152'}
"""Bottlenecks in a ResNet's third layer -> its name."""

_SMALL_BATCHES = (
    *('hrnet-w48 coco', 'res101 coco-384x288'),
    *('res152 coco', 'res152 mpii'),
)
"""Models and data of MMPose's configs with 32 crops in a batch, not 64."""


def is_reference(checkpoint: Mapping) -> bool:
    """Whether a checkpoint has the key names of the reference code."""
    inner = (checkpoint.get(k) for k in ('best_state_dict', 'state_dict'))
    weights = next((w for w in inner if isinstance(w, Mapping) and w), None)
    keys = {str(key).removeprefix(PARALLEL) for key in weights or checkpoint}
    return {'conv1.weight', 'layer1.0.conv1.weight'} <= keys


def convert(checkpoint: Mapping, path: str = '') -> dict[str, Any]:
    """Convert an HRNet or SimpleBaseline checkpoint of the reference.

    Args:
        checkpoint: A state dict; or one under ``best_state_dict`` or, if that
            is missing, ``state_dict``, its keys with the prefix ``module.``
            or without.
        path: Its file, whose name or folder may tell the size of crops
            (``pose_hrnet_w32_384x288.pth``).

    Returns:
        ``state_dict`` with the keys of MMPose's ``TopdownPoseEstimator``,
        sharing the tensors, and ``meta``: ``converted_from`` (file, weights),
        ``crop_size`` (height x width, '' if unknown), ``channel_order`` (rgb
        or bgr), ``config`` (see :func:`config_of`) and ``cfg_options``.
    """
    keys = ('best_state_dict', 'state_dict')
    source = next((key for key in keys if checkpoint.get(key)), '')
    state = without_wrapper(checkpoint[source] if source else checkpoint)
    state = {
        f'{"head" if key.startswith(HEADS) else "backbone"}.{key}': value
        for key, value in state.items()
    }
    # training leaves MODEL_384x288_.../model_best.pth
    name = '/'.join(Path(path).parts[-2:])
    sizes = re.findall(r'(?<![a-z\d])\d+x\d{2,}', name)
    size = sizes[-1] if sizes else ''
    is_hrnet = any(key.startswith('backbone.stage2.') for key in state)
    colours = {'model.data_preprocessor.bgr_to_rgb': False}
    meta = {
        'converted_from': {
            'file': Path(path).name,
            'weights': source or 'bare state dict',
        },
        'crop_size': size,
        'channel_order': 'rgb' if is_hrnet else 'bgr',
        'config': config_of(state, size),
        'cfg_options': {} if is_hrnet else colours,
    }
    return {'meta': meta, 'state_dict': state}


def config_of(state: Mapping[str, Tensor], size: str = '') -> str | None:
    """MMPose's config for weights under its keys, if it has one whose model
    has these keys and shapes; without a known size, for the smaller crops."""
    final = state.get('head.final_layer.weight')
    joints, width = (0, 0) if final is None else final.shape[:2]
    if joints not in _DATA:
        return None
    data, sizes = _DATA[joints]
    block = r'backbone\.layer3\.\d+\.conv3\.weight'
    count = sum(bool(re.fullmatch(block, key)) for key in state)
    model = _DEPTHS.get(count, f'hrnet-w{width}')
    if model not in (*_DEPTHS.values(), 'hrnet-w32', 'hrnet-w48'):
        return None
    data_and_size = f'{data}-{size if size in sizes else sizes[0]}'
    small = f'{model} {data_and_size}'.startswith(_SMALL_BATCHES)
    name = f'td-hm_{model}_8xb{32 if small else 64}-210e_{data_and_size}'
    config = f'mmpose::body_2d_keypoint/topdown_heatmap/{data}/{name}.py'
    scope = DefaultScope.overwrite_default_scope('mmpose')
    with scope, torch.device('meta'):  # shapes without values
        built = MODELS.build(get_config(config).model)
    ours, theirs = (
        {k: v.shape for k, v in each.items() if not k.endswith(COUNTER)}
        for each in (built.state_dict(), state)
    )
    return config if ours == theirs else None


def differences(model: Any, meta: Mapping[str, Any]) -> Iterator[str]:
    """What a config's model does otherwise than the training of a converted
    checkpoint (``meta``)."""
    decoder = getattr(getattr(model, 'head', None), 'decoder', None)
    size = meta['crop_size']
    if size and hasattr(decoder, 'input_size'):
        width, height = decoder.input_size
        if size != f'{height}x{width}':
            yield (
                f'its name says that it was trained on crops of {size} '
                f'(height x width), and the config has {height}x{width}'
            )
    preprocessor = getattr(model, 'data_preprocessor', None)
    converts = getattr(preprocessor, '_channel_conversion', False)
    if meta['channel_order'] == 'bgr' and converts:
        yield (
            "the reference's ResNet recipes read images as BGR, and the "
            'config converts them to RGB; unless this model was trained on '
            'RGB, add --cfg-options '
            'model.data_preprocessor.bgr_to_rgb=False'
        )
