"""Distances, PCK and the bbox that normalises it, by hand."""

import numpy as np
import pytest

from mmpose_occlusion.metrics.pck import (
    box_size,
    clip_box,
    is_correct,
    joint_errors,
    pck,
)


def test_size_is_the_longer_side():
    boxes = np.array([[10, 20, 40, 30], [0, 0, 5, 7.5]])
    assert box_size(boxes).tolist() == [30, 7.5]


def test_a_box_is_cut_to_the_pixels_of_its_image():
    found = clip_box(np.array([-10.0, 20, 200, 30]), width=100, height=40)
    assert found.dtype == np.float32
    assert found.tolist() == [0, 20, 99, 39]


def test_errors_are_distances():
    found = joint_errors(
        np.array([[3.0, 4], [1, 1]]), np.array([[0, 0], [1, 1]])
    )
    assert found.tolist() == [5, 0]


def test_pck_weighs_joints_equally():
    errors = np.array([[1.9, 2.0, 0], [9.9, 0, 0]])
    mask = np.array([[True, True, False], [True, False, False]])
    # limits 2 and 10: 1.9 is below, 2.0 is not, 9.9 is
    assert pck(errors, np.array([10.0, 50.0]), mask) == pytest.approx(2 / 3)
    correct = is_correct(errors, np.array([10.0, 50.0]))
    assert correct.tolist() == [[True, False, True], [True, True, True]]


def test_pck_of_no_joint_is_undefined():
    assert pck(np.ones((1, 2)), np.ones(1), np.zeros((1, 2), bool)) is None
