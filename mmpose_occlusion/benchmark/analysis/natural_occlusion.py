"""Keypoints that are occluded in the photographs themselves.

COCO's flag v = 1 says that a keypoint was labelled though it could not be
seen. The flag is noisy and occluded keypoints are under-labelled, so that
differences say less than they would for planted occlusions: occluded keypoints
differ from visible ones in pose, size and crowding, too.
"""

from collections.abc import Sequence
from operator import itemgetter

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
from .attack_description import described, grouped
from .bootstrap import (
    Record,
    crossing,
    difference,
    estimate,
    rank_agreement,
    resampled_sum,
)
from .run_measures import OCCLUDED, VISIBLE, RunMeasures

RIGHT = 'OKS50'
"""The measure that attacks are compared by."""


def natural_occlusion(measures: RunMeasures) -> Record:
    """``natural`` of ``report.json`` with draws in place of estimates: visible
    and occluded keypoints of the clean predictions, and the attacks that cost
    hidden joints with v = 2 as much.

    ``all`` joints are the mean over joints by their numbers of occluded
    keypoints, so that both sides have the same joints; so are the losses of
    attacks."""
    out = Record(gaps=[], strata=strata(measures), equivalents=[])
    flags = np.where(measures.labelled, measures.run.boxes.visible, 0)
    sides = flags == VISIBLE, flags == OCCLUDED
    if not sides[1].any():
        return out
    everyone = np.ones(len(flags), bool)
    rates = [
        measures.clean_predictions.by_joint(
            (RIGHT, 'OKS', 'PCK'), side, everyone, measures.weights
        )
        for side in sides
    ]
    shares = resampled_sum(measures.weights, measures.image, sides[1])
    whole = [{m: _mean(v, shares) for m, v in r.items()} for r in rates]
    rows = [(ALL_JOINTS, [side.sum() for side in sides], whole)]
    for k, name in enumerate(measures.run.joints.names):
        own = [{m: values[k] for m, values in r.items()} for r in rates]
        rows.append((name, [side[:, k].sum() for side in sides], own))
    out['gaps'] = [
        dict(
            joint=name,
            visible=int(visible),
            occluded=int(occluded),
            at_visible=before,
            at_occluded=after,
            loss=difference(before, after),
        )
        for name, (visible, occluded), (before, after) in rows
        if occluded
    ]
    lost_by_joint = rates[0][RIGHT] - rates[1][RIGHT]
    natural = _mean(lost_by_joint, shares)
    discs = [
        (it.severity, it.paint, attack)
        for attack, it in described(measures.run.attacks)
        if it.severity and it.kind == KEYPOINT and it.hides_one
    ]
    discs.sort(key=itemgetter(0))
    for paint, mine in grouped((p, (s, a)) for s, p, a in discs).items():
        by_size = grouped(mine)
        by_joint = [attack_losses(measures, a) for a in by_size.values()]
        lost = np.stack([_mean(each, shares) for each in by_joint])
        # a loss rises with the size, `crossing` looks for a fall
        curve = np.concatenate([np.zeros((1, lost.shape[1])), -lost])
        reached = crossing([0, *by_size], curve, -natural)
        away = np.abs(lost[:, 0] - natural[0])
        nearest = int(np.argmin(np.where(np.isnan(away), np.inf, away)))
        out.equivalents.append(
            Record(
                paint=paint,
                severities=[*by_size],
                losses=list(lost),
                natural=natural,
                size=estimate(reached, censored=True),
                reached=bool(np.isfinite(reached[0])),
                agreement=rank_agreement(by_joint[nearest], lost_by_joint),
            )
        )
    return out


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
    right = measures.clean_predictions.joint_values[RIGHT]
    lost, asked = np.zeros((2, *seen.shape))
    for attack in attacks:
        mask = attack.targets & attack.changed[:, None] & seen
        lost += mask * (right - measures.under(attack).joint_values[RIGHT])
        asked += mask
    weights, image = measures.weights, measures.image
    return ratio(*(resampled_sum(weights, image, x) for x in (lost, asked)))


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
