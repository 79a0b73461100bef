"""Several models side by side, paired where they saw the same boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mmpose_occlusion.benchmark.data import BenchmarkRun

from .costs import Estimates, estimates
from .measures import Draws, Judge, change

CLEAN = 'clean'


@dataclass(frozen=True)
class Difference:
    """One model minus the first, on the same people.

    Args:
        model: Name.
        attack: Name, or ``clean``.
        people: Boxes that both models saw attacked.
        score: Difference of the measures under attack.
        loss: Difference of the changes by the attack: above 0, for a
            measure of which more is better, if this model loses less.
    """

    model: str
    attack: str
    people: int
    score: Estimates
    loss: Estimates = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Models against the first one.

    Args:
        baseline: Name of the first model.
        reasons: Why a model cannot be compared: model -> sentence.
        differences: Of the others.
    """

    baseline: str
    reasons: dict[str, str]
    differences: list[Difference]


def not_paired(first: BenchmarkRun, other: BenchmarkRun) -> str | None:
    """A sentence on why two runs cannot be compared, or None."""
    pair = f'"{first.model}" and "{other.model}"'
    way = 'run both on the same data set with the same boxes'
    if first.joints.names != other.joints.names:
        return f'{pair} predict different joints: {way}'
    a, b = first.boxes, other.boxes
    if len(a) != len(b):
        return (
            f'{pair} were given {len(a)} and {len(b)} boxes, so there are no '
            f'paired differences: {way} (and the same --max-images)'
        )
    same = (
        np.array_equal(a.image_ids, b.image_ids)
        and np.array_equal(a.instance_ids, b.instance_ids)
        and np.allclose(a.boxes, b.boxes, atol=0.01)
    )
    if not same:
        return (
            f'{pair} were given different boxes, so there are no paired '
            f'differences: {way} (with or without --gt-boxes)'
        )
    return None


def compare_runs(judges: Sequence[Judge]) -> Comparison | None:
    """Compare all runs with the first; None if there is only one."""
    if len(judges) < 2:
        return None
    first = judges[0]
    reasons: dict[str, str] = {}
    out: list[Difference] = []
    for judge in judges[1:]:
        reason = not_paired(first.run, judge.run)
        if reason:
            reasons[judge.run.model] = reason
        else:
            out += _differences(first, judge)
    return Comparison(first.run.model, reasons, out)


def _differences(first: Judge, other: Judge) -> list[Difference]:
    model = other.run.model
    everybody = first.labelled.any(axis=1)
    out = [
        Difference(
            model=model,
            attack=CLEAN,
            people=int(everybody.sum()),
            score=estimates(_minus(other.everybody(), first.everybody())),
        )
    ]
    known = {attack.name: attack for attack in other.run.attacks}
    for attack in first.run.attacks:
        twin = known.get(attack.name)
        if twin is None:
            continue
        who = attack.changed & twin.changed & everybody
        mine, theirs = first.attacked(attack, who), other.attacked(twin, who)
        losses = [
            change(judge.clean(who), attacked)
            for judge, attacked in ((first, mine), (other, theirs))
        ]
        out.append(
            Difference(
                model=model,
                attack=attack.name,
                people=int(who.sum()),
                score=estimates(_minus(theirs, mine)),
                loss=estimates(_minus(losses[1], losses[0])),
            )
        )
    return out


def _minus(a: Draws, b: Draws) -> Draws:
    return {name: a[name] - b[name] for name in a if name in b}
