"""The prior against poses whose distribution is known."""

import numpy as np
import pytest

from mmpose_occlusion.metrics.annotations import PosePrior

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


def hiding(joint: int):
    return np.arange(5) == joint


def test_a_linear_relation_is_found():
    keypoints, boxes, size = some_poses(400)
    prior = PosePrior(keypoints[:300], boxes[:300], FLIP)
    found = np.stack(
        [
            prior.expected(keypoints[i], boxes[i], hiding(4))
            for i in range(300, 400)
        ]
    )
    keypoints, scale = keypoints[300:], size[300:, 0, 0]
    error = np.linalg.norm(found - keypoints, axis=2)[:, 4] / scale
    spread = np.linalg.norm((keypoints - keypoints.mean(axis=0))[:, 4], axis=1)
    # the mean alone is off by .09, the shrunk relation by far less
    assert error.mean() < 0.03
    assert (spread / scale).mean() > 0.09
    assert np.isnan(found[:, :4]).all()


def test_the_hidden_joint_itself_is_not_looked_at():
    keypoints, boxes, _ = some_poses(50)
    prior = PosePrior(keypoints, boxes, FLIP)
    moved = keypoints[0].copy()
    moved[2] += 100
    one, other = (
        prior.expected(pose, boxes[0], hiding(2))
        for pose in (keypoints[0], moved)
    )
    assert np.array_equal(one, other, equal_nan=True)


def test_too_few_joints_give_nothing():
    keypoints, boxes, _ = some_poses(20)
    prior = PosePrior(keypoints, boxes, FLIP)
    keypoints[0, 2:] = np.nan
    assert np.isnan(prior.expected(keypoints[0], boxes[0], hiding(1))).all()
    found = prior.expected(keypoints[1], boxes[1], hiding(1))
    assert np.isfinite(found[1]).all()


def test_missing_joints_do_not_stop_the_fit():
    keypoints, boxes, _ = some_poses(60)
    rng = np.random.default_rng(1)
    keypoints[rng.random((60, 5)) < 0.3] = np.nan
    prior = PosePrior(keypoints, boxes, FLIP)
    assert np.linalg.eigvalsh(prior.covariance).min() > 0
    assert prior.mean.reshape(5, 2)[0] == pytest.approx([-0.3, 0], abs=0.06)
