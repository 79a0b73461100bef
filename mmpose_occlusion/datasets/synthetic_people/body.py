"""Proportions of a body and forward kinematics.

Lengths are in statures (1 = standing height). Segment lengths follow
D. A. Winter, Biomechanics and Motor Control of Human Movement, fig. 4.1
(after Drillis and Contini, 1966); widths are fitted by eye.

Body frame: X to the viewer's right, Y up, Z towards the viewer, origin
between the hips. A segment's own frame has X to the person's left, Y up
along the segment and Z to its front, so a body with no rotation faces the
viewer and its left side is on the viewer's right.
"""

from dataclasses import dataclass

import numpy as np

from .poses import ArmAim, Pose

SIDES = ('left', 'right')
SIGN = {'left': 1.0, 'right': -1.0}


@dataclass(frozen=True)
class Build:
    """One person's proportions, in statures unless said otherwise.

    ``weight`` scales all girths, ``muscle`` those of the limbs, ``curve`` in
    0..1 goes from a straight to a waisted trunk, ``head`` is the height from
    chin to crown.
    """

    head: float
    neck: float
    trunk: float
    shoulder: float
    hip: float
    upper_arm: float
    forearm: float
    hand: float
    thigh: float
    shin: float
    foot: float
    weight: float
    muscle: float
    curve: float


def sample_build(rng: np.random.Generator) -> Build:
    """Draw an adult's, or sometimes a child's, proportions."""
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


def turn(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) right-handed rotation about 'x', 'y' or 'z'."""
    angle = np.deg2rad(degrees)
    c, s = np.cos(angle), np.sin(angle)
    if axis == 'x':
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    if axis == 'y':
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    if axis == 'z':
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    raise ValueError(f"axis must be 'x', 'y' or 'z', got {axis!r}")


def frame_along(down: np.ndarray, front: np.ndarray) -> np.ndarray:
    """(3, 3) segment frame whose -Y points along ``down``.

    Args:
        down: (3,) direction from the segment's upper to its lower joint.
        front: (3,) Z points as far this way as it can.
    """
    y = -down / np.linalg.norm(down)
    z = front - (front @ y) * y
    if np.linalg.norm(z) < 1e-6:
        z = np.cross(y, [1.0, 0.3, 0.2])
    z = z / np.linalg.norm(z)
    return np.stack([np.cross(y, z), y, z], axis=1)


@dataclass
class Segment:
    """A rigid piece: where its upper joint is and how it is turned."""

    origin: np.ndarray
    axes: np.ndarray

    def at(self, x: float, y: float, z: float) -> np.ndarray:
        """A point of the segment's frame in the body frame."""
        return self.origin + self.axes @ np.array([x, y, z])


def pose_body(build: Build, pose: Pose) -> dict[str, Segment]:
    """Forward kinematics.

    Returns:
        Segments by name: pelvis, chest, neck, head and, per side,
        ``left_upper_arm``, ``left_forearm``, ``left_hand``, ``left_thigh``,
        ``left_shin``, ``left_foot``.
    """
    root = turn('y', pose.yaw) @ turn('z', pose.roll) @ turn('x', pose.pitch)
    pelvis = Segment(np.zeros(3), root)
    flex, side, twist = pose.spine
    bend = turn('y', twist) @ turn('z', side) @ turn('x', flex)
    half_bend = (
        turn('y', twist / 2) @ turn('z', side / 2) @ turn('x', flex / 2)
    )
    waist = pelvis.at(0, 0.055, 0)
    chest = Segment(
        waist + root @ half_bend @ np.array([0, 0.05, 0]), root @ bend
    )
    top = build.trunk - 0.105
    neck_base = chest.at(0, top + 0.022, -0.004)
    nod, look, tilt = pose.head
    neck = Segment(
        neck_base,
        chest.axes
        @ turn('y', 0.3 * look)
        @ turn('z', 0.4 * tilt)
        @ turn('x', 0.4 * nod),
    )
    head = Segment(
        neck.at(0, build.neck, 0.008),
        chest.axes @ turn('y', look) @ turn('z', tilt) @ turn('x', nod),
    )
    segments = dict(pelvis=pelvis, chest=chest, neck=neck, head=head)
    for name in SIDES:
        sign = SIGN[name]
        _pose_leg(segments, build, pose, name, sign)
    for name in SIDES:
        sign = SIGN[name]
        _pose_arm(segments, build, pose, name, sign, top)
    return segments


