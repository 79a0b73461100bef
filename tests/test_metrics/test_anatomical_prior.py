"""The prior against poses whose distribution is known."""

import numpy as np
import pytest

from mmpose_occlusion.metrics.anatomical_prior import (
    PosePrior,
    expected_by_fold,
)

FLIP = np.array([1, 0, 3, 2, 4])


def some_poses(count: int, seed: int = 0):
    """Joint 4 is the mean of joints 0 and 1, and a little noise."""
    rng = np.random.default_rng(seed)
    base = np.array([[-0.3, 0], [0.3, 0], [-0.2, 0.4], [0.2, 0.4]])
    four = base + rng.normal(0, 0.1, (count, 4, 2))
    last = four[:, :2].mean(axis=1) + rng.normal(0, 0.005, (count, 2))
    poses = np.concatenate([four, last[:, None]], axis=1)
    size = rng.uniform(50, 200, (count, 1, 1))
    corner = rng.uniform(0, 500, (count, 2))
    boxes = np.concatenate([corner, corner + size[:, 0] * [0.5, 1]], axis=1)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return poses * size + centre[:, None], boxes, size


def test_a_linear_relation_is_found():
    keypoints, boxes, size = some_poses(400)
    hidden = np.zeros((400, 5), bool)
    hidden[:, 4] = True
    found = expected_by_fold(
        keypoints, boxes, FLIP, hidden, np.arange(400) // 2
    )
    error = np.linalg.norm(found - keypoints, axis=2)[:, 4] / size[:, 0, 0]
    spread = (
        np.linalg.norm((keypoints - keypoints.mean(axis=0))[:, 4], axis=1)
        / size[:, 0, 0]
    )
    # the mean alone is off by .09, the shrunk relation by far less
    assert error.mean() < 0.03
    assert spread.mean() > 0.09
    assert np.isnan(found[:, :4]).all()


def test_the_hidden_joint_itself_is_not_looked_at():
    keypoints, boxes, _ = some_poses(50)
    prior = PosePrior(keypoints, boxes, FLIP)
    hidden = np.zeros((50, 5), bool)
    hidden[:, 2] = True
    moved = keypoints.copy()
    moved[:, 2] += 100
    one = prior.expected(keypoints, boxes, hidden)
    other = prior.expected(moved, boxes, hidden)
    assert np.array_equal(one, other, equal_nan=True)


def test_too_few_joints_give_nothing():
    keypoints, boxes, _ = some_poses(20)
    keypoints[0, 2:] = np.nan
    hidden = np.zeros((20, 5), bool)
    hidden[:, 1] = True
    found = PosePrior(keypoints, boxes, FLIP).expected(
        keypoints, boxes, hidden
    )
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1:, 1]).all()


def test_missing_joints_do_not_stop_the_fit():
    keypoints, boxes, _ = some_poses(60)
    rng = np.random.default_rng(1)
    keypoints[rng.random((60, 5)) < 0.3] = np.nan
    prior = PosePrior(keypoints, boxes, FLIP)
    assert np.linalg.eigvalsh(prior.covariance).min() > 0
    assert prior.mean.reshape(5, 2)[0] == pytest.approx([-0.3, 0], abs=0.06)
