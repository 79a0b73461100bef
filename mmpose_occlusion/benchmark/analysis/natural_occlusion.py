"""Keypoints that are occluded in the photographs themselves.

COCO's flag v = 1 says that a keypoint was labelled though it could not be
seen. The flag is noisy and occluded keypoints are under-labelled, so that
differences say less than they would for planted occlusions: occluded keypoints
differ from visible ones in pose, size and crowding, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.metrics.crowding import (
    CROWD_LEVELS,
    IOU_LEVELS,
    OVERLAP_LEVELS,
    VISIBLE_LEVELS,
    crowd_index,
    greatest_iou,
    level_of,
    overlapping_people,
)
from mmpose_occlusion.metrics.inference import rank_agreement
from mmpose_occlusion.metrics.robustness import crossing

from ..data import UNMATCHED, Attacked, BenchmarkRun
from .attack_description import KEYPOINT, describe
from .bootstrap import Estimate, censored_estimate, estimate
from .keypoints import (
    OCCLUDED,
    VISIBLE,
    drawn_rate,
    drawn_rate_by_joint,
    image_index,
    keypoint_table,
)

ALL = 'all'


@dataclass(frozen=True)
class NaturalGap:
    """One joint, or all of them, seen and naturally occluded.

    Args:
        joint: Name, or ``all``: the mean over joints by their numbers of
            occluded keypoints, so that both sides have the same joints.
        visible: Number of keypoints with v = 2.
        occluded: Number of keypoints with v = 1.
        right_visible: Share of right predictions at v = 2.
        right_occluded: Share of right predictions at v = 1.
        loss: The former minus the latter.
    """

    joint: str
    visible: int
    occluded: int
    right_visible: Estimate
    right_occluded: Estimate
    loss: Estimate


@dataclass(frozen=True)
class Stratum:
    """People of one level of crowding or visibility.

    Args:
        by: What they are divided by.
        level: Name of the level.
        people: Their number.
        keypoints: Number of their labelled keypoints.
        right: Share of right predictions of these.
    """

    by: str
    level: str
    people: int
    keypoints: int
    right: Estimate


@dataclass(frozen=True)
class SeverityMatch:
    """The size at which a paint costs as much as nature does.

    Args:
        paint: Fill of the attacks.
        severities: Sizes, fractions of the box's height.
        losses: Loss of the hidden joints at each size; joints count by their
            numbers of naturally occluded keypoints, and only keypoints with
            v = 2 are counted.
        natural: Loss by natural occlusion.
        size: Size with the same loss; infinite ends of the interval are None
            and ``reached`` is False where no size costs as much.
        reached: Whether the greatest size costs as much.
        agreement: Kendall's tau over joints between the loss at the size that
            is nearest and the natural loss.
    """

    paint: str
    severities: list[float]
    losses: list[Estimate]
    natural: Estimate
    size: Estimate
    reached: bool
    agreement: Estimate


@dataclass(frozen=True)
class NaturalOcclusion:
    """Everything about natural occlusion in one run.

    Args:
        gaps: All joints first, then each; empty for data without v = 1.
        strata: By number of visible joints, overlapping people, crowd index
            and greatest IoU.
        equivalents: One for each paint with several sizes.
    """

    gaps: list[NaturalGap]
    strata: list[Stratum]
    equivalents: list[SeverityMatch]


def severity_attacks(
    run: BenchmarkRun,
) -> dict[str, dict[float, list[Attacked]]]:
    """Paint -> size -> attacks on one named joint each."""
    out: dict[str, dict[float, list[Attacked]]] = {}
    for attack in run.attacks:
        what = describe(attack)
        if what.severity and what.kind == KEYPOINT and what.hides_one:
            sizes = out.setdefault(what.paint, {})
            sizes.setdefault(what.severity, []).append(attack)
    return out


def natural_occlusion(
    run: BenchmarkRun,
    weights: np.ndarray,
    severity_attacks: Mapping[str, Mapping[float, Sequence[Attacked]]],
) -> NaturalOcclusion:
    """Compare visible and occluded keypoints of the clean predictions.

    Args:
        run: The run.
        weights: (1 + B, I) of the images in the order of
            :func:`.keypoints.image_index`.
        severity_attacks: Paint -> size -> attacks on single joints.
    """
    seen = drawn_by_flag(run, weights)
    if seen is None:
        return NaturalOcclusion([], strata(run, weights), [])
    rates, numbers = seen
    gaps = []
    mean = [_standardised(rates[v], numbers[OCCLUDED]) for v in (2, 1)]
    gaps.append(_gap(ALL, numbers, slice(None), mean[0], mean[1]))
    for k, name in enumerate(run.joints.names):
        if numbers[OCCLUDED][k, 0]:
            gaps.append(
                _gap(name, numbers, k, rates[VISIBLE][k], rates[OCCLUDED][k])
            )
    equivalents = [
        _equivalent(run, weights, paint, attacks, rates, numbers[OCCLUDED])
        for paint, attacks in severity_attacks.items()
        if attacks
    ]
    return NaturalOcclusion(gaps, strata(run, weights), equivalents)


def drawn_by_flag(
    run: BenchmarkRun, weights: np.ndarray
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]] | None:
    """Rates and numbers (K, 1 + B) of right keypoints by flag; None without
    occluded keypoints."""
    table = keypoint_table(run, run.clean)
    joints = len(run.joints.names)
    if not (table.flag == OCCLUDED).any():
        return None
    found = {
        flag: drawn_rate_by_joint(
            table.only(table.flag == flag), weights, joints
        )
        for flag in (VISIBLE, OCCLUDED)
    }
    return {f: r for f, (r, _) in found.items()}, {
        f: n for f, (_, n) in found.items()
    }


def _standardised(rates: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(1 + B,) mean of rates (K, 1 + B) by shares (K, 1 + B)."""
    known = np.isfinite(rates) & (shares > 0)
    total = np.where(known, rates * shares, 0).sum(axis=0)
    number = np.where(known, shares, 0).sum(axis=0)
    return np.divide(
        total, number, out=np.full(len(total), np.nan), where=number > 0
    )


