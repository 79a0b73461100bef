"""Where an occluder hurts which joint, in the frame of the body.

An occluder stood at each cell of a grid over every person's box (suites
``map`` and ``map-coarse``). Each cell is expressed by the nearest limb between
two labelled joints, the position along it and across it, so that people in
different poses are averaged at the same place of the body.

A place is a bin ``along`` a limb, from the first of its two joints, and a bin
``across``, 1 on the person's outer side as a person who faces the camera has
it; or the background. docs/benchmark_analysis.md defines the results.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, BenchmarkRun, Joints
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.confidence import ratio
from mmpose_occlusion.occlusion import Attack
from mmpose_occlusion.occlusion.targets import (
    CELL,
    CELLS,
    cell_names,
    cell_position,
)
from mmpose_occlusion.skeleton import CROWN, FACE, LIMBS

from .attack_description import describe, described, grouped
from .bootstrap import UNDEFINED, Record, estimate, estimates, weighted_mean
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

Limb = tuple[str, str]
"""Its two joints."""


def split_cells(
    attacks: Sequence[Attacked],
) -> tuple[list[Attacked], list[Attacked]]:
    """Other attacks, and the cells of maps."""
    groups = grouped((it.kind == CELL, a) for a, it in described(attacks))
    return groups.get(False, []), groups.get(True, [])


def finer_cells(run: BenchmarkRun, least: float) -> list[str]:
    """The second pass of a map, from a coarse to a fine grid: short forms of
    the cells of the fine grid that touch one under which, over all people, the
    mean rise of the EPE of a joint of :data:`LEAST_PEOPLE` may be above
    ``least``: the upper end of its 95 % interval is."""
    cells = split_cells(run.attacks)[1]
    if not cells:
        raise UsageError('--refine needs a map: give --suite map-coarse')
    measures = RunMeasures(run)
    fine = {cell_position(name): name for name in cell_names(CELLS)}
    found: dict[str, None] = {}
    for cell in cells:
        rise = _rise(measures, cell)
        mask = np.isfinite(rise) & measures.labelled & cell.changed[:, None]
        mask &= mask.sum(axis=0) >= LEAST_PEOPLE
        drawn = measures.mean(rise, mask, by_joint=True)
        if max(estimate(d).high or 0 for d in drawn) <= least:
            continue
        attack = Attack.from_config(cell.config)
        assert attack is not None
        at = np.array(cell_position(attack.names[0]))
        for step in np.ndindex(3, 3):
            near = at + (np.array(step) - 1) * CELLS / 100
            name = fine.get(tuple(near.round(2).tolist()))
            if name:
                found[str(replace(attack, names=(name,)))] = None
    known = {attack.name for attack in run.attacks}
    return [text for text in found if text not in known]


def sensitivity_maps(
    measures: RunMeasures, cells: Sequence[Attacked]
) -> list[Record]:
    """``maps`` of ``report.json``, one of each paint and size of squares."""
    groups = grouped(
        ((it.paint, it.severity or 0.0), (it.target, cell))
        for cell, it in described(cells)
    )
    return [
        _map(measures, paint, severity, dict(found))
        for (paint, severity), found in groups.items()
    ]


def limbs_of(joints: Joints) -> list[Limb]:
    """The links of a skeleton, those of arms and legs from the trunk
    outwards."""
    order = {n: i for chain in LIMBS.values() for i, n in enumerate(chain)}
    limbs = []
    for a, b in joints.links:
        limb = joints.names[a], joints.names[b]
        (side, one), (other_side, two) = map(_side, limb)
        inwards = order.get(one, 0) > order.get(two, 0)
        limbs.append(limb[::-1] if side == other_side and inwards else limb)
    return limbs


def is_right(limb: Sequence[str]) -> bool:
    """Whether joints are on the person's right and in the middle alone."""
    sides = {_side(joint)[0] for joint in limb}
    return 'right' in sides and 'left' not in sides


