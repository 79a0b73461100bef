"""Crowds of which the numbers are known."""

import numpy as np
import pytest

from mmpose_occlusion.metrics import annotations as crowding

# two people overlap, a third stands apart, a fourth is in another image
BOXES = np.array(
    [[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 60], [0, 0, 10, 10]], float
)
IMAGE = np.array([7, 7, 7, 9])


def test_other_people():
    greatest, number = crowding.other_people(IMAGE, BOXES)
    assert greatest == pytest.approx([1 / 3, 1 / 3, 0, 0])
    assert number.tolist() == [1, 1, 0, 0]


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


@pytest.mark.parametrize('by', crowding.LEVELS)
def test_levels_rise(by):
    ends = list(crowding.LEVELS[by].values())
    assert ends == sorted(set(ends))
