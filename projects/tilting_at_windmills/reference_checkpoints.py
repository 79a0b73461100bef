"""From checkpoints of the reference code to MMPose's."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmpose_occlusion.checkpoints import PARALLEL, without_wrapper

HEADS = ('deconv_layers.', 'final_layer.')
"""Beginnings of the keys that belong to MMPose's head."""


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
        ``crop_size`` (height x width, '' if unknown) and ``channel_order``
        (rgb or bgr).
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
    is_hrnet = any(key.startswith('backbone.stage2.') for key in state)
    meta = {
        'converted_from': {
            'file': Path(path).name,
            'weights': source or 'bare state dict',
        },
        'crop_size': sizes[-1] if sizes else '',
        'channel_order': 'rgb' if is_hrnet else 'bgr',
    }
    return {'meta': meta, 'state_dict': state}


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
