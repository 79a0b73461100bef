"""MMPose's models, built from what a converted checkpoint says of itself."""

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


def build_recognised(converted, **others):
    return build(*configs(converted), **others)


def configs(converted):
    recognised = converted['meta']['recognised']
    return recognised['backbone'], recognised['head']


@torch.no_grad()
def heatmaps(model, x):
    return model.head(model.backbone(x))


@torch.no_grad()
def assert_same_answer(converted, reference, size=64):
    """MMPose's model with the weights answers as the reference's."""
    model = build_weightless(*configs(converted))
    model.load_state_dict(converted['state_dict'], strict=True, assign=True)
    x = torch.randn(2, 3, size, size, generator=torch.manual_seed(1))
    want = reference(x)
    error = (heatmaps(model, x) - want).abs().max() / want.abs().max()
    assert error < 1e-5
    assert want.std() > 0.01
