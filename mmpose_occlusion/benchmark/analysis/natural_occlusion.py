"""Keypoints that are occluded in the photographs themselves.

COCO's flag v = 1 says that a keypoint was labelled though it could not be
seen. The flag is noisy and occluded keypoints are under-labelled, so that
differences say less than they would for planted occlusions: occluded keypoints
differ from visible ones in pose, size and crowding, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mmpose_occlusion.benchmark.data import UNMATCHED, Attacked
from mmpose_occlusion.metrics.annotations import (
    LEVELS,
    crowd_index,
    other_people,
)
from mmpose_occlusion.metrics.confidence import ratio
from mmpose_occlusion.occlusion.targets import KEYPOINT

from .attack_costs import ALL_JOINTS
from .attack_description import describe
from .bootstrap import (
    Draws,
    Estimate,
    Estimates,
    censored_estimate,
    crossing,
    difference,
    estimate,
    estimates,
    rank_agreement,
    resampled_sum,
)
from .run_measures import OCCLUDED, VISIBLE, RunMeasures

RIGHT = 'OKS50'
"""The measure that attacks are compared by."""


@dataclass(frozen=True)
class NaturalGap:
    """One joint, or all of them, seen (v = 2) and naturally occluded (v = 1):
    numbers of keypoints, measures of both, and the former minus the latter.

    Measures are OKS50, PCK, OKS (the mean per-keypoint OKS), and AP of people
    who consist of this joint alone. ``all`` is the mean over joints by their
    numbers of occluded keypoints, so that both sides have the same joints."""

    joint: str
    visible: int
    occluded: int
    at_visible: Estimates
    at_occluded: Estimates
    loss: Estimates


@dataclass(frozen=True)
class Stratum:
    """Right predictions of people of one level of crowding or visibility."""

    by: str
    level: str
    people: int
    keypoints: int
    right: Estimate


@dataclass(frozen=True)
class SeverityMatch:
    """The ``size`` at which a paint costs as much as nature does; infinite
    ends are None, and ``reached`` is False where no size costs as much.

    ``losses`` are of the hidden joints at each of the ``severities``; joints
    count by their numbers of naturally occluded keypoints, and only keypoints
    with v = 2 are counted. ``agreement`` is Kendall's tau over joints between
    the loss at the size that is nearest and the natural loss."""

    paint: str
    severities: list[float]
    losses: list[Estimate]
    natural: Estimate
    size: Estimate
    reached: bool
    agreement: Estimate


@dataclass(frozen=True)
class NaturalOcclusion:
    """All numbers of one run; ``gaps`` and ``equivalents`` are empty for data
    without v = 1."""

    gaps: list[NaturalGap]
    strata: list[Stratum]
    equivalents: list[SeverityMatch]


class NaturalDraws(NamedTuple):
    """Losses ``(1 + B,)`` with every resampled set, by nature and by attacks
    of a paint and size, for comparisons of models."""

    natural: np.ndarray
    attacks: dict[tuple[str, float], np.ndarray]


def natural_occlusion(
    measures: RunMeasures,
) -> tuple[NaturalOcclusion, NaturalDraws | None]:
    """Compare visible and occluded keypoints of the clean predictions; without
    occluded keypoints there are no draws."""
    boxes, names = measures.run.boxes, measures.run.joints.names
    flags = np.where(measures.labelled, boxes.visible, 0)
    if not (flags == OCCLUDED).any():
        return NaturalOcclusion([], strata(measures), []), None
    seen, shares = (
        resampled_sum(measures.weights, measures.image, flags == flag)
        for flag in (VISIBLE, OCCLUDED)
    )
    rates = [_rates(measures, flags == flag) for flag in (VISIBLE, OCCLUDED)]
    whole = [
        {name: _standardised(values, shares) for name, values in found.items()}
        for found in rates
    ]
    rows = [(ALL_JOINTS, seen[:, 0].sum(), shares[:, 0].sum(), *whole)]
    for k, name in enumerate(names):
        each = [
            {m: values[k] for m, values in found.items()} for found in rates
        ]
        if shares[k, 0]:
            rows.append((name, seen[k, 0], shares[k, 0], *each))
    gaps = [
        NaturalGap(
            *(name, int(visible), int(occluded)),
            *map(estimates, (before, after, difference(before, after))),
        )
        for name, visible, occluded, before, after in rows
    ]
    by_joint = rates[0][RIGHT] - rates[1][RIGHT]
    draws = NaturalDraws(_standardised(by_joint, shares), {})
    matches = [
        _match(measures, draws, paint, sizes, by_joint, shares)
        for paint, sizes in severity_attacks(measures.run.attacks).items()
    ]
    return NaturalOcclusion(gaps, strata(measures), matches), draws


def severity_attacks(
    attacks: Sequence[Attacked],
) -> dict[str, dict[float, list[Attacked]]]:
    """Paint -> size, rising -> attacks on one named joint each."""
    out: dict[str, dict[float, list[Attacked]]] = {}
    for attack in sorted(attacks, key=lambda a: describe(a).severity or 0):
        what = describe(attack)
        if what.severity and what.kind == KEYPOINT and what.hides_one:
            sizes = out.setdefault(what.paint, {})
            sizes.setdefault(what.severity, []).append(attack)
    return out


def _rates(measures: RunMeasures, mask: np.ndarray) -> Draws:
    """Measure -> ``(K, 1 + B)`` of the clean keypoints in a mask ``(N, K)``,
    each joint by itself."""
    clean = measures.clean_predictions
    out = {
        name: measures.mean(values, mask, by_joint=True)
        for name, values in dict(
            OKS50=clean.joint_values['OKS50'],
            OKS=np.nan_to_num(clean.similar),
            PCK=clean.joint_values['PCK'],
        ).items()
    }
    if 'AP' in measures.measures:
        survivors = clean.survivors(np.ones(len(mask), bool))
        out['AP'] = np.stack(
            [
                clean.joint_ap(k, column, *survivors, measures.weights)
                for k, column in enumerate(mask.T)
            ]
        )
    return out


def _standardised(rates: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """``(1 + B,)`` mean of rates ``(K, 1 + B)`` by shares ``(K, 1 + B)``."""
    known = np.isfinite(rates) & (shares > 0)
    total = np.where(known, rates * shares, 0).sum(axis=0)
    return ratio(total, np.where(known, shares, 0).sum(axis=0))


def attack_losses(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> np.ndarray:
    """``(K, 1 + B)`` loss of right predictions of each joint as a target, of
    keypoints with v = 2, over all attacks that ask for it."""
    seen = measures.labelled & (measures.run.boxes.visible == VISIBLE)
    total, number = np.zeros((2, seen.shape[1], len(measures.weights)))
    right = measures.clean_predictions.joint_values[RIGHT]
    for attack in attacks:
        mask = attack.targets & attack.changed[:, None] & seen
        lost = right - measures.under(attack).joint_values[RIGHT]
        asked = mask.any(axis=0)
        for sums, values in (total, mask * lost), (number, mask):
            sums[asked] += resampled_sum(
                measures.weights, measures.image, values[:, asked]
            )
    return ratio(total, number)


def _match(
    measures: RunMeasures,
    draws: NaturalDraws,
    paint: str,
    attacks: dict[float, list[Attacked]],
    natural_by_joint: np.ndarray,
    shares: np.ndarray,
) -> SeverityMatch:
    """Compares the sizes of a paint with nature; adds them to the draws."""
    sizes, natural = list(attacks), draws.natural
    by_joint = [attack_losses(measures, each) for each in attacks.values()]
    losses = np.stack([_standardised(lost, shares) for lost in by_joint])
    draws.attacks.update(
        ((paint, size), lost) for size, lost in zip(sizes, losses, strict=True)
    )
    # a loss rises with the size, `crossing` looks for a fall
    zero = np.zeros(losses.shape[1])
    reached = crossing(np.array(sizes), -losses, zero, -natural)
    away = np.abs(losses[:, 0] - natural[0])
    nearest = int(np.argmin(np.where(np.isnan(away), np.inf, away)))
    return SeverityMatch(
        paint,
        sizes,
        [estimate(row) for row in losses],
        estimate(natural),
        censored_estimate(reached),
        bool(np.isfinite(reached[0])),
        estimate(rank_agreement(by_joint[nearest], natural_by_joint)),
    )


def strata(measures: RunMeasures) -> list[Stratum]:
    """Right keypoints by level of visibility and crowding."""
    boxes = measures.run.boxes
    rows = np.flatnonzero(boxes.instance_ids != UNMATCHED)
    image, box = measures.image[rows], boxes.person_boxes[rows]
    greatest, overlapping = other_people(image, box)
    values = {
        'visible joints': (boxes.visible[rows] == VISIBLE).sum(axis=1),
        'overlapping people': overlapping,
        'crowd index': crowd_index(image, box, boxes.truth[rows]),
        'greatest IoU': greatest,
    }
    right = measures.clean_predictions.joint_values[RIGHT]
    out = []
    for by, levels in LEVELS.items():
        place = np.searchsorted(list(levels.values()), values[by], 'right')
        for i, level in enumerate(levels, 1):
            mine = rows[place == i]
            mask = np.zeros(right.shape, bool)
            mask[mine] = measures.labelled[mine]
            if mask.any():
                mean = estimate(measures.mean(right, mask))
                out.append(
                    Stratum(by, level, len(mine), int(mask.sum()), mean)
                )
    return out
