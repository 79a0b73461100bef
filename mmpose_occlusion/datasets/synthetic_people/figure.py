"""A person: the solids of a dressed body, and its joints."""

from dataclasses import dataclass

import numpy as np

from .body import (
    SIDES,
    SIGN,
    Build,
    Segment,
    frame_along,
    pose_body,
    sample_build,
)
from .head import head_points, head_solids
from .patterns import choose, plain
from .poses import LegAngles, Pose, sample_pose
from .raster import Paint, Solid
from .wardrobe import Outfit, sample_outfit

# Through which solids a joint is seen, and how far in front of the joint
# their surface may lie, in statures.
CARRIERS: dict[str, tuple[tuple[str, ...], float]] = {
    'nose': (('nose',), 0.05),
}
for _side in SIDES:
    CARRIERS |= {
        f'{_side}_eye': ((f'{_side}_eye',), 0.05),
        f'{_side}_ear': ((f'{_side}_ear',), 0.05),
        f'{_side}_shoulder': (
            (f'{_side}_upper_arm', f'{_side}_shoulder', 'chest'),
            0.075,
        ),
        f'{_side}_elbow': ((f'{_side}_upper_arm', f'{_side}_forearm'), 0.065),
        f'{_side}_wrist': ((f'{_side}_forearm', f'{_side}_hand'), 0.055),
        f'{_side}_hip': ((f'{_side}_thigh', 'pelvis', 'belly', 'skirt'), 0.12),
        f'{_side}_knee': ((f'{_side}_thigh', f'{_side}_shin', 'skirt'), 0.11),
        f'{_side}_ankle': ((f'{_side}_shin', f'{_side}_foot'), 0.1),
    }


@dataclass
class Figure:
    """A person to draw.

    Args:
        solids: In the body frame, in statures.
        joints: Name -> (3,) in the body frame: COCO's 17 joints and MPII's
            ``pelvis``, ``thorax``, ``upper_neck`` and ``head_top``.
        pose, build, outfit: What it was made from.
        head: Indices of the solids that MPII's head box encloses.
        lowest: Height Y of the lowest point of feet and knees.
    """

    solids: list[Solid]
    joints: dict[str, np.ndarray]
    pose: Pose
    build: Build
    outfit: Outfit
    head: list[int]
    lowest: float


def sample_figure(rng: np.random.Generator) -> Figure:
    """Draw a person: build, a pose that a body can take, and an outfit."""
    build = sample_build(rng)
    for _ in range(20):
        pose = sample_pose(rng)
        segments = pose_body(build, pose)
        if is_plausible(build, segments):
            break
    outfit = sample_outfit(rng, build.curve, _room_for_skirt(pose))
    return make_figure(build, pose, outfit)


def make_figure(build: Build, pose: Pose, outfit: Outfit) -> Figure:
    """Dress a body in a pose."""
    segments = pose_body(build, pose)
    limbs = _Limbs(build, outfit, segments)
    limbs.trunk()
    for side in SIDES:
        limbs.leg(side)
        limbs.arm(side)
    if outfit.skirt:
        limbs.skirt()
    head = head_solids(segments['head'], build.head, outfit)
    boxed = [
        len(limbs.solids) + i
        for i, solid in enumerate(head)
        if solid.tag == 'head'
    ]
    joints = _joints(build, segments)
    low = min(
        min(joints[f'{s}_ankle'][1] - 0.045, joints[f'{s}_knee'][1] - 0.05)
        for s in SIDES
    )
    return Figure(limbs.solids + head, joints, pose, build, outfit, boxed, low)


