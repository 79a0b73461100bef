"""The boxes of body parts, and the joints under them.

Expected numbers come from the description (what a disc, a box, a mean is),
not from the code; the comments show how. Boxes are ``(x1, y1, x2, y2)`` with
exclusive ends; a crop is 192 wide and 256 high unless stated otherwise.
"""

import cv2
import numpy as np
import pytest

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden import naive_reference as reference
from tests.golden.person import PERSON, members, painted_by, scaled
from tests.golden.samples import (
    box_of,
    covered,
    crop,
    labelled,
    mask,
    names,
    photo,
    pixel_under,
    white,
)
from tests.records import named, under

# --- boxes of parts ----------------------------------------------------------


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


# --- joints at the edges of a box -------------------------------------------


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
