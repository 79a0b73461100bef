"""Intervals: by hand, and their coverage."""

from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis.bootstrap import (
    draw_weights,
    estimate,
    weighted_mean,
)
from mmpose_occlusion.metrics.average_precision import (
    Matches,
    average_precision,
)


def test_weights_are_draws_of_as_many_images():
    weights = draw_weights(5, 40, seed=1)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 5).all()
    assert len({tuple(row) for row in weights}) > 20
    assert np.array_equal(weights, draw_weights(5, 40, seed=1))
    assert not np.array_equal(weights, draw_weights(5, 40, seed=2))


def test_estimates():
    found = estimate(np.array([7.0, *range(101)]))
    ends = (found.value, found.low, found.high)
    assert ends == pytest.approx((7, 2.5, 97.5))
    assert found.is_real
    assert not estimate(np.array([0.5, -1, 1])).is_real
    assert estimate(np.array([np.nan, 1.0])).value is None
    alone = estimate(np.array([3.0]))
    assert (alone.value, alone.low, alone.is_real) == (3, None, False)
    # sets in which it is undefined are left out
    assert estimate(np.array([1.0, np.nan, 1.0])).high == 1


def test_means_weigh_joints_by_their_images():
    weights = np.array([[1, 1], [2, 0], [0, 2], [0, 0]])
    values = np.array([[1.0, 2], [3, 100], [9, 9]])
    mask = np.array([[True, True], [True, False], [False, True]])
    found = weighted_mean(weights, np.array([0, 0, 1]), values, mask)
    assert found[:3] == pytest.approx([15 / 4, 2, 9])
    assert np.isnan(found[3])


def matches(generator, images):
    """Clean and attacked poses of 1 to 4 people an image, who are hard or
    easy to find together."""
    each = generator.integers(1, 5, images)
    image = np.repeat(np.arange(images), each)
    easy = generator.random(images)[image]
    out = []
    for harm in (0.0, 0.25):
        found = generator.random(len(image)) < 0.35 + 0.6 * easy - harm
        score = generator.random(len(image)) + found
        order = np.argsort(-score)
        out.append(
            Matches(
                image=image[order],
                category=np.zeros(len(image), int),
                found=found[None, order],
                ignored=np.zeros((1, len(image)), bool),
                counted=each[:, None],
            )
        )
    return out


def loss(pair, weights):
    clean, attacked = (average_precision(m, weights)[0] for m in pair)
    return attacked - clean


def test_coverage_of_the_intervals_of_a_loss():
    """95 % of 200 intervals contain the truth, within 3 sigma."""
    truth = loss(
        matches(np.random.default_rng(0), 60_000), np.ones((1, 60_000))
    )[0]
    assert -0.4 < truth < -0.2
    held = 0
    for seed in range(200):
        generator = np.random.default_rng(1000 + seed)
        found = estimate(
            loss(matches(generator, 60), draw_weights(60, 150, seed))
        )
        held += found.low <= truth <= found.high
    assert abs(held / 200 - 0.95) < 0.045


def test_pairing_narrows_the_interval():
    generator = np.random.default_rng(3)
    pair = matches(generator, 80)
    weights, others = draw_weights(80, 200, 0), draw_weights(80, 200, 1)
    together = estimate(loss(pair, weights))
    clean, attacked = (average_precision(m, weights)[0] for m in pair)
    apart = estimate(average_precision(pair[1], others)[0] - clean)
    assert together.value == apart.value == (attacked - clean)[0]
    assert together.high - together.low < apart.high - apart.low


def test_an_image_that_is_never_drawn_does_not_count():
    """The poses of the second image are all wrong."""
    one = Matches(
        image=np.array([1, 0, 1]),
        category=np.zeros(3, int),
        found=np.array([[False, True, False]]),
        ignored=np.zeros((1, 3), bool),
        counted=np.array([[1], [2]]),
    )
    weights = np.array([[1.0, 1], [3, 0], [0, 3], [0, 0]])
    ap, ar = average_precision(one, weights)
    # recall 1/3 at a precision of 1/2: 34 of 101 recalls are reached
    assert ap[:3] == pytest.approx([34 / 101 / 2, 1, 0])
    assert ar[:3] == pytest.approx([1 / 3, 1, 0])
    assert np.isnan(ap[3])
    ignored = replace(one, ignored=np.array([[True, False, True]]))
    assert average_precision(ignored, weights)[0][0] == pytest.approx(34 / 101)
