"""Does a disc give away where the joint is that it hides?

The prediction of a joint is compared with the disc's centre, with and without
the disc: for discs centred at the joint, moved by an offset, and as decoys
where no joint is. A model that is drawn to decoys takes discs for joints, and
small centred discs help it.
"""

from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.metrics.pck import joint_errors
from mmpose_occlusion.occlusion.targets import KEYPOINT

from .attack_description import AT_TARGET, MOVED, describe
from .bootstrap import Estimate, estimate
from .run_measures import RunMeasures

LEAST = 0.01
"""Least change of the distance to the disc's centre that counts, as a fraction
of the longer side of the person's bbox."""

CENTRED, OFFSET = 'centred', 'offset'


@dataclass(frozen=True)
class LocationLeak:
    """Predictions of the joints that the attacks of a paint and size ask for.

    Args:
        discs: :data:`CENTRED` at the joint, moved by an :data:`OFFSET`, or the
            place of others.
        predictions: Their number.
        towards: Fraction that the disc brings nearer to its centre, by at
            least :data:`LEAST`.
        away: Fraction that it takes further away, likewise.
        net: ``towards`` minus ``away``.
        approach: Mean decrease of the distance to the centre, as a fraction of
            the bbox's longer side.
    """

    paint: str
    severity: float | None
    discs: str
    predictions: int
    towards: Estimate
    away: Estimate
    net: Estimate
    approach: Estimate


def location_leaks(measures: RunMeasures) -> list[LocationLeak]:
    """Of each paint, size and arrangement of discs on single named joints
    whose centres are known."""
    return [
        LocationLeak(*key, number, *(estimate(drawn[i]) for i in range(4)))
        for key, number, drawn in leak_draws(measures)
    ]


def leak_draws(
    measures: RunMeasures,
) -> list[tuple[tuple[str, float | None, str], int, list[np.ndarray]]]:
    """Paint, size and arrangement, number of predictions, and the four
    statistics of :class:`LocationLeak` with every resampled set."""
    run, weights = measures.run, measures.weights
    names, images = run.joints.names, weights.shape[1]
    found: dict[tuple, list[tuple[np.ndarray, np.ndarray]]] = {}
    for attack in run.attacks:
        what = describe(attack)
        if what.kind != KEYPOINT or what.target not in names:
            continue
        discs = OFFSET if what.offset else CENTRED
        if what.place != AT_TARGET:
            discs = what.place
        joint = names.index(what.target)
        approach = _approach(measures, attack, joint, discs == CENTRED)
        rows = np.flatnonzero(np.isfinite(approach))
        if len(rows):
            paint = what.paint.partition(MOVED)[0]
            key = paint, what.severity, discs
            found.setdefault(key, []).append((rows, approach[rows]))
    out = []
    for key, parts in found.items():
        rows, approach = (
            np.concatenate(each) for each in zip(*parts, strict=True)
        )
        image = measures.image[rows]
        number = weights @ np.bincount(image, minlength=images)
        towards, away = approach >= LEAST, approach <= -LEAST
        values = towards, away, towards * 1.0 - away, approach
        with np.errstate(invalid='ignore'):
            drawn = [
                weights @ np.bincount(image, each, images) / number
                for each in values
            ]
        out.append((key, len(rows), drawn))
    return out


def _approach(
    measures: RunMeasures, attack: Attacked, joint: int, centred: bool
) -> np.ndarray:
    """``(N,)`` decrease of the distance of a joint's prediction to the disc's
    centre; NaN where there is no disc, or its centre is not known."""
    boxes, clean = measures.run.boxes, measures.run.clean.keypoints
    centres = attack.centres
    if centres is None:
        nowhere = np.full((len(boxes), 2), np.nan)
        centres = boxes.truth[:, joint] if centred else nowhere
    before, after = (
        joint_errors(np.asarray(keypoints[:, joint], float), centres)
        for keypoints in (clean, attack.predictions.keypoints)
    )
    known = attack.changed & measures.labelled[:, joint]
    if centred:
        known &= attack.targets[:, joint]
    return np.where(known, before - after, np.nan) / measures.sizes
