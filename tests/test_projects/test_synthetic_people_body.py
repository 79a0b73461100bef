"""Forward kinematics and sampling: poses by hand, symmetry, lengths."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_people.body import (
    GESTURE_RANGES,
    STANCE_RANGES,
    Build,
    Pose,
    pose_body,
    sample_arm,
    sample_build,
    sample_pose,
    turn,
)

BUILD = Build(
    head=0.14,
    neck=0.04,
    trunk=0.29,
    shoulder=0.1,
    hip=0.05,
    upper_arm=0.17,
    forearm=0.15,
    hand=0.09,
    thigh=0.25,
    shin=0.24,
    foot=0.14,
    weight=1.0,
    muscle=1.0,
    curve=0.5,
)
DOWN = (0, 0, 0, 0, 0)
STANDING = Pose(
    legs=dict(left=DOWN, right=DOWN), arms=dict(left=DOWN, right=DOWN)
)


def ends(pose):
    """Positions of knees, ankles, elbows and wrists."""
    segments = pose_body(BUILD, pose)
    names = dict(knee='shin', ankle='foot', elbow='forearm', wrist='hand')
    return {
        f'{side}_{joint}': segments[f'{side}_{segment}'].origin
        for side in ('left', 'right')
        for joint, segment in names.items()
    }


def test_standing():
    at = ends(STANDING)
    np.testing.assert_allclose(at['left_knee'], (0.05, -0.25, 0), atol=1e-9)
    np.testing.assert_allclose(at['right_ankle'], (-0.05, -0.49, 0), atol=1e-9)
    # Arms hang from the shoulders: at 0.055 + 0.05 + 0.29 - 0.105 = 0.29.
    np.testing.assert_allclose(at['left_wrist'], (0.1, -0.03, 0), atol=1e-9)
    np.testing.assert_allclose(at['right_elbow'], (-0.1, 0.12, 0), atol=1e-9)


def test_facing_away():
    at = ends(replace(STANDING, yaw=180))
    np.testing.assert_allclose(at['left_knee'], (-0.05, -0.25, 0), atol=1e-9)


def test_bent_elbow_brings_the_hand_forwards():
    arms = dict(left=(0, 0, 0, 90, 0), right=DOWN)
    at = ends(replace(STANDING, arms=arms))
    np.testing.assert_allclose(at['left_wrist'], (0.1, 0.12, 0.15), atol=1e-9)


@pytest.mark.parametrize(('side', 'sign'), [('left', 1), ('right', -1)])
def test_abducted_arm_goes_outwards(side, sign):
    arms = dict(left=DOWN, right=DOWN) | {side: (0, 90, 0, 0, 0)}
    segments = pose_body(BUILD, replace(STANDING, arms=arms))
    shoulder = segments[f'{side}_upper_arm'].origin
    wrist = segments[f'{side}_hand'].origin
    np.testing.assert_allclose(
        wrist - shoulder, (sign * 0.32, 0, 0), atol=1e-9
    )


def test_seated_legs_go_forwards_then_down():
    sit = (90, 90, 0, 0, 0)
    at = ends(replace(STANDING, legs=dict(left=sit, right=sit)))
    np.testing.assert_allclose(at['left_knee'], (0.05, 0, 0.25), atol=1e-9)
    np.testing.assert_allclose(
        at['left_ankle'], (0.05, -0.24, 0.25), atol=1e-9
    )


def test_bones_keep_their_lengths():
    rng = np.random.default_rng(0)
    for _ in range(40):
        build, pose = sample_build(rng), sample_pose(rng)
        segments = pose_body(build, pose)
        for side in ('left', 'right'):
            for upper, lower in (
                ('upper_arm', 'forearm'),
                ('forearm', 'hand'),
                ('thigh', 'shin'),
                ('shin', 'foot'),
            ):
                one, two = segments[f'{side}_{upper}'], f'{side}_{lower}'
                length = np.linalg.norm(segments[two].origin - one.origin)
                assert length == pytest.approx(getattr(build, upper))
        for segment in segments.values():
            np.testing.assert_allclose(
                segment.axes @ segment.axes.T, np.eye(3), atol=1e-9
            )
            assert np.linalg.det(segment.axes) == pytest.approx(1)


@pytest.mark.parametrize('seed', range(20))
def test_exchanging_the_sides_mirrors_the_body(seed):
    pose = sample_pose(np.random.default_rng(seed))
    flex, side, twist = pose.spine
    nod, look, tilt = pose.head
    mirrored = replace(
        pose,
        yaw=-pose.yaw,
        roll=-pose.roll,
        spine=(flex, -side, -twist),
        head=(nod, -look, -tilt),
        legs=dict(left=pose.legs['right'], right=pose.legs['left']),
        arms=dict(left=pose.arms['right'], right=pose.arms['left']),
    )
    one, two = pose_body(BUILD, pose), pose_body(BUILD, mirrored)
    swap = dict(left='right', right='left')
    for name, segment in one.items():
        side, _, rest = name.partition('_')
        other = (
            two[f'{swap[side]}_{rest}'] if rest and side in swap else two[name]
        )
        np.testing.assert_allclose(
            segment.origin * (-1, 1, 1), other.origin, atol=1e-9
        )


@pytest.mark.parametrize('table', [STANCE_RANGES, GESTURE_RANGES])
def test_tables_hold_ranges(table):
    columns = {ranges.shape for ranges in table.values()}
    assert columns == {(7 if table is STANCE_RANGES else 5, 2)}
    assert all(
        (ranges[:, 0] <= ranges[:, 1]).all() for ranges in table.values()
    )
    np.testing.assert_array_equal(STANCE_RANGES['walk'][0], (14, 32))
    np.testing.assert_array_equal(STANCE_RANGES['star'][0], (0, 0))


def test_hands_of_seated_people_rest_on_the_thighs():
    arm = sample_arm(np.random.default_rng(0), 'hang', seated=True)
    low, high = GESTURE_RANGES['thigh'].T
    assert ((low <= arm) & (arm <= high)).all()


def test_turns_are_right_handed():
    np.testing.assert_allclose(turn('z', 90) @ [1, 0, 0], [0, 1, 0], atol=1e-9)
    np.testing.assert_allclose(turn('x', 90) @ [0, 1, 0], [0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(
        turn('zx', 30, 40), turn('z', 30) @ turn('x', 40), atol=1e-9
    )
