"""Poses: joint angles drawn from what bodies do.

Angles are in degrees. Flexion lifts a limb forwards, abduction sideways away
from the body; both sides are drawn from the same distributions, and whatever
is one-sided is given to either side with even odds.
"""

from dataclasses import dataclass, replace

import numpy as np

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class ArmAngles:
    """An arm by its angles.

    ``twist`` turns the upper arm inwards, ``elbow`` is 0 when straight,
    ``palm`` turns the hand about the forearm and ``wrist`` bends it.
    """

    flex: float
    abduct: float
    twist: float
    elbow: float
    palm: float = 60.0
    wrist: float = 0.0


@dataclass(frozen=True)
class ArmAim:
    """An arm by where its wrist is.

    ``target`` is in the frame of segment ``frame`` (``{side}`` is replaced by
    the arm's side), X outwards to the arm's side; ``elbow_to`` is the way
    the elbow points in the chest's frame. Lengths in statures.
    """

    frame: str
    target: Triple
    elbow_to: Triple
    lift: float = 0.1
    palm: float = 60.0
    wrist: float = 0.0


@dataclass(frozen=True)
class LegAngles:
    """A leg by its angles; ``knee`` is 0 when straight."""

    flex: float
    abduct: float
    rotate: float
    knee: float
    ankle: float = 0.0


@dataclass(frozen=True)
class Pose:
    """A body's angles.

    ``yaw`` is 0 facing the viewer and 180 facing away, ``pitch`` tips the
    pelvis forwards, ``roll`` sideways; ``spine`` is (flexion, side bend,
    twist) from pelvis to chest and ``head`` (nod, look, tilt) from chest to
    head. ``seat`` says what carries the body: '' the feet, or 'stool'.
    """

    yaw: float
    pitch: float
    roll: float
    spine: Triple
    head: Triple
    legs: dict[str, LegAngles]
    arms: dict[str, ArmAngles | ArmAim]
    seat: str = ''


STANCES = (
    'stand',
    'walk',
    'run',
    'sit',
    'squat',
    'kneel',
    'lunge',
    'kick',
    'jump',
    'star',
    'bend',
    'step',
    'free',
)
STANCE_WEIGHTS = np.array(
    [
        0.52,
        0.18,
        0.03,
        0.03,
        0.01,
        0.01,
        0.02,
        0.02,
        0.02,
        0.12,
        0.01,
        0.04,
        0.005,
    ]
)

GESTURES = (
    'hang',
    'swing',
    'raise',
    'wave',
    'spread',
    'reach',
    'carry',
    'hip',
    'cross',
    'face',
    'nape',
    'free',
)
GESTURE_WEIGHTS = np.array(
    [
        0.28,
        0.12,
        0.18,
        0.14,
        0.18,
        0.02,
        0.02,
        0.04,
        0.005,
        0.005,
        0.005,
        0.005,
    ]
)