def is_plausible(build: Build, segments: dict[str, Segment]) -> bool:
    """No hand or elbow inside the trunk or head, no wrist behind the head."""
    pelvis, chest = segments['pelvis'], segments['chest']
    head = segments['head']
    for side in SIDES:
        hand = segments[f'{side}_hand']
        for point in (
            segments[f'{side}_forearm'].origin,
            hand.origin,
            hand.at(0, -0.05, 0),
        ):
            for base, centre, radii in (
                (chest, (0, 0.09, 0), (0.10, 0.14, 0.072)),
                (pelvis, (0, 0.0, 0), (0.085, 0.09, 0.07)),
                (head, (0, 0.5 * build.head, 0), (0.06, 0.075, 0.065)),
            ):
                q = base.axes.T @ (point - base.origin) - centre
                if np.sum((q / radii) ** 2) < 1:
                    return False
        foot = segments[f'{side}_foot'].origin
        if foot[1] > head.origin[1]:
            return False
    return True


def _room_for_skirt(pose: Pose) -> bool:
    legs: list[LegAngles] = list(pose.legs.values())
    return (
        max(leg.flex for leg in legs) < 35
        and max(leg.knee for leg in legs) < 70
        and not pose.seat
    )


def _joints(
    build: Build, segments: dict[str, Segment]
) -> dict[str, np.ndarray]:
    joints = head_points(segments['head'], build.head)
    joints['pelvis'] = segments['pelvis'].origin
    joints['thorax'] = segments['neck'].origin
    joints['upper_neck'] = segments['head'].at(0, 0.02 * build.head, -0.01)
    for side in SIDES:
        joints[f'{side}_shoulder'] = segments[f'{side}_upper_arm'].origin
        joints[f'{side}_elbow'] = segments[f'{side}_forearm'].origin
        joints[f'{side}_wrist'] = segments[f'{side}_hand'].origin
        joints[f'{side}_hip'] = segments[f'{side}_thigh'].origin
        joints[f'{side}_knee'] = segments[f'{side}_shin'].origin
        joints[f'{side}_ankle'] = segments[f'{side}_foot'].origin
    return joints