def _side(joint: str) -> tuple[str, str]:
    """The side in a joint's name, if any, and the rest."""
    side, _, rest = joint.partition('_')
    return (side, rest) if side in ('left', 'right') else ('', joint)


def _map(
    measures: RunMeasures,
    paint: str,
    severity: float,
    cells: Mapping[str, Attacked],
) -> Record:
    """``cells`` by name. Means of joints and regions are of the ``even`` ones,
    which were not chosen by :func:`finer_cells`."""
    names, limbs = measures.run.joints.names, limbs_of(measures.run.joints)
    every, grid = [*cells.values()], cell_names(2 * CELLS)
    even = every
    if {*grid} <= {*cells} and not {*cell_names(CELLS)} <= {*cells}:
        even = [cells[name] for name in grid]
    suites = [(cell.suite, cell.checksum) for cell in even]
    suite, checksum = max(suites, key=suites.count)
    reached = np.stack([cell.changed for cell in every])
    out = Record(
        suite=suite,
        checksum=checksum,
        paint=paint,
        severity=severity,
        cells=len(every),
        even=len(even),
        people=int(reached.any(axis=0).sum()),
        samples=int(reached.sum()),
        note='',
        places=[],
        joints=[],
        regions=[],
    )
    if not limbs:
        out['note'] = (
            'The data set names no links between its joints, so that there '
            'is no body to average people on.'
        )
        return out
    bins: list[dict[str, Any]] = [
        dict(region=_region(limb), limb=limb, along=along, across=across)
        for limb, along, across in product(limbs, range(ALONG), ACROSS)
    ]
    body, off = [*range(len(bins))], [len(bins)]
    bins.append(dict(region=BACKGROUND, limb=(), along=None, across=None))
    sums = of_even = _Sums(measures, limbs, every)
    if len(even) < len(every):
        of_even = _Sums(measures, limbs, even)
    out['places'] = places = estimates(
        [dict(place, **sums.effects([b])) for b, place in enumerate(bins)]
    )
    means = dict(
        mean=of_even.mean('rise', body),
        fall=of_even.mean('fall', body),
        background=of_even.mean('rise', off),
        share=of_even.mean('large', body),
    )
    people = of_even.sums['known'].any(axis=1).sum(axis=0)
    for k, name in enumerate(names):
        shown = [(p.rise[name], _words(p)) for p in places if name in p.rise]
        highest, place = max(
            shown, key=lambda e: e[0].value or 0.0, default=(UNDEFINED, '')
        )
        out.joints.append(
            Record(
                joint=name,
                people=int(people[k]),
                **estimates({n: drawn[k] for n, drawn in means.items()}),
                maximum=highest,
                place=place,
            )
        )
    by_region = grouped((place['region'], b) for b, place in enumerate(bins))
    for region, mine in by_region.items():
        found = of_even.effects(mine)
        del found['fall']
        out.regions.append(estimates(dict(region=region, **found)))
    return out


def _words(place: Record) -> str:
    if place.along is None:
        return place.region
    where = ('near', 'middle of', 'near')[place.along]
    ends = (place.limb[0], '–'.join(place.limb), place.limb[1])
    side = {-1: ', inner side', 0: '', 1: ', outer side'}[place.across]
    return f'{where} {ends[place.along]}{side}'.replace('_', ' ')


def _region(limb: Limb) -> str:
    """A limb in words; those between joints of the head together."""
    a, b = limb
    if {a, b} <= {*FACE, *CROWN}:
        return HEAD
    side, rest = _side(b)
    if side and side == _side(a)[0]:
        b = rest
    return f'{a}–{b}'.replace('_', ' ')


def _rise(measures: RunMeasures, cell: Attacked) -> np.ndarray:
    """``(N, K)``, a fraction of the longer side of the bbox."""
    before, after = measures.clean_predictions, measures.under(cell)
    return (after.errors - before.errors) / measures.sizes[:, None]


