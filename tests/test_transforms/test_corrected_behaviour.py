"""The default, corrected behaviour of the two occlusions.

Expected numbers come from the description (what a disc, a box, a mean is),
not from the code; the comments show how. Boxes are ``(x1, y1, x2, y2)`` with
exclusive ends; a crop is 192 wide and 256 high unless stated otherwise.
"""

# ruff: noqa: NPY002 (MMEngine seeds NumPy's global generator; so do we)

import json
import pickle
import random

import cv2
import numpy as np
import pytest
import torch
from mmpose.registry import TRANSFORMS
from scipy.stats import binomtest, chisquare

from mmpose_occlusion.transforms import (
    KeypointOcclusion,
    PartOcclusion,
)
from tests.golden import naive_reference as reference
from tests.golden.samples import (
    RECORD_KEYS,
    box_of,
    covered,
    crop,
    crowd,
    dataset,
    detected,
    labelled,
    mask,
    names,
    photo,
    pixel_under,
    replayed,
    weights,
    white,
)
from tests.records import named, under

BASIC_PARTS = (
    'head',
    'left_arm',
    'right_arm',
    'hip',
    'left_leg',
    'right_leg',
    'corpus',
)
PERSON = dict(
    nose=(96, 40), left_eye=(100, 36), right_eye=(92, 36), left_ear=(106, 38),
    right_ear=(86, 38), left_shoulder=(116, 66), right_shoulder=(76, 66),
    left_elbow=(128, 96), right_elbow=(62, 96), left_wrist=(132, 124),
    right_wrist=(58, 126), left_hip=(108, 130), right_hip=(84, 130),
    left_knee=(112, 176), right_knee=(81, 175), left_ankle=(115, 222),
    right_ankle=(78, 221),
)  # fmt: skip


def painted_by(transform, joints, height=256, width=192, **kwargs):
    """Mask of the pixels that a black occlusion paints, and the results."""
    clean = white(height, width)
    results = transform(crop(joints, clean.copy(), **kwargs))
    return mask(results, clean), results


def scaled(joints, factor):
    return {name: (x * factor, y * factor) for name, (x, y) in joints.items()}


# --- availability -----------------------------------------------------------


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


# --- discs ------------------------------------------------------------------


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
        KeypointOcclusion('nose', fill='black'), dict(nose=joint)
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
        KeypointOcclusion('nose', fill='black'), dict(nose=(191.9, 255.9))
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


# --- boxes of parts ---------------------------------------------------------


def members(part):
    return set(reference.members(part, 'coco'))


@pytest.mark.parametrize('part', reference.PARTS)
def test_part_hides_all_of_its_joints(part):
    painted, results = painted_by(PartOcclusion(part, fill='black'), PERSON)
    (record,) = results['occlusions']
    hidden = {name for _, name in under(record)}
    assert hidden >= members(part)
    assert hidden == covered(painted, PERSON)
    x1, y1, x2, y2 = record['box']
    assert painted[y1:y2, x1:x2].all()
    assert record['pixels'] == painted.sum() == (x2 - x1) * (y2 - y1)
    assert 4 * min(x2 - x1, y2 - y1) >= max(x2 - x1, y2 - y1)


def test_a_straight_standing_leg_is_a_quarter_wide():
    # 120 long, so at least 30 wide, where the reference paints nothing
    joints = dict(
        left_hip=(96, 100), left_knee=(96, 160), left_ankle=(96, 220)
    )
    painted, results = painted_by(
        PartOcclusion('left_leg', fill='black'), joints
    )
    x1, y1, x2, y2 = box_of(painted)
    assert x2 - x1 >= 30
    assert y1 <= 100
    assert y2 >= 221
    assert 4 * (x2 - x1) >= y2 - y1
    assert len(under(results['occlusions'][0])) == 3


def test_a_lying_leg_is_a_quarter_high():
    joints = dict(
        left_hip=(30, 100), left_knee=(90, 100), left_ankle=(150, 100)
    )
    painted, results = painted_by(
        PartOcclusion('left_leg', fill='black'), joints
    )
    x1, y1, x2, y2 = box_of(painted)
    assert y2 - y1 >= 30
    assert x1 <= 30
    assert x2 >= 151
    assert len(under(results['occlusions'][0])) == 3


@pytest.mark.parametrize('part', reference.PARTS)
def test_a_part_exists_with_one_joint(part):
    for name in members(part):
        painted, results = painted_by(
            PartOcclusion(part, fill='black'), {name: (70.3, 90.8)}
        )
        assert painted[91, 70]
        assert under(results['occlusions'][0]) == [[0, name]]


@pytest.mark.parametrize('part', reference.PARTS)
def test_a_part_without_joints_is_recorded(part):
    others = {n: p for n, p in PERSON.items() if n not in members(part)}
    painted, results = painted_by(PartOcclusion(part, fill='black'), others)
    (record,) = results['occlusions']
    assert not painted.any()
    assert record['reason']
    assert named(record) == f'part:{part}'