class _Limbs:
    """Builds the solids below the head."""

    def __init__(
        self, build: Build, outfit: Outfit, segments: dict[str, Segment]
    ) -> None:
        self.build = build
        self.outfit = outfit
        self.segments = segments
        self.girth = build.weight
        self.limb = (
            build.muscle
            * (0.55 + 0.45 * build.weight)
            * (1.04 - 0.14 * build.curve)
        )
        self.skin = plain(outfit.skin)
        self.solids: list[Solid] = []

    def cone(
        self,
        tag: str,
        segment: Segment,
        a,
        b,
        ra: float,
        rb: float,
        paint: Paint,
        squeeze=(1.0, 1.0, 1.0),
        keep=(),
        gloss: float = 0.0,
    ) -> None:
        """A round cone in a segment's frame, squeezed about its origin.

        ``a``, ``b`` are in the segment's frame; ``keep`` planes too.
        """
        s = np.asarray(squeeze, float)

        def unsqueezed(q: np.ndarray) -> np.ndarray:
            return paint(q * s.astype(np.float32)[:, None])

        self.solids.append(
            Solid(
                tag,
                segment.origin,
                segment.axes * s,
                np.asarray(a, float) / s,
                np.asarray(b, float) / s,
                ra,
                rb,
                unsqueezed,
                [(np.asarray(n, float) * s, d) for n, d in keep],
                gloss,
            )
        )

    def trunk(self) -> None:
        """Chest, belly, pelvis, shoulders and neck."""
        build, outfit, girth = self.build, self.outfit, self.girth
        chest, pelvis = self.segments['chest'], self.segments['pelvis']
        neck = self.segments['neck']
        curve = build.curve
        top = build.trunk - 0.105
        broad = build.shoulder / 0.105
        waist = (0.083 - 0.013 * curve) * girth
        hips = (0.091 + 0.009 * curve) * (0.2 + 0.8 * girth)
        rib = 0.094 * broad * (0.5 + 0.5 * girth)
        shirt = self._shirt(top)
        self.cone(
            'chest',
            chest,
            (0, top - 0.085, 0),
            (0, 0, 0),
            rib,
            waist,
            shirt,
            (1, 1, 0.66),
        )
        if curve > 0.55:
            for side in SIDES:
                x = 0.042 * SIGN[side]
                self.cone(
                    'chest',
                    chest,
                    (x, top - 0.07, 0.024 * girth),
                    (x, top - 0.10, 0.036 * girth),
                    0.034 * girth,
                    0.038 * girth,
                    shirt,
                    (1, 1, 0.8),
                )
        down = pelvis.origin - chest.origin
        belly = Segment(
            chest.origin,
            frame_along(down, chest.axes[:, 2] + pelvis.axes[:, 2]),
        )
        length = float(np.linalg.norm(down))
        hem = outfit.shirt_hem
        lower = choose(lambda q: q[1] > 0.05 - length, shirt, outfit.bottom)
        self.cone(
            'belly',
            belly,
            (0, 0, 0),
            (0, -length, 0),
            waist,
            hips,
            lower,
            (1, 1, 0.72),
            keep=[((0, -1, 0), length + 0.02)],
        )
        if hem:
            self.cone(
                'belly',
                belly,
                (0, 0, 0),
                (0, -length - 0.02, 0),
                waist * 1.04,
                hips * 1.12,
                shirt,
                (1, 1, 0.86),
                keep=[((0, -1, 0), length + hem - 0.03)],
            )
        self.cone(
            'pelvis',
            pelvis,
            (0.033, -0.008, 0),
            (-0.033, -0.008, 0),
            0.060 * girth,
            0.060 * girth,
            outfit.bottom,
        )
        for side in SIDES:
            x = SIGN[side] * 0.041
            self.cone(
                'pelvis',
                pelvis,
                (x, -0.020, -0.026),
                (x, -0.034, -0.022),
                0.049 * girth,
                0.046 * girth,
                outfit.bottom,
            )
        for side in SIDES:
            sign = SIGN[side]
            shoulder = self.segments[f'{side}_upper_arm'].origin
            local = chest.axes.T @ (shoulder - chest.origin)
            self.cone(
                f'{side}_shoulder',
                chest,
                (0.012 * sign, top + 0.012, -0.006),
                local,
                0.042 * (0.6 + 0.4 * girth),
                0.038 * self.limb,
                shirt,
                (1, 1, 0.92),
            )
            self.cone(  # fills the armpit of a raised arm
                f'{side}_shoulder',
                chest,
                (0.055 * sign, top - 0.09, -0.004),
                local,
                0.042 * broad,
                0.036 * self.limb,
                shirt,
                (1, 1, 0.92),
            )
        self.cone(
            'neck',
            neck,
            (0, -0.03, -0.004),
            (0, build.neck + 0.03, 0.002),
            0.037 * self.limb,
            0.033 * self.limb,
            self.skin,
        )

    def _shirt(self, top: float) -> Paint:
        """The top's paint on the chest: neckline and open jackets."""
        outfit = self.outfit
        paint = outfit.top
        if outfit.open_front is not None:
            inner, outer = outfit.open_front, outfit.top

            def is_open(q: np.ndarray) -> np.ndarray:
                return (q[2] > 0) & (np.abs(q[0]) < 0.032)

            paint = choose(is_open, inner, outer)
        depth = outfit.neckline
        bare = outfit.sleeve == 0

        def is_skin(q: np.ndarray) -> np.ndarray:
            x, y, z = q
            drop = top + 0.022 - y
            front = (
                (z > 0)
                & (np.abs(x) < 0.035 - 0.4 * drop)
                & (drop < depth + 0.012)
            )
            if bare:
                front |= (np.abs(x) > 0.072) & (y > top - 0.05)
            return front

        return choose(is_skin, self.skin, paint)

    def _clothed(
        self, share: float, length: float, cloth: Paint, bare: Paint
    ) -> Paint:
        """Cloth down to ``share`` of a limb that hangs along -Y."""
        if share <= 0:
            return bare
        if share >= 1:
            return cloth
        return choose(lambda q: q[1] > -share * length, cloth, bare)

    def arm(self, side: str) -> None:
        """Upper arm, forearm, hand, and the sleeve over them."""
        build, outfit, limb = self.build, self.outfit, self.limb
        upper = self.segments[f'{side}_upper_arm']
        fore = self.segments[f'{side}_forearm']
        la, lb = build.upper_arm, build.forearm
        sleeve, ease = outfit.sleeve, outfit.sleeve_ease
        radii = [0.037 * limb, 0.029 * limb, 0.028 * limb, 0.0185 * limb]
        tag = f'{side}_upper_arm'
        paint = self.skin if sleeve < 1 else outfit.top
        self.cone(
            tag, upper, (0, 0, 0), (0, -la, 0), radii[0], radii[1], paint
        )
        if sleeve > 0:
            end = min(sleeve, 1.0)
            self.cone(
                tag,
                upper,
                (0, 0, 0),
                (0, -la * end, 0),
                radii[0] * 1.08,
                (radii[0] + end * (radii[1] - radii[0])) * ease,
                outfit.top,
                keep=[((0, -1, 0), la * end)] if sleeve < 1 else (),
            )
        tag = f'{side}_forearm'
        cover = max(0.0, sleeve - 1)
        paint = self._clothed(cover, lb, outfit.top, self.skin)
        self.cone(
            tag,
            fore,
            (0, 0, 0),
            (0, -lb * 0.3, 0),
            radii[1],
            radii[2] * 1.02,
            paint,
        )
        self.cone(
            tag,
            fore,
            (0, -lb * 0.3, 0),
            (0, -lb, 0),
            radii[2] * 1.02,
            radii[3],
            paint,
        )
        if cover > 0:
            self.cone(
                tag,
                fore,
                (0, 0, 0),
                (0, -lb * cover, 0),
                radii[1] * ease,
                (radii[1] + cover * (radii[3] - radii[1])) * (ease * 1.12),
                outfit.top,
                keep=[((0, -1, 0), lb * cover * 0.97)],
            )
        self._hand(side)

    def _hand(self, side: str) -> None:
        hand = self.segments[f'{side}_hand']
        size = self.build.hand / 0.092
        tag, skin = f'{side}_hand', self.skin
        flat = (1, 1, 0.5)
        self.cone(
            tag,
            hand,
            (0, -0.008 * size, 0),
            (0, -0.036 * size, 0),
            0.019 * size,
            0.024 * size,
            skin,
            flat,
        )
        self.cone(
            tag,
            hand,
            (0, -0.042 * size, 0),
            (0, -0.078 * size, 0.006),
            0.022 * size,
            0.013 * size,
            skin,
            flat,
        )
        sign = SIGN[side]
        self.cone(
            tag,
            hand,
            (-0.012 * sign * size, -0.015 * size, 0.004),
            (-0.034 * sign * size, -0.046 * size, 0.012),
            0.0095 * size,
            0.0075 * size,
            skin,
        )

    def leg(self, side: str) -> None:
        """Thigh, shin, foot, and the trousers over them."""
        build, outfit, limb = self.build, self.outfit, self.limb
        girth = self.girth
        thigh = self.segments[f'{side}_thigh']
        shin = self.segments[f'{side}_shin']
        la, lb = build.thigh, build.shin
        sign = SIGN[side]
        radii = [
            0.056 * (0.35 * limb + 0.65 * girth),
            0.0385 * limb,
            0.0395 * limb,
            0.024 * limb,
        ]
        leg, ease = outfit.leg, outfit.ease
        tag = f'{side}_thigh'
        paint = self._clothed(leg, la, outfit.bottom, self.skin)
        self.cone(
            tag,
            thigh,
            (-0.004 * sign, -0.022, -0.002),
            (0, -la, 0),
            radii[0],
            radii[1],
            paint,
        )
        if not outfit.skirt:
            end = min(leg, 1.0)
            wide = radii[0] + end * (radii[1] - radii[0])
            self.cone(
                tag,
                thigh,
                (-0.004 * sign, -0.022, -0.002),
                (0, -la * end, 0),
                radii[0] * 1.02,
                wide * ease,
                outfit.bottom,
                keep=[((0, -1, 0), la * end)] if leg < 1 else (),
            )
        tag = f'{side}_shin'
        cover = max(0.0, leg - 1)
        socks = choose(
            lambda q: q[1] < -lb * (1 - outfit.sock_height),
            outfit.sock,
            self.skin,
        )
        paint = self._clothed(cover, lb, outfit.bottom, socks)
        self.cone(
            tag,
            shin,
            (0, 0, 0.002),
            (0, -lb * 0.3, -0.008),
            radii[1],
            radii[2],
            paint,
        )
        self.cone(
            tag,
            shin,
            (0, -lb * 0.3, -0.008),
            (0, -lb, 0),
            radii[2],
            radii[3],
            paint,
        )
        if cover > 0 and not outfit.skirt:
            self.cone(
                tag,
                shin,
                (0, 0, 0.002),
                (0, -lb * cover, -0.002),
                radii[1] * ease,
                max(radii[2] + cover * (radii[3] - radii[2]), 0.028)
                * ease
                * 1.05,
                outfit.bottom,
                keep=[((0, -1, 0), lb * cover * 0.985)],
            )
        self._foot(side)

    def _foot(self, side: str) -> None:
        foot = self.segments[f'{side}_foot']
        outfit = self.outfit
        size = self.build.foot / 0.145
        tag = f'{side}_foot'
        shoe = choose(lambda q: q[1] < -0.031 * size, outfit.sole, outfit.shoe)
        keep = [((0, -1, 0), 0.041 * size)]
        self.cone(
            tag,
            foot,
            (0, -0.010 * size, -0.012 * size),
            (0, -0.026 * size, 0.055 * size),
            0.031 * size,
            0.027 * size,
            shoe,
            (1, 1, 1),
            keep,
        )
        self.cone(
            tag,
            foot,
            (0, -0.022 * size, 0.045 * size),
            (0, -0.027 * size, 0.095 * size),
            0.0285 * size,
            0.020 * size,
            shoe,
            (1.12, 1, 1),
            keep,
        )

    def skirt(self) -> None:
        """A bell from the waist to the hem that holds both thighs."""
        build, outfit = self.build, self.outfit
        pelvis = self.segments['pelvis']
        share = outfit.skirt
        low = [
            self.segments[f'{s}_thigh'].at(0, -build.thigh * share, 0)
            if share < 1
            else self.segments[f'{s}_shin'].at(0, -build.shin * (share - 1), 0)
            for s in SIDES
        ]
        start = pelvis.at(0, 0.055, 0)
        down = 0.5 * (low[0] + low[1]) - start
        segment = Segment(start, frame_along(down, pelvis.axes[:, 2]))
        local = [segment.axes.T @ (p - start) for p in low]
        length = float(np.linalg.norm(down))
        spread_x = max(abs(q[0]) for q in local) + 0.065 * self.girth
        spread_z = max(abs(q[2]) for q in local) + 0.065 * self.girth
        waist = (0.083 - 0.012 * build.curve) * self.girth * 1.06
        hem = max(spread_x, waist)
        flat = float(np.clip(spread_z / hem, 0.7, 1.1))
        self.cone(
            'skirt',
            segment,
            (0, 0, 0),
            (0, -length, 0),
            waist,
            hem,
            outfit.bottom,
            (1, 1, flat),
            keep=[((0, -1, 0), length), ((0, 1, 0), 0.03)],
        )
