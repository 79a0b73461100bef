"""A person: the solids of a dressed body, and its joints."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from . import body
from .appearance import Outfit, choose, plain, sample_outfit, strands
from .body import SIDES, Build, Pose, Segment
from .rendering import Array, Paint, Rng, Solid

Ball = tuple[float, float, float, float]
"""x, y, z, radius in a segment's frame."""

# Joint -> solids that show it, and how far in front of the joint their
# surface may lie, in statures; * stands for the side.
CARRIERS: dict[str, tuple[tuple[str, ...], float]] = {
    'nose': (('nose',), 0.05),
    '*_eye': (('*_eye',), 0.05),
    '*_ear': (('*_ear',), 0.05),
    '*_shoulder': (('*_upper_arm', '*_shoulder', 'chest'), 0.075),
    '*_elbow': (('*_upper_arm', '*_forearm'), 0.065),
    '*_wrist': (('*_forearm', '*_hand'), 0.055),
    '*_hip': (('*_thigh', 'pelvis', 'belly', 'skirt'), 0.12),
    '*_knee': (('*_thigh', '*_shin', 'skirt'), 0.11),
    '*_ankle': (('*_shin', '*_foot'), 0.1),
}
STARTS = {'pelvis': 'pelvis', 'thorax': 'neck', '*_hip': '*_thigh'}
STARTS |= {'*_shoulder': '*_upper_arm', '*_elbow': '*_forearm'}
STARTS |= {'*_wrist': '*_hand', '*_knee': '*_shin', '*_ankle': '*_foot'}
"""Joint -> segment that starts at it."""

# In heads (chin to crown), in the head's frame; left side.
HEAD_POINTS = {
    'nose': (0.0, 0.335, 0.455),
    '*_eye': (0.16, 0.46, 0.305),
    '*_ear': (0.355, 0.42, -0.02),
    'head_top': (0.0, 1.0, -0.04),
    'upper_neck': (0.0, 0.02, -0.06),
}
SKULL, SKULL_RADII = np.array([0, 0.60, -0.055]), np.array([0.345, 0.40, 0.41])

# Solids in units of head, hand or foot: a round cone by two balls (x y z
# radius) and the factors that squeeze it, or an ellipsoid by its centre and
# radii. Rows with * exist on both sides and are given for the left. Rows
# named after a hair style or hat belong to it.
SOLIDS = """
row      tag    segment paint
all      *_hand *_hand  skin   0 -.008 0 .019         0 -.036 0 .024    1 1 .5
all      *_hand *_hand  skin   0 -.042 0 .022         0 -.078 .006 .013 1 1 .5
all      *_hand *_hand  skin   -.012 -.015 .004 .0095 -.034 -.046 .012 .0075
all      head   head    face   0 .60 -.055            .345 .40 .41
all      head   head    jaw    0 .57 .035 .325        0 .21 .13 .22
all      head   head    lips   0 .185 .315            .12 .03 .045
all      nose   head    face   0 .50 .345 .032        0 .345 .405 .05
all      nose   head    face   0 .327 .42             .07 .048 .05
all      *_eye  head    white  .16 .46 .28            .08 .045 .045
all      *_eye  head    iris   .152 .46 .299          .042 .044 .036
all      *_brow head    brow   .085 .562 .353 .019    .25 .56 .25 .014
all      *_ear  head    skin   .355 .42 -.02          .05 .105 .07
all      *_ear  head    shade  .377 .42 -.01          .035 .07 .045
bob      *_hair head    hair   .29 .64 -.06 .10       .30 .22 -.10 .085 1 1 2
bob      hair   head    hair   0 .60 -.20 .35         0 .12 -.22 .29  1 1 .72
long     *_hair head    hair   .29 .64 -.06 .10       .30 -.28 -.10 .085 1 1 2
long     hair   head    hair   0 .60 -.20 .35         0 -.38 -.22 .29 1 1 .72
bun      hair   head    hair   0 .95 -.38             .17 .17 .17
ponytail hair   head    hair   0 .80 -.50 .12         0 .1 -.62 .07
cap      hat    head    hat    0 .735 .42             .28 .03 .26
brim     hat    head    hat    0 .735 -.02            .68 .035 .70
"""
GLOSS = {'face': 0.06, 'jaw': 0.05, 'iris': 0.5, 'hair': 0.1}
DOWN = (0, -1, 0)


