"""Keypoints that are occluded in the photographs themselves.

COCO's flag v = 1 says that a keypoint was labelled though it could not be
seen. The flag is noisy and occluded keypoints are under-labelled, so that
differences say less than they would for planted occlusions: occluded keypoints
differ from visible ones in pose, size and crowding, too.
"""

from collections.abc import Sequence

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
from .attack_description import describe, grouped
from .bootstrap import (
    Record,
    censored_estimate,
    crossing,
    difference,
    estimates,
    rank_agreement,
    resampled_sum,
)
from .run_measures import OCCLUDED, VISIBLE, RunMeasures

RIGHT = 'OKS50'
"""The measure that attacks are compared by."""

Losses = dict[tuple[str, float] | None, np.ndarray]
"""Paint and size of attacks -> ``(1 + B,)`` loss of :data:`RIGHT` of hidden
joints; None -> that by natural occlusion."""


def natural_occlusion(measures: RunMeasures) -> tuple[Record, Losses]:
    """``natural`` of ``report.json``: visible and occluded keypoints of the
    clean predictions; and the losses, empty without occluded keypoints.

    ``all`` joints are the mean over joints by their numbers of occluded
    keypoints, so that both sides have the same joints; so are the losses of
    attacks, which are of hidden joints with v = 2."""
    flags = np.where(measures.labelled, measures.run.boxes.visible, 0)
    everyone = np.ones(len(flags), bool)
    sides = flags == VISIBLE, flags == OCCLUDED
    if not sides[1].any():
        found = dict(gaps=[], strata=strata(measures), equivalents=[])
        return estimates(found), {}
    rates = [
        measures.clean_predictions.by_joint(
            (RIGHT, 'OKS', 'PCK'), mask, everyone, measures.weights
        )
        for mask in sides
    ]
    shares = resampled_sum(measures.weights, measures.image, sides[1])
    gaps = []
    for k, name in enumerate([ALL_JOINTS, *measures.run.joints.names], -1):
        numbers = [int((m if k < 0 else m[:, k]).sum()) for m in sides]
        if not numbers[1]:
            continue
        before, after = (
            {m: _mean(v, shares) if k < 0 else v[k] for m, v in found.items()}
            for found in rates
        )
        gaps.append(
            dict(
                joint=name,
                visible=numbers[0],
                occluded=numbers[1],
                at_visible=before,
                at_occluded=after,
                loss=difference(before, after),
            )
        )
    natural_by_joint = rates[0][RIGHT] - rates[1][RIGHT]
    natural = _mean(natural_by_joint, shares)
    losses: Losses = {None: natural}
    matches = []
    for paint, attacks in grouped(
        sorted(measures.run.attacks, key=lambda a: describe(a).severity or 0),
        lambda _, it: (
            it.paint
            if it.severity and it.kind == KEYPOINT and it.hides_one
            else None
        ),
    ).items():
        by_size = grouped(attacks, lambda _, it: it.severity)
        sizes = list(by_size)
        by_joint = [attack_losses(measures, a) for a in by_size.values()]
        lost = np.stack([_mean(each, shares) for each in by_joint])
        losses.update(zip([(paint, s) for s in sizes], lost, strict=True))
        # a loss rises with the size, `crossing` looks for a fall
        zero = np.zeros(lost.shape[1])
        reached = crossing(np.array(sizes), -lost, zero, -natural)
        away = np.abs(lost[:, 0] - natural[0])
        nearest = int(np.argmin(np.where(np.isnan(away), np.inf, away)))
        matches.append(
            dict(
                paint=paint,
                severities=sizes,
                losses=list(lost),
                natural=natural,
                size=censored_estimate(reached),
                reached=bool(np.isfinite(reached[0])),
                agreement=rank_agreement(by_joint[nearest], natural_by_joint),
            )
        )
    found = dict(gaps=gaps, strata=strata(measures), equivalents=matches)
    return estimates(found), losses


def _mean(rates: np.ndarray, shares: np.ndarray) -> np.ndarray:
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


def strata(measures: RunMeasures) -> list[dict]:
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
                out.append(
                    dict(
                        by=by,
                        level=level,
                        people=len(mine),
                        keypoints=int(mask.sum()),
                        right=measures.mean(right, mask),
                    )
                )
    return out