class _Sums:
    """Of cells: name -> ``(N, P, K)`` sums over each person's cells by place
    and joint: rise, fall and large rises, numbers of joints found and known.
    """

    def __init__(
        self,
        measures: RunMeasures,
        limbs: Sequence[Limb],
        cells: Sequence[Attacked],
    ) -> None:
        self.measures, labelled = measures, measures.labelled
        count = len(limbs) * ALONG * len(ACROSS) + 1
        shape = len(labelled), count, labelled.shape[1]
        names = 'rise', 'fall', 'large', 'found', 'known'
        self.sums = {name: np.zeros(shape, np.float32) for name in names}
        before = measures.clean_predictions.joint_values['OKS']
        for cell in cells:
            rows = np.flatnonzero(cell.changed)
            at = rows, _bins(measures, limbs, cell)[rows]
            after = measures.under(cell).joint_values['OKS']
            higher, known = _rise(measures, cell)[rows], labelled[rows]
            found = known & np.isfinite(higher)
            self.sums['rise'][at] += np.where(found, higher, 0)
            self.sums['large'][at] += found & (higher > LARGE)
            self.sums['found'][at] += found
            self.sums['fall'][at] += np.where(known, (before - after)[rows], 0)
            self.sums['known'][at] += known

    def mean(
        self, name: str, bins: list[int], draws: int | None = None
    ) -> np.ndarray:
        """``(K, 1 + B)`` of each person's mean over the cells in bins."""
        number = 'known' if name == 'fall' else 'found'
        both = (self.sums[n][:, bins].sum(axis=1) for n in (name, number))
        weights, image = self.measures.weights[:draws], self.measures.image
        return weighted_mean(weights, image, ratio(*both), by_joint=True)

    def effects(self, bins: list[int]) -> dict[str, Any]:
        """``people`` with a cell in bins, and joint -> draws of its ``rise``,
        joint -> ``fall``, without those of fewer than :data:`LEAST_PEOPLE`."""
        seen: Any = self.sums['known'][:, bins].any(axis=1)
        rise, fall = self.mean('rise', bins), self.mean('fall', bins, 1)
        shown = [
            (name, k)
            for k, name in enumerate(self.measures.run.joints.names)
            if seen[:, k].sum() >= LEAST_PEOPLE
        ]
        return dict(
            people=int(seen.any(axis=1).sum()),
            rise={name: rise[k] for name, k in shown},
            fall={name: estimate(fall[k]).value for name, k in shown},
        )


def _bins(
    measures: RunMeasures, limbs: Sequence[Limb], cell: Attacked
) -> np.ndarray:
    """``(N,)`` index of the place of each person's cell: limb, along and
    across, or the last, the background."""
    boxes, names = measures.run.boxes, measures.run.joints.names
    ends = np.array([[names.index(joint) for joint in limb] for limb in limbs])
    x1, y1, x2, y2 = boxes.person_boxes.T
    height = y2 - y1
    point = np.stack([(x1 + x2) / 2, y1], axis=1)
    point += height[:, None] * cell_position(describe(cell).target)
    truth = np.where(measures.labelled[..., None], boxes.truth, np.nan)
    start, end = truth[:, ends[:, 0]], truth[:, ends[:, 1]]
    along, across, far = body_frame(point[:, None], start, end)
    across = (
        np.where([*map(is_right, limbs)], -across, across) / height[:, None]
    )
    far = np.where(np.isnan(far), np.inf, far) / height[:, None]
    limb, rows = far.argmin(axis=1), np.arange(len(far))
    near = far[rows, limb] < WIDTH * len(ACROSS) / 2
    i = np.clip(np.nan_to_num(along[rows, limb]) * ALONG, 0, ALONG - 1)
    k = np.rint(np.nan_to_num(across[rows, limb]) / WIDTH) + 1
    k = np.clip(k, 0, len(ACROSS) - 1)
    inside = (limb * ALONG + i.astype(int)) * len(ACROSS) + k.astype(int)
    return np.where(near, inside, len(limbs) * ALONG * len(ACROSS))


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