def sample_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose: a stance for the legs, a gesture for each arm, a view."""
    stance = rng.choice(STANCES, p=STANCE_WEIGHTS / STANCE_WEIGHTS.sum())
    first, second, pitch, flex, seat = _stance(rng, str(stance))
    leading = 'left' if rng.random() < 0.5 else 'right'
    trailing = 'right' if leading == 'left' else 'left'
    legs = {leading: first, trailing: second}
    gesture = str(
        rng.choice(GESTURES, p=GESTURE_WEIGHTS / GESTURE_WEIGHTS.sum())
    )
    if stance in ('walk', 'run') and rng.random() < 0.75:
        arms = {
            trailing: _swing(rng, stance == 'run', forwards=True),
            leading: _swing(rng, stance == 'run', forwards=False),
        }
    else:
        other = gesture
        if rng.random() < 0.6:
            other = str(
                rng.choice(GESTURES, p=GESTURE_WEIGHTS / GESTURE_WEIGHTS.sum())
            )
        arms = {
            leading: _gesture(rng, gesture, seat),
            trailing: _gesture(rng, other, seat),
        }
    return Pose(
        yaw=_sample_yaw(rng),
        pitch=pitch,
        roll=rng.normal(0, 3),
        spine=(flex + rng.normal(0, 6), rng.normal(0, 6), rng.normal(0, 9)),
        head=(
            rng.normal(3, 7),
            float(np.clip(rng.normal(0, 16), -60, 60)),
            rng.normal(0, 7),
        ),
        legs=legs,
        arms=arms,
        seat=seat,
    )


def _sample_yaw(rng: np.random.Generator) -> float:
    """Facing us, turned, in profile or away, either way round."""
    kind = rng.random()
    if kind < 0.90:
        return float(rng.normal(0, 14))
    if kind < 0.97:
        return float(180 + rng.normal(0, 18))
    return float(rng.uniform(-180, 180))


def _leg(
    rng: np.random.Generator,
    flex: float,
    knee: float,
    *,
    abduct: float = 4.0,
    rotate: float = 8.0,
    spread: float = 1.0,
    ankle: float | None = None,
) -> LegAngles:
    flex = float(np.clip(flex + rng.normal(0, 5 * spread), -28, 125))
    knee = float(np.clip(knee + rng.normal(0, 6 * spread), 0, 145))
    abduct = float(np.clip(abduct + rng.normal(0, 3 * spread), -6, 45))
    if ankle is None:  # the sole stays near the ground's direction
        ankle = float(np.clip(0.6 * (flex - knee), -45, 18))
    return LegAngles(
        flex, abduct, rotate + rng.normal(0, 8), knee, ankle + rng.normal(0, 4)
    )


def _stance(
    rng: np.random.Generator, name: str
) -> tuple[LegAngles, LegAngles, float, float, str]:
    """(leading leg, other leg, pelvis pitch, spine flexion, seat)."""
    u = rng.uniform
    if name == 'walk':
        return (
            _leg(rng, u(14, 32), u(2, 22)),
            _leg(rng, -u(6, 22), u(5, 40)),
            2,
            2,
            '',
        )
    if name == 'run':
        return (
            _leg(rng, u(35, 75), u(40, 100)),
            _leg(rng, -u(5, 25), u(20, 95)),
            8,
            8,
            '',
        )
    if name == 'sit':
        wide = u(2, 22)
        return (
            _leg(rng, u(72, 92), u(60, 105), abduct=wide, ankle=0),
            _leg(rng, u(72, 92), u(60, 105), abduct=wide, ankle=0),
            u(-12, 8),
            u(0, 22),
            'stool',
        )
    if name == 'squat':
        depth = u(0.55, 1)
        wide = u(8, 30)
        return (
            _leg(rng, 115 * depth, 130 * depth, abduct=wide, ankle=-22),
            _leg(rng, 115 * depth, 130 * depth, abduct=wide, ankle=-22),
            22 * depth,
            18,
            '',
        )
    if name == 'kneel':
        return (
            _leg(rng, u(75, 95), u(80, 105)),
            _leg(rng, -u(-10, 12), u(85, 110), ankle=35),
            4,
            6,
            '',
        )
    if name == 'lunge':
        return (
            _leg(rng, u(60, 90), u(55, 95)),
            _leg(rng, -u(12, 26), u(5, 45)),
            8,
            4,
            '',
        )
    if name == 'kick':
        return (
            _leg(rng, u(45, 100), u(0, 45), abduct=u(0, 30)),
            _leg(rng, -u(0, 8), u(0, 20)),
            -8,
            4,
            '',
        )
    if name == 'jump':
        return (
            _leg(rng, u(0, 80), u(20, 115), abduct=u(0, 20)),
            _leg(rng, u(0, 80), u(20, 115), abduct=u(0, 20)),
            4,
            6,
            '',
        )
    if name == 'star':
        wide = u(18, 38)
        return (
            _leg(rng, 0, 3, abduct=wide),
            _leg(rng, 0, 3, abduct=wide),
            0,
            0,
            '',
        )
    if name == 'bend':
        pitch = u(15, 45)
        return (
            _leg(rng, pitch, u(5, 40)),
            _leg(rng, pitch, u(5, 40)),
            pitch,
            u(20, 45),
            '',
        )
    if name == 'step':
        return (_leg(rng, u(45, 80), u(55, 95)), _leg(rng, 0, 5), 4, 4, '')
    if name == 'free':
        return (
            _leg(rng, u(-20, 100), u(0, 120), abduct=u(0, 40), spread=2),
            _leg(rng, u(-20, 100), u(0, 120), abduct=u(0, 40), spread=2),
            u(-10, 30),
            u(-10, 35),
            '',
        )
    wide = abs(rng.normal(4, 5))
    return (
        _leg(rng, u(-2, 8), u(0, 18), abduct=wide, spread=0.6),
        _leg(rng, u(-4, 3), u(0, 5), abduct=wide, spread=0.6),
        0,
        1,
        '',
    )


def _swing(
    rng: np.random.Generator, running: bool, forwards: bool
) -> ArmAngles:
    low, high = (60, 110) if running else (8, 45)
    flex = rng.uniform(15, 45) if forwards else -rng.uniform(10, 42)
    return ArmAngles(
        flex * (1.2 if running else 1),
        abs(rng.normal(8, 6)),
        rng.normal(10, 12),
        rng.uniform(low, high),
    )


def _gesture(
    rng: np.random.Generator, name: str, seat: str
) -> ArmAngles | ArmAim:
    u, n = rng.uniform, rng.normal
    palm = n(60, 25)
    if seat and name in ('hang', 'swing'):  # hands on the thighs
        return ArmAim(
            '{side}_thigh',
            (u(-0.01, 0.02), -u(0.10, 0.23), u(0.05, 0.065)),
            (u(0.4, 1), -0.4, -u(0.2, 1)),
            palm=90,
        )
    if name == 'hang':
        return ArmAngles(n(5, 9), abs(n(9, 6)), n(5, 18), abs(n(14, 12)), palm)
    if name == 'swing':
        return replace(_swing(rng, False, bool(u() < 0.5)), palm=palm)
    if name == 'raise':
        return ArmAngles(n(8, 18), u(115, 172), n(-10, 30), u(0, 60), palm)
    if name == 'wave':
        return ArmAngles(n(5, 12), u(65, 105), -u(55, 100), u(65, 125), palm)
    if name == 'spread':
        return ArmAngles(n(5, 15), u(55, 105), n(0, 25), abs(n(12, 15)), palm)
    if name == 'reach':
        return ArmAngles(u(45, 115), n(5, 12), n(10, 25), abs(n(18, 20)), palm)
    if name == 'carry':
        return ArmAngles(u(5, 35), abs(n(10, 8)), n(15, 20), u(70, 110), palm)
    if name == 'hip':
        return ArmAim(
            'pelvis',
            (0.085 + n(0, 0.006), 0.055 + n(0, 0.015), u(-0.02, 0.04)),
            (1, -0.1, -u(0.1, 0.7)),
            palm=100,
            wrist=35,
        )
    if name == 'cross':
        return ArmAim(
            'chest',
            (-0.06 + n(0, 0.015), 0.07 + n(0, 0.02), 0.085 + n(0, 0.008)),
            (u(0.5, 1), -0.7, 0.1),
            palm=80,
        )
    if name == 'face':
        return ArmAim(
            'head',
            (0.06 + n(0, 0.01), u(-0.04, 0.05), u(0.03, 0.10)),
            (u(0.3, 1), -1, u(0.1, 0.6)),
            lift=0.25,
            palm=30,
        )
    if name == 'nape':
        return ArmAim(
            'head',
            (0.05, u(0.0, 0.08), -0.055),
            (1, u(-0.1, 0.5), 0.15),
            lift=0.6,
            palm=60,
        )
    return ArmAngles(u(-35, 150), u(0, 110), u(-70, 60), u(0, 130), palm)
