"""The model in a reference checkpoint, and MMPose's config for it."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from mmengine.hub import get_config

from mmpose_occlusion.checkpoints import CheckpointError, enumerate_first

DEPTHS = {
    ('BASIC', (2, 2, 2, 2)): 18,
    ('BASIC', (3, 4, 6, 3)): 34,
    ('BOTTLENECK', (3, 4, 6, 3)): 50,
    ('BOTTLENECK', (3, 4, 23, 3)): 101,
    ('BOTTLENECK', (3, 8, 36, 3)): 152,
}
"""Kind of block and blocks per layer -> depth of a ResNet."""

HEAD_DEFAULTS = {
    'deconv_out_channels': (256, 256, 256),
    'deconv_kernel_sizes': (4, 4, 4),
}
"""Of MMPose's HeatmapHead."""

DATASETS = {17: 'coco', 16: 'mpii'}
"""Number of joints -> the reference's data set."""

_SIZES = {'coco': ('256x192', '384x288'), 'mpii': ('256x256',)}
"""Height x width of crops; the first is the default."""

_SMALL_BATCHES = {
    *(('hrnet-w48', 'coco', size) for size in _SIZES['coco']),
    ('res101', 'coco', '384x288'),
    *(('res152', data, size) for data in _SIZES for size in _SIZES[data]),
}
CONFIGS = {
    (model, data, size): (
        f'mmpose::body_2d_keypoint/topdown_heatmap/{data}/td-hm_{model}_'
        f'8xb{32 if (model, data, size) in _SMALL_BATCHES else 64}-210e_'
        f'{data}-{size}.py'
    )
    for model in ('hrnet-w32', 'hrnet-w48', 'res50', 'res101', 'res152')
    for data in _SIZES
    for size in _SIZES[data]
}
"""Model, data set, height x width of the crops -> MMPose's config."""

_NEAREST = {'HRNet': 'hrnet-w32', 'ResNet': 'res50'}


@dataclass(frozen=True)
class Model:
    """A model, as far as its weights tell: ``HRNet-w32``, ``ResNet-50``, ...,
    its number of heatmaps, and MMPose's configs of its parts."""

    name: str
    num_joints: int
    backbone: dict[str, Any]
    head: dict[str, Any]


class _Keys:
    """Keys and shapes of a reference state dict, and questions about them."""

    def __init__(self, shapes: Mapping, what: str, model: str) -> None:
        self.shapes = shapes
        self.looks = f'{what} looks like {model} of the reference but '

    def children(self, prefix: str) -> set[str]:
        """Names below a prefix that ends in a dot."""
        below = (k for k in self.shapes if k.startswith(prefix))
        return {key[len(prefix) :].partition('.')[0] for key in below}

    def weight(self, module: str) -> tuple[int, ...]:
        """Shape of a convolution's weight."""
        key = f'{module}.weight'
        shape = self.shapes.get(key)
        if shape is None:
            last = enumerate_first([f'"{k}"' for k in [*self.shapes][-3:]])
            reason = f'has no "{key}"; its last keys are {last}'
        elif len(shape) != 4:
            reason = f'its "{key}" has the shape {tuple(shape)}, not 4 '
            reason += 'dimensions'
        else:
            return tuple(shape)
        raise CheckpointError(self.looks + reason)

    def block(self, layer: str) -> str:
        has_third = f'{layer}.0.conv3.weight' in self.shapes
        return 'BOTTLENECK' if has_third else 'BASIC'


def recognise(
    shapes: Mapping[str, tuple[int, ...]], what: str = 'the checkpoint'
) -> Model:
    """Find the model from keys (without prefixes) and shapes of a reference
    state dict, by the keys that define the architecture; the others are
    checked when the model is built. ``what`` names it in messages."""
    first = enumerate_first([f'"{key}"' for key in shapes])
    if any(key.startswith('backbone.') for key in shapes):
        raise CheckpointError(
            f"{what} has MMPose's keys already ({first}): use it as it is"
        )
    if any(key.startswith(('stage2.', 'transition1.')) for key in shapes):
        keys = _Keys(shapes, what, 'an HRNet')
        name, backbone, head = _hrnet(keys)
    elif any(key.startswith('layer4.') for key in shapes):
        keys = _Keys(shapes, what, 'a SimpleBaseline ResNet')
        name, backbone, head = _resnet(keys)
    else:
        found = 'neither "stage2." nor "layer4." keys, and its first keys are '
        found = found + first if shapes else 'no keys at all'
        raise CheckpointError(
            f'{what} is neither an HRNet nor a SimpleBaseline ResNet of the '
            f'reference: it has {found}'
        )
    num_joints, _, _, size = keys.weight('final_layer')
    if size != 1:
        # the reference pads a 3 x 3 layer and no other
        head['final_layer'] = dict(kernel_size=size, padding=int(size == 3))
    head = dict(type='HeatmapHead', out_channels=num_joints, **head)
    head.setdefault('deconv_out_channels', None)
    return Model(name, num_joints, backbone, head)