@pytest.mark.parametrize('seed', range(20))
def test_boxes_of_random_people(seed):
    """Some joints out, some missing: all available ones are covered."""
    rng = np.random.default_rng(seed)
    joints, available = {}, {}
    for name in names('coco'):
        if rng.random() < 0.8:
            joints[name] = tuple(rng.uniform(-20, (116, 148)).tolist())
            x, y = map(np.float32, joints[name])
            if 0 <= x < 96 and 0 <= y < 128:
                available[name] = joints[name]
    for part in reference.PARTS:
        painted, results = painted_by(
            PartOcclusion(part, fill='black', remove_keypoints=True),
            joints,
            128,
            96,
        )
        own = members(part) & set(available)
        hidden = covered(painted, available)
        (record,) = results['occlusions']
        assert own <= hidden
        assert bool(own) == painted.any() == (record['reason'] is None)
        assert {name for _, name in under(record)} == hidden
        assert {name for _, name in record['removed']} == hidden
        assert labelled(results) == joints.keys() - hidden
        if own:
            # not even where the border clips it is a box too thin
            x1, y1, x2, y2 = box_of(painted)
            assert 4 * min(x2 - x1, y2 - y1) >= max(x2 - x1, y2 - y1)


@pytest.mark.parametrize(('height', 'ksize'), [
    (256, 31),
    (384, 47),  # 46.5, between 45 and 47
    (128, 15),  # 15.5, between 15 and 17
    (64, 7),  # 7.75
    (192, 23),  # 23.25
    (48, 5),  # 5.81
    (300, 37),  # 36.3
])  # fmt: skip
@pytest.mark.parametrize('part', ['left_arm', 'upper_body'])
def test_part_blur(height, ksize, part):
    width = height * 3 // 4
    clean = photo(height, width)
    joints = scaled(PERSON, height / 256)
    results = PartOcclusion(part, fill='blur')(crop(joints, clean.copy()))
    (record,) = results['occlusions']
    assert record['paint']['kind'] == 'blur'
    assert record['paint']['ksize'] == ksize
    x1, y1, x2, y2 = record['box']
    exact = cv2.GaussianBlur(clean, (ksize, ksize), 0)
    difference = results['img'].astype(int) - exact
    assert np.abs(difference[y1:y2, x1:x2]).max() <= 1
    results['img'][y1:y2, x1:x2] = clean[y1:y2, x1:x2]
    assert (results['img'] == clean).all()


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (9, 1), (2, 3), (5, 5)])
def test_blur_of_tiny_crops(size):
    clean = photo(*size)
    joints = dict.fromkeys(PERSON, (0.2, 0.3))
    for transform in (KeypointOcclusion('nose'), PartOcclusion('left_arm')):
        results = transform(crop(joints, clean.copy()))
        (record,) = results['occlusions']
        ksize = record['paint']['ksize']
        exact = cv2.GaussianBlur(clean, (ksize, ksize), 0)
        painted = mask(results, clean)
        difference = results['img'].astype(int) - exact
        assert np.abs(difference[painted]).max(initial=0) <= 1
        assert record['pixels'] > 0


def test_user_parts():
    parts = dict(face=['nose', 'left_eye', 'right_eye'])
    painted, results = painted_by(
        PartOcclusion('face', fill='black', parts=parts), PERSON
    )
    hidden = {name for _, name in under(results['occlusions'][0])}
    assert hidden >= {'nose', 'left_eye', 'right_eye'}
    assert hidden == covered(painted, PERSON)


# --- lists ------------------------------------------------------------------


def test_a_list_hides_all_it_names():
    targets = ['nose', 'keypoint:left_ankle', 'right_wrist']
    painted, results = painted_by(
        KeypointOcclusion(targets, fill='black'), PERSON
    )
    records = results['occlusions']
    assert [named(record) for record in records] == [
        'keypoint:nose', 'keypoint:left_ankle', 'keypoint:right_wrist',
    ]  # fmt: skip
    assert covered(painted, PERSON) >= {'nose', 'left_ankle', 'right_wrist'}
    # far apart: three whole discs
    assert painted.sum() == 3 * 113


def test_a_list_of_parts_hides_all_it_names():
    targets = ['head', 'part:right_leg']
    painted, results = painted_by(
        PartOcclusion(targets, fill='black', remove_keypoints=True), PERSON
    )
    gone = members('head') | members('right_leg')
    assert covered(painted, PERSON) >= gone
    assert labelled(results) == PERSON.keys() - covered(painted, PERSON)
    assert [named(r) for r in results['occlusions']] == [
        'part:head', 'part:right_leg',
    ]  # fmt: skip


