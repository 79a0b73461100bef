"""Models side by side, paired where they were given the same bboxes."""

from collections.abc import Sequence

import numpy as np

from mmpose_occlusion.benchmark.data import BenchmarkRun, Boxes

from .bootstrap import (
    Draws,
    Record,
    difference,
    equivalence,
    estimates,
    rank_agreement,
    simultaneous,
)
from .natural_occlusion import Losses
from .run_measures import RunMeasures

CLEAN = 'clean'
"""Stands for the name of an attack."""

LEAST_MODELS = 3
"""For a rank correlation over models."""


def compare_models(
    measures: Sequence[RunMeasures], losses: Sequence[Losses]
) -> Record | None:
    """``comparison`` of ``report.json``: all runs minus the first, None if
    there is only one. The losses are of each run, see
    :func:`.natural_occlusion.natural_occlusion`.

    A ``score`` is the difference of the measures under an attack, or
    :data:`CLEAN`; a ``loss`` that of the changes by the attack: above 0, for a
    measure of which more is better, if this model loses less. ``tau`` is
    Kendall's over at least :data:`LEAST_MODELS` models between the losses
    under the attacks of a paint and size, and by natural occlusion."""
    if len(measures) < 2:
        return None
    first, *others = measures
    reasons: dict[str, str] = {}
    differences: list[dict] = []
    same = [losses[0]]
    for other, lost in zip(others, losses[1:], strict=True):
        reason = not_paired(first.run, other.run)
        if reason:
            reasons[other.run.model] = reason
        else:
            differences += _differences(first, other)
            same.append(lost)
    same = [lost for lost in same if lost]
    agreement = [
        dict(
            paint=key[0],
            severity=key[1],
            models=len(same),
            tau=rank_agreement(
                *(np.stack([lost[k] for lost in same]) for k in (key, None))
            ),
        )
        for key in (same[0] if len(same) >= LEAST_MODELS else ())
        if key and all(key in lost for lost in same)
    ]
    return estimates(
        dict(
            baseline=first.run.model,
            reasons=reasons,
            differences=differences,
            agreement=agreement,
        )
    )


def not_paired(first: BenchmarkRun, other: BenchmarkRun) -> str | None:
    """A sentence on why two runs cannot be compared, or None."""
    pair = f'"{first.model}" and "{other.model}"'
    way = 'run both on the same data set with the same boxes'
    if first.joints.names != other.joints.names:
        return f'{pair} predict different joints: {way}'
    a, b = (_given(run.boxes) for run in (first, other))
    if len(a) != len(b):
        return (
            f'{pair} were given {len(a)} and {len(b)} boxes, so there are no '
            f'paired differences: {way} (and the same --max-images)'
        )
    if not np.allclose(a, b, atol=0.01):
        return (
            f'{pair} were given different boxes, so there are no paired '
            f'differences: {way} (with or without --gt-boxes)'
        )
    return None


def _given(boxes: Boxes) -> np.ndarray:
    """``(M, 6)`` ids of image and person and the bbox, sorted; rows that are
    kept free for people who are not annotated are left out."""
    rows = np.column_stack([boxes.image_ids, boxes.instance_ids, boxes.boxes])
    rows = rows[np.isfinite(boxes.boxes).all(axis=1)]
    return rows[np.lexsort(rows.T[::-1])]


def _differences(first: RunMeasures, other: RunMeasures) -> list[dict]:
    people = int(first.labelled.any(axis=1).sum())
    scores = [difference(other.all_people(), first.all_people())]
    losses: list[Draws] = [{}]
    out = [dict(model=other.run.model, attack=CLEAN, people=people)]
    known = {attack.name: attack for attack in other.run.attacks}
    ids = [m.run.boxes.instance_ids for m in (first, other)]
    for attack in first.run.attacks:
        if attack.name not in known:
            continue
        same = known[attack.name]
        common = np.intersect1d(  # people who are attacked in both
            ids[0][first.attacked_people(attack)],
            ids[1][other.attacked_people(same)],
        )
        who = attack.changed & np.isin(ids[0], common)
        whose = same.changed & np.isin(ids[1], common)
        ours, theirs = first.attacked(attack, who), other.attacked(same, whose)
        loss = difference(ours, first.clean(who))
        out.append(dict(out[0], attack=attack.name, people=int(who.sum())))
        scores.append(difference(theirs, ours))
        losses.append(difference(difference(theirs, other.clean(whose)), loss))
    images = len(first.people.images)
    together = [estimates(scores[0]), *simultaneous(scores[1:], images)]
    losses_together = [{}, *simultaneous(losses[1:], images)]
    return [
        dict(
            row,
            score=scores[i],
            loss=losses[i],
            score_together=together[i],
            loss_together=losses_together[i],
            equivalence=equivalence(scores[i][first.main]),
        )
        for i, row in enumerate(out)
    ]
