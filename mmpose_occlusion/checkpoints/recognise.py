"""Which model a reference checkpoint holds, from its keys and shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import CheckpointError
from .keys import name_first

Shapes = Mapping[str, tuple[int, ...]]

DEPTHS: dict[tuple[str, tuple[int, ...]], int] = {
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
"""Of MMPose's HeatmapHead: what equals them is not written out."""

DECONV_STEP = 3
"""Deconvolution, norm and ReLU: so many modules per deconvolution."""


@dataclass(frozen=True)
class Recognised:
    """A model, by what can be read from its weights.

    Attributes:
        name: ``HRNet-w32``, ``ResNet-50``, ...
        num_joints: Number of heatmaps.
        backbone: Config of MMPose's backbone.
        head: Config of MMPose's head.
    """

    name: str
    num_joints: int
    backbone: dict[str, Any]
    head: dict[str, Any]

    @property
    def family(self) -> str:
        """``HRNet`` or ``ResNet``."""
        return self.backbone['type']


def recognise(shapes: Shapes, what: str = 'the checkpoint') -> Recognised:
    """Tell the model from the keys of a reference state dict.

    Only the keys that say something are looked at. Whether all others fit
    shows when the model is built (:func:`~.convert.convert`).

    Args:
        shapes: Key -> shape, without prefixes.
        what: How messages call the checkpoint.

    Raises:
        CheckpointError: It is neither an HRNet nor a SimpleBaseline ResNet
            of the reference; the sentence names the keys that do not fit.
    """
    keys = _Keys(shapes, what)
    if keys.any('backbone.'):
        raise CheckpointError(
            f"{what} has MMPose's keys already ({name_first(keys.first)}): "
            'use it as it is'
        )
    if keys.any('stage2.') or keys.any('transition1.'):
        return _hrnet(keys)
    if keys.any('layer4.'):
        return _resnet(keys)
    found = (
        'neither "stage2." nor "layer4." keys, and its first keys are '
        f'{name_first(keys.first)}'
    )
    raise CheckpointError(
        f'{what} is neither an HRNet nor a SimpleBaseline ResNet of the '
        f'reference: it has {found if shapes else "no keys at all"}'
    )


class _Keys:
    """Questions about keys and shapes."""

    def __init__(self, shapes: Shapes, what: str) -> None:
        self.shapes = shapes
        self.what = what
        self.model = 'a model'

    @property
    def first(self) -> list[str]:
        return list(self.shapes)

    def any(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self.shapes)

    def count(self, prefix: str) -> int:
        """Number of different children below a prefix that ends in a dot."""
        return len(
            {
                key[len(prefix) :].partition('.')[0]
                for key in self.shapes
                if key.startswith(prefix)
            }
        )

    def weight(self, module: str, ndim: int = 4) -> tuple[int, ...]:
        """Shape of a module's weight."""
        key = f'{module}.weight'
        if key not in self.shapes:
            raise CheckpointError(
                f'{self.what} looks like {self.model} of the reference but '
                f'has no "{key}"; its last keys are '
                f'{name_first(self.first[-3:])}'
            )
        shape = tuple(self.shapes[key])
        if len(shape) != ndim:
            raise CheckpointError(
                f'{self.what} looks like {self.model} of the reference but '
                f'its "{key}" has the shape {shape}, not {ndim} dimensions'
            )
        return shape

    def block(self, layer: str) -> str:
        bottleneck = f'{layer}.0.conv3.weight' in self.shapes
        return 'BOTTLENECK' if bottleneck else 'BASIC'


def _hrnet(keys: _Keys) -> Recognised:
    keys.model = 'an HRNet'
    stem = keys.weight('layer1.0.conv1')
    extra: dict[str, dict[str, Any]] = {
        'stage1': dict(
            num_modules=1,
            num_branches=1,
            block=keys.block('layer1'),
            num_blocks=(keys.count('layer1.'),),
            num_channels=(stem[0],),
        )
    }
    for stage in ('stage2', 'stage3', 'stage4'):
        first = f'{stage}.0.branches'
        keys.weight(f'{first}.0.0.conv1')
        branches = range(keys.count(f'{first}.'))
        extra[stage] = dict(
            num_modules=keys.count(f'{stage}.'),
            num_branches=len(branches),
            block=keys.block(f'{first}.0'),
            num_blocks=tuple(keys.count(f'{first}.{b}.') for b in branches),
            num_channels=tuple(
                keys.weight(f'{first}.{b}.0.conv1')[0] for b in branches
            ),
        )
    channels = keys.weight('final_layer')[1]
    width = extra['stage4']['num_channels'][0]
    return _recognised(
        keys,
        f'HRNet-w{width}',
        dict(type='HRNet', in_channels=3, extra=extra),
        dict(in_channels=channels, deconv_out_channels=None),
    )


def _resnet(keys: _Keys) -> Recognised:
    keys.model = 'a SimpleBaseline ResNet'
    layers = [f'layer{i}' for i in (1, 2, 3, 4)]
    block = keys.block('layer1')
    blocks = tuple(keys.count(f'{layer}.') for layer in layers)
    depth = DEPTHS.get((block, blocks))
    if depth is None:
        raise CheckpointError(
            f'{keys.what} looks like {keys.model} of the reference but has '
            f'{blocks} {block.lower()} blocks in its layers, which is none of '
            f'ResNet-{", ".join(map(str, DEPTHS.values()))}'
        )
    last = keys.weight(f'layer4.0.conv{3 if block == "BOTTLENECK" else 2}')
    return _recognised(
        keys,
        f'ResNet-{depth}',
        dict(type='ResNet', depth=depth),
        dict(in_channels=last[0], **_deconvolutions(keys)),
    )


def _deconvolutions(keys: _Keys) -> dict[str, Any]:
    if not keys.any('deconv_layers.'):
        return {'deconv_out_channels': None}
    shapes: list[tuple[int, ...]] = []
    while not shapes or keys.any(
        f'deconv_layers.{len(shapes) * DECONV_STEP}.'
    ):
        index = len(shapes) * DECONV_STEP
        shapes.append(keys.weight(f'deconv_layers.{index}'))
    sizes = tuple(shape[-1] for shape in shapes)
    if not set(sizes) <= {2, 3, 4}:
        raise CheckpointError(
            f'{keys.what} has deconvolutions of {sizes} pixels, and '
            "MMPose's head has them of 2, 3 or 4"
        )
    head = {
        'deconv_out_channels': tuple(shape[1] for shape in shapes),
        'deconv_kernel_sizes': sizes,
    }
    if len(shapes) != len(HEAD_DEFAULTS['deconv_kernel_sizes']):
        return head
    return {k: v for k, v in head.items() if v != HEAD_DEFAULTS[k]}


def _recognised(
    keys: _Keys, name: str, backbone: dict, head: dict
) -> Recognised:
    num_joints, _, _, size = keys.weight('final_layer')
    if size != 1:
        # the reference pads a 3 x 3 layer and no other
        padding = 1 if size == 3 else 0
        head['final_layer'] = dict(kernel_size=size, padding=padding)
    head = dict(type='HeatmapHead', out_channels=num_joints, **head)
    return Recognised(name, num_joints, backbone, head)