@dataclass
class Figure:
    """A person to draw, in the body frame, in statures; ``joints`` are COCO's
    and four of MPII's, ``lowest`` is the Y of feet and knees."""

    solids: list[Solid]
    joints: dict[str, Array]
    seated: bool
    lowest: float


def sample_figure(rng: Rng) -> Figure:
    """Draw a person: build, a plausible pose, and an outfit."""
    build = body.sample_build(rng)
    for _ in range(20):
        pose = body.sample_pose(rng)
        if body.is_plausible(build, body.pose_body(build, pose)):
            break
    upright = all(leg[0] < 35 and leg[1] < 70 for leg in pose.legs.values())
    return make_figure(build, pose, sample_outfit(rng, build.curve, upright))


def make_figure(build: Build, pose: Pose, outfit: Outfit) -> Figure:
    """Dress a body in a pose."""
    segments = body.pose_body(build, pose)
    joints = {}
    for side, sign in SIDES.items():
        for name, segment in STARTS.items():
            origin = segments[segment.replace('*', side)].origin
            joints[name.replace('*', side)] = origin
        for name, place in HEAD_POINTS.items():
            place = np.multiply(place, (sign * build.head, *[build.head] * 2))
            joints[name.replace('*', side)] = segments['head'].at(*place)
    low = dict(ankle=0.045, knee=0.05)
    ends = ((f'{side}_{name}', low[name]) for name in low for side in SIDES)
    lowest = min(joints[name][1] - thick for name, thick in ends)
    solids = _Dresser(build, outfit, segments).solids
    return Figure(solids, joints, pose.seated, lowest)


def _along(down: Array, front: Array) -> Array:
    """(3, 3) axes of a segment with -Y along ``down`` and Z near ``front``."""
    axes = np.array([[0, -1, 0], [0, 0, 1]])
    rotation, _ = Rotation.align_vectors([down, front], axes, [np.inf, 1])
    return rotation.as_matrix()