def test_a_list_records_what_it_could_not_hide():
    joints = dict(nose=(96, 40))
    painted, results = painted_by(
        KeypointOcclusion(['left_eye', 'nose'], fill='black'), joints
    )
    first, second = results['occlusions']
    assert first['reason']
    assert not second['reason']
    assert painted.sum() == second['pixels'] == 113


def test_removing_a_part_leaves_the_next_of_the_list_its_joints():
    """The shoulder is in both; the corpus is hidden all the same."""
    targets = ['left_arm', 'corpus']
    painted, _ = painted_by(
        PartOcclusion(targets, fill='black', remove_keypoints=True), PERSON
    )
    assert covered(painted, PERSON) >= members('left_arm') | members('corpus')


# --- removal ----------------------------------------------------------------


@pytest.mark.parametrize('two_channels', [False, True])
@pytest.mark.parametrize('part', reference.PARTS)
def test_removal_drops_what_is_under_the_paint(part, two_channels):
    outside = dict(PERSON, right_ankle=(78, 256), nose=(-0.3, 38))
    results = crop(outside, white(256, 192), two_channels=two_channels)
    before = results['keypoints_visible'].copy()
    coordinates = results['transformed_keypoints'].copy()
    results = PartOcclusion(part, fill='black', remove_keypoints=True)(results)
    painted = mask(results, white(256, 192))
    inside = {n: p for n, p in outside.items() if p[0] > 0 and p[1] < 256}
    gone = covered(painted, inside)
    assert labelled(results) == outside.keys() - gone
    (record,) = results['occlusions']
    assert {name for _, name in record['removed']} == gone
    after = results['keypoints_visible']
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    kept = [name not in gone for name in names('coco')]
    assert (after[0, kept] == before[0, kept]).all()
    assert (results['transformed_keypoints'][0, kept] == coordinates[0, kept]
            ).all()  # fmt: skip


def test_no_removal_unless_asked():
    for transform in (PartOcclusion('left_arm'), KeypointOcclusion('nose')):
        results = transform(crop(PERSON, photo(256, 192)))
        assert labelled(results) == set(PERSON)
        assert results['occlusions'][0]['removed'] == []
        assert under(results['occlusions'][0])


def test_removal_reaches_everybody_in_the_picture():
    """The second person's nose lies under the first one's arm."""
    other = dict(nose=(122, 96), left_ankle=(20, 240))
    clean = white(256, 192)
    results = crowd([PERSON, other], clean.copy())
    arms = PartOcclusion('left_arm', fill='black', remove_keypoints=True)(
        results
    )
    first, second = arms['occlusions']
    assert [1, 'nose'] in under(first)
    assert [1, 'nose'] in first['removed']
    assert second['reason']  # nobody but the first has that arm
    assert labelled(arms, person=1) == {'left_ankle'}
    painted = mask(arms, clean)
    assert labelled(arms) == PERSON.keys() - covered(painted, PERSON)


def test_removed_joints_are_unavailable_to_the_next():
    clean = white(256, 192)
    results = crop(PERSON, clean.copy())
    results = PartOcclusion('left_arm', fill='mean', remove_keypoints=True)(
        results
    )
    results = KeypointOcclusion('left_wrist', fill='black')(results)
    first, second = results['occlusions']
    assert (first['call'], second['call']) == (0, 1)
    assert first['transform'] == 'PartOcclusion'
    assert second['transform'] == 'KeypointOcclusion'
    assert second['reason']
    assert (results['img'] == clean).all()  # the mean of white is white


# --- random targets ---------------------------------------------------------

SEEN = 400


def draws(transform, joints, count=SEEN, **kwargs):
    """Names that were painted, for as many annotations; None for none."""
    clean = photo(64, 48)
    drawn = []
    for ann_id in range(count):
        results = crop(joints, clean.copy(), ann_id=ann_id, **kwargs)
        (record,) = transform(results)['occlusions']
        assert (record['reason'] is None) == (record['pixels'] > 0)
        assert (results['img'] == clean).all() == (record['pixels'] == 0)
        hit = record['pixels'] > 0
        drawn.append(named(record).split(':')[-1] if hit else None)
    return drawn


def is_uniform(drawn, expected):
    counts = [drawn.count(name) for name in expected]
    return set(drawn) == set(expected) and (
        len(counts) == 1 or chisquare(counts).pvalue > 1e-3
    )


SMALL = scaled(PERSON, 1 / 4)


def test_random_keypoint_is_an_available_one():
    joints = dict(
        nose=(10, 10),
        left_eye=(0, 20),  # a true zero is as good as any
        right_hip=(30, 60),  # below y = W
        left_ankle=(47.8, 63.8),
        right_ankle=(30, 64),  # outside
    )
    drawn = draws(KeypointOcclusion('random', seed=5), joints)
    assert is_uniform(drawn, joints.keys() - {'right_ankle'})


