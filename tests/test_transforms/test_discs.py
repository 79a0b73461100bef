"""Available joints, and the discs and fills over them.

Expected numbers come from the description (what a disc, a box, a mean is),
not from the code; the comments show how. Boxes are ``(x1, y1, x2, y2)`` with
exclusive ends; a crop is 192 wide and 256 high unless stated otherwise.
"""

import cv2
import numpy as np
import pytest

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden.person import PERSON, painted_by
from tests.golden.samples import box_of, crop, labelled, mask, photo
from tests.records import under

# --- availability ------------------------------------------------------------


@pytest.mark.parametrize(('point', 'inside'), [
    ((96, 100), True),
    ((0, 100), True),  # a true zero counts
    ((96, 0), True),
    ((0, 0), True),
    ((191.75, 255.75), True),
    ((192, 100), False),
    ((96, 256), False),
    ((-0.25, 100), False),
    ((96, -0.25), False),
    ((np.nan, 100), False),
    ((96, np.nan), False),
    ((np.inf, 100), False),
    ((96, -np.inf), False),
    ((1e9, 1e9), False),
])  # fmt: skip
@pytest.mark.parametrize('transform', [
    KeypointOcclusion('nose', fill='black'),
    KeypointOcclusion('random', fill='black'),
    PartOcclusion('head', fill='black'),
    PartOcclusion('random', fill='black'),
], ids=lambda t: f'{type(t).__name__}-{t.target}')  # fmt: skip
def test_available_is_labelled_and_inside(transform, point, inside):
    painted, results = painted_by(transform, dict(nose=point))
    (record,) = results['occlusions']
    assert painted.any() == inside
    assert (record['reason'] is None) == inside
    assert under(record) == [[0, 'nose']] * inside
    assert record['pixels'] == painted.sum()


@pytest.mark.parametrize('layout', ['coco', 'mpii'])
@pytest.mark.parametrize('transform', [
    KeypointOcclusion('left_wrist'),
    PartOcclusion('left_leg', remove_keypoints=True),
])  # fmt: skip
def test_unlabelled_is_unavailable(transform, layout):
    """Where MMPose's warp carries a missing joint does not matter."""
    clean = photo(256, 192)
    joints = dict(right_wrist=(50, 60))
    results = crop(joints, clean.copy(), layout)
    results['transformed_keypoints'][:] = 50, 60
    results = transform(results)
    (record,) = results['occlusions']
    assert (results['img'] == clean).all()
    assert record['reason']
    assert record['region'] is record['box'] is record['paint'] is None
    assert record['pixels'] == 0
    assert under(record) == record['removed'] == []
    assert labelled(results, layout=layout) == set(joints)


def test_coordinates_without_a_label_are_nothing():
    """A COCO file may have them (v = 0); the label decides."""
    clean = photo(256, 192)
    for transform in (KeypointOcclusion('nose'), PartOcclusion('head')):
        results = crop({}, clean.copy(), unlabelled=dict(nose=(50, 60)))
        (record,) = transform(results)['occlusions']
        assert record['reason']
        assert (results['img'] == clean).all()


# --- discs -------------------------------------------------------------------


