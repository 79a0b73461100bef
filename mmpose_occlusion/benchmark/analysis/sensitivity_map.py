"""Where an occluder hurts which joint, in the frame of the body.

An occluder stood at each cell of a grid over every person's box (suites
``map`` and ``map-coarse``). Each cell is expressed by the nearest limb between
two labelled joints, the position along it and across it, so that people in
different poses are averaged at the same place of the body.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, Joints
from mmpose_occlusion.occlusion.targets import CELL, cell_position
from mmpose_occlusion.skeleton import CROWN, FACE, LIMBS

from .attack_description import describe
from .bootstrap import UNDEFINED, Estimate, estimate, weighted_mean
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
    """Points relative to limbs, each ``(..., 2)`` in image pixels.

    Returns:
        Three arrays ``(...)``: position of the nearest point of the limb, 0
        at its start and 1 at its end; the distance in pixels to the line
        through it, positive on the left of the way from start to end as seen
        in the image; and the distance to the nearest point. The first two
        are 0 for a limb without length; all are NaN without the limb.
    """
    way, offset = end - start, points - start
    length = np.linalg.norm(way, axis=-1)
    some = np.where(length == 0, 1, length)
    unit = way / some[..., None]
    across = unit[..., 1] * offset[..., 0] - unit[..., 0] * offset[..., 1]
    nearest = np.clip((unit * offset).sum(axis=-1), 0, length)
    rest = offset - nearest[..., None] * unit
    return nearest / some, across, np.linalg.norm(rest, axis=-1)


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
    joints_of = measures.run.joints
    names, limbs = joints_of.names, limbs_of(joints_of)
    suites = [(cell.suite, cell.checksum) for cell in cells]
    reached = np.stack([cell.changed for cell in cells])
    facts = (
        *max(suites, key=suites.count),
        *(paint, severity, len(cells)),
        *(int(reached.any(axis=0).sum()), int(reached.sum())),
    )
    if not limbs:
        note = (
            'The data set names no links between its joints, so that there '
            'is no body to average people on.'
        )
        return SensitivityMap(*facts, note, [], [], [])
    places = [
        (_region(names, limb), (names[limb[0]], names[limb[1]]), i, k)
        for limb in limbs
        for i in range(ALONG)
        for k in ACROSS
    ]
    places.append((BACKGROUND, (), None, None))
    sums = _Sums(measures, limbs, cells)
    body, off = list(range(len(places) - 1)), [len(places) - 1]
    effects = [
        PlaceEffect(*place, *sums.effects([b]))
        for b, place in enumerate(places)
    ]
    drawn = zip(
        sums.mean('rise', body),
        sums.mean('fall', body),
        sums.mean('rise', off),
        sums.mean('large', body),
        strict=True,
    )
    joints = []
    for k, (name, values) in enumerate(zip(names, drawn, strict=True)):
        top = max(
            (p for p in effects if name in p.rise),
            key=lambda p: p.rise[name].value or 0.0,
            default=None,
        )
        joints.append(
            JointSensitivity(
                name,
                int(sums.known[:, :, k].any(axis=1).sum()),
                *map(estimate, values),
                top.rise[name] if top else UNDEFINED,
                top.text if top else '',
            )
        )
    regions: dict[str, list[int]] = {}
    for b, place in enumerate(places):
        regions.setdefault(place[0], []).append(b)
    rows = [
        RegionEffect(region, *sums.effects(bins)[:2])
        for region, bins in regions.items()
    ]
    return SensitivityMap(*facts, '', effects, joints, rows)


class _Sums:
    """Of each person, place and joint: sums of rise, fall and large rises over
    the person's cells, and their numbers."""

    def __init__(
        self,
        measures: RunMeasures,
        limbs: Sequence[Limb],
        cells: Sequence[Attacked],
    ) -> None:
        self.measures, labelled = measures, measures.labelled
        count = len(limbs) * ALONG * len(ACROSS) + 1
        shape = len(labelled), count, labelled.shape[1]
        self.rise, self.fall, self.large, self.found, self.known = (
            np.zeros(shape, np.float32) for _ in range(5)
        )
        clean, sizes = measures.clean_predictions, measures.sizes[:, None]
        for attack in cells:
            under = measures.under(attack)
            position = cell_position(describe(attack).target)
            rows = np.flatnonzero(attack.changed)
            at = rows, _bins(measures, limbs, position)[rows]
            higher = ((under.errors - clean.errors) / sizes)[rows]
            has = labelled[rows] & np.isfinite(higher)
            higher = np.where(has, higher, 0)
            lower = (clean.similar - under.similar)[rows]
            self.rise[at] += higher
            self.large[at] += higher > LARGE
            self.found[at] += has
            self.fall[at] += np.where(labelled[rows], lower, 0)
            self.known[at] += labelled[rows]

    def mean(
        self, name: str, bins: list[int], draws: int | None = None
    ) -> np.ndarray:
        """``(K, 1 + B)`` of each person's mean over the cells in some bins."""
        number = self.known if name == 'fall' else self.found
        total, number = (
            x[:, bins].sum(axis=1) for x in (getattr(self, name), number)
        )
        with np.errstate(invalid='ignore'):
            own = total / number
        return weighted_mean(
            self.measures.weights[:draws],
            self.measures.image,
            own,
            number > 0,
            by_joint=True,
        )

    def effects(
        self, bins: list[int]
    ) -> tuple[int, dict[str, Estimate], dict[str, float | None]]:
        """People with a cell in some bins, and joint -> rise, and fall; empty
        where masked."""
        seen = self.known[:, bins].any(axis=1)
        people = int(seen.any(axis=1).sum())
        if people < LEAST_PEOPLE:
            return people, {}, {}
        rise = self.mean('rise', bins)
        fall = self.mean('fall', bins, 1)  # no interval
        shown = [
            (k, name)
            for k, name in enumerate(self.measures.run.joints.names)
            if seen[:, k].sum() >= LEAST_PEOPLE
        ]
        return (
            people,
            {name: estimate(rise[k]) for k, name in shown},
            {name: estimate(fall[k]).value for k, name in shown},
        )
