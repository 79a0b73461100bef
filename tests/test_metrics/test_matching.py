"""Boxes are matched to people as COCOeval does."""

import numpy as np
import pytest

from mmpose_occlusion.metrics.matching import match_boxes, overlaps

# IoU worked out by hand: 10 x 10 boxes shifted by s share (10 - s) * 10 of
# 200 - (10 - s) * 10 pixels
PEOPLE = np.array([[0, 0, 10, 10], [4, 0, 14, 10]])


@pytest.mark.parametrize(
    ('box', 'expected'),
    [
        ([0, 0, 10, 10], [1.0, 60 / 140]),
        ([2, 0, 12, 10], [80 / 120, 80 / 120]),
        ([0, 0, 10, 20], [0.5, 60 / 240]),
        ([50, 50, 60, 60], [0.0, 0.0]),
        ([5, 5, 5, 5], [0.0, 0.0]),
    ],
)
def test_overlaps_by_hand(box, expected):
    assert overlaps(np.array([box]), PEOPLE)[0] == pytest.approx(expected)


def test_boxes_without_area_overlap_nothing():
    nothing = np.zeros((1, 4))
    assert overlaps(nothing, nothing).tolist() == [[0.0]]


@pytest.mark.parametrize('shape', [(0, 3), (3, 0), (0, 0)])
def test_without_boxes_or_people(shape):
    boxes, people = np.zeros((shape[0], 4)), np.zeros((shape[1], 4))
    iou = overlaps(boxes, people)
    assert iou.shape == shape
    assert match_boxes(iou, np.ones(shape[0])).tolist() == [-1] * shape[0]


@pytest.mark.parametrize(
    ('iou', 'scores', 'options', 'expected'),
    [
        # the higher score chooses first, not the higher overlap
        ([[0.6], [0.9]], [0.9, 0.8], {}, [0, -1]),
        ([[0.6], [0.9]], [0.8, 0.9], {}, [-1, 0]),
        # and leaves the second best person to the next box
        ([[0.6, 0.7], [0.9, 0.8]], [0.9, 0.8], {}, [1, 0]),
        ([[0.6, 0.7], [0.4, 0.8]], [0.9, 0.8], {}, [1, -1]),
        # equal scores: the first in order
        ([[0.6], [0.9]], [0.5, 0.5], {}, [0, -1]),
        # the threshold itself is enough
        ([[0.5]], [1.0], {}, [0]),
        ([[0.4999]], [1.0], {}, [-1]),
        ([[0.3]], [1.0], {'threshold': 0.3}, [0]),
        # several boxes of one person
        ([[0.6], [0.9]], [0.9, 0.8], {'one_to_one': False}, [0, 0]),
    ],
)
def test_match_boxes(iou, scores, options, expected):
    before = np.array(iou)
    owner = match_boxes(before, np.array(scores), **options)
    assert owner.tolist() == expected
    assert (before == np.array(iou)).all()
