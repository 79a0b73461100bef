"""The three terms, by hand and against the reference's loop over joints."""

import pytest
import torch

from projects.tilting_at_windmills.contrastive_views import (
    OcclusionContrastLoss,
)

# two crops, two joints, maps of one row and two columns
PLAIN = torch.tensor([[[[1.0, 0]], [[2, 2]]], [[[0, 3]], [[5, 5]]]])
TARGET = torch.tensor([[[[0.0, 0]], [[0, 2]]], [[[0, 1]], [[0, 0]]]])
KEYPOINT = torch.tensor([[[[1.0, 2]], [[2, 2]]], [[[0, 3]], [[9, 9]]]])
PART = torch.tensor([[[[0.0, 0]], [[2, 6]]], [[[2, 3]], [[5, 5]]]])
WEIGHTS = torch.tensor([[1.0, 1], [1, 0]])  # the last joint has no label
VIEWS = ('plain', 'keypoint_view', 'part_view')

# Squared differences, crop by crop, halved after the mean over 2 x 2 values:
# plain to target   joint 1: (1 0) (0 4) -> 5/8   joint 2: (4 0) - -> 1/2
# keypoint to plain joint 1: (0 4) (0 0) -> 1/2   joint 2: (0 0) - -> 0
# part to plain     joint 1: (1 0) (4 0) -> 5/8   joint 2: (0 16) - -> 2
BY_HAND = dict(
    loss_kpt=(5 / 8 + 1 / 2) / 2,
    loss_keypoint_view=(1 / 2 + 0) / 2,
    loss_part_view=(5 / 8 + 2) / 2,
)


def views(*maps):
    return {
        name: list(stages) for name, *stages in zip(VIEWS, *maps, strict=True)
    }


MAPS = views((PLAIN, KEYPOINT, PART))


def values(losses):
    return {name: loss.item() for name, loss in losses.items()}


def test_terms_by_hand():
    losses = OcclusionContrastLoss()(MAPS, TARGET, WEIGHTS)
    assert values(losses) == pytest.approx(BY_HAND)
    assert list(losses) == list(BY_HAND)


def test_each_term_has_its_factor():
    loss = OcclusionContrastLoss(weights=dict(plain=2, part_view=0.5))
    scaled = dict(
        BY_HAND,
        loss_kpt=2 * BY_HAND['loss_kpt'],
        loss_part_view=BY_HAND['loss_part_view'] / 2,
    )
    assert values(loss(MAPS, TARGET, WEIGHTS)) == pytest.approx(scaled)


def test_stages_are_summed_each_against_its_own_plain_view():
    """A second stage that answers the target in every view costs nothing."""
    right = (TARGET, TARGET, TARGET)
    maps = views((PLAIN, KEYPOINT, PART), right)
    losses = OcclusionContrastLoss()(maps, TARGET, WEIGHTS)
    assert values(losses) == pytest.approx(BY_HAND)
    twice = views((PLAIN, KEYPOINT, PART), (PLAIN, KEYPOINT, PART))
    losses = OcclusionContrastLoss()(twice, TARGET, WEIGHTS)
    doubled = {name: 2 * value for name, value in BY_HAND.items()}
    assert values(losses) == pytest.approx(doubled)


def reference_loss(output, target, weights):
    """Half a mean squared error for each joint, averaged over joints."""
    total = 0.0
    for joint in range(output.shape[1]):
        weight = weights[:, joint, None]
        ours = output[:, joint].flatten(1) * weight
        theirs = target[:, joint].flatten(1) * weight
        total += 0.5 * torch.nn.functional.mse_loss(ours, theirs)
    return total / output.shape[1]


@pytest.mark.parametrize('seed', range(5))
def test_terms_are_the_references_for_weights_of_0_and_1(seed):
    generator = torch.Generator().manual_seed(seed)
    shape = (3, 17, 8, 6)
    plain, keypoint, part, target = (
        torch.randn(shape, generator=generator) for _ in range(4)
    )
    labelled = torch.rand(shape[:2], generator=generator).round()
    maps = views((plain, keypoint, part))
    assert values(OcclusionContrastLoss()(maps, target, labelled)) == {
        'loss_kpt': pytest.approx(reference_loss(plain, target, labelled)),
        'loss_keypoint_view': pytest.approx(
            reference_loss(keypoint, plain, labelled)
        ),
        'loss_part_view': pytest.approx(reference_loss(part, plain, labelled)),
    }


def test_gradients_reach_the_plain_view():
    maps = [m.clone().requires_grad_() for m in (PLAIN, KEYPOINT, PART)]
    losses = OcclusionContrastLoss()(views(maps), TARGET, WEIGHTS)
    (losses['loss_keypoint_view'] + losses['loss_part_view']).backward()
    plain, keypoint, part = (m.grad for m in maps)
    # d/dv of 1/2 1/K mean over B h w of (v - p)^2: (v - p) / 8
    assert keypoint[0, 0, 0].tolist() == [0, 2 / 8]
    assert part[0, 1, 0].tolist() == [0, 4 / 8]
    assert not keypoint[1, 1].any()  # no label, no pull
    assert torch.equal(plain, -(keypoint + part))


def test_a_factor_of_a_view_that_is_not_there_is_an_error():
    loss = OcclusionContrastLoss(weights=dict(part=1.0))
    with pytest.raises(
        ValueError,
        match=r"name \['part'\], but .* plain, keypoint_view, part_view",
    ):
        loss(MAPS, TARGET, WEIGHTS)


@pytest.mark.parametrize('weight', [-1, 'much', float('nan')])
def test_a_factor_must_be_a_number_that_is_not_negative(weight):
    with pytest.raises(ValueError, match=r'weights\.plain=.* must be a numb'):
        OcclusionContrastLoss(weights=dict(plain=weight))