@pytest.mark.parametrize(('height', 'radius', 'R'), [
    (256, 6, 6),
    (384, 6, 9),
    (128, 6, 3),
    (100, 6, 2),  # 2.34
    (64, 6, 2),  # 1.5
    (32, 6, 2),  # 0.75: never below 2
    (256, 1, 2),
    (256, 24, 24),
    (128, 13, 7),  # 6.5 is 6 or 7; see below
    (250, 6, 6),  # 5.86
])  # fmt: skip
def test_radius_scales_with_the_crop(height, radius, R):
    width = height * 3 // 4
    center = (width // 2, height // 2)
    # rows of the disc, |dy| = 0..R, by the definition
    rows = [1 + 2 * int((R * R - d * d) ** 0.5) for d in range(R + 1)]
    painted, results = painted_by(
        KeypointOcclusion('nose', fill='black', size=radius),
        dict(nose=center),
        height,
        width,
    )
    region = results['occlusions'][0]['region']
    if (height, radius) == (128, 13):
        # round() of a half: to even or up, both are "round"
        assert region['radius'] in (6, 7)
        return
    assert region == dict(shape='disc', center=list(center), radius=R)
    assert painted.sum() == rows[0] + 2 * sum(rows[1:])
    assert painted.sum(1)[center[1]] == painted.sum(0)[center[0]] == 2 * R + 1


@pytest.mark.parametrize(('joint', 'pixels', 'box'), [
    ((96, 100), 113, (90, 94, 103, 107)),
    # pixel centres are at integers: distances 0.5, 1.5, ...
    ((96.5, 100.5), 112, (91, 95, 103, 107)),
    # an ankle below y = W, where the reference paints nothing
    ((96, 230), 113, (90, 224, 103, 237)),
    # the corner keeps a quarter with its axes: (113 - 1 - 24) / 4 + 6 + 6 + 1
    ((0, 0), 35, (0, 0, 7, 7)),
    ((191, 255), 35, (185, 249, 192, 256)),
    # at the edge half of the disc and its axis: (113 - 13) / 2 + 13
    ((0, 100), 63, (0, 94, 7, 107)),
    ((96, 255), 63, (90, 249, 103, 256)),
    # columns -4 to -1 are lost: 1 + 7 + 9 + 11
    ((2, 100), 85, (0, 94, 9, 107)),
])  # fmt: skip
def test_disc_is_always_painted_and_clipped(joint, pixels, box):
    painted, results = painted_by(
        KeypointOcclusion('nose', fill='black', size=6), dict(nose=joint)
    )
    (record,) = results['occlusions']
    assert painted.sum() == record['pixels'] == pixels
    assert box_of(painted) == box
    assert not results['img'][painted].any()
    assert under(record) == [[0, 'nose']]
    x1, y1, x2, y2 = record['box']
    assert x1 <= box[0]
    assert y1 <= box[1]
    assert box[2] <= x2
    assert box[3] <= y2


def test_disc_beyond_the_last_pixel_centre_hides_its_joint():
    # available, since x < W; the nearest pixel of the crop is the last one
    painted, results = painted_by(
        KeypointOcclusion('nose', fill='black', size=6),
        dict(nose=(191.9, 255.9)),
    )
    assert painted[255, 191]
    assert under(results['occlusions'][0]) == [[0, 'nose']]


@pytest.mark.parametrize('joint', [(30, 40), (0, 0), (47.5, 12.3), (20, 63.7)])
@pytest.mark.parametrize('radius', [6, 24, 60])
def test_disc_blur(radius, joint):
    clean = photo(64, 48)
    joints = dict(nose=joint)
    transform = KeypointOcclusion('nose', fill='blur', size=radius)
    R = max(2, round(radius * 64 / 256))  # 2, 6, 15
    results = transform(crop(joints, clean.copy()))
    (record,) = results['occlusions']
    assert record['region']['radius'] == R
    assert record['paint']['kind'] == 'blur'
    assert record['paint']['ksize'] == 2 * R - 1
    exact = cv2.GaussianBlur(clean, (2 * R - 1, 2 * R - 1), 0)
    disc = np.zeros((64, 48), bool)
    for row in range(64):
        for col in range(48):
            x, y = joint
            disc[row, col] = (col - x) ** 2 + (row - y) ** 2 <= R * R
    difference = results['img'].astype(int) - exact
    assert np.abs(difference[disc]).max() <= 1
    assert (results['img'][~disc] == clean[~disc]).all()
    assert (results['img'][disc] != clean[disc]).any()


@pytest.mark.parametrize('transform', [
    KeypointOcclusion('left_wrist', fill='mean'),
    PartOcclusion('left_arm', fill='mean'),
])  # fmt: skip
def test_mean_is_the_crops(transform):
    # half of the crop is padding: (0 + 60) / 2, (0 + 121) / 2, (0 + 201) / 2
    clean = np.zeros((256, 192, 3), np.uint8)
    clean[:, 48:144] = 60, 121, 201
    results = transform(crop(PERSON, clean.copy()))
    row, col = 124, 132
    color = results['img'][row, col].astype(int)
    assert np.abs(color - [30, 60.5, 100.5]).max() < 1
    painted = mask(results, clean)
    assert (results['img'][painted] == results['img'][row, col]).all()
    assert results['occlusions'][0]['pixels'] == painted.sum()


@pytest.mark.parametrize('transform', [
    KeypointOcclusion('left_wrist', fill='black'),
    PartOcclusion('left_arm', fill='black'),
])  # fmt: skip
def test_black_is_zero(transform):
    painted, results = painted_by(transform, PERSON)
    (record,) = results['occlusions']
    assert not results['img'][painted].any()
    assert record['paint'] == dict(kind='color', color=[0, 0, 0])
