"""Attacks side by side: by the size of the occlusion, a suite in few numbers,
controls, and whether discs give away the joints that they hide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.integrate import trapezoid

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.metrics.confidence import ratio
from mmpose_occlusion.metrics.oks_pck import joint_errors
from mmpose_occlusion.occlusion.targets import KEYPOINT

from .attack_description import AT_TARGET, MOVED, OTHER, describe
from .bootstrap import (
    Estimate,
    censored_estimate,
    crossing,
    estimate,
    mean_occlusion_error,
    resampled_sum,
)
from .run_measures import RunMeasures

LEAST_STEPS = 2
"""Sizes of a curve."""

MEAN = 'mean'
"""Target of a curve that is the mean of several."""

LEAST = 0.01
"""Least change of the distance to the disc's centre that counts, as a fraction
of the longer side of the person's bbox."""

CENTRED, OFFSET = 'centred', 'offset'


class CurveDraws(NamedTuple):
    """Values ``(S, 1 + B)`` of the main measure with every resampled set at
    sizes ``(S,)``, the first 0, over the ``people`` (bboxes) that every step
    changed, the smallest number for a :data:`MEAN`."""

    suite: str
    kind: str
    target: str
    paint: str
    people: int
    severity: np.ndarray
    values: np.ndarray
    is_control: bool


@dataclass(frozen=True)
class SeverityCurve:
    """A measure by the severity of attacks on the same people, the first step
    without attack, see :class:`CurveDraws`.

    ``area`` is that under the curve over its width. ``half`` is S50, the
    smallest severity at which half of the clean measure is lost; infinite
    values and ends are None, and ``reached`` says whether the greatest size
    loses half."""

    suite: str
    kind: str
    target: str
    paint: str
    people: int
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
    groups: dict[tuple, dict[str, list[tuple[float, Attacked]]]] = {}
    for attack in attacks:
        what = describe(attack)
        if what.severity is not None and what.kind != OTHER:
            control = what.place != AT_TARGET
            paint = f'{what.paint} {what.place}' if control else what.paint
            key = attack.suite, what.kind, paint, control
            steps = groups.setdefault(key, {}).setdefault(what.target, [])
            if what.severity and attack.changed.any():
                steps.append((what.severity, attack))
    out = []
    for (suite, kind, paint, control), targets in groups.items():
        known = {
            target: _curve_draws(measures, steps)
            for target, steps in targets.items()
            if len({severity for severity, _ in steps}) >= LEAST_STEPS
        }
        if len(known) > 1 and len({tuple(d[1]) for d in known.values()}) == 1:
            people, sizes, values = zip(*known.values(), strict=True)
            mean = np.ma.masked_invalid(values).mean(axis=0).filled(np.nan)
            known = {MEAN: (min(people), sizes[0], mean), **known}
        out += [
            CurveDraws(suite, kind, target, paint, *found, control)
            for target, found in known.items()
        ]
    return out


def _curve_draws(
    measures: RunMeasures, steps: list[tuple[float, Attacked]]
) -> tuple[int, np.ndarray, np.ndarray]:
    """People, sizes and ``(S, 1 + B)`` values of one curve."""
    sizes, attacks = zip(*sorted(steps, key=lambda s: s[0]), strict=True)
    who, values = _compared(measures, attacks)
    return int(who.sum()), np.array([0.0, *sizes]), np.stack(values)