def test_random_part_is_one_of_seven():
    drawn = draws(PartOcclusion('random', seed=5), SMALL)
    assert is_uniform(drawn, BASIC_PARTS)


def test_random_all_is_one_of_eleven():
    drawn = draws(PartOcclusion('random_all', seed=5), SMALL)
    assert is_uniform(drawn, reference.PARTS)


@pytest.mark.parametrize(('target', 'joint', 'expected'), [
    ('random', 'right_ankle', ['right_leg']),
    ('random', 'nose', ['head']),
    ('random', 'left_hip', ['hip', 'left_leg', 'corpus']),
    ('random_all', 'right_ankle', ['right_leg', 'lower_body', 'right_side']),
    ('random_all', 'nose', ['head', 'upper_body']),
    ('random_all', 'left_hip', ['hip', 'left_leg', 'corpus', 'upper_body',
                                'lower_body', 'left_side']),
])  # fmt: skip
def test_random_part_exists_for_the_person(target, joint, expected):
    drawn = draws(
        PartOcclusion(target, seed=5),
        {joint: (20, 30), 'left_elbow': (-20, 30)},  # the arm is outside
        count=200,
    )
    assert is_uniform(drawn, expected)


@pytest.mark.parametrize('seed', [None, 11])
@pytest.mark.parametrize('prob', [0.2, 0.5])
@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'random'),
    (KeypointOcclusion, 'nose'),
    (PartOcclusion, 'random'),
    (PartOcclusion, 'random_all'),
    (PartOcclusion, 'head'),
])  # fmt: skip
def test_stated_probability_is_the_real_one(cls, target, prob, seed):
    np.random.seed(7)
    joints = dict(nose=(10, 10), left_ankle=(30, 50))
    drawn = draws(cls(target, prob=prob, seed=seed), joints)
    hits = SEEN - drawn.count(None)
    assert binomtest(hits, SEEN, prob).pvalue > 1e-3


def test_two_at_one_half_are_independent():
    """A quarter of the crops gets both, though they share their seed."""
    both = 0
    for ann_id in range(SEEN):
        results = crop(SMALL, photo(64, 48), ann_id=ann_id)
        for fill in ('blur', 'mean'):
            transform = KeypointOcclusion(
                'random', fill=fill, prob=0.5, seed=5
            )
            results = transform(results)
        both += all(record['pixels'] for record in results['occlusions'])
    assert binomtest(both, SEEN, 0.25).pvalue > 1e-3


@pytest.mark.parametrize('cls', [KeypointOcclusion, PartOcclusion])
def test_random_without_joints_is_recorded(cls):
    clean = photo(64, 48)
    for joints in ({}, dict(nose=(-3, 5))):
        results = cls('random')(crop(joints, clean.copy()))
        (record,) = results['occlusions']
        assert record['reason']
        assert not record['pixels']
        assert (results['img'] == clean).all()


# --- seeds ------------------------------------------------------------------

RANDOM_CASES = [
    (KeypointOcclusion, dict(target='random', prob=0.7)),
    (PartOcclusion, dict(target='random', prob=0.7)),
    (PartOcclusion, dict(target='random_all', prob=0.7)),
]


def name_drawn(transform, joints=SMALL, **kwargs):
    results = transform(crop(joints, photo(64, 48), **kwargs))
    (record,) = results['occlusions']
    return named(record) if record['pixels'] else None


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_a_seeded_draw_depends_on_the_annotation_alone(cls, kwargs):
    transform = cls(seed=3, **kwargs)
    ids = [(img, ann) for img in (1, 2, 70) for ann in (0, 1, 5, 10**10)]
    first = {(i, a): name_drawn(transform, img_id=i, ann_id=a) for i, a in ids}
    assert len(set(first.values())) > 2
    fresh = pickle.loads(pickle.dumps(cls(seed=3, **kwargs)))
    np.random.seed(99)
    random.seed(99)
    for img, ann in reversed(ids):
        assert name_drawn(fresh, img_id=img, ann_id=ann) == first[img, ann]


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_seeds_images_and_annotations_all_matter(cls, kwargs):
    def row(seed=3, img_id=1, ann_ids=range(40)):
        transform = cls(seed=seed, **kwargs)
        return [
            name_drawn(transform, img_id=img_id, ann_id=a) for a in ann_ids
        ]

    assert row() == row()
    assert row() != row(seed=4)
    assert row() != row(img_id=2)
    assert row() != row(ann_ids=range(40, 80))


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_a_seeded_draw_leaves_the_generators_alone(cls, kwargs):
    np.random.seed(0)
    expected = np.random.random(3)
    np.random.seed(0)
    name_drawn(cls(seed=3, **kwargs))
    assert (np.random.random(3) == expected).all()


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_an_unseeded_draw_follows_numpys_generator(cls, kwargs):
    def row(seed):
        np.random.seed(seed)
        random.seed(random.random())
        return [name_drawn(cls(**kwargs)) for _ in range(30)]

    assert row(1) == row(1)
    assert row(1) != row(2)


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_a_seeded_draw_is_the_same_in_every_worker(cls, kwargs):
    class Crops(torch.utils.data.Dataset):
        transform = cls(seed=3, **kwargs)

        def __len__(self):
            return 24

        def __getitem__(self, ann_id):
            return name_drawn(self.transform, ann_id=ann_id)

    def loaded(**loader):
        loader = torch.utils.data.DataLoader(
            Crops(), collate_fn=list, **loader
        )
        return [name for batch in loader for name in batch]

    alone = loaded(batch_size=1)
    assert len(set(alone)) > 2
    assert loaded(batch_size=5, num_workers=2) == alone


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_the_order_of_people_does_not_matter(cls, kwargs):
    people = [dict(SMALL, id=number) for number in (8, 3, 5, 21, 13)]

    def by_id(order):
        results = crowd([people[i] for i in order], photo(64, 48))
        results = cls(seed=3, **kwargs)(results)
        return {
            results['id'][record['instance']]: (
                named(record) if record['pixels'] else None
            )
            for record in results['occlusions']
        }

    drawn = by_id(range(5))
    assert by_id([4, 2, 0, 1, 3]) == drawn
    assert by_id([1]) == {3: drawn[3]}
    # and the picture of one person, gathered or not, is the same
    assert name_drawn(cls(seed=3, **kwargs), ann_id=5) == drawn[5]


