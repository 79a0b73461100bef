"""Random bodies: proportions, poses, and forward kinematics.

Lengths are in statures (1 = standing height), angles in degrees. Segment
lengths follow D. A. Winter, Biomechanics and Motor Control of Human Movement,
fig. 4.1 (after Drillis and Contini, 1966); widths are fitted by eye.

Body frame: X to the viewer's right, Y up, Z towards the viewer, origin
between the hips. A segment's frame has X to the person's left, Y up along
the segment and Z to its front, so an unrotated body faces the viewer and has
its left side on the viewer's right.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import cv2
import numpy as np

from .rendering import Array, Rng

Triple = tuple[float, float, float]
SIDES = {'left': 1.0, 'right': -1.0}
"""Side of the body -> sign of its X."""

# Flexion lifts a limb forwards, abduction sideways away from the body. A
# cell is a number or the range of a uniform distribution.
STANCES = """
name  weight leg1: flex knee  leg2: flex knee   abduct pitch  spine
stand 0.52        -2..8  0..18      0      0..5   0..9   0      1
walk  0.18        14..32 2..22     -22..-6 5..40  4      2      2
run   0.03        35..75 40..100   -25..-5 20..95 4      8      8
sit   0.03        72..92 60..105    72..92 60..105 2..22 -12..8 0..22
squat 0.01        63..115 72..130   63..115 72..130 8..30 12..22 18
kneel 0.01        75..95 80..105   -12..10 85..110 4     4      6
lunge 0.02        60..90 55..95    -26..-12 5..45 4      8      4
kick  0.02        45..100 0..45     -8..0  0..20  0..20  -8     4
jump  0.02        0..80  20..115    0..80  20..115 0..20 4      6
star  0.12        0      3          0      3      18..38 0      0
bend  0.01        15..45 5..40      15..45 5..40  4      15..45 20..45
step  0.04        45..80 55..95     0      5      4      4      4
"""
# Twist turns the upper arm inwards; palm turns the hand about the forearm.
GESTURES = """
name   weight flex     abduct   twist    elbow    palm
hang   0.28   -11..21  0..19    -26..36  0..34    20..100
swing  0.12   -42..45  0..18    -11..31  8..45    20..100
raise  0.18   -23..39  115..172 -60..40  0..60    20..100
wave   0.14   -16..26  65..105  -100..-55 65..125 20..100
spread 0.18   -21..31  55..105  -43..43  0..38    20..100
reach  0.02   45..115  -16..26  -33..53  0..50    20..100
carry  0.02   5..35    0..24    -20..50  70..110  20..100
hip    0.04   -40..-15 35..55   25..50   75..105  80..120
cross  0.01   25..45   0..15    50..75   85..105  60..100
face   0.01   55..95   0..25    0..30    120..140 20..60
thigh  0      15..40   0..15    0..20    15..45   80..100
"""
TOGETHER = ('stand', 'squat', 'star', 'bend')
"""Stances of which all angles are at the same place of their ranges."""


def _parse(text: str) -> tuple[list[str], Array, dict[str, Array]]:
    """Names, probabilities, and name -> (N, 2) low and high of each cell."""
    rows = [line.split() for line in text.strip().splitlines()[1:]]
    weights = np.array([float(row[1]) for row in rows])
    ranges = {}
    for name, _, *cells in rows:
        ends = [cell.split('..') for cell in cells]
        ranges[name] = np.array([(e[0], e[-1]) for e in ends], float)
    return list(ranges), weights / weights.sum(), ranges


_STANCES, _STANCE_WEIGHTS, STANCE_RANGES = _parse(STANCES)
_GESTURES, _GESTURE_WEIGHTS, GESTURE_RANGES = _parse(GESTURES)


Angles = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Pose:
    """Angles of a body.

    ``legs`` are (flex, knee, abduct, rotate, ankle) and ``arms`` (flex,
    abduct, twist, elbow, palm) by side. ``yaw`` is 0 facing the viewer,
    ``pitch`` tips the pelvis forwards, ``roll`` sideways; ``spine`` is
    (flexion, side bend, twist) and ``head`` (nod, look, tilt). ``seated``: a
    stool carries the body, not the feet.
    """

    legs: dict[str, Angles]
    arms: dict[str, Angles]
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    spine: Triple = (0.0, 0.0, 0.0)
    head: Triple = (0.0, 0.0, 0.0)
    seated: bool = False


def sample_pose(rng: Rng) -> Pose:
    """Draw a stance, a gesture of each arm, and a direction of view; left and
    right have the same distribution."""
    stance = str(rng.choice(_STANCES, p=_STANCE_WEIGHTS))
    low, high = STANCE_RANGES[stance].T
    share = rng.random(1 if stance in TOGETHER else len(low))
    *angles, abduct, pitch, flexion = (low + share * (high - low)).tolist()
    spread = 0.6 if stance == 'stand' else 1.0
    legs = [
        _sample_leg(rng, np.array([*angles[i : i + 2], abduct]), spread)
        for i in (0, 2)
    ]
    seated = stance == 'sit'
    first, second = rng.choice(_GESTURES, size=2, p=_GESTURE_WEIGHTS).tolist()
    arms = [
        sample_arm(rng, name, seated)
        for name in (first, second if rng.random() < 0.6 else first)
    ]
    if stance in ('walk', 'run') and rng.random() < 0.75:
        bend = (60, 110) if stance == 'run' else (8, 45)
        flex = rng.uniform(12, 48, 2) * (-1, 1)
        arms = [(f, 8, 10, rng.uniform(*bend), 60) for f in flex]
    yaw, view = rng.normal(0, 14), rng.random()
    if view > 0.90:  # facing away, or in any direction
        yaw = 180 + 1.3 * yaw if view < 0.97 else rng.uniform(-180, 180)
    bend, lean, twist = rng.normal(0, (6, 6, 9))
    nod, look, tilt = rng.normal((3, 0, 0), (7, 16, 7))
    sides = list(SIDES) if rng.random() < 0.5 else list(SIDES)[::-1]
    return Pose(
        dict(zip(sides, legs, strict=True)),
        dict(zip(sides, arms, strict=True)),
        yaw,
        pitch,
        rng.normal(0, 3),
        (flexion + bend, lean, twist),
        (nod, float(np.clip(look, -60, 60)), tilt),
        seated,
    )


def sample_arm(rng: Rng, gesture: str, seated: bool = False) -> Angles:
    """Draw an arm that makes a gesture; seated people do not let it hang."""
    if seated and gesture in ('hang', 'swing'):
        gesture = 'thigh'
    return tuple(rng.uniform(*GESTURE_RANGES[gesture].T).tolist())


def _sample_leg(rng: Rng, angles: Array, spread: float) -> Angles:
    """A leg near ``angles`` (flex, knee, abduct) that joints allow."""
    angles = angles + rng.normal(0, np.array([5, 6, 3]) * spread)
    flex, knee, abduct = np.clip(angles, (-28, 0, -6), (125, 145, 45)).tolist()
    flat = np.clip(0.6 * (flex - knee), -45, 18)  # soles towards the ground
    return flex, knee, abduct, rng.normal(8, 8), rng.normal(flat, 4)


Build = SimpleNamespace
"""Proportions in statures; ``weight`` scales all girths, ``muscle`` those of
the limbs, ``curve`` in 0..1 goes from a straight to a waisted trunk."""


def sample_build(rng: Rng) -> Build:
    """Draw the proportions of an adult or, in 3 of 8, of a child."""
    child = max(0.0, rng.uniform(-1.6, 1.0))
    curve = float(np.clip(rng.normal(0.5, 0.35), 0, 1))
    legs = rng.normal(1.0, 0.03) * (1 - 0.10 * child)
    arms = rng.normal(1.0, 0.03) * (1 - 0.06 * child)
    girth = float(np.clip(rng.normal(1.0, 0.13), 0.8, 1.45))
    return Build(
        head=rng.normal(0.158, 0.005) * (1 + 0.25 * child),
        neck=0.038 * rng.normal(1, 0.06) * (1 - 0.25 * child),
        trunk=0.288 * rng.normal(1, 0.02),
        shoulder=(0.112 - 0.014 * curve - 0.008 * child) * rng.normal(1, 0.04),
        hip=(0.047 + 0.007 * curve) * rng.normal(1, 0.04),
        upper_arm=0.172 * arms,
        forearm=0.146 * arms,
        hand=0.092 * arms,
        thigh=0.245 * legs,
        shin=0.246 * legs,
        foot=0.145 * rng.normal(1, 0.04),
        weight=girth * (1 + 0.06 * child),
        muscle=float(np.clip(rng.normal(1.0, 0.1), 0.8, 1.3)),
        curve=curve,
    )


def turn(axes: str, *degrees: float) -> Array:
    """(3, 3) product of right-handed rotations about 'x', 'y' or 'z'."""
    matrix = np.eye(3)
    for axis, angle in zip(axes, degrees, strict=True):
        vector = np.deg2rad(angle) * np.eye(3)['xyz'.index(axis)]
        matrix = matrix @ cv2.Rodrigues(vector)[0]
    return matrix


@dataclass
class Segment:
    """A rigid piece: the position of its upper joint, and its axes."""

    origin: Array
    axes: Array

    def at(self, x: float, y: float, z: float) -> Array:
        """A point of the segment's frame in the body frame."""
        return self.origin + self.axes @ np.array([x, y, z])

    def below(self, length: float, axes: str, *degrees: float) -> 'Segment':
        """The segment at the lower end of this one, turned against it."""
        turned = self.axes @ turn(axes, *degrees)
        return Segment(self.at(0, -length, 0), turned)


