"""Where an occluder hurts which joint, in the frame of the body.

An occluder stood at each cell of a grid over every person's box (suites
``map`` and ``map-coarse``). Each cell is expressed by the nearest limb between
two labelled joints, the position along it and across it, so that people in
different poses are averaged at the same place of the body.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, Joints
from mmpose_occlusion.occlusion.targets import CELL, cell_position
from mmpose_occlusion.skeleton import CROWN, FACE, LIMBS

from .attack_description import describe
from .bootstrap import Estimate, estimate, weighted_mean
from .run_measures import RunMeasures

ALONG = 3
"""Bins along a limb, of a third of its length each."""

WIDTH = 0.05
"""Of the :data:`ACROSS` bins across a limb, as a fraction of the height of the
person's box; cells beyond them from every limb are background."""

ACROSS = (-1, 0, 1)

LEAST_PEOPLE = 10
"""Places with fewer people are masked."""

LARGE = 0.1
"""A rise of the error above this fraction of the longer side of the bbox."""

BACKGROUND, HEAD = 'background', 'head'

Limb = tuple[int, int]


@dataclass(frozen=True)
class PlaceEffect:
    """An occluder at a place of the body.

    Args:
        region: Of the matrix: a limb, :data:`HEAD` or :data:`BACKGROUND`.
        limb: Names of the ends; empty for the background.
        along: Index of the bin from the first end; None for the background.
        across: -1, 0 or 1, the last to the person's outer side as a person
            who faces the camera has it; None for the background.
        people: Number with a cell there.
        rise: Joint -> mean rise of EPE, a fraction of the longer side of the
            bbox; empty where masked, with fewer than :data:`LEAST_PEOPLE`.
        fall: Joint -> mean fall of the per-keypoint OKS; likewise.
    """

    region: str
    limb: tuple[str, ...]
    along: int | None
    across: int | None
    people: int
    rise: dict[str, Estimate]
    fall: dict[str, float | None]

    @property
    def is_mirrored(self) -> bool:
        """Whether the limb is on the person's right alone."""
        return is_right(self.limb)

    @property
    def text(self) -> str:
        """The place in words."""
        if self.along is None or self.across is None:
            return self.region
        where = ('near', 'middle of', 'near')[self.along]
        ends = (self.limb[0], '–'.join(self.limb), self.limb[1])
        side = {-1: ', inner side', 0: '', 1: ', outer side'}[self.across]
        return f'{where} {ends[self.along]}{side}'.replace('_', ' ')


@dataclass(frozen=True)
class JointSensitivity:
    """One joint under an occluder all over the body.

    Args:
        joint: Its name.
        people: With this joint labelled.
        mean: Rise of EPE, mean over a person's cells on the body.
        fall: Of the per-keypoint OKS, likewise.
        background: Rise of EPE under cells off the body.
        share: Of a person's cells on the body that raise the joint's error by
            more than :data:`LARGE`.
        maximum: Greatest mean rise of EPE of a place that is not masked; the
            interval is of that place, as if it were not the greatest.
        place: That place in words; empty without one.
    """

    joint: str
    people: int
    mean: Estimate
    fall: Estimate
    background: Estimate
    share: Estimate
    maximum: Estimate
    place: str


@dataclass(frozen=True)
class RegionEffect:
    """A row of the matrix: people with a cell in a region, and joint -> mean
    rise of EPE; empty where masked."""

    region: str
    people: int
    rise: dict[str, Estimate]


@dataclass(frozen=True)
class SensitivityMap:
    """The map of one paint and size.

    Args:
        suite: Of most of its cells.
        checksum: Of the suite.
        paint: Of the square.
        severity: Its side, as a fraction of the height of the box.
        cells: Of the grid.
        people: Who had a cell.
        samples: Pairs of a person and a cell.
        note: Why there is no map; else empty.
        places: On each limb and in the background.
        joints: Each joint.
        regions: The rows of the matrix.
    """

    suite: str
    checksum: str
    paint: str
    severity: float
    cells: int
    people: int
    samples: int
    note: str
    places: list[PlaceEffect]
    joints: list[JointSensitivity]
    regions: list[RegionEffect]


def split_cells(
    attacks: Sequence[Attacked],
) -> tuple[list[Attacked], list[Attacked]]:
    """Other attacks, and the cells of maps."""
    others: list[Attacked] = []
    cells: list[Attacked] = []
    for attack in attacks:
        (cells if describe(attack).kind == CELL else others).append(attack)
    return others, cells