# --- what is modified -------------------------------------------------------

ARRAYS = ('img', 'keypoints', 'keypoints_visible', 'transformed_keypoints')


@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
@pytest.mark.parametrize('paper_exact', [False, True])
@pytest.mark.parametrize(('cls', 'kwargs'), [
    (KeypointOcclusion, dict(target='left_wrist')),
    (PartOcclusion, dict(target='left_arm', remove_keypoints=True)),
])  # fmt: skip
def test_the_callers_arrays_stay(cls, kwargs, fill, paper_exact):
    transform = cls(fill=fill, paper_exact=paper_exact, **kwargs)
    earlier = KeypointOcclusion('right_ankle', prob=0)
    given = earlier(crop(PERSON, photo(256, 192)))
    arrays = {key: given[key] for key in ARRAYS}
    copies = {key: given[key].copy() for key in ARRAYS}
    results = transform(dict(given))
    assert not (results['img'] == copies['img']).all()
    for key in ARRAYS:
        assert (arrays[key] == copies[key]).all(), key
    # nor does the caller's list of records grow behind his back
    assert len(given['occlusions']) == 1
    assert len(results['occlusions']) == 2


@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'left_wrist'), (PartOcclusion, 'left_arm'),
])  # fmt: skip
def test_inplace_paints_into_the_callers_image(cls, target, fill):
    image = photo(256, 192)
    copied = cls(target, fill)(crop(PERSON, image.copy()))
    results = cls(target, fill, inplace=True)(crop(PERSON, image))
    assert results['img'] is image
    assert (image == copied['img']).all()
    assert results['occlusions'] == copied['occlusions']


@pytest.mark.parametrize('inplace', [False, True])
@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
def test_views(fill, inplace):
    """A mirrored, strided view is painted like its copy."""
    wide = photo(256, 400)
    view = wide[:, 383::-2]
    assert view.shape == (256, 192, 3)
    assert not view.flags['C_CONTIGUOUS']
    transform = PartOcclusion('left_arm', fill=fill, inplace=inplace)
    expected = transform(crop(PERSON, view.copy()))['img']
    results = transform(crop(PERSON, view))
    assert (results['img'] == expected).all()
    assert (results['img'] is view) == inplace
    assert (wide == photo(256, 400)).all() != inplace


@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'left_wrist'), (PartOcclusion, 'left_arm'),
])  # fmt: skip
def test_float_images(cls, target, fill):
    clean = photo(256, 192)
    expected = cls(target, fill)(crop(PERSON, clean.copy()))['img']
    results = cls(target, fill)(crop(PERSON, clean.astype(np.float32)))
    assert results['img'].dtype == np.float32
    # float paint is not rounded, and the integer filter is within one
    assert np.abs(results['img'] - expected).max() < 2


# --- records ----------------------------------------------------------------


