"""Attacks side by side: movement matrices, severity curves, controls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import trapezoid

from mmpose_occlusion.benchmark.data import Attacked

from .attack_costs import AttackCost
from .attack_description import AT_TARGET, OTHER, describe
from .bootstrap import Estimate, estimate
from .run_measures import RunMeasures

LEAST_STEPS = 2
"""Sizes of a curve."""

MEAN = 'mean'
"""Target of a curve that is the mean of several."""


@dataclass(frozen=True)
class MovementMatrix:
    """Movement of each joint when a target is hidden.

    Args:
        kind: Of the targets.
        paint: Which hides them, see :attr:`.AttackCost.label`.
        targets: Rows.
        joints: Columns.
        values: Mean movement as a fraction of the bbox's longer side, None
            where the attack changed no crop.
    """

    kind: str
    paint: str
    targets: list[str]
    joints: list[str]
    values: list[list[float | None]]


def movement_matrices(costs: Sequence[AttackCost]) -> list[MovementMatrix]:
    """A matrix of the joints and one of the parts for each paint."""
    rows: dict[tuple[str, str], dict[str, AttackCost]] = {}
    for cost in costs:
        if cost.plain:
            group = rows.setdefault((cost.kind, cost.label), {})
            group.setdefault(cost.target, cost)
    return [
        MovementMatrix(
            kind=kind,
            paint=paint,
            targets=list(found),
            joints=list(next(iter(found.values())).moved),
            values=[list(cost.moved.values()) for cost in found.values()],
        )
        for (kind, paint), found in rows.items()
        if len(found) > 1
    ]


@dataclass(frozen=True)
class SeverityCurve:
    """A measure by the severity of attacks on the same people.

    Args:
        suite: From which the attacks came.
        kind: Of the attacks, see :class:`.AttackDescription`.
        target: Which they hide, or :data:`MEAN`.
        paint: Which they paint.
        measure: Such as ``AP``.
        people: Bboxes that every step changed, over which the curve is; the
            smallest number for a mean.
        severity: Steps, the first is 0, without attack.
        points: At each step.
        area: Under the curve over its width: the mean over the severities.
    """

    suite: str
    kind: str
    target: str
    paint: str
    measure: str
    people: int
    severity: list[float]
    points: list[Estimate]
    area: Estimate


def area_under(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean height of piecewise linear curves.

    Args:
        steps: ``(S,)`` rising.
        values: ``(S, ...)``.
    """
    area = trapezoid(values, steps, axis=0)
    return area / (steps[-1] - steps[0])


@dataclass(frozen=True)
class CurveDraws:
    """Values of a curve with every resampled set.

    Args:
        suite: See :class:`SeverityCurve`, as what follows.
        kind: Of the attacks.
        target: Which they hide.
        paint: Which they paint, with the place of controls.
        people: Number of bboxes.
        severity: ``(S,)``, the first is 0.
        values: ``(S, 1 + B)`` of the main measure.
        is_control: Whether it paints elsewhere.
    """

    suite: str
    kind: str
    target: str
    paint: str
    people: int
    severity: np.ndarray
    values: np.ndarray
    is_control: bool