def _pose_leg(
    segments: dict[str, Segment],
    build: Build,
    pose: Pose,
    name: str,
    sign: float,
) -> None:
    leg = pose.legs[name]
    pelvis = segments['pelvis']
    axes = (
        pelvis.axes
        @ turn('z', sign * leg.abduct)
        @ turn('x', -leg.flex)
        @ turn('y', sign * leg.rotate)
    )
    thigh = Segment(pelvis.at(sign * build.hip, 0, 0), axes)
    shin = Segment(thigh.at(0, -build.thigh, 0), axes @ turn('x', leg.knee))
    foot = Segment(
        shin.at(0, -build.shin, 0),
        shin.axes @ turn('x', leg.ankle) @ turn('y', sign * 8),
    )
    segments[f'{name}_thigh'] = thigh
    segments[f'{name}_shin'] = shin
    segments[f'{name}_foot'] = foot


def _pose_arm(
    segments: dict[str, Segment],
    build: Build,
    pose: Pose,
    name: str,
    sign: float,
    top: float,
) -> None:
    arm = pose.arms[name]
    chest = segments['chest']
    if isinstance(arm, ArmAim):
        lift = arm.lift
    else:
        raised = turn('z', arm.abduct) @ turn('x', -arm.flex)
        lift = max(0.0, 0.5 - 0.5 * float((raised @ [0, 1, 0])[1]))
    shoulder = chest.at(
        sign * (build.shoulder - 0.014 * lift), top + 0.034 * lift, 0
    )
    if isinstance(arm, ArmAim):
        upper_down, lower_down = _reach(
            segments, build, arm, name, sign, shoulder
        )
        bend = np.cross(upper_down, lower_down)
        front = np.cross(bend, upper_down)
        if np.linalg.norm(bend) < 1e-4:
            front = chest.axes[:, 2]
        upper = Segment(shoulder, frame_along(upper_down, front))
        fore = Segment(
            upper.at(0, -build.upper_arm, 0), frame_along(lower_down, front)
        )
    else:
        axes = (
            chest.axes
            @ turn('z', sign * arm.abduct)
            @ turn('x', -arm.flex)
            @ turn('y', -sign * arm.twist)
        )
        upper = Segment(shoulder, axes)
        fore = Segment(
            upper.at(0, -build.upper_arm, 0), axes @ turn('x', -arm.elbow)
        )
    hand = Segment(
        fore.at(0, -build.forearm, 0),
        fore.axes @ turn('y', -sign * arm.palm) @ turn('x', arm.wrist),
    )
    segments[f'{name}_upper_arm'] = upper
    segments[f'{name}_forearm'] = fore
    segments[f'{name}_hand'] = hand


def _reach(
    segments: dict[str, Segment],
    build: Build,
    arm: ArmAim,
    name: str,
    sign: float,
    shoulder: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Two-bone inverse kinematics: directions of upper arm and forearm."""
    base = segments[arm.frame.format(side=name)]
    x, y, z = arm.target
    target = base.at(sign * x, y, z)
    px, py, pz = arm.elbow_to
    pole = segments['chest'].axes @ np.array([sign * px, py, pz])
    upper, fore = build.upper_arm, build.forearm
    line = target - shoulder
    length = np.linalg.norm(line) + 1e-9
    along = line / length
    length = np.clip(length, abs(upper - fore) + 0.02, (upper + fore) * 0.995)
    out = pole - (pole @ along) * along
    out = out / (np.linalg.norm(out) + 1e-9)
    cos = (upper**2 + length**2 - fore**2) / (2 * upper * length)
    sin = np.sqrt(max(0.0, 1 - cos**2))
    elbow = upper * (cos * along + sin * out)
    return elbow, length * along - elbow