@pytest.mark.parametrize('transform', [
    KeypointOcclusion(['nose', 'left_eye'], fill='blur'),
    KeypointOcclusion('random', fill='mean', seed=1),
    PartOcclusion(['left_arm', 'upper_body'], fill='blur', remove_keypoints=True),
    PartOcclusion('random_all', fill='mean', seed=1),
    KeypointOcclusion('left_ankle', fill='black', paper_exact=True),
    PartOcclusion('right_leg', fill='blur', paper_exact=True),
])  # fmt: skip
def test_records_replay(transform):
    clean = photo(256, 192)
    others = [dict(nose=(60, 60), left_wrist=(66, 66)), {}]
    people = [PERSON] if transform.paper_exact else [PERSON, *others]
    results = transform(crowd(people, clean.copy()))
    records = json.loads(json.dumps(results['occlusions'], allow_nan=False))
    assert records == results['occlusions']
    assert (replayed(clean, records) == results['img']).all()
    for record in records:
        assert record.keys() >= RECORD_KEYS
        assert record['transform'] == type(transform).__name__
        assert record['fill'] == transform.fill
        kind = 'part' if isinstance(transform, PartOcclusion) else 'keypoint'
        assert named(record).startswith(f'{kind}:')
        if record['reason'] is None:
            x1, y1, x2, y2 = record['box']
            assert 0 <= x1 < x2 <= 192
            assert 0 <= y1 < y2 <= 256
            assert 0 < record['pixels'] <= (x2 - x1) * (y2 - y1)
            assert record['paint']['kind'] in ('blur', 'color')
            assert record['region']['shape'] in ('disc', 'box')


def test_chains_replay():
    clean = photo(256, 192)
    results = crop(PERSON, clean.copy())
    for transform in (
        KeypointOcclusion(['nose', 'left_eye'], fill='blur'),
        PartOcclusion('head', fill='mean', remove_keypoints=True),
        PartOcclusion('upper_body', fill='blur'),
        KeypointOcclusion('left_hip', fill='blur', size=20),
    ):
        results = transform(results)
    records = results['occlusions']
    assert [record['call'] for record in records] == [0, 0, 1, 2, 3]
    assert (replayed(clean, records) == results['img']).all()


@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'nose'), (PartOcclusion, 'head'),
])  # fmt: skip
def test_prob_zero_is_the_identity_and_says_so(cls, target):
    clean = photo(256, 192)
    results = crop(PERSON, clean.copy())
    seen = weights(results)
    results = cls(target, prob=0)(results)
    assert (results['img'] == clean).all()
    assert weights(results) == seen
    assert results['occlusions']
    for record in results['occlusions']:
        assert record['reason']
        assert not record['pixels']


# --- whole images -----------------------------------------------------------


@pytest.mark.parametrize('fill', ['blur', 'black'])
def test_whole_image_radii_scale_with_the_persons_box(fill):
    """Boxes 128 and 384 high: R = 3 and 9, whatever the picture's height."""
    people = [
        dict(nose=(50, 60), bbox=(20, 40, 100, 168)),
        dict(nose=(300, 100), bbox=(200, 20, 400, 404)),
    ]
    clean = photo(480, 640)
    results = KeypointOcclusion('nose', fill=fill)(
        crowd(people, clean.copy(), warped=False)
    )
    small, large = results['occlusions']
    assert small['region'] == dict(shape='disc', center=[50, 60], size=3)
    assert large['region'] == dict(shape='disc', center=[300, 100], size=9)
    assert (small['pixels'], large['pixels']) == (29, 253)
    assert (small['instance'], large['instance']) == (0, 1)
    if fill == 'blur':
        assert small['paint']['ksize'] == 5
        assert large['paint']['ksize'] == 17
    else:
        painted = mask(results, clean)
        assert painted.sum() == 29 + 253
    assert (replayed(clean, results['occlusions']) == results['img']).all()


def test_whole_image_part_of_each_person():
    """A part's blur scales with its person: 31 * 128 / 256 = 15.5, 15."""
    small = {n: (x / 2, y / 2) for n, (x, y) in PERSON.items()}
    large = {n: (x + 200, y + 100) for n, (x, y) in PERSON.items()}
    clean = photo(480, 640)
    people = [
        dict(small, bbox=(0, 0, 96, 128)),
        dict(large, bbox=(200, 100, 392, 356)),
        dict(nose=(500, 60), bbox=(450, 20, 550, 200)),
    ]
    results = crowd(people, clean.copy(), warped=False)
    results = PartOcclusion('left_arm', fill='blur', remove_keypoints=True)(
        results
    )
    first, second, third = results['occlusions']
    assert first['paint']['ksize'] == 15
    assert second['paint']['ksize'] == 31
    assert third['reason']
    for number, record in enumerate((first, second)):
        gone = {name for person, name in record['removed']}
        assert gone >= members('left_arm')
        assert {person for person, _ in record['removed']} == {number}
        assert labelled(results, person=number) == PERSON.keys() - gone
        x1, y1, x2, y2 = record['box']
        ksize = record['paint']['ksize']
        exact = cv2.GaussianBlur(clean, (ksize, ksize), 0).astype(int)
        assert (
            np.abs(results['img'][y1:y2, x1:x2] - exact[y1:y2, x1:x2]).max()
            <= 1
        )
    assert labelled(results, person=2) == {'nose'}