def _gap(
    joint: str,
    numbers: Mapping[int, np.ndarray],
    rows: int | slice,
    visible: np.ndarray,
    occluded: np.ndarray,
) -> NaturalGap:
    return NaturalGap(
        joint,
        int(np.sum(numbers[VISIBLE][rows, 0])),
        int(np.sum(numbers[OCCLUDED][rows, 0])),
        estimate(visible),
        estimate(occluded),
        estimate(visible - occluded),
    )


def attack_losses(
    run: BenchmarkRun, weights: np.ndarray, attacks: Sequence[Attacked]
) -> np.ndarray:
    """(K, 1 + B) loss of right predictions of each joint as a target.

    Only keypoints with v = 2 are counted, those of a joint over all attacks
    that ask for it.
    """
    joints = len(run.joints.names)
    clean = keypoint_table(run, run.clean)
    seen = clean.flag == VISIBLE
    total = np.zeros((joints, len(weights)))
    number = np.zeros((joints, len(weights)))
    for attack in attacks:
        mask = attack.targets & attack.changed[:, None]
        chosen = seen & mask[clean.row, clean.joint]
        if not chosen.any():
            continue
        under = keypoint_table(run, attack.predictions)
        before = drawn_rate_by_joint(clean.only(chosen), weights, joints)
        after = drawn_rate_by_joint(under.only(chosen), weights, joints)
        lost = np.where(before[1] > 0, before[0] - after[0], 0)
        total += lost * before[1]
        number += before[1]
    return np.divide(
        total, number, out=np.full(total.shape, np.nan), where=number > 0
    )


def _equivalent(
    run: BenchmarkRun,
    weights: np.ndarray,
    paint: str,
    attacks: Mapping[float, Sequence[Attacked]],
    rates: Mapping[int, np.ndarray],
    shares: np.ndarray,
) -> SeverityMatch:
    sizes = sorted(attacks)
    by_joint = [attack_losses(run, weights, attacks[s]) for s in sizes]
    natural_by_joint = rates[VISIBLE] - rates[OCCLUDED]
    natural = _standardised(natural_by_joint, shares)
    losses = np.stack([_standardised(lost, shares) for lost in by_joint])
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


def strata(run: BenchmarkRun, weights: np.ndarray) -> list[Stratum]:
    """Right keypoints by level of visibility and crowding."""
    boxes = run.boxes
    people = boxes.instance_ids != UNMATCHED
    rows = np.flatnonzero(people)
    image = image_index(run)[rows]
    truth, box = boxes.truth[rows], boxes.person_boxes[rows]
    table = keypoint_table(run, run.clean)
    divided = {
        'visible joints': (
            (boxes.visible[rows] == VISIBLE).sum(axis=1),
            VISIBLE_LEVELS,
        ),
        'overlapping people': (overlapping_people(image, box), OVERLAP_LEVELS),
        'crowd index': (crowd_index(image, box, truth), CROWD_LEVELS),
        'greatest IoU': (greatest_iou(image, box), IOU_LEVELS),
    }
    out = []
    for by, (values, levels) in divided.items():
        for level, mask in level_of(values, levels):
            mine = np.zeros(len(boxes), bool)
            mine[rows[mask]] = True
            part = table.only(mine[table.row])
            if len(part):
                out.append(
                    Stratum(
                        by,
                        level,
                        int(mask.sum()),
                        len(part),
                        estimate(drawn_rate(part, weights)),
                    )
                )
    return out