def curve_draws(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> list[CurveDraws]:
    """All curves of at least two sizes, the mean of several targets first."""
    groups: dict[tuple[str, str, str, bool], dict[str, list[Attacked]]] = {}
    for attack in attacks:
        what = describe(attack)
        if what.severity is not None and what.kind != OTHER:
            paint, control = what.paint, what.place != AT_TARGET
            if control:
                paint = f'{paint} {what.place}'
            key = attack.suite, what.kind, paint, control
            groups.setdefault(key, {}).setdefault(what.target, []).append(
                attack
            )
    out = []
    for (suite, kind, paint, control), targets in groups.items():
        drawn = {t: _curve_draws(measures, a) for t, a in targets.items()}
        known = {target: d for target, d in drawn.items() if d is not None}
        if len(known) > 1 and len({tuple(d[1]) for d in known.values()}) == 1:
            people, steps, values = zip(*known.values(), strict=True)
            mean = np.ma.masked_invalid(values).mean(axis=0).filled(np.nan)
            known = {MEAN: (min(people), steps[0], mean), **known}
        out += [
            CurveDraws(suite, kind, target, paint, *found, control)
            for target, found in known.items()
        ]
    return out


def severity_curves(
    drawn: Sequence[CurveDraws], measure: str
) -> list[SeverityCurve]:
    """The curves with their intervals.

    Args:
        drawn: Of :func:`curve_draws`.
        measure: Name of the main measure.
    """
    return [
        SeverityCurve(
            suite=curve.suite,
            kind=curve.kind,
            target=curve.target,
            paint=curve.paint,
            measure=measure,
            people=curve.people,
            severity=curve.severity.tolist(),
            points=[estimate(row) for row in curve.values],
            area=estimate(area_under(curve.severity, curve.values)),
        )
        for curve in drawn
    ]


def _curve_draws(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> tuple[int, np.ndarray, np.ndarray] | None:
    """People, steps and ``(S, 1 + B)`` values of one curve."""
    sized = [(describe(a).severity or 0.0, a) for a in attacks]
    steps = [(s, a) for s, a in sized if s and a.changed.any()]
    steps.sort(key=lambda step: step[0])
    if len({severity for severity, _ in steps}) < LEAST_STEPS:
        return None
    who = np.logical_and.reduce([a.changed for _, a in steps])
    who &= measures.labelled.any(axis=1)
    values = [measures.clean(who)[measures.main]]
    values += [measures.attacked(a, who)[measures.main] for _, a in steps]
    at = np.array([0.0, *(severity for severity, _ in steps)])
    return int(who.sum()), at, np.stack(values)


@dataclass(frozen=True)
class ControlComparison:
    """Attacks of the same area at different places, on the same people.

    Args:
        target: Whose area is painted.
        paint: Which is painted.
        severity: Size of the discs, see :class:`.AttackDescription`.
        measure: Such as ``AP``.
        people: Bboxes that all of the attacks changed, over which all is.
        change: Place -> change of the measure.
        excess: Place -> change by hiding the target minus that by painting
            this place: the effect of the target itself.
        attacks: Place -> name of the attack.
    """

    target: str
    paint: str
    severity: float | None
    measure: str
    people: int
    change: dict[str, Estimate]
    excess: dict[str, Estimate]
    attacks: dict[str, str]


def control_comparisons(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> list[ControlComparison]:
    """Compare the attacks of a run on the same target in the same paint at
    different places."""
    groups: dict[tuple[str, str, float | None], dict[str, Attacked]] = {}
    for attack in attacks:
        what = describe(attack)
        if what.kind != OTHER:
            key = what.target, what.paint, what.severity
            groups.setdefault(key, {}).setdefault(what.place, attack)
    return [
        _control_comparison(measures, target, paint, severity, places)
        for (target, paint, severity), places in groups.items()
        if len(places) > 1
    ]


def _control_comparison(
    measures: RunMeasures,
    target: str,
    paint: str,
    severity: float | None,
    places: dict[str, Attacked],
) -> ControlComparison:
    who = np.logical_and.reduce([a.changed for a in places.values()])
    who &= measures.labelled.any(axis=1)
    clean = measures.clean(who)[measures.main]
    changes = {
        place: measures.attacked(attack, who)[measures.main] - clean
        for place, attack in places.items()
    }
    own = changes.get(AT_TARGET)
    return ControlComparison(
        target=target,
        paint=paint,
        severity=severity,
        measure=measures.main,
        people=int(who.sum()),
        change={place: estimate(v) for place, v in changes.items()},
        excess={
            place: estimate(own - values)
            for place, values in changes.items()
            if own is not None and place != AT_TARGET
        },
        attacks={place: attack.name for place, attack in places.items()},
    )