def test_whole_image_availability_is_the_pictures():
    people = [
        dict(nose=(639.5, 10), bbox=(560, 0, 640, 256)),  # in
        dict(nose=(640, 10), bbox=(560, 0, 640, 256)),  # out
    ]
    clean = white(480, 640)
    results = KeypointOcclusion('nose', fill='black')(
        crowd(people, clean.copy(), warped=False)
    )
    first, second = results['occlusions']
    assert first['pixels'] == mask(results, clean).sum() > 0
    assert second['reason']


def test_hidden_joints_are_everybodys():
    """A disc on one person's nose also hides his neighbour's wrist."""
    people = [dict(nose=(60, 60)), dict(left_wrist=(64, 61), nose=(20, 20))]
    results = KeypointOcclusion('nose', fill='black')(
        crowd(people, photo(256, 192))
    )
    first, second = results['occlusions']
    assert sorted(under(first)) == [[0, 'nose'], [1, 'left_wrist']]
    assert under(second) == [[1, 'nose']]
    assert first['removed'] == second['removed'] == []


def test_a_removed_joint_stays_removed_after_the_warp():
    """On the whole image first, then through MMPose's own TopdownAffine."""
    results = crop(PERSON, white(256, 192))
    del results['transformed_keypoints']
    results['img'] = white(600, 500)
    results = PartOcclusion('left_arm', fill='black', remove_keypoints=True)(
        results
    )
    assert not labelled(results) & members('left_arm')
    affine = dict(type='TopdownAffine', input_size=(192, 256))
    results = TRANSFORMS.build(affine)(results)
    assert not labelled(results) & members('left_arm')
    left = KeypointOcclusion('left_wrist')(results)['occlusions'][-1]
    assert left['reason']
    assert left['call'] == 1


# --- names ------------------------------------------------------------------


def test_names_without_a_data_set():
    """``inference_topdown`` puts the metainfo's keys into the results."""
    results = crop(PERSON, white(256, 192))
    del results['dataset']
    results['keypoint_id2name'] = dict(enumerate(names('coco')))
    results = KeypointOcclusion('left_wrist', fill='black')(results)
    assert under(results['occlusions'][0]) == [[0, 'left_wrist']]


def test_names_that_are_a_joint_and_a_part():
    """Halpe has joints ``head`` and ``hip``: the transform decides."""
    joints = dict(
        head=(40, 20), nose=(44, 30), hip=(40, 100), left_hip=(50, 104),
        right_hip=(30, 104),
    )  # fmt: skip
    for name in ('hip', 'head'):
        for prefix in ('', 'keypoint:'):
            _, results = painted_by(
                KeypointOcclusion(prefix + name, 'black'), joints,
                layout='halpe',
            )  # fmt: skip
            (record,) = results['occlusions']
            assert named(record) == f'keypoint:{name}'
            assert record['region']['center'] == list(joints[name])
        for prefix in ('', 'part:'):
            _, results = painted_by(
                PartOcclusion(prefix + name, 'black'), joints, layout='halpe'
            )
            (record,) = results['occlusions']
            assert named(record) == f'part:{name}'
            assert record['region']['shape'] == 'box'


# --- errors -----------------------------------------------------------------


def one_sentence(info):
    message = str(info.value)
    return '\n' not in message and 20 < len(message) < 1500


@pytest.mark.parametrize(('cls', 'kwargs', 'word'), [
    (KeypointOcclusion, dict(fill='purple'), 'purple'),
    (PartOcclusion, dict(fill='purple'), 'purple'),
    (KeypointOcclusion, dict(prob=1.5), '1.5'),
    (PartOcclusion, dict(prob=-0.1), '-0.1'),
    (PartOcclusion, dict(prob=float('nan')), 'nan'),
    (KeypointOcclusion, dict(prob='often'), 'often'),
    (KeypointOcclusion, dict(size=0), 'radius'),
    (KeypointOcclusion, dict(size=-6), '-6'),
    (KeypointOcclusion, dict(size=float('nan')), 'nan'),
    (KeypointOcclusion, dict(size='big'), 'big'),
])  # fmt: skip
def test_bad_arguments_are_refused_at_construction(cls, kwargs, word):
    with pytest.raises((ValueError, TypeError), match=word) as info:
        cls('random', **kwargs)
    assert one_sentence(info)
    assert next(iter(kwargs)) in str(info.value)