def sensitivity_maps(
    measures: RunMeasures, cells: Sequence[Attacked]
) -> list[SensitivityMap]:
    """A map of each paint and size of squares on cells."""
    groups: dict[tuple[str, float], list[Attacked]] = {}
    for attack in cells:
        what = describe(attack)
        groups.setdefault((what.paint, what.severity or 0.0), []).append(
            attack
        )
    return [_map(measures, *key, found) for key, found in groups.items()]


def limbs_of(joints: Joints) -> list[Limb]:
    """The links of a skeleton, those of arms and legs from the trunk
    outwards."""
    order = {n: i for chain in LIMBS.values() for i, n in enumerate(chain)}
    sides, rests = zip(*(n.split('_', 1) for n in _sided(joints)), strict=True)
    ranks = [order.get(rest, 0) for rest in rests]
    return [
        (b, a) if sides[a] == sides[b] and ranks[a] > ranks[b] else (a, b)
        for a, b in joints.links
    ]


def is_right(limb: Sequence[str]) -> bool:
    """Whether joints are on the person's right and in the middle alone."""
    sides = {joint.partition('_')[0] for joint in limb}
    return 'right' in sides and 'left' not in sides


def _sided(joints: Joints) -> list[str]:
    """Names that begin with a side, if only an empty one."""
    has = ('left_', 'right_')
    return [n if n.startswith(has) else f'_{n}' for n in joints.names]


