"""Crowds of which the numbers are known."""

import numpy as np
import pytest

from mmpose_occlusion.metrics import crowding

# two people overlap, a third stands apart, a fourth is in another image
BOXES = np.array(
    [[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 60], [0, 0, 10, 10]], float
)
IMAGE = np.array([7, 7, 7, 9])


def test_iou():
    iou = crowding.pairwise_iou(BOXES[:3])
    assert iou[0, 1] == pytest.approx(50 / 150)
    assert iou[0, 2] == iou[0, 0] == 0
    assert crowding.greatest_iou(IMAGE, BOXES) == pytest.approx(
        [1 / 3, 1 / 3, 0, 0]
    )
    assert crowding.overlapping_people(IMAGE, BOXES).tolist() == [1, 1, 0, 0]


def test_empty_boxes_overlap_nothing():
    assert not crowding.pairwise_iou(np.zeros((2, 4))).any()


def test_crowd_index():
    nan = np.nan
    keypoints = np.array(
        [
            [[1, 1], [7, 5], [2, 2]],  # the second is in box 1, too
            [[12, 5], [14, 5], [nan, nan]],
            [[55, 55], [nan, nan], [nan, nan]],
            [[1, 1], [nan, nan], [nan, nan]],
        ]
    )
    # others / own: 0 / 3, 1 / 2, 0 / 1
    found = crowding.crowd_index(IMAGE, BOXES, keypoints)
    assert found == pytest.approx([1 / 6, 1 / 6, 1 / 6, 0])


def test_levels_hold_everybody_once():
    values = np.array([0, 0.05, 0.1, 0.5, 0.8, 3])
    levels = crowding.level_of(values, crowding.CROWD_LEVELS)
    assert [(name, mask.sum()) for name, mask in levels] == [
        ('easy', 2),
        ('medium', 2),
        ('hard', 2),
    ]
