"""Models side by side, paired where they were given the same bboxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import BenchmarkRun, Boxes

from .bootstrap import Estimates, difference, estimates
from .run_measures import RunMeasures

CLEAN = 'clean'
"""Stands for the name of an attack."""


@dataclass(frozen=True)
class ModelDifference:
    """One model minus the first, on the same people.

    Args:
        model: Name.
        attack: Name, or :data:`CLEAN`.
        people: Bboxes that were attacked for both models.
        score: Difference of the measures under attack.
        loss: Difference of the changes by the attack: above 0, for a
            measure of which more is better, if this model loses less.
    """

    model: str
    attack: str
    people: int
    score: Estimates
    loss: Estimates


@dataclass(frozen=True)
class ModelComparison:
    """Models against the first one.

    Args:
        baseline: Name of the first model.
        reasons: Why a model cannot be compared: model -> sentence.
        differences: Of the others.
    """

    baseline: str
    reasons: dict[str, str]
    differences: list[ModelDifference]


def compare_models(
    measures: Sequence[RunMeasures],
) -> ModelComparison | None:
    """Compare all runs with the first; None if there is only one."""
    if len(measures) < 2:
        return None
    first = measures[0]
    reasons: dict[str, str] = {}
    out: list[ModelDifference] = []
    for other in measures[1:]:
        reason = not_paired(first.run, other.run)
        if reason:
            reasons[other.run.model] = reason
        else:
            out += _differences(first, other)
    return ModelComparison(first.run.model, reasons, out)


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
    real = np.isfinite(boxes.boxes).all(axis=1)
    rows = np.column_stack([boxes.image_ids, boxes.instance_ids, boxes.boxes])
    rows = rows[real]
    return rows[np.lexsort(rows.T[::-1])]


def _both(
    first: RunMeasures,
    other: RunMeasures,
    ours: np.ndarray,
    theirs: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """``(N,)`` bool of each run: people who are chosen in both."""
    ids = [m.run.boxes.instance_ids for m in (first, other)]
    common = np.intersect1d(
        ids[0][ours & first.labelled.any(axis=1)],
        ids[1][theirs & other.labelled.any(axis=1)],
    )
    return np.isin(ids[0], common) & ours, np.isin(ids[1], common) & theirs


def _differences(
    first: RunMeasures, other: RunMeasures
) -> list[ModelDifference]:
    labelled = first.labelled.any(axis=1)
    clean = difference(other.all_people(), first.all_people())
    out = [
        ModelDifference(
            model=other.run.model,
            attack=CLEAN,
            people=int(labelled.sum()),
            score=estimates(clean),
            loss={},
        )
    ]
    known = {attack.name: attack for attack in other.run.attacks}
    for attack in first.run.attacks:
        same = known.get(attack.name)
        if same is None:
            continue
        who, who_other = _both(first, other, attack.changed, same.changed)
        theirs = other.attacked(same, who_other)
        ours = first.attacked(attack, who)
        loss = difference(
            difference(theirs, other.clean(who_other)),
            difference(ours, first.clean(who)),
        )
        out.append(
            ModelDifference(
                model=other.run.model,
                attack=attack.name,
                people=int(who.sum()),
                score=estimates(difference(theirs, ours)),
                loss=estimates(loss),
            )
        )
    return out
