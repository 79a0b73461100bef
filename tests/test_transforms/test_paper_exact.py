"""``paper_exact=True``: the reference's pixels and labels, defects included.

Numbers were worked out on paper from the description of the reference system;
the comments show how. The second half compares with a naive implementation of
the same description (``tests/golden/naive_reference.py``) on random people.

Unless stated otherwise a crop is 192 wide and 256 high; boxes are
``(x1, y1, x2, y2)`` with exclusive ends.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmpose.datasets import CocoDataset, MpiiDataset
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.transforms import (
    KeypointOcclusion,
    PartOcclusion,
)
from tests.golden import naive_reference as reference
from tests.golden.samples import (
    box_of,
    crop,
    labelled,
    mask,
    naive_joints,
    names,
    photo,
    random_person,
    weights,
    white,
)
from tests.records import named

ARM = dict(left_shoulder=(50, 60), left_elbow=(40, 90), left_wrist=(45, 120))
LEG = dict(right_hip=(50, 60), right_knee=(40, 90), right_ankle=(45, 120))
HEAD = dict(
    nose=(60, 40),
    left_eye=(64, 36),
    right_eye=(56, 36),
    left_ear=(70, 38),
    right_ear=(50, 38),
)


def keypoint(target, fill='black', **kwargs):
    return KeypointOcclusion(target, fill=fill, paper_exact=True, **kwargs)


def part(target, fill='black', **kwargs):
    return PartOcclusion(target, fill=fill, paper_exact=True, **kwargs)


def without(joints, *missing):
    return {name: joints[name] for name in joints if name not in missing}


def nothing_happened(results, clean, reasons=1):
    """The image is unchanged, and the record has the reason."""
    records = results['occlusions']
    return (
        (results['img'] == clean).all()
        and len(records) == reasons
        and all(r['pixels'] == 0 and r['reason'] for r in records)
    )


# --- the disc around a keypoint ---------------------------------------------


@pytest.mark.parametrize(('joint', 'pixels', 'box'), [
    # A whole disc: 13 + 2 * (11 + 11 + 11 + 9 + 7 + 1) pixels by columns.
    ((96, 100), 113, (90, 94, 103, 107)),
    # Never rounded: distances 0.5, 1.5 ... give 2 * (12+12+10+10+8+4) pixels.
    ((96.5, 100.5), 112, (91, 95, 103, 107)),
    # Six to the left is column -1, which has one pixel of the disc.
    ((5, 100), 112, (0, 94, 12, 107)),
    # Columns -4 to -1 are lost: 1 + 7 + 9 + 11 pixels.
    ((2, 100), 85, (0, 94, 9, 107)),
    # Not inside the crop, and painted all the same, since x is compared with
    # the height: columns 189 to 191 have 1 + 7 + 9 pixels.
    ((195, 100), 17, (189, 96, 192, 105)),
    # y = 191.5 is still below the width; 12+12+10+10+8+4 above and below.
    ((96.5, 191.5), 112, (91, 186, 103, 198)),
])  # fmt: skip
def test_disc(joint, pixels, box):
    clean = white(256, 192)
    results = keypoint('nose')(crop(dict(nose=joint), clean.copy()))
    painted = mask(results, clean)
    assert painted.sum() == pixels
    assert box_of(painted) == box
    assert not results['img'][painted].any()
    (record,) = results['occlusions']
    assert record['pixels'] == pixels
    assert record['reason'] is None


@pytest.mark.parametrize('joint', [
    (96, 192),  # y = W: an ankle that is no target
    (96, 230),
    (-0.5, 100),  # a centre just outside is skipped, half a disc or not
    (96, -1),
    (256, 100),  # x = H
    (230, 100),  # passes the test (230 < 256), but no pixel is within reach
])  # fmt: skip
def test_disc_that_is_not_painted(joint):
    clean = photo(256, 192)
    results = keypoint('nose')(crop(dict(nose=joint), clean.copy()))
    assert nothing_happened(results, clean)


@pytest.mark.parametrize(('joint', 'pixels'), [
    ((48, 20), 0),  # a landscape crop of 64x48: x = H = 48, well inside
    ((47, 20), 113),
    # y below W = 64, though outside the 48 rows: rows 44 to 47 are those 6 to
    # 3 above the centre, 1 + 7 + 9 + 11 pixels.
    ((30, 50), 28),
])  # fmt: skip
def test_disc_on_a_landscape_crop(joint, pixels):
    clean = white(48, 64)
    results = keypoint('nose')(crop(dict(nose=joint), clean.copy()))
    assert mask(results, clean).sum() == pixels


@pytest.mark.parametrize(('radius', 'pixels'), [(2, 13), (3, 29), (9, 253)])
def test_radius_is_in_pixels_whatever_the_crop(radius, pixels):
    # Gauss' circle problem: N(2) = 13, N(3) = 29, N(9) = 253
    for height, width in ((256, 192), (64, 48), (384, 288)):
        clean = white(height, width)
        results = keypoint('nose', size=radius)(
            crop(dict(nose=(24, 24)), clean.copy())
        )
        assert mask(results, clean).sum() == pixels


@pytest.mark.parametrize('radius', [2, 6, 9])
def test_disc_blur_is_the_blurred_crop(radius):
    clean = photo(64, 48)
    joints = dict(nose=(20.25, 30.5))
    results = keypoint('nose', 'blur', size=radius)(crop(joints, clean.copy()))
    expected = reference.occlude_keypoint(
        clean, joints, 'nose', 'blur', radius
    )
    assert (results['img'] == expected).all()
    assert (expected != clean).any()


def test_disc_blur_of_a_single_bright_pixel():
    # Taps exp(-d^2/8), d = -5..5, sum to 4.98588; the middle one is .200566.
    # 255 * .200566^2 = 10.26 in the middle; times .882497 = 9.05 beside it;
    # times .606531 = 6.22 two away. OpenCV's integers are within one.
    clean = np.zeros((64, 48, 3), np.uint8)
    clean[30, 20] = 255
    results = keypoint('nose', 'blur')(crop(dict(nose=(20, 30)), clean.copy()))
    row = results['img'][30, 20:23, 0].astype(float)
    assert np.abs(row - [10.26, 9.05, 6.22]).max() <= 1


def test_mean_is_truncated():
    clean = np.empty((64, 48, 3), np.uint8)  # 3072 pixels
    clean[:32, :, 0], clean[32:, :, 0] = 100, 101  # mean 100.5
    clean[..., 1], clean[5, 5, 1] = 255, 254  # mean 254.9997
    clean[..., 2], clean[5, 5, 2] = 0, 255  # mean 0.083
    for transform in (
        keypoint('left_wrist', 'mean'),
        part('left_arm', 'mean'),
    ):
        joints = dict(
            left_shoulder=(10, 20), left_elbow=(20, 30), left_wrist=(30, 40)
        )
        results = transform(crop(joints, clean.copy()))
        assert results['img'][39, 29].tolist() == [100, 254, 0]


def test_mean_counts_the_black_padding():
    clean = np.zeros((64, 48, 3), np.uint8)
    clean[:, 12:36] = 201  # half of the crop: mean 100.5
    results = keypoint('nose', 'mean')(crop(dict(nose=(20, 30)), clean.copy()))
    assert results['img'][30, 20].tolist() == [100, 100, 100]


# --- which joints are available ---------------------------------------------


@pytest.mark.parametrize('joint', [(0, 50), (50, 0)])
def test_a_true_zero_is_lost(joint):
    clean = photo(256, 192)
    results = keypoint('nose')(crop(dict(nose=joint), clean.copy()))
    assert nothing_happened(results, clean)


def test_coco_missing_joint_is_unavailable():
    clean = photo(256, 192)
    results = keypoint('nose')(crop(dict(left_eye=(50, 50)), clean.copy()))
    assert nothing_happened(results, clean)


def test_coco_joint_without_label_stays_where_its_file_has_it():
    """Only labelled joints are warped; the coordinates decide what is
    available. Usually they are (0, 0), but nothing says they must be."""
    file_says = dict(left_wrist=(45, 120), left_elbow=(0, 70))
    joints = without(ARM, 'left_wrist', 'left_elbow')
    clean = white(256, 192)
    results = crop(joints, clean.copy(), unlabelled=file_says)
    warped = results['transformed_keypoints'][0, names('coco').index(
        'left_wrist')]  # fmt: skip
    assert not np.allclose(warped, (45, 120))  # MMPose warps it
    results = keypoint('left_wrist')(results)
    assert box_of(mask(results, clean)) == (39, 114, 52, 127)
    # x = 0 is no coordinate to the reference
    results = crop(joints, clean.copy(), unlabelled=file_says)
    assert nothing_happened(keypoint('left_elbow')(results), clean)
    # shoulder (50, 60) and wrist (45, 120): c = (47.5, 90), w = (15, 60)
    results = crop(joints, clean.copy(), unlabelled=file_says)
    results = part('left_arm', remove_keypoints=True)(results)
    assert box_of(mask(results, clean)) == (40, 60, 55, 120)
    # 32.5 < x <= 62.5 and 30 <= y <= 150 moved the wrist to (0, 0)
    results['img'] = clean.copy()
    results = keypoint('left_wrist')(results)
    assert (results['img'] == clean).all()


def test_a_flip_takes_the_coordinates_of_joints_without_label():
    clean = photo(256, 192)
    results = crop({}, clean.copy(), flipped=True,
                   unlabelled=dict(left_wrist=(45, 120)))  # fmt: skip
    assert nothing_happened(keypoint('left_wrist')(results), clean)


def test_mpii_missing_joint_is_available_and_skipped_by_the_bounds():
    clean = photo(256, 256)
    results = keypoint('head_top')(
        crop(dict(pelvis=(50, 50)), clean.copy(), 'mpii')
    )
    assert nothing_happened(results, clean)


@pytest.mark.parametrize(('flipped', 'box'), [
    # |d| = (62, 22), at least (22/4, 62/4): w = (2 * 62, 22), c = (29, 9), so
    # x from -33 (0) to 91 and y from -2 (0) to 20.
    (False, (0, 0, 91, 20)),
    # After a flip the missing neck is (0, 0), unavailable, and a head needs
    # both of its joints.
    (True, None),
])  # fmt: skip
def test_mpii_missing_joint_stretches_the_head(flipped, box):
    clean = white(256, 256)
    joints = dict(head_top=(60, 20))
    results = part('head')(crop(joints, clean.copy(), 'mpii', flipped))
    assert box_of(mask(results, clean)) == box


def test_mpii_missing_joints_stretch_boxes_to_the_corner():
    clean = white(256, 256)
    joints = dict(right_shoulder=(150, 90), right_elbow=(130, 150))
    # the wrist is (-2, -2): bbox from there to (150, 150)
    results = part('right_arm')(crop(joints, clean.copy(), 'mpii'))
    assert box_of(mask(results, clean)) == (0, 0, 150, 150)
    # flipped it is missing: c = elbow, d = (20, 60), w = 2 * (20, 60)
    results = part('right_arm')(crop(joints, clean.copy(), 'mpii', True))
    assert box_of(mask(results, clean)) == (110, 90, 150, 210)


# --- the boxes of the parts -------------------------------------------------

COCO_BOXES = [
    # x 50..70, y 36..40; widths (20, 4) * 1.2 = (24, 4.8), c = (60, 38):
    # 48..72 and 35.6..40.4
    ('head', HEAD, (48, 35, 72, 40)),
    # x 56..60, y 36..40 -> c = (58, 38), w = (4.8, 4.8): 55.6..60.4
    ('head', without(HEAD, 'left_eye', 'left_ear', 'right_ear'),
     (55, 35, 60, 40)),
    ('head', dict(nose=(60, 40)), None),  # one joint: no box
    ('head', dict(left_eye=(60, 40), right_eye=(50, 40)), None),  # flat
    # d = (20, 4), at least (1, 5): w = (40, 10), c = (90, 102)
    ('hip', dict(left_hip=(80, 100), right_hip=(100, 104)),
     (70, 97, 110, 107)),
    ('hip', dict(left_hip=(80, 100)), None),
    # all three: the bare bbox
    ('left_arm', ARM, (40, 60, 50, 120)),
    # no shoulder: c = elbow; wrist - elbow = (5, 30), at least (7.5, 1.25):
    # w = (15, 60): 32.5..47.5 and 60..120
    ('left_arm', without(ARM, 'left_shoulder'), (32, 60, 47, 120)),
    # no wrist: c = elbow; (10, 30) is wide enough: w = (20, 60)
    ('left_arm', without(ARM, 'left_wrist'), (30, 60, 50, 120)),
    # no elbow: c = (47.5, 90); (5, 60), at least (15, 1.25): w = (15, 60)
    ('left_arm', without(ARM, 'left_elbow'), (40, 60, 55, 120)),
    ('left_arm', dict(left_wrist=(45, 120)), None),
    ('left_arm', dict(left_elbow=(45, 120)), None),
    ('left_arm', dict(left_shoulder=(45, 120)), None),
    ('right_leg', LEG, (40, 60, 50, 120)),
    ('right_leg', without(LEG, 'right_hip'), (32, 60, 47, 120)),
    ('right_leg', without(LEG, 'right_ankle'), (30, 60, 50, 120)),
    ('right_leg', without(LEG, 'right_knee'), (40, 60, 55, 120)),
    ('right_leg', dict(right_knee=(45, 120)), None),
    # the other side's joints are another part's
    ('left_leg', LEG, None),
    # a straight standing leg: 0 wide, nothing is painted
    ('left_leg', dict(left_hip=(45, 60), left_knee=(45, 90),
                      left_ankle=(45, 120)), None),
    # corpus and the larger ones: bare bboxes of two joints or more
    ('corpus', dict(left_shoulder=(80, 50), right_shoulder=(40, 54),
                    left_hip=(75, 110), right_hip=(45, 112)),
     (40, 50, 80, 112)),
    ('corpus', dict(left_shoulder=(80, 50), right_hip=(45, 112)),
     (45, 50, 80, 112)),
    ('corpus', dict(left_shoulder=(80, 50)), None),
    # knees and ankles do not count above, nor head and arms below
    ('upper_body', {**ARM, **LEG, 'nose': (60, 40)}, (40, 40, 60, 120)),
    ('lower_body', {**ARM, **LEG, 'nose': (60, 40)}, (40, 60, 50, 120)),
    # a side has its eye and its ear, not the nose
    ('left_side', {**ARM, **LEG, **HEAD}, (40, 36, 70, 120)),
    ('right_side', {**ARM, **LEG, **HEAD}, (40, 36, 56, 120)),
    # ends are truncated, not rounded: 40.9..50.9, 60.9..120.9
    ('left_arm', {name: (x + 0.9, y + 0.9) for name, (x, y) in ARM.items()},
     (40, 60, 50, 120)),
    # clipped at the border
    ('left_arm', {name: (x + 147, y - 80) for name, (x, y) in ARM.items()},
     (187, 0, 192, 40)),
    # all of it below the crop
    ('left_arm', {name: (x, y + 200) for name, (x, y) in ARM.items()}, None),
]  # fmt: skip


@pytest.mark.parametrize(('name', 'joints', 'box'), COCO_BOXES)
def test_part_box(name, joints, box):
    clean = white(256, 192)
    results = part(name)(crop(joints, clean.copy()))
    painted = mask(results, clean)
    assert box_of(painted) == box
    assert nothing_happened(results, clean) == (box is None)
    if box:
        x1, y1, x2, y2 = box
        assert painted.sum() == (x2 - x1) * (y2 - y1)
        assert results['occlusions'][0]['pixels'] == painted.sum()


@pytest.mark.parametrize(('head_top', 'upper_neck', 'box'), [
    # upright: d = (0, 20), at least (5, 0): w = (2 * 5, 20)
    ((60, 20), (60, 40), (55, 20, 65, 40)),
    # slanted: d = (12, 16): w = (24, 16), c = (56, 28)
    ((50, 20), (62, 36), (44, 20, 68, 36)),
    # lying: d = (20, 0), at least (0, 5): w = (40, 5), c = (50, 60)
    ((40, 60), (60, 60), (30, 57, 70, 62)),
])  # fmt: skip
def test_mpii_head(head_top, upper_neck, box):
    clean = white(256, 256)
    joints = dict(head_top=head_top, upper_neck=upper_neck, thorax=(99, 99))
    results = part('head')(crop(joints, clean.copy(), 'mpii', flipped=True))
    assert box_of(mask(results, clean)) == box


def test_mpii_upper_body_and_side():
    joints = dict(
        head_top=(100, 20),
        upper_neck=(101, 40),
        left_shoulder=(120, 50),
        right_hip=(90, 120),
        thorax=(10, 45),  # in no part
        pelvis=(10, 125),
        left_ankle=(130, 240),
    )
    clean = white(256, 256)
    # flipped, so that what is missing is out of the way
    results = part('upper_body')(crop(joints, clean.copy(), 'mpii', True))
    assert box_of(mask(results, clean)) == (90, 20, 120, 120)
    results = part('left_side')(crop(joints, clean.copy(), 'mpii', True))
    assert box_of(mask(results, clean)) == (120, 50, 130, 240)


def test_part_blur_has_31_taps_whatever_the_crop():
    for height, width in ((256, 192), (128, 96), (64, 64)):
        clean = photo(height, width)
        joints = {name: (x / 2, y / 2) for name, (x, y) in ARM.items()}
        results = part('left_arm', 'blur')(crop(joints, clean.copy()))
        expected, _ = reference.occlude_part(
            clean, joints, 'left_arm', 'blur', 'coco'
        )
        assert (results['img'] == expected).all()
        assert (expected != clean).any()


# --- removal ----------------------------------------------------------------


def test_removal_takes_twice_the_box_in_each_direction():
    # bbox 40..50, 60..120: c = (45, 90), w = (10, 60); removed is what has
    # 35 < x <= 55 and 30 <= y <= 150
    others = dict(
        nose=(35, 90),  # on the open end: stays
        left_eye=(55, 90),  # on the closed ends: goes
        right_eye=(45, 30),
        left_ear=(45, 150),
        right_ear=(35.5, 30.5),  # inside: goes
        left_hip=(55.5, 90),  # outside: stays
        left_knee=(45, 150.5),
        right_hip=(45, 29.5),
    )
    clean = white(256, 192)
    transform = part('left_arm', remove_keypoints=True)
    results = transform(crop({**ARM, **others}, clean.copy()))
    assert box_of(mask(results, clean)) == (40, 60, 50, 120)
    assert labelled(results) == {'nose', 'left_hip', 'left_knee', 'right_hip'}
    (record,) = results['occlusions']
    assert {name for _, name in record['removed']} == {
        *ARM, 'left_eye', 'right_eye', 'left_ear', 'right_ear',
    }  # fmt: skip


@pytest.mark.parametrize('two_channels', [False, True])
def test_removal_keeps_the_type_of_the_visibility(two_channels):
    results = crop(ARM, photo(256, 192), two_channels=two_channels)
    before = results['keypoints_visible']
    results = part('left_arm', remove_keypoints=True)(results)
    after = results['keypoints_visible']
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    assert not labelled(results)


def test_no_removal_unless_switched_on():
    results = part('left_arm')(crop(ARM, photo(256, 192)))
    assert labelled(results) == set(ARM)
    assert results['occlusions'][0]['removed'] == []


def test_no_removal_where_the_box_has_no_width():
    joints = dict(left_hip=(45, 60), left_knee=(45, 90), left_ankle=(45, 120))
    results = part('left_leg', remove_keypoints=True)(
        crop(joints, photo(256, 192))
    )
    assert labelled(results) == set(joints)


def test_removal_where_the_box_has_no_height():
    # w = (12, 0): nothing is painted, but 43 < x <= 67 and 40 <= y <= 40
    joints = dict(left_eye=(60, 40), right_eye=(50, 40), left_wrist=(60, 41))
    clean = photo(256, 192)
    results = part('head', remove_keypoints=True)(crop(joints, clean.copy()))
    assert (results['img'] == clean).all()
    assert labelled(results) == {'left_wrist'}


def test_removal_asks_for_no_painted_pixel():
    # below the crop nothing is painted, but the box is 10 wide
    joints = {name: (x, y + 200) for name, (x, y) in ARM.items()}
    clean = photo(256, 192)
    results = part('left_arm', remove_keypoints=True)(
        crop(joints, clean.copy())
    )
    assert (results['img'] == clean).all()
    assert not labelled(results)


def test_removed_joints_are_unavailable_to_the_next():
    clean = photo(256, 192)
    results = crop({**ARM, 'nose': (100, 20)}, clean.copy())
    results = part('left_arm', remove_keypoints=True)(results)
    once = results['img'].copy()
    for name in ARM:
        results = keypoint(name)(results)
    results = part('left_arm')(results)
    assert (results['img'] == once).all()
    assert all(record['reason'] for record in results['occlusions'][1:])
    # the nose alone is left of the upper body: no box
    results = part('upper_body')(results)
    assert (results['img'] == once).all()


MPII_PERSON = dict(
    right_ankle=(90, 240), right_knee=(92, 190), right_hip=(95, 140),
    left_hip=(125, 140), left_knee=(126, 190), left_ankle=(128, 240),
    pelvis=(110, 140), thorax=(110, 70), upper_neck=(110, 60),
    head_top=(110, 30), right_wrist=(60, 150), right_elbow=(65, 110),
    right_shoulder=(88, 75), left_shoulder=(132, 75), left_elbow=(155, 110),
    left_wrist=(160, 150),
)  # fmt: skip


def test_removed_mpii_joints_are_not_missing_ones():
    # left arm: bbox 132..160, 75..150, so removed is 118 < x <= 174 and
    # 37.5 <= y <= 187.5: the arm and the left hip
    clean = white(256, 256)
    results = crop(MPII_PERSON, clean.copy(), 'mpii')
    results = part('left_arm', remove_keypoints=True)(results)
    assert set(MPII_PERSON) - labelled(results, layout='mpii') == {
        'left_shoulder', 'left_elbow', 'left_wrist', 'left_hip',
    }  # fmt: skip
    # A missing joint, (-2, -2), would stretch the box to the corner; a removed
    # one, (0, 0), is left out: what remains spans 60..110 and 30..150.
    results['img'] = clean.copy()
    results = part('upper_body')(results)
    assert box_of(mask(results, clean)) == (60, 30, 110, 150)


def test_removal_takes_mpii_missing_joints_too():
    # The wrist is missing, (-2, -2): bbox -2..60, -2..50, c = (29, 24),
    # w = (62, 52), removed is -33 < x <= 91 and -28 <= y <= 76. That moves the
    # wrist, and the ankle that is missing as well, to (0, 0): unavailable.
    joints = dict(left_shoulder=(60, 30), left_elbow=(40, 50))
    joints.update(left_hip=(110, 140), left_knee=(120, 190))
    clean = white(256, 256)
    results = crop(joints, clean.copy(), 'mpii')
    results = part('left_arm', remove_keypoints=True)(results)
    assert box_of(mask(results, clean)) == (0, 0, 60, 50)
    assert labelled(results, layout='mpii') == {'left_hip', 'left_knee'}
    results['img'] = clean.copy()
    results = part('left_leg')(results)
    # c = knee; d = (10, 50), at least (12.5, 2.5): w = (25, 100)
    assert box_of(mask(results, clean)) == (107, 140, 132, 240)


def test_keypoint_occlusion_removes_nothing():
    results = keypoint('left_wrist')(crop(ARM, photo(256, 192)))
    assert labelled(results) == set(ARM)


# --- random draws -----------------------------------------------------------


def drawn(transform, joints, layout='coco', count=300):
    """Names drawn for as many annotation ids, and how often."""
    clean = photo(64, 64)
    tally = {}
    for ann_id in range(count):
        results = crop(joints, clean.copy(), layout, ann_id=ann_id)
        for record in transform(results)['occlusions']:
            name = named(record).split(':')[-1]
            tally[name] = tally.get(name, 0) + 1
            if not record['pixels']:
                assert record['reason']
                assert (results['img'] == clean).all()
    assert sum(tally.values()) == count
    return tally


def within(tally, expected, count=300):
    """Each name's number of draws is within 4 sigma of a fair draw's."""
    fair = count / len(expected)
    slack = 4 * (fair * (1 - 1 / len(expected))) ** 0.5
    return set(tally) == set(expected) and all(
        abs(number - fair) <= slack for number in tally.values()
    )


def test_random_parts_are_five_with_a_box_or_not():
    # the right leg alone has a box; the others are drawn nonetheless, and the
    # head, which has one, is not
    joints = dict(
        right_hip=(20, 20), right_knee=(30, 30), right_ankle=(24, 40)
    )
    joints.update(nose=(40, 10), left_eye=(42, 8), right_eye=(38, 8))
    tally = drawn(part('random', seed=3), joints)
    assert within(tally, reference.RANDOM_PARTS)


def test_random_all_parts_are_eleven():
    tally = drawn(part('random_all', seed=3), dict(nose=(20, 20)))
    assert within(tally, reference.PARTS)


def test_random_keypoints_are_the_available_ones():
    # outside the crop is available, a true zero is not
    joints = dict(nose=(20, 20), left_eye=(-9, 30), left_ear=(0, 30))
    assert within(drawn(keypoint('random', seed=3), joints), joints.keys() - {
        'left_ear'
    })  # fmt: skip


def test_random_keypoints_of_mpii_include_the_missing():
    joints = dict(pelvis=(20, 20))
    tally = drawn(keypoint('random', seed=3), joints, 'mpii')
    assert within(tally, names('mpii'))


def test_a_person_without_available_joints_is_left_alone():
    clean = photo(64, 48)
    for transform in (keypoint('random'), part('random'), part('random_all')):
        results = transform(crop({}, clean.copy()))
        assert nothing_happened(results, clean)


# --- against the naive reference --------------------------------------------


@pytest.mark.parametrize('seed', range(24))
def test_equal_to_the_last_pixel(seed):
    rng = np.random.default_rng(seed)
    height, width = [(64, 48), (48, 64), (31, 17), (40, 40)][seed % 4]
    layout = ('coco', 'mpii')[seed // 4 % 2]
    flipped = bool(seed // 8 % 2)
    clean = photo(height, width, seed)
    joints = random_person(rng, layout, height, width)
    held = naive_joints(joints, layout, flipped)
    for fill in ('blur', 'mean', 'black'):
        for name in names(layout):
            results = keypoint(name, fill, size=4)(
                crop(joints, clean.copy(), layout, flipped)
            )
            expected = reference.occlude_keypoint(clean, held, name, fill, 4)
            assert (results['img'] == expected).all(), (name, fill)
        for name in reference.PARTS:
            results = part(name, fill, remove_keypoints=True)(
                crop(joints, clean.copy(), layout, flipped)
            )
            expected, gone = reference.occlude_part(
                clean, held, name, fill, layout
            )
            assert (results['img'] == expected).all(), (name, fill)
            assert labelled(results, layout=layout) == joints.keys() - gone


@pytest.mark.parametrize('seed', range(12))
def test_equal_in_a_chain(seed):
    """Each occlusion sees the pixels and labels that the last one left."""
    rng = np.random.default_rng(100 + seed)
    layout = ('coco', 'mpii')[seed % 2]
    joints = random_person(rng, layout, 64, 64)
    expected = photo(64, 64, seed)
    results = crop(joints, expected.copy(), layout)
    removed = set()
    for name in rng.permutation(reference.PARTS)[:5]:
        fill = str(rng.choice(['blur', 'mean', 'black']))
        held = naive_joints(joints, layout, False, removed)
        expected, gone = reference.occlude_part(
            expected, held, name, fill, layout
        )
        removed |= gone
        results = part(str(name), fill, remove_keypoints=True)(results)
        assert (results['img'] == expected).all(), (name, fill)
        assert labelled(results, layout=layout) == joints.keys() - removed
        wrist = str(rng.choice(['left_wrist', 'right_wrist']))
        held = naive_joints(joints, layout, False, removed)
        expected = reference.occlude_keypoint(expected, held, wrist, 'black')
        results = keypoint(wrist)(results)
        assert (results['img'] == expected).all(), wrist


# --- on photographs ---------------------------------------------------------


@pytest.mark.skipif(
    'OCCLUSION_REAL_DATA' not in os.environ,
    reason='OCCLUSION_REAL_DATA does not say where the photographs are',
)
@pytest.mark.parametrize('layout', ['coco', 'mpii'])
@pytest.mark.parametrize('flip', [0.0, 1.0])
def test_equal_on_photographs(layout, flip):
    """Through MMPose's own data set, flip and warp, to the last pixel."""
    root = Path(os.environ['OCCLUSION_REAL_DATA']) / layout
    size = (192, 256) if layout == 'coco' else (256, 256)
    load = Compose([
        TRANSFORMS.build(cfg)
        for cfg in (
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='RandomFlip', prob=flip),
            dict(type='TopdownAffine', input_size=size),
        )
    ])  # fmt: skip
    kind = dict(coco=CocoDataset, mpii=MpiiDataset)[layout]
    people = kind(
        ann_file=str(root / f'test_{layout}.json'),
        data_prefix=dict(img=str(root)),
        pipeline=[load],
        serialize_data=False,
    )
    for index in range(min(len(people), 8)):
        clean = people[index]
        seen = weights(clean, layout=layout)
        joints = {
            name: tuple(point.tolist())
            for name, point in zip(
                names(layout), clean['transformed_keypoints'][0], strict=True
            )
            if seen[name]
        }
        held = naive_joints(joints, layout, bool(flip))
        for number, fill in enumerate(('blur', 'mean', 'black')):
            for name in reference.PARTS[(index + number) % 4 :: 4]:
                results = {**clean, 'img': clean['img'].copy()}
                results = part(name, fill, remove_keypoints=True)(results)
                expected, gone = reference.occlude_part(
                    clean['img'], held, name, fill, layout
                )
                assert (results['img'] == expected).all(), (name, fill)
                left = labelled(results, layout=layout)
                assert left == joints.keys() - gone
            for name in names(layout)[(index + number) % 6 :: 6]:
                results = {**clean, 'img': clean['img'].copy()}
                results = keypoint(name, fill)(results)
                expected = reference.occlude_keypoint(
                    clean['img'], held, name, fill
                )
                assert (results['img'] == expected).all(), (name, fill)
