"""Annotations with all that the evaluation needs; boxes are matched to people
as COCOeval does."""

import numpy as np
import pytest

from mmpose_occlusion.metrics.annotations import (
    People,
    make_person,
    match_boxes,
    overlaps,
)

AREA = 5300.0  # of a bbox of 100 x 100, by MMPose's ratio


@pytest.mark.parametrize(
    ('ann', 'use_area', 'area'),
    [
        ({'area': 10.0}, True, 10.0),
        ({'area': 10.0}, False, AREA),
        ({}, True, AREA),
        ({}, False, AREA),
    ],
)
def test_area(ann, use_area, area):
    full = dict(id=1, image_id=1, bbox=[0, 0, 100, 100], keypoints=[0, 0, 0])
    assert make_person(dict(full, **ann), 1, use_area)['area'] == area


def test_whole_body_joints_follow_in_their_order():
    ann = dict(
        id=1,
        image_id=1,
        bbox=[0, 0, 1, 1],
        keypoints=[1, 1, 1],
        lefthand_kpts=[4, 4, 1],
        foot_kpts=[2, 2, 1],
        face_kpts=[3, 3, 1],
        righthand_kpts=[5, 5, 1],
    )
    assert make_person(ann, 5)['keypoints'][::3] == [1, 2, 3, 4, 5]
    assert make_person(ann, 1)['keypoints'] == [1, 1, 1]


def test_wrong_number_of_joints():
    ann = dict(id=7, image_id=3, bbox=[0, 0, 1, 1], keypoints=[0] * 51)
    with pytest.raises(ValueError, match=r'annotation 7 of image 3 has 17 j'):
        make_person(ann, 16)


def test_people_as_arrays():
    person = dict(
        id=1, image_id='b', category_id=7, bbox=[1, 2, 3, 4], area=5.0,
        iscrowd=0, keypoints=[1, 2, 1, 0, 0, 0],
    )  # fmt: skip
    crowd = dict(person, id=2, iscrowd=1)
    bare = dict(person, id=3, category_id=2, keypoints=[0] * 6)
    found = People.from_dicts([person, crowd, bare], ['c', 'a'], 2)
    assert found.images.tolist() == ['a', 'b', 'c']
    assert found.image.tolist() == [1, 1, 1]
    assert found.category.tolist() == [1, 1, 0]
    assert found.labelled.tolist() == [[True, False]] * 2 + [[False, False]]
    assert found.counting(found.labelled).tolist() == [True, False, False]
    assert len(People.from_dicts([], [3], 2)) == 0
    assert np.shape(People.from_dicts([], [], 2).keypoints) == (0, 2, 2)


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