@pytest.mark.parametrize(('transform', 'wrong', 'valid'), [
    (KeypointOcclusion('noze'), 'noze', names('coco')),
    (KeypointOcclusion(['nose', 'upper_neck']), 'upper_neck', names('coco')),
    (KeypointOcclusion('keypoint:noze'), 'noze', names('coco')),
    (KeypointOcclusion('left_arm'), 'left_arm', names('coco')),
    (PartOcclusion('tail'), 'tail', reference.PARTS),
    (PartOcclusion(['head', 'part:tail']), 'tail', reference.PARTS),
    (PartOcclusion('nose'), 'nose', reference.PARTS),
    (PartOcclusion('face', parts=dict(face=['nose', 'noze'])), 'noze',
     names('coco')),
])  # fmt: skip
def test_unknown_names_list_the_valid(transform, wrong, valid):
    clean = photo(256, 192)
    results = crop(PERSON, clean)
    with pytest.raises(ValueError, match=wrong) as info:
        transform(results)
    assert one_sentence(info)
    for name in valid:
        assert name in str(info.value)


def test_a_part_that_the_data_set_lacks():
    """A zebra has a head, after its fashion, and no arms."""
    results = crop(dict(head=(40, 40)), photo(160, 160), 'zebra')
    with pytest.raises(ValueError, match='left_arm') as info:
        PartOcclusion('left_arm')(results)
    assert one_sentence(info)
    assert 'head' in str(info.value)


@pytest.mark.parametrize(('transform', 'warped'), [
    (KeypointOcclusion('nose'), True),
    (KeypointOcclusion('nose'), False),
    (KeypointOcclusion('random', prob=0.5), True),
    (PartOcclusion('head'), True),
    (PartOcclusion('head'), False),
    (PartOcclusion('random', paper_exact=True), True),
])  # fmt: skip
def test_dummy_joints_are_refused(transform, warped):
    """MMPose's ``bbox_file`` brings zeros that claim to be visible."""
    clean = photo(256, 192)
    results = detected(clean.copy(), warped=warped)
    with pytest.raises((ValueError, RuntimeError), match='bbox_file') as info:
        transform(results)
    assert one_sentence(info)


@pytest.mark.parametrize(('spoil', 'words'), [
    # what inference_topdown's pipeline delivers: no joints at all
    (dict(keypoints=None, transformed_keypoints=np.zeros([]),
          keypoints_visible=np.ones((1, 1, 1))), 'joints'),
    (dict(keypoints=None, transformed_keypoints=None), 'keypoints'),
    (dict(dataset=None), 'keypoint_id2name'),
    (dict(dataset=dataset('mpii')), '16'),  # names of another data set
    (dict(transformed_keypoints=None, bbox=None), 'bbox'),
    (dict(img=None), 'LoadImage'),
])  # fmt: skip
def test_what_is_missing_is_named(spoil, words):
    results = {**crop(PERSON, photo(256, 192)), **spoil}
    results = {k: v for k, v in results.items() if v is not None}
    for transform in (KeypointOcclusion('nose'), PartOcclusion('head')):
        with pytest.raises((ValueError, TypeError), match=words) as info:
            transform(dict(results))
        assert one_sentence(info)


def test_paper_exact_is_for_crops():
    results = crowd([PERSON], photo(256, 192), warped=False)
    with pytest.raises(ValueError, match='TopdownAffine') as info:
        PartOcclusion('head', paper_exact=True)(results)
    assert one_sentence(info)


def test_one_joint_at_the_origin_is_no_dummy():
    painted, _ = painted_by(
        KeypointOcclusion('nose', fill='black'), dict(nose=(0, 0))
    )
    assert painted[0, 0]


# --- a last look at the geometry --------------------------------------------


def test_the_nearest_pixel_decides():
    """Joints around the painted box, 0.4 pixels in and out."""
    clean = white(256, 192)
    plain = PartOcclusion('left_arm', fill='black')
    x1, y1, x2, y2 = box_of(mask(plain(crop(PERSON, clean.copy())), clean))
    joints = dict(
        PERSON,
        nose=(x1 - 0.4, y1 + 20),  # nearest is column x1
        left_eye=(x1 - 0.6, y1 + 20),
        right_eye=(x2 - 0.6, y1 + 20),  # nearest is column x2 - 1
        left_ear=(x2 - 0.4, y1 + 20),
        right_ear=(x1 + 5, y1 - 0.4),
        left_ankle=(x1 + 5, y1 - 0.6),
        right_ankle=(x1 + 5, y2 - 0.6),
        right_wrist=(x1 + 5, y2 - 0.4),
    )
    transform = PartOcclusion('left_arm', fill='black', remove_keypoints=True)
    results = transform(crop(joints, clean.copy()))
    assert box_of(mask(results, clean)) == (x1, y1, x2, y2)
    gone = joints.keys() - labelled(results)
    assert {'nose', 'right_eye', 'right_ear', 'right_ankle'} <= gone
    assert not {'left_eye', 'left_ear', 'left_ankle', 'right_wrist'} & gone
    assert pixel_under(joints['nose'], 256, 192) == (y1 + 20, x1)