def _hrnet(keys: _Keys) -> tuple[str, dict, dict]:
    stages: dict[str, dict[str, Any]] = {}
    for stage in ('stage1', 'stage2', 'stage3', 'stage4'):
        branches, modules = ['layer1'], 1
        if stage != 'stage1':
            keys.weight(f'{stage}.0.branches.0.0.conv1')
            modules = len(keys.children(f'{stage}.'))
            count = len(keys.children(f'{stage}.0.branches.'))
            branches = [f'{stage}.0.branches.{b}' for b in range(count)]
        channels = tuple(keys.weight(f'{b}.0.conv1')[0] for b in branches)
        stages[stage] = dict(
            num_modules=modules,
            num_branches=len(branches),
            block=keys.block(branches[0]),
            num_blocks=tuple(len(keys.children(f'{b}.')) for b in branches),
            num_channels=channels,
        )
    head = dict(in_channels=keys.weight('final_layer')[1])
    backbone = dict(type='HRNet', in_channels=3, extra=stages)
    return f'HRNet-w{channels[0]}', backbone, head


def _resnet(keys: _Keys) -> tuple[str, dict, dict]:
    block = keys.block('layer1')
    blocks = tuple(len(keys.children(f'layer{i}.')) for i in (1, 2, 3, 4))
    depth = DEPTHS.get((block, blocks))
    if depth is None:
        raise CheckpointError(
            f'{keys.looks}has {blocks} {block.lower()} blocks in its layers, '
            'which is none of ResNet-'
            f'{", ".join(map(str, DEPTHS.values()))}'
        )
    last = keys.weight(f'layer4.0.conv{3 if block == "BOTTLENECK" else 2}')
    head = dict(in_channels=last[0])
    # each deconvolution is followed by its norm and ReLU
    indices = filter(str.isdigit, keys.children('deconv_layers.'))
    count = len({int(index) // 3 for index in indices})
    shapes = [keys.weight(f'deconv_layers.{3 * n}') for n in range(count)]
    if shapes:
        sizes = tuple(shape[-1] for shape in shapes)
        if not set(sizes) <= {2, 3, 4}:
            raise CheckpointError(
                f'{keys.looks}has deconvolutions of {sizes} pixels, and '
                "MMPose's head has them of 2, 3 or 4"
            )
        head['deconv_out_channels'] = tuple(shape[1] for shape in shapes)
        head['deconv_kernel_sizes'] = sizes
    return f'ResNet-{depth}', dict(type='ResNet', depth=depth), head


def config_meta(model: Model, file_name: str = '') -> dict[str, Any]:
    """MMPose's config for a model; the nearest one if it has none.

    Args:
        model: The model.
        file_name: Its file, perhaps with its folder: the last size of crops
            in it counts (``pose_hrnet_w32_384x288.pth``).

    Returns:
        ``config``, ``cfg_options`` (key -> value that makes its model the
        recognised one), ``dataset_meta`` and ``crop_size``. Without a data
        set of so many joints, ``config`` is None and ``cfg_options`` empty.
    """
    dataset = DATASETS.get(model.num_joints)
    if dataset is None:
        return {'config': None, 'cfg_options': {}}
    sizes = _SIZES[dataset]
    named = [s for s in re.findall(r'\d+x\d+', file_name) if s in sizes]
    size = named[-1] if named else sizes[0]
    name = re.sub('^resnet-', 'res', model.name.lower())
    if (name, dataset, size) not in CONFIGS:
        name = _NEAREST[model.backbone['type']]
    config = CONFIGS[name, dataset, size]
    base = _model_config(config)
    head = HEAD_DEFAULTS | base['head']
    options = _differences(base['backbone'], model.backbone, 'model.backbone')
    options |= _differences(head, model.head, 'model.head')
    if model.backbone['type'] == 'ResNet':
        options['model.data_preprocessor.bgr_to_rgb'] = False
    known = bool(named) or len(sizes) == 1
    return {
        'config': config,
        'cfg_options': options,
        'dataset_meta': dataset_meta(dataset),
        'crop_size': {'height_x_width': size, 'known': known},
    }


@cache
def _model_config(config: str) -> dict[str, Any]:
    return get_config(config).model.to_dict()


def _differences(base: Mapping, wanted: Mapping, key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in wanted.items():
        if isinstance(value, Mapping):
            found |= _differences(base.get(name, {}), value, f'{key}.{name}')
        elif name not in base or base[name] != value:
            found[f'{key}.{name}'] = value
    return found


def dataset_meta(dataset: str) -> dict[str, Any]:
    """The metainfo that MMPose's inference reads from checkpoints; lists, so
    that plain ``torch.load`` reads the file."""
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    with warnings.catch_warnings():
        # MMPose warns that it takes the file of its own package
        warnings.filterwarnings('ignore', 'The metainfo config file')
        file = f'configs/_base_/datasets/{dataset}.py'
        metainfo = parse_pose_metainfo({'from_file': file})
    return {
        key: value.tolist() if isinstance(value, np.ndarray) else value
        for key, value in metainfo.items()
    }