class _Dresser:
    """Builds the solids of a body, in statures."""

    def __init__(
        self, build: Build, outfit: Outfit, segments: dict[str, Segment]
    ) -> None:
        self.build, self.outfit, self.segments = build, outfit, segments
        self.top = build.trunk - 0.105  # of the chest
        self.limb = build.muscle * (0.55 + 0.45 * build.weight)
        self.limb *= 1.04 - 0.14 * build.curve
        self.skin = plain(outfit.skin)
        self.shirt = self._shirt()
        self.solids: list[Solid] = []
        self._trunk()
        for side, sign in SIDES.items():
            self._shoulder(side, sign)
            self._leg(side, sign)
            self._arm(side)
        if outfit.skirt:
            self._skirt()
        self._head()

    def add(
        self,
        tag: str,
        segment: str | Segment,
        paint: Paint,
        one: Sequence[float],
        two: Sequence[float],
        squeeze: Any = (1.0, 1.0, 1.0),
        cuts: Sequence[tuple[Any, float]] = (),
        gloss: float = 0.0,
        size: float = 1.0,
    ) -> None:
        """Add a round cone to a segment; ``squeeze`` are factors of the radii
        along X, Y and Z, ``size`` is the unit of lengths."""
        if isinstance(segment, str):
            segment = self.segments[segment]
        scale = np.append(squeeze, 1.0)
        wide = np.float32(scale[:3, None])
        axes = segment.axes * (scale[:3] * size)
        one, two = np.divide(one, scale), np.divide(two, scale)
        inner = lambda q: paint(q * wide)  # noqa: E731
        solid = Solid(tag, segment.origin, axes, one, two, inner, cuts, gloss)
        self.solids.append(solid)

    def _shirt(self) -> Paint:
        """The top's paint on the chest: neckline and open jackets."""
        outfit, paint = self.outfit, self.outfit.top
        if outfit.open_front is not None:
            inner = outfit.open_front
            paint = choose(lambda q: np.abs(q[0]) < 0.032, inner, paint)
            paint = choose(lambda q: q[2] > 0, paint, outfit.top)

        def is_bare(q: Array) -> Array:
            x, drop = np.abs(q[0]), self.top + 0.022 - q[1]
            bare = (q[2] > 0) & (x < 0.035 - 0.4 * drop)
            bare &= drop < outfit.neckline + 0.012
            if outfit.sleeve == 0:
                bare |= (x > 0.072) & (drop < 0.072)
            return bare

        return choose(is_bare, self.skin, paint)

    def _trunk(self) -> None:
        """Chest, belly, pelvis and neck."""
        build, add, shirt, top = self.build, self.add, self.shirt, self.top
        girth, curve, bottom = build.weight, build.curve, self.outfit.bottom
        chest, pelvis = self.segments['chest'], self.segments['pelvis']
        waist = (0.083 - 0.013 * curve) * girth
        hips = (0.091 + 0.009 * curve) * (0.2 + 0.8 * girth)
        rib = 0.094 * (build.shoulder / 0.105) * (0.5 + 0.5 * girth)
        one, two = (0, top - 0.085, 0, rib), (0, 0, 0, waist)
        add('chest', 'chest', shirt, one, two, (1, 1, 0.66))
        for x in (0.042, -0.042) if curve > 0.55 else ():
            one = (x, top - 0.07, 0.024 * girth, 0.034 * girth)
            two = (x, top - 0.10, 0.036 * girth, 0.038 * girth)
            add('chest', 'chest', shirt, one, two, (1, 1, 0.8))
        down = pelvis.origin - chest.origin
        axes = _along(down, chest.axes[:, 2] + pelvis.axes[:, 2])
        belly, length = Segment(chest.origin, axes), np.linalg.norm(down)
        paint = choose(lambda q: q[1] > 0.05 - length, shirt, bottom)
        one, two = (0, 0, 0, waist), (0, -length, 0, hips)
        cut = [(DOWN, length + 0.02)]
        add('belly', belly, paint, one, two, (1, 1, 0.72), cut)
        if hem := self.outfit.shirt_hem:
            one, two = (0, 0, 0, waist * 1.04), (0, -length, 0, hips * 1.12)
            cut = [(DOWN, length + hem - 0.03)]
            add('belly', belly, shirt, one, two, (1, 1, 0.86), cut)
        r = 0.060 * girth
        one, two = (0.033, -0.008, 0, r), (-0.033, -0.008, 0, r)
        add('pelvis', 'pelvis', bottom, one, two)
        for x in (0.041, -0.041):
            one = (x, -0.020, -0.026, 0.049 * girth)
            two = (x, -0.034, -0.022, 0.046 * girth)
            add('pelvis', 'pelvis', bottom, one, two)
        one = (0, -0.03, -0.004, 0.037 * self.limb)
        two = (0, build.neck + 0.03, 0.002, 0.033 * self.limb)
        add('neck', 'neck', self.skin, one, two)

    def _shoulder(self, side: str, sign: float) -> None:
        """From the neck to the arm, and the armpit of a raised arm."""
        chest, tag = self.segments['chest'], f'{side}_shoulder'
        joint = self.segments[f'{side}_upper_arm'].origin
        x, y, z = chest.axes.T @ (joint - chest.origin)
        thick = 1, 1, 1, self.limb
        r, flat = 0.042 * (0.6 + 0.4 * self.build.weight), (1, 1, 0.92)
        one, two = (
            (0.012 * sign, self.top + 0.012, -0.006, r),
            (x, y, z, 0.038),
        )
        self.add(tag, chest, self.shirt, one, np.multiply(two, thick), flat)
        r = 0.4 * self.build.shoulder
        one, two = (0.055 * sign, self.top - 0.09, -0.004, r), (x, y, z, 0.036)
        self.add(tag, chest, self.shirt, one, np.multiply(two, thick), flat)

    def _limb(
        self,
        tag: str,
        balls: list[Ball],
        bare: Paint,
        cloth: Paint,
        cover: float,
        ease: tuple[float, float],
        hem: float = 1.0,
    ) -> None:
        """A limb through ``balls`` and loose cloth over a fraction ``cover``
        of it, ``ease`` times as wide at its two ends (0: skin-tight) and cut
        at the fraction ``hem``."""
        length, cover = -balls[-1][1], min(max(cover, 0.0), 1.0)
        paint = cloth if cover == 1 else bare
        if 0 < cover < 1:
            paint = choose(lambda q: q[1] > -cover * length, cloth, bare)
        for one, two in pairwise(balls):
            self.add(tag, tag, paint, one, two)
        if cover and ease[0]:
            x, y, z, r = balls[0]
            end = (r + cover * (balls[-1][3] - r)) * ease[1]
            one, two = (x, y, z, r * ease[0]), (0, -length * cover, 0, end)
            cut = [(DOWN, length * cover * hem + y)]
            cut = cut if cover * hem < 1 else []
            self.add(tag, tag, cloth, one, two, cuts=cut)

    def _arm(self, side: str) -> None:
        outfit, limb = self.outfit, self.limb
        la, lb = self.build.upper_arm, self.build.forearm
        r0, r1, r2, r3 = (limb * r for r in (0.037, 0.029, 0.0286, 0.0185))
        cover, ease, cloth = outfit.sleeve, outfit.sleeve_ease, outfit.top
        tag, balls = f'{side}_upper_arm', [(0, 0, 0, r0), (0, -la, 0, r1)]
        self._limb(tag, balls, self.skin, cloth, cover, (1.08, ease))
        balls = [(0, 0, 0, r1), (0, -lb * 0.3, 0, r2), (0, -lb, 0, r3)]
        tag, wide = f'{side}_forearm', (ease, ease * 1.12)
        self._limb(tag, balls, self.skin, cloth, cover - 1, wide, 0.97)

    def _leg(self, side: str, sign: float) -> None:
        outfit, limb, skin = self.outfit, self.limb, self.skin
        la, lb = self.build.thigh, self.build.shin
        r0 = 0.056 * (0.35 * limb + 0.65 * self.build.weight)
        r1, r2, r3 = (limb * r for r in (0.0385, 0.0395, 0.024))
        cover, cloth = outfit.leg, outfit.bottom
        ease = 0 if outfit.skirt else outfit.ease
        balls = [(-0.004 * sign, -0.022, -0.002, r0), (0, -la, 0, r1)]
        wide = (min(1.02, ease), ease)
        self._limb(f'{side}_thigh', balls, skin, cloth, cover, wide)
        edge = -lb * (1 - outfit.sock_height)
        bare = choose(lambda q: q[1] < edge, outfit.sock, skin)
        calf = (0, -lb * 0.3, -0.008, r2)
        balls = [(0, 0, 0.002, r1), calf, (0, -lb, 0, r3)]
        wide = (ease, ease * 1.15)
        self._limb(f'{side}_shin', balls, bare, cloth, cover - 1, wide, 0.985)
        size, tag = self.build.foot / 0.145, f'{side}_foot'
        shoe = choose(lambda q: q[1] < -0.031, outfit.sole, outfit.shoe)
        heel, ball = (0, -0.010, -0.012, 0.031), (0, -0.026, 0.055, 0.027)
        self.add(tag, tag, shoe, heel, ball, cuts=[(DOWN, 0.031)], size=size)
        one, two = (0, -0.022, 0.045, 0.0285), (0, -0.027, 0.095, 0.020)
        cut, flat = [(DOWN, 0.019)], (1.12, 1, 1)
        self.add(tag, tag, shoe, one, two, flat, cut, size=size)

    def _skirt(self) -> None:
        """A bell from the waist to the hem that holds both thighs."""
        build, share, low = self.build, self.outfit.skirt, []
        pelvis = self.segments['pelvis']
        for side in SIDES:
            name, down = 'thigh', build.thigh * share
            if share >= 1:
                name, down = 'shin', build.shin * (share - 1)
            low.append(self.segments[f'{side}_{name}'].at(0, -down, 0))
        start = pelvis.at(0, 0.055, 0)
        down = 0.5 * (low[0] + low[1]) - start
        segment = Segment(start, _along(down, pelvis.axes[:, 2]))
        spread = np.abs((np.stack(low) - start) @ segment.axes).max(axis=0)
        spread += 0.065 * build.weight
        waist = (0.083 - 0.012 * build.curve) * build.weight * 1.06
        length, hem = np.linalg.norm(down), max(spread[0], waist)
        flat = (1, 1, np.clip(spread[2] / hem, 0.7, 1.1))
        one, two = (0, 0, 0, waist), (0, -length, 0, hem)
        cuts = [(DOWN, length), ((0, 1, 0), 0.03)]
        self.add('skirt', segment, self.outfit.bottom, one, two, flat, cuts)

    def _head(self) -> None:
        """Head, hair and hat, and the hands."""
        outfit, build, skin = self.outfit, self.build, self.skin
        style, hat = outfit.hair_style, outfit.hat
        hair = strands(outfit.hair, style == 'curly')

        def is_bearded(q: Array) -> Array:
            mouth = (np.abs(q[0]) < 0.13) & (np.abs(q[1] - 0.185) < 0.04)
            edge = 0.16 + 0.16 * outfit.beard - 0.7 * np.maximum(0.2 - q[2], 0)
            return (q[1] < edge) & ~mouth

        jaw = choose(is_bearded, hair, skin) if outfit.beard else skin
        paints = dict(skin=skin, face=skin, jaw=jaw, hair=hair)
        paints['hat'] = outfit.hat_paint
        paints['lips'] = plain(outfit.skin * [0.72, 0.62, 0.88])
        paints |= dict(white=plain(np.full(3, 0.95)), iris=plain(outfit.iris))
        paints['brow'] = plain(outfit.hair * 0.8)
        paints['shade'] = plain(outfit.skin * 0.88)
        for line in SOLIDS.strip().splitlines()[1:]:
            row, tag, where, paint, *cells = line.split()
            if row not in ('all', style, hat):
                continue
            values = np.array(cells, float)
            if len(values) == 6:
                values = np.r_[values[:3], 1, values[:3], 1, values[3:]]
            squeeze = values[8:] if len(values) > 8 else (1, 1, 1)
            size = build.head if where == 'head' else build.hand / 0.092
            for side, sign in SIDES.items() if '*' in tag else [('', 1)]:
                one, two = values[:8].reshape(2, 4) * (sign, 1, 1, 1)
                names = (name.replace('*', side) for name in (tag, where))
                solid = *names, paints[paint], one, two, squeeze
                self.add(*solid, gloss=GLOSS.get(paint, 0), size=size)
        # Caps of hair and hats: skull, scaled and cut at the hairline.
        caps = []
        if style != 'bald':
            grow = {'cropped': 1.03, 'curly': 1.24}.get(style, 1.09)
            drop = {'cropped': 0.10, 'bob': 0.3, 'long': 0.3}.get(style, 0.2)
            cut = (0, -1, 0.9), drop - 0.13 + 0.35 * outfit.fringe
            caps.append(('hair', hair, 0, grow, cut))
        if hat:
            grow = 1.15 if hat == 'beanie' else 1.13
            cut = ((0, -1, 0.12), -0.22) if hat == 'beanie' else (DOWN, -0.30)
            caps.append(('hat', outfit.hat_paint, 0.025, grow, cut))
        for tag, paint, up, grow, cut in caps:
            ball, radii = (*(SKULL + (0, up, 0)), 1), SKULL_RADII * grow
            look = dict(cuts=[cut], gloss=GLOSS.get(tag, 0), size=build.head)
            self.add(tag, 'head', paint, ball, ball, radii, **look)