def _compared(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The people ``(N,)`` whom all attacks change, and the main measure of
    them without an attack and under each."""
    who = np.logical_and.reduce([a.changed for a in attacks])
    who &= measures.labelled.any(axis=1)
    draws = [
        measures.clean(who),
        *(measures.attacked(a, who) for a in attacks),
    ]
    return who, [each[measures.main] for each in draws]


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
                *curve[:5],
                measure=measure,
                severity=steps.tolist(),
                points=[estimate(row) for row in curve.values],
                area=estimate(area_under(steps, curve.values)),
                half=censored_estimate(half),
                reached=bool(np.isfinite(half[0])),
            )
        )
    return out


@dataclass(frozen=True)
class SuiteSummary:
    """A suite in few numbers: means over ``curves`` targets times paints, and
    sizes. mPC is that of the measure, ``rpc`` the same as a fraction of the
    clean measure; ``moe``, see :func:`.bootstrap.mean_occlusion_error`, is
    relative to the first model of the report, None for other attacks than its.
    """

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
    reference: Sequence[CurveDraws] = (),
) -> list[SuiteSummary]:
    """A summary of each suite that has severities; ``reference`` are the
    curves of the first model."""
    out = []
    for suite in dict.fromkeys(c.suite for c in drawn if not c.is_control):
        mine = [c for c in drawn if _counts(c, suite)]
        values, theirs = (
            {':'.join(c[1:4]): c.values[1:] for c in found}
            for found in (mine, [c for c in reference if _counts(c, suite)])
        )
        clean = np.mean([c.values[0] for c in mine], axis=0)
        mpc = np.mean([v.mean(axis=0) for v in values.values()], axis=0)
        moe = np.full(len(clean), np.nan)
        if {n: v.shape for n, v in values.items()} == {
            n: v.shape for n, v in theirs.items()
        }:
            moe = mean_occlusion_error(values, theirs)
        sizes = sorted({s for c in mine for s in c.severity[1:].tolist()})
        found = clean, mpc, ratio(mpc, clean), moe
        out.append(
            SuiteSummary(
                *(suite, measure, len(mine), sizes), *map(estimate, found)
            )
        )
    return out


def _counts(curve: CurveDraws, suite: str) -> bool:
    own = curve.suite == suite and curve.target != MEAN
    return own and not curve.is_control


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


def control_comparisons(measures: RunMeasures) -> list[ControlComparison]:
    """Compare the attacks of a run on the same target in the same paint at
    different places."""
    groups: dict[tuple[str, str, float | None], dict[str, Attacked]] = {}
    for attack in measures.run.attacks:
        what = describe(attack)
        if what.kind != OTHER:
            key = what.target, what.paint, what.severity
            groups.setdefault(key, {}).setdefault(what.place, attack)
    out = []
    for key, places in groups.items():
        if len(places) < 2:
            continue
        who, (clean, *under) = _compared(measures, list(places.values()))
        changes = {p: x - clean for p, x in zip(places, under, strict=True)}
        own = changes.get(AT_TARGET)
        out.append(
            ControlComparison(
                *key,
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


@dataclass(frozen=True)
class LocationLeak:
    """Does a disc give away where the joint is that it hides? The predictions
    of the joints that the attacks of a paint and size ask for, compared with
    the disc's centre. A model that is drawn to decoys takes discs for joints,
    and small centred discs help it.

    ``discs`` are :data:`CENTRED` at the joint, moved by an :data:`OFFSET`, or
    at the place of others. ``towards`` is the fraction of the predictions that
    the disc brings nearer to its centre by at least :data:`LEAST`, ``away``
    that it takes as much further away, ``net`` the difference, and
    ``approach`` the mean decrease of the distance, as a fraction of the bbox's
    longer side."""

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
        LocationLeak(*key, number, *map(estimate, drawn))
        for key, number, drawn in leak_draws(measures)
    ]


def leak_draws(
    measures: RunMeasures,
) -> list[tuple[tuple[str, float | None, str], int, list[np.ndarray]]]:
    """Paint, size and arrangement, number of predictions, and the four
    statistics of :class:`LocationLeak` with every resampled set."""
    names = measures.run.joints.names
    found: dict[tuple, list[tuple[np.ndarray, np.ndarray]]] = {}
    for attack in measures.run.attacks:
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
            key = what.paint.partition(MOVED)[0], what.severity, discs
            each = measures.image[rows], approach[rows]
            found.setdefault(key, []).append(each)
    out = []
    for key, parts in found.items():
        image, approach = map(np.concatenate, zip(*parts, strict=True))
        towards, away = approach >= LEAST, approach <= -LEAST
        number, *sums = (
            resampled_sum(measures.weights, image, values)
            for values in (
                *(np.ones(len(image)), towards, away),
                *(towards * 1.0 - away, approach),
            )
        )
        out.append((key, len(image), [ratio(x, number) for x in sums]))
    return out


def _approach(
    measures: RunMeasures, attack: Attacked, joint: int, centred: bool
) -> np.ndarray:
    """``(N,)`` decrease of the distance of a joint's prediction to the disc's
    centre; NaN where there is no disc, or its centre is not known."""
    boxes, clean = measures.run.boxes, measures.run.clean.keypoints
    centres = attack.centres
    if centres is None:
        centres = boxes.truth[:, joint] if centred else np.full(2, np.nan)
    before, after = (
        joint_errors(np.asarray(keypoints[:, joint], float), centres)
        for keypoints in (clean, attack.predictions.keypoints)
    )
    known = attack.changed & measures.labelled[:, joint]
    if centred:
        known = known & attack.targets[:, joint]
    return np.where(known, before - after, np.nan) / measures.sizes