def body_frame(
    points: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points relative to limbs.

    Args:
        points: ``(..., 2)`` in image pixels.
        start: ``(..., 2)`` first end of a limb.
        end: ``(..., 2)`` last end.

    Returns:
        Three arrays ``(...)``: position of the nearest point of the limb, 0
        at its start and 1 at its end; the distance in pixels to the line
        through it, positive on the left of the way from start to end as seen
        in the image; and the distance to the nearest point. The first two
        are 0 for a limb without length; all are NaN without the limb.
    """
    way, offset = end - start, points - start
    length = np.hypot(way[..., 0], way[..., 1])
    unit = way / np.where(length == 0, 1, length)[..., None]
    forward = (unit * offset).sum(axis=-1)
    across = unit[..., 1] * offset[..., 0] - unit[..., 0] * offset[..., 1]
    nearest = np.clip(forward, 0, length)
    rest = offset - nearest[..., None] * unit
    along = nearest / np.where(length == 0, 1, length)
    return along, across, np.hypot(rest[..., 0], rest[..., 1])


def _bins(
    measures: RunMeasures, limbs: Sequence[Limb], position: tuple[float, float]
) -> np.ndarray:
    """``(N,)`` index of the place of each person's cell: limb, along and
    across, or the last, the background."""
    boxes, names = measures.run.boxes, measures.run.joints.names
    x1, y1, x2, y2 = boxes.person_boxes.T
    height = y2 - y1
    point = np.stack([(x1 + x2) / 2, y1], axis=1)
    point = point + height[:, None] * position
    truth = np.where(measures.labelled[..., None], boxes.truth, np.nan)
    start, end = (truth[:, [limb[i] for limb in limbs]] for i in (0, 1))
    along, across, far = body_frame(point[:, None], start, end)
    mirrored = [is_right([names[k] for k in limb]) for limb in limbs]
    across = np.where(mirrored, -across, across) / height[:, None]
    far = np.where(np.isnan(far), np.inf, far) / height[:, None]
    limb, rows = far.argmin(axis=1), np.arange(len(far))
    near = far[rows, limb] < WIDTH * len(ACROSS) / 2
    i = np.clip(np.nan_to_num(along[rows, limb]) * ALONG, 0, ALONG - 1)
    k = np.rint(np.nan_to_num(across[rows, limb]) / WIDTH) + 1
    k = np.clip(k, 0, len(ACROSS) - 1)
    inside = (limb * ALONG + i.astype(int)) * len(ACROSS) + k.astype(int)
    return np.where(near, inside, len(limbs) * ALONG * len(ACROSS))


def _region(names: Sequence[str], limb: Limb) -> str:
    """A limb in words; those between joints of the head together."""
    a, b = (names[k] for k in limb)
    if {a, b} <= {*FACE, *CROWN}:
        return HEAD
    side, _, rest = b.partition('_')
    if a.startswith(f'{side}_') and side in ('left', 'right'):
        b = rest
    return f'{a}–{b}'.replace('_', ' ')


def _map(
    measures: RunMeasures,
    paint: str,
    severity: float,
    cells: Sequence[Attacked],
) -> SensitivityMap:
    run, labelled = measures.run, measures.labelled
    names, limbs = run.joints.names, limbs_of(run.joints)
    suites = [(a.suite, a.checksum) for a in cells]
    suite, checksum = max(suites, key=suites.count)
    shown = np.any([a.changed for a in cells], axis=0)
    facts: dict[str, Any] = dict(
        suite=suite,
        checksum=checksum,
        paint=paint,
        severity=severity,
        cells=len(cells),
        people=int(shown.sum()),
        samples=int(sum(a.changed.sum() for a in cells)),
    )
    if not limbs:
        note = (
            'The data set names no links between its joints, so that there '
            'is no body to average people on.'
        )
        return SensitivityMap(
            **facts, note=note, places=[], joints=[], regions=[]
        )
    each = ALONG * len(ACROSS)
    count = len(limbs) * each + 1
    # person, place, joint: sums of rise, fall and large rises, and numbers
    shape = len(labelled), count, len(names)
    rise, fall, large, found, known = (
        np.zeros(shape, np.float32) for _ in range(5)
    )
    clean, sizes = measures.clean_predictions, measures.sizes[:, None]
    for attack in cells:
        under = measures.under(attack)
        where = _bins(measures, limbs, cell_position(describe(attack).target))
        rows = np.flatnonzero(attack.changed)
        at = rows, where[rows]
        higher = ((under.errors - clean.errors) / sizes)[rows]
        has = labelled[rows] & np.isfinite(higher)
        higher = np.where(has, higher, 0)
        rise[at] += higher
        large[at] += higher > LARGE
        found[at] += has
        fall[at] += np.where(
            labelled[rows], (clean.similar - under.similar)[rows], 0
        )
        known[at] += labelled[rows]

    def mean(
        total: np.ndarray,
        number: np.ndarray,
        bins: list[int],
        weights: np.ndarray = measures.weights,
    ) -> np.ndarray:
        """``(K, 1 + B)`` of each person's mean over the cells in some bins."""
        total, number = (x[:, bins].sum(axis=1) for x in (total, number))
        with np.errstate(invalid='ignore'):
            own = total / number
        return weighted_mean(
            weights, measures.image, own, number > 0, by_joint=True
        )

    def effects(bins: list[int]) -> tuple[int, dict, dict]:
        people = int(known[:, bins].any(axis=(1, 2)).sum())
        if people < LEAST_PEOPLE:
            return people, {}, {}
        enough = (known[:, bins].any(axis=1)).sum(axis=0) >= LEAST_PEOPLE
        up = mean(rise, found, bins)
        down = mean(fall, known, bins, measures.weights[:1])  # no interval
        pairs = [(k, n) for k, n in enumerate(names) if enough[k]]
        return (
            people,
            {n: estimate(up[k]) for k, n in pairs},
            {n: estimate(down[k]).value for k, n in pairs},
        )

    places: list[PlaceEffect] = []
    regions: dict[str, list[int]] = {}
    ends: tuple[str, ...]
    along: int | None
    across: int | None
    for b in range(count):
        if b == count - 1:
            region, ends, along, across = BACKGROUND, (), None, None
        else:
            limb = limbs[b // each]
            region = _region(names, limb)
            ends = names[limb[0]], names[limb[1]]
            along, k = divmod(b % each, len(ACROSS))
            across = ACROSS[k]
        regions.setdefault(region, []).append(b)
        places.append(PlaceEffect(region, ends, along, across, *effects([b])))
    body = list(range(count - 1))
    drawn = [mean(rise, found, body), mean(fall, known, body)]
    drawn += [mean(rise, found, [count - 1]), mean(large, found, body)]
    joints = []
    for k, name in enumerate(names):
        tops = [
            (p.rise[name].value or 0.0, p.rise[name], p.text)
            for p in places
            if name in p.rise
        ]
        _, top, text = max(
            tops,
            key=lambda t: t[0],
            default=(0, Estimate(None, None, None), ''),
        )
        people = int(known[:, :, k].any(axis=1).sum())
        lift, drop, off, share = (estimate(d[k]) for d in drawn)
        joints.append(
            JointSensitivity(name, people, lift, drop, off, share, top, text)
        )
    return SensitivityMap(
        **facts,
        note='',
        places=places,
        joints=joints,
        regions=[
            RegionEffect(region, *effects(bins)[:2])
            for region, bins in regions.items()
        ],
    )