def pose_body(build: Build, pose: Pose) -> dict[str, Segment]:
    """Forward kinematics: segments by name."""
    root = turn('yzx', pose.yaw, pose.roll, pose.pitch)
    pelvis = Segment(np.zeros(3), root)
    bend = np.array(pose.spine[::-1])
    waist = pelvis.at(0, 0.055, 0) + root @ turn('yzx', *bend / 2)[:, 1] * 0.05
    chest = Segment(waist, root @ turn('yzx', *bend))
    top = build.trunk - 0.105
    nod, look, tilt = pose.head
    half = turn('yzx', 0.3 * look, 0.4 * tilt, 0.4 * nod)
    neck = Segment(chest.at(0, top + 0.022, -0.004), chest.axes @ half)
    whole = turn('yzx', look, tilt, nod)
    head = Segment(neck.at(0, build.neck, 0.008), chest.axes @ whole)
    segments = dict(pelvis=pelvis, chest=chest, neck=neck, head=head)
    for side, sign in SIDES.items():
        flex, knee, abduct, rotate, ankle = pose.legs[side]
        hip = pelvis.at(sign * build.hip, 0, 0)
        axes = root @ turn('zxy', sign * abduct, -flex, sign * rotate)
        thigh = Segment(hip, axes)
        shin = thigh.below(build.thigh, 'x', knee)
        foot = shin.below(build.shin, 'xy', ankle, sign * 8)
        flex, abduct, twist, elbow, palm = pose.arms[side]
        # A raised arm lifts its shoulder.
        lift = 0.5 - 0.5 * turn('zx', abduct, -flex)[1, 1]
        x, y = build.shoulder - 0.014 * lift, top + 0.034 * lift
        axes = turn('zxy', sign * abduct, -flex, -sign * twist)
        upper_arm = Segment(chest.at(sign * x, y, 0), chest.axes @ axes)
        forearm = upper_arm.below(build.upper_arm, 'x', -elbow)
        hand = forearm.below(build.forearm, 'y', -sign * palm)
        limbs = dict(thigh=thigh, shin=shin, foot=foot)
        limbs |= dict(upper_arm=upper_arm, forearm=forearm, hand=hand)
        segments |= {f'{side}_{name}': limb for name, limb in limbs.items()}
    return segments


def is_plausible(build: Build, segments: dict[str, Segment]) -> bool:
    """No hand or elbow inside trunk or head, no foot above the head."""
    volumes = dict(
        chest=((0, 0.09, 0), (0.10, 0.14, 0.072)),
        pelvis=((0, 0.0, 0), (0.085, 0.09, 0.07)),
        head=((0, 0.5 * build.head, 0), (0.06, 0.075, 0.065)),
    )
    top, points = segments['head'].origin[1], []
    for side in SIDES:
        hand, elbow = segments[f'{side}_hand'], segments[f'{side}_forearm']
        points += [elbow.origin, hand.origin, hand.at(0, -0.05, 0)]
        if segments[f'{side}_foot'].origin[1] > top:
            return False
    for name, (centre, radii) in volumes.items():
        q = (np.stack(points) - segments[name].origin) @ segments[name].axes
        if ((((q - centre) / radii) ** 2).sum(axis=1) < 1).any():
            return False
    return True
