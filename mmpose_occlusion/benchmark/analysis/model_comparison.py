"""Models side by side, paired where they were given the same bboxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import BenchmarkRun, Boxes

from .bootstrap import (
    Draws,
    Equivalence,
    Estimate,
    Estimates,
    difference,
    equivalence,
    estimate,
    estimates,
    rank_agreement,
    simultaneous,
)
from .natural_occlusion import NaturalDraws
from .run_measures import RunMeasures

CLEAN = 'clean'
"""Stands for the name of an attack."""

LEAST_MODELS = 3
"""For a rank correlation over models."""


@dataclass(frozen=True)
class ModelDifference:
    """One model minus the first, on the same people.

    ``score`` is the difference of the measures under an attack, or
    :data:`CLEAN`; ``loss`` that of the changes by the attack: above 0, for a
    measure of which more is better, if this model loses less. The intervals of
    ``..._together`` hold for all attacks at once; ``equivalence`` is of the
    main measure's ``score``."""

    model: str
    attack: str
    people: int
    score: Estimates
    loss: Estimates
    score_together: Estimates
    loss_together: Estimates
    equivalence: Equivalence


@dataclass(frozen=True)
class ModelAgreement:
    """Kendall's tau over models between the loss of OKS50 of hidden joints
    under the attacks of a paint and size, and by natural occlusion."""

    paint: str
    severity: float
    models: int
    tau: Estimate


@dataclass(frozen=True)
class ModelComparison:
    """Models against the first one, ``reasons`` why some cannot be compared,
    and the agreement of at least :data:`LEAST_MODELS` models."""

    baseline: str
    reasons: dict[str, str]
    differences: list[ModelDifference]
    agreement: list[ModelAgreement]


def compare_models(
    measures: Sequence[RunMeasures],
    natural: Sequence[NaturalDraws | None],
) -> ModelComparison | None:
    """Compare all runs with the first; None if there is only one. ``natural``
    is of each run, see :func:`.natural_occlusion.natural_occlusion`."""
    if len(measures) < 2:
        return None
    first = measures[0]
    reasons: dict[str, str] = {}
    out: list[ModelDifference] = []
    same = [natural[0]]
    for other, draws in zip(measures[1:], natural[1:], strict=True):
        reason = not_paired(first.run, other.run)
        if reason:
            reasons[other.run.model] = reason
        else:
            out += _differences(first, other)
            same.append(draws)
    return ModelComparison(
        first.run.model, reasons, out, _agreement([d for d in same if d])
    )


def _agreement(found: Sequence[NaturalDraws]) -> list[ModelAgreement]:
    if len(found) < LEAST_MODELS:
        return []
    nature = np.stack([draws.natural for draws in found])
    out = []
    for key in found[0].attacks:
        losses = [d.attacks[key] for d in found if key in d.attacks]
        if len(losses) == len(found):
            tau = estimate(rank_agreement(np.stack(losses), nature))
            out.append(ModelAgreement(*key, len(found), tau))
    return out


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


def _differences(
    first: RunMeasures, other: RunMeasures
) -> list[ModelDifference]:
    names, people = [CLEAN], [int(first.labelled.any(axis=1).sum())]
    scores = [difference(other.all_people(), first.all_people())]
    losses: list[Draws] = [{}]
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
        names.append(attack.name)
        people.append(int(who.sum()))
        scores.append(difference(theirs, ours))
        losses.append(difference(difference(theirs, other.clean(whose)), loss))
    images = len(first.people.images)
    together = [estimates(scores[0]), *simultaneous(scores[1:], images)]
    losses_together = [{}, *simultaneous(losses[1:], images)]
    return [
        ModelDifference(
            other.run.model,
            names[i],
            people[i],
            estimates(scores[i]),
            estimates(losses[i]),
            together[i],
            losses_together[i],
            equivalence(scores[i][first.main]),
        )
        for i in range(len(names))
    ]
