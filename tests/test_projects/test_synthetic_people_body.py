"""Skeletons: golden poses by hand, symmetry, reach."""

from dataclasses import replace

import numpy as np
import pytest

from synthetic_people import poses
from synthetic_people.body import (
    Build,
    pose_body,
    sample_build,
    turn,
)
from synthetic_people.poses import (
    GESTURES,
    STANCES,
    ArmAim,
    ArmAngles,
    LegAngles,
    Pose,
    sample_pose,
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
DOWN = ArmAngles(0, 0, 0, 0)
STRAIGHT = LegAngles(0, 0, 0, 0)
STANDING = Pose(
    yaw=0,
    pitch=0,
    roll=0,
    spine=(0, 0, 0),
    head=(0, 0, 0),
    legs=dict(left=STRAIGHT, right=STRAIGHT),
    arms=dict(left=DOWN, right=DOWN),
)


def ends(pose):
    """Where knees, ankles, elbows and wrists are."""
    segments = pose_body(BUILD, pose)
    names = dict(knee='shin', ankle='foot', elbow='forearm', wrist='hand')
    return {
        f'{side}_{joint}': segments[f'{side}_{segment}'].origin
        for side in ('left', 'right')
        for joint, segment in names.items()
    }


def test_standing_still():
    at = ends(STANDING)
    np.testing.assert_allclose(at['left_knee'], (0.05, -0.25, 0), atol=1e-9)
    np.testing.assert_allclose(at['right_ankle'], (-0.05, -0.49, 0), atol=1e-9)
    # Arms hang from the shoulders: at 0.055 + 0.05 + 0.29 - 0.105 = 0.29.
    np.testing.assert_allclose(at['left_wrist'], (0.1, -0.03, 0), atol=1e-9)
    np.testing.assert_allclose(at['right_elbow'], (-0.1, 0.12, 0), atol=1e-9)


def test_who_faces_away_has_their_left_on_our_left():
    at = ends(replace(STANDING, yaw=180))
    np.testing.assert_allclose(at['left_knee'], (-0.05, -0.25, 0), atol=1e-9)


def test_a_bent_elbow_brings_the_hand_forwards():
    arms = dict(left=ArmAngles(0, 0, 0, 90), right=DOWN)
    at = ends(replace(STANDING, arms=arms))
    np.testing.assert_allclose(at['left_wrist'], (0.1, 0.12, 0.15), atol=1e-9)


@pytest.mark.parametrize(('side', 'sign'), [('left', 1), ('right', -1)])
def test_an_abducted_arm_goes_outwards(side, sign):
    arms = dict(left=DOWN, right=DOWN) | {side: ArmAngles(0, 90, 0, 0)}
    segments = pose_body(BUILD, replace(STANDING, arms=arms))
    shoulder = segments[f'{side}_upper_arm'].origin
    wrist = segments[f'{side}_hand'].origin
    np.testing.assert_allclose(
        wrist - shoulder, (sign * 0.32, 0, 0), atol=1e-9
    )


def test_sitting_legs_go_forwards_then_down():
    sit = LegAngles(90, 0, 0, 90)
    at = ends(replace(STANDING, legs=dict(left=sit, right=sit)))
    np.testing.assert_allclose(at['left_knee'], (0.05, 0, 0.25), atol=1e-9)
    np.testing.assert_allclose(
        at['left_ankle'], (0.05, -0.24, 0.25), atol=1e-9
    )


def test_the_wrist_reaches_its_target():
    aim = ArmAim('pelvis', (0.09, 0.06, 0.03), (1, 0, -0.5), lift=0.0)
    segments = pose_body(
        BUILD, replace(STANDING, arms=dict(left=aim, right=aim))
    )
    for side, sign in (('left', 1), ('right', -1)):
        np.testing.assert_allclose(
            segments[f'{side}_hand'].origin,
            (sign * 0.09, 0.06, 0.03),
            atol=1e-6,
        )


def test_a_target_out_of_reach_is_pointed_at():
    aim = ArmAim('pelvis', (3.0, 0.3, 0.0), (0, -1, 0), lift=0.0)
    segments = pose_body(
        BUILD, replace(STANDING, arms=dict(left=aim, right=aim))
    )
    shoulder = segments['left_upper_arm'].origin
    reach = segments['left_hand'].origin - shoulder
    assert np.linalg.norm(reach) == pytest.approx(0.32 * 0.995, rel=1e-6)
    target = np.array([3.0, 0.3, 0.0]) - shoulder
    assert reach @ target == pytest.approx(
        np.linalg.norm(reach) * np.linalg.norm(target), rel=1e-6
    )


@pytest.mark.parametrize('seed', range(40))
def test_bones_keep_their_lengths(seed):
    rng = np.random.default_rng(seed)
    build, pose = sample_build(rng), sample_pose(rng)
    segments = pose_body(build, pose)
    for side in ('left', 'right'):
        for upper, lower, length in (
            ('upper_arm', 'forearm', build.upper_arm),
            ('forearm', 'hand', build.forearm),
            ('thigh', 'shin', build.thigh),
            ('shin', 'foot', build.shin),
        ):
            bone = (
                segments[f'{side}_{lower}'].origin
                - segments[f'{side}_{upper}'].origin
            )
            assert np.linalg.norm(bone) == pytest.approx(length, rel=1e-9)
    for segment in segments.values():
        np.testing.assert_allclose(
            segment.axes @ segment.axes.T, np.eye(3), atol=1e-9
        )
        assert np.linalg.det(segment.axes) == pytest.approx(1)


@pytest.mark.parametrize('seed', range(20))
def test_exchanging_the_sides_mirrors_the_body(seed):
    """Left and right are treated alike, in every gesture and stance."""
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


@pytest.mark.parametrize('name', [s for s in STANCES if s != 'stand'])
def test_every_stance_differs_from_standing(name):
    def drawn(stance):
        return poses._stance(np.random.default_rng(0), stance)

    assert drawn(name) != drawn('stand')


@pytest.mark.parametrize('name', [g for g in GESTURES if g != 'free'])
def test_every_gesture_differs_from_the_last(name):
    def drawn(gesture):
        return poses._gesture(np.random.default_rng(0), gesture, '')

    assert drawn(name) != drawn('free')


def test_turn_refuses_an_unknown_axis():
    with pytest.raises(ValueError, match="'x', 'y' or 'z', got 'w'"):
        turn('w', 3)
