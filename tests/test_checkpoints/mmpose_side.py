"""MMPose's models of the same architecture as the reference's."""

import itertools

import torch
from mmengine.registry import DefaultScope
from mmpose.registry import MODELS

_NUMBERS = itertools.count(step=10_000)


def build(backbone, head, **others):
    """A model whose weights differ from key to key and from any other's."""
    model = build_weightless(backbone, head, **others)
    model.to_empty(device='cpu')
    start = next(_NUMBERS)
    for n, value in enumerate(model.state_dict().values(), start):
        value.fill_(n)
    return model


def build_weightless(backbone, head, **others):
    """A model that has shapes alone: building one takes long otherwise."""
    with (
        DefaultScope.overwrite_default_scope('mmpose'),
        torch.device('meta'),
    ):
        model = MODELS.build(
            dict(
                type='TopdownPoseEstimator',
                backbone=dict(backbone),
                head=dict(head),
                **others,
            )
        )
    return model.eval()


def resnet(depth, joints, filters):
    """Configs of backbone and head of a SimpleBaseline."""
    head = dict(
        type='HeatmapHead',
        in_channels=512,
        out_channels=joints,
        deconv_out_channels=filters,
        deconv_kernel_sizes=(4,) * len(filters),
    )
    return dict(type='ResNet', depth=depth), head


def hrnet(width, joints, modules=(1, 4, 3), numbers=(4, 4, 4, 4)):
    """Configs of backbone and head of an HRNet."""

    def stage(block, number, channels):
        return dict(
            num_modules=number,
            num_branches=len(channels),
            block=block,
            num_blocks=numbers[: len(channels)] if number else (4,),
            num_channels=tuple(channels),
        )

    extra = {
        f'stage{n + 2}': stage(
            'BASIC', number, [width * 2**branch for branch in range(n + 2)]
        )
        for n, number in enumerate(modules)
    }
    extra['stage1'] = dict(stage('BOTTLENECK', 1, [64]), num_blocks=(4,))
    head = dict(
        type='HeatmapHead',
        in_channels=width,
        out_channels=joints,
        deconv_out_channels=None,
    )
    return dict(type='HRNet', extra=extra), head


NARROW_RESNET = resnet(18, 17, (16, 16, 16))
"""As the fixture ``resnet``."""

NARROW_HRNET = hrnet(4, 16, (1, 1, 2), (1, 1, 2, 1))
"""As the fixture ``hrnet``."""


@torch.no_grad()
def heatmaps(model, x):
    return model.head(model.backbone(x))


@torch.no_grad()
def assert_same_answer(state, configs, reference, size=64):
    """MMPose's model with the weights answers as the reference's."""
    model = build_weightless(*configs)
    model.load_state_dict(state, strict=True, assign=True)
    x = torch.randn(2, 3, size, size, generator=torch.manual_seed(1))
    want = reference(x)
    error = (heatmaps(model, x) - want).abs().max() / want.abs().max()
    assert error < 1e-5
    assert want.std() > 0.01
