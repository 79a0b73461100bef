"""Attacks side by side: by the size of the occlusion, a suite in few numbers,
controls, and whether discs give away the joints that they hide.

All results are entries of ``report.json`` with draws ``(1 + B,)`` in place of
estimates.
"""

from collections.abc import Sequence

import numpy as np
from scipy.integrate import trapezoid

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.metrics.confidence import ratio
from mmpose_occlusion.metrics.pck import joint_errors
from mmpose_occlusion.occlusion.targets import KEYPOINT

from .attack_description import (
    AT_TARGET,
    MOVED,
    OTHER,
    AttackDescription,
    describe,
    grouped,
)
from .bootstrap import (
    Record,
    censored_estimate,
    crossing,
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


def area_under(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean height of piecewise linear curves ``(S, ...)`` at rising steps
    ``(S,)``."""
    return trapezoid(values, steps, axis=0) / (steps[-1] - steps[0])


def severity_curves(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> list[Record]:
    """``curves``, those of at least two sizes, the mean of several targets
    before them. The first point is without an attack; all are over the
    ``people`` (bboxes) that every step changed, the smallest number for a
    :data:`MEAN`. ``control`` is the place that is painted instead of the
    target, or empty."""
    groups: dict[tuple, dict[str, list[Attacked]]] = {}
    for (*key, target), mine in grouped(
        attacks,
        lambda attack, it: (
            None
            if it.severity is None or it.kind == OTHER
            else (attack.suite, it.kind, it.paint, it.place, it.target)
        ),
    ).items():
        groups.setdefault(tuple(key), {})[target] = mine
    out = []
    for (suite, kind, paint, place), targets in groups.items():
        control = '' if place == AT_TARGET else place
        known = {}
        for target, mine in targets.items():
            steps = [(describe(a).severity, a) for a in mine]
            steps = [(s, a) for s, a in steps if s and a.changed.any()]
            if len({size for size, _ in steps}) >= LEAST_STEPS:
                steps.sort(key=lambda step: step[0] or 0)
                who, drawn = _compared(measures, [a for _, a in steps])
                sizes = [0.0, *(s for s, _ in steps)]
                known[target] = int(who.sum()), sizes, np.stack(drawn)
        if len(known) > 1 and len({tuple(d[1]) for d in known.values()}) == 1:
            people, every, curves = zip(*known.values(), strict=True)
            mean = np.ma.masked_invalid(curves).mean(axis=0).filled(np.nan)
            known = {MEAN: (min(people), every[0], mean), **known}
        for target, (people, sizes, values) in known.items():
            clean = values[0]
            half = crossing(np.array(sizes[1:]), values[1:], clean, clean / 2)
            out.append(
                Record(
                    suite=suite,
                    kind=kind,
                    target=target,
                    paint=f'{paint} {control}'.strip(),
                    people=people,
                    measure=measures.main,
                    severity=sizes,
                    points=list(values),
                    area=area_under(np.array(sizes), values),
                    half=censored_estimate(half),
                    reached=bool(np.isfinite(half[0])),
                    control=control,
                )
            )
    return out


def _compared(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The people ``(N,)`` whom all attacks change, and the main measure of
    them without an attack and under each."""
    who = np.logical_and.reduce([a.changed for a in attacks])
    who &= measures.labelled.any(axis=1)
    under = [measures.attacked(a, who) for a in attacks]
    return who, [d[measures.main] for d in (measures.clean(who), *under)]


def suite_summaries(
    curves: Sequence[Record], reference: Sequence[Record]
) -> list[Record]:
    """``summaries`` of the suites that have severities; mOE is relative to
    the ``reference``, the curves of the first model, and undefined for other
    attacks than its."""
    out = []
    for suite in dict.fromkeys(c.suite for c in curves if not c.control):
        mine, theirs = (
            {
                (c.kind, c.target, c.paint): c
                for c in some
                if c.suite == suite and c.target != MEAN and not c.control
            }
            for some in (curves, reference)
        )
        clean = np.mean([c.points[0] for c in mine.values()], axis=0)
        values, others = (
            {key: np.stack(c.points[1:]) for key, c in found.items()}
            for found in (mine, theirs)
        )
        mpc = np.mean([v.mean(axis=0) for v in values.values()], axis=0)
        moe = np.full(len(clean), np.nan)
        if {n: v.shape for n, v in values.items()} == {
            n: v.shape for n, v in others.items()
        }:
            moe = mean_occlusion_error(values, others)
        out.append(
            Record(
                suite=suite,
                measure=next(iter(mine.values())).measure,
                curves=len(mine),
                severities=sorted(
                    {s for c in mine.values() for s in c.severity[1:]}
                ),
                clean=clean,
                mpc=mpc,
                rpc=ratio(mpc, clean),
                moe=moe,
            )
        )
    return out


def control_comparisons(measures: RunMeasures) -> list[Record]:
    """``controls``: the attacks on the same target in the same paint at
    different places, over the people that all of them changed; ``excess`` is
    the effect of the target itself."""
    out = []
    for (target, paint, severity), mine in grouped(
        measures.run.attacks,
        lambda _, it: (
            (it.target, it.paint, it.severity) if it.kind != OTHER else None
        ),
    ).items():
        places: dict[str, Attacked] = {}
        for attack in mine:
            places.setdefault(describe(attack).place, attack)
        if len(places) < 2:
            continue
        who, (clean, *under) = _compared(measures, list(places.values()))
        change = {p: x - clean for p, x in zip(places, under, strict=True)}
        own = change.get(AT_TARGET)
        others = [p for p in places if own is not None and p != AT_TARGET]
        out.append(
            Record(
                target=target,
                paint=paint,
                severity=severity,
                measure=measures.main,
                people=int(who.sum()),
                change=change,
                excess={place: own - change[place] for place in others},
                attacks={p: attack.name for p, attack in places.items()},
            )
        )
    return out


def location_leaks(measures: RunMeasures) -> list[Record]:
    """``leaks``: does a disc give away where the joint is that it hides?

    Of each paint, size and arrangement of discs on single named joints whose
    centres are known, the predictions of the joints that the attacks ask for,
    compared with the disc's centre. ``discs`` are :data:`CENTRED` at the
    joint, moved by an :data:`OFFSET`, or at the place of others. ``towards``
    is the fraction of the predictions that the disc brings nearer to its
    centre by at least :data:`LEAST`, ``away`` that it takes as much further
    away, ``net`` the difference, and ``approach`` the mean decrease of the
    distance, as a fraction of the bbox's longer side."""
    names, out = measures.run.joints.names, []
    for (paint, severity, discs), attacks in grouped(
        measures.run.attacks,
        lambda _, it: (
            (it.paint.partition(MOVED)[0], it.severity, _discs(it))
            if it.kind == KEYPOINT and it.target in names
            else None
        ),
    ).items():
        found = np.stack([_approach(measures, attack) for attack in attacks])
        _, row = known = np.nonzero(np.isfinite(found))
        image, approach = measures.image[row], found[known]
        towards, away = approach >= LEAST, approach <= -LEAST
        number, *sums = (
            resampled_sum(measures.weights, image, values.astype(float))
            for values in (
                *(np.ones(len(image)), towards, away),
                *(towards * 1.0 - away, approach),
            )
        )
        shares = [ratio(each, number) for each in sums]
        if len(image):
            out.append(
                Record(
                    paint=paint,
                    severity=severity,
                    discs=discs,
                    predictions=len(image),
                    towards=shares[0],
                    away=shares[1],
                    net=shares[2],
                    approach=shares[3],
                )
            )
    return out


def _discs(what: AttackDescription) -> str:
    if what.place != AT_TARGET:
        return what.place
    return OFFSET if what.offset else CENTRED


def _approach(measures: RunMeasures, attack: Attacked) -> np.ndarray:
    """``(N,)`` decrease of the distance of a joint's prediction to the disc's
    centre; NaN where there is no disc, or its centre is not known."""
    what, boxes = describe(attack), measures.run.boxes
    joint = measures.run.joints.names.index(what.target)
    centred, centres = _discs(what) == CENTRED, attack.centres
    if centres is None:
        centres = boxes.truth[:, joint] if centred else np.full(2, np.nan)
    before, after = (
        joint_errors(np.asarray(found.keypoints[:, joint], float), centres)
        for found in (measures.run.clean, attack.predictions)
    )
    known = attack.changed & measures.labelled[:, joint]
    if centred:
        known = known & attack.targets[:, joint]
    return np.where(known, before - after, np.nan) / measures.sizes
