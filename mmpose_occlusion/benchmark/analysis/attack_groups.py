"""Attacks side by side: by the size of the occlusion, a suite in few numbers,
and controls."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.integrate import trapezoid

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.metrics.inference import (
    crossing,
    mean_occlusion_error,
    mean_performance,
)

from .attack_description import AT_TARGET, OTHER, describe
from .bootstrap import Estimate, censored_estimate, estimate
from .run_measures import RunMeasures

LEAST_STEPS = 2
"""Sizes of a curve."""

MEAN = 'mean'
"""Target of a curve that is the mean of several."""


@dataclass(frozen=True)
class CurveOf:
    """What a curve is of: ``people`` are the bboxes that every step changed,
    over which it is; the smallest number for a :data:`MEAN`."""

    suite: str
    kind: str
    target: str
    paint: str
    people: int


@dataclass(frozen=True)
class CurveDraws(CurveOf):
    """Values ``(S, 1 + B)`` of the main measure with every resampled set at
    sizes ``(S,)``, the first 0."""

    severity: np.ndarray
    values: np.ndarray
    is_control: bool


@dataclass(frozen=True)
class SeverityCurve(CurveOf):
    """A measure by the severity of attacks on the same people, the first step
    without attack.

    ``area`` is that under the curve over its width. ``half`` is S50, the
    smallest severity at which half of the clean measure is lost; infinite
    values and ends are None, and ``reached`` says whether the greatest size
    loses half."""

    measure: str
    severity: list[float]
    points: list[Estimate]
    area: Estimate
    half: Estimate
    reached: bool


def area_under(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean height of piecewise linear curves ``(S, ...)`` at rising steps
    ``(S,)``."""
    return trapezoid(values, steps, axis=0) / (steps[-1] - steps[0])


def curve_draws(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> list[CurveDraws]:
    """All curves of at least two sizes, the mean of several targets first."""
    groups: dict[tuple[str, str, str, bool], dict[str, list[Attacked]]] = {}
    for attack in attacks:
        what = describe(attack)
        if what.severity is not None and what.kind != OTHER:
            control = what.place != AT_TARGET
            paint = f'{what.paint} {what.place}' if control else what.paint
            targets = groups.setdefault(
                (attack.suite, what.kind, paint, control), {}
            )
            targets.setdefault(what.target, []).append(attack)
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
    """The curves of :func:`curve_draws` with their intervals."""
    out = []
    for curve in drawn:
        clean, steps = curve.values[0], curve.severity
        half = crossing(steps[1:], curve.values[1:], clean, clean / 2)
        out.append(
            SeverityCurve(
                **{f.name: getattr(curve, f.name) for f in fields(CurveOf)},
                measure=measure,
                severity=steps.tolist(),
                points=[estimate(row) for row in curve.values],
                area=estimate(area_under(steps, curve.values)),
                half=censored_estimate(half),
                reached=bool(np.isfinite(half[0])),
            )
        )
    return out


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
class SuiteSummary:
    """A suite in few numbers, see :mod:`mmpose_occlusion.metrics.inference`:
    means over ``curves`` targets times paints, and sizes. ``moe`` is relative
    to the first model of the report; None for other attacks than its."""

    suite: str
    measure: str
    curves: int
    severities: list[float]
    clean: Estimate
    mpc: Estimate
    rpc: Estimate
    moe: Estimate


def suite_summaries(
    drawn: Sequence[CurveDraws],
    measure: str,
    reference: Sequence[CurveDraws] | None = None,
) -> list[SuiteSummary]:
    """A summary of each suite that has severities; ``reference`` are the
    curves of the first model."""
    out = []
    for suite in dict.fromkeys(c.suite for c in drawn if not c.is_control):
        curves, first = (
            {
                f'{c.kind}:{c.target}:{c.paint}': c
                for c in found or ()
                if c.suite == suite and c.target != MEAN and not c.is_control
            }
            for found in (drawn, reference)
        )
        values, theirs = (
            {name: c.values[1:] for name, c in found.items()}
            for found in (curves, first)
        )
        clean = np.mean([c.values[0] for c in curves.values()], axis=0)
        mean, moe = mean_performance(values), np.full(len(clean), np.nan)
        if {n: v.shape for n, v in values.items()} == {
            n: v.shape for n, v in theirs.items()
        }:
            moe = mean_occlusion_error(values, theirs)
        sizes = {s for c in curves.values() for s in c.severity[1:].tolist()}
        with np.errstate(invalid='ignore', divide='ignore'):
            relative = np.where(clean > 0, mean / clean, np.nan)
        out.append(
            SuiteSummary(
                suite,
                measure,
                len(curves),
                sorted(sizes),
                *map(estimate, (clean, mean, relative, moe)),
            )
        )
    return out


@dataclass(frozen=True)
class ControlComparison:
    """Attacks of the same area at different places, on the ``people`` that all
    of them changed: place -> name of the attack and change of the measure;
    ``excess`` is the change by hiding the target minus that by painting this
    place, the effect of the target itself."""

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
            places = groups.setdefault(
                (what.target, what.paint, what.severity), {}
            )
            places.setdefault(what.place, attack)
    out = []
    for (target, paint, severity), places in groups.items():
        if len(places) < 2:
            continue
        who = np.logical_and.reduce([a.changed for a in places.values()])
        who &= measures.labelled.any(axis=1)
        clean = measures.clean(who)[measures.main]
        changes = {
            place: measures.attacked(attack, who)[measures.main] - clean
            for place, attack in places.items()
        }
        own = changes.get(AT_TARGET)
        out.append(
            ControlComparison(
                target=target,
                paint=paint,
                severity=severity,
                measure=measures.main,
                people=int(who.sum()),
                change={p: estimate(values) for p, values in changes.items()},
                excess={
                    place: estimate(own - values)
                    for place, values in changes.items()
                    if own is not None and place != AT_TARGET
                },
                attacks={p: attack.name for p, attack in places.items()},
            )
        )
    return out
