"""Attacks side by side: by the size of the occlusion, a suite in few numbers,
controls, and whether discs give away the joints that they hide; and models,
paired where they were given the same bboxes.

All results are entries of ``report.json`` (docs/benchmark_analysis.md) with
draws ``(1 + B,)`` in place of estimates. Sources: mPC and rPC, Michaelis et
al., "Benchmarking robustness in object detection", 2019; mOE is as mCE of
Hendrycks and Dietterich, ICLR 2019.
"""

from collections.abc import Sequence

import numpy as np
from scipy.integrate import trapezoid

from mmpose_occlusion.benchmark.data import Attacked, BenchmarkRun
from mmpose_occlusion.metrics.confidence import ratio
from mmpose_occlusion.metrics.oks_pck import joint_errors
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
    Draws,
    Record,
    censored_estimate,
    crossing,
    difference,
    equivalence,
    estimates,
    rank_agreement,
    simultaneous,
    weighted_mean,
)
from .natural_occlusion import Losses
from .run_measures import RunMeasures

MEAN, CLEAN = 'mean', 'clean'
"""Target of a curve that is the mean of several; stands for the name of an
attack."""

LEAST = 0.01
"""Least change of the distance to the disc's centre that counts, as a fraction
of the longer side of the person's bbox."""

CENTRED, OFFSET = 'centred', 'offset'

LEAST_MODELS = 3
"""For a rank correlation over models."""


def severity_curves(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> list[Record]:
    """``curves`` of ``report.json``. Those that are over several targets come
    first; ``people`` (bboxes) are those that every step changed."""
    out = []
    for (suite, kind, paint, place), mine in grouped(
        attacks,
        lambda attack, it: (
            (attack.suite, it.kind, it.paint, it.place)
            if it.severity is not None and it.kind != OTHER
            else None
        ),
    ).items():
        control, known = '' if place == AT_TARGET else place, {}
        for target, steps in grouped(mine, lambda _, it: it.target).items():
            sized = [(describe(a).severity or 0.0, a) for a in steps]
            sized = [(s, a) for s, a in sized if s and a.changed.any()]
            if len({size for size, _ in sized}) > 1:
                sized.sort(key=lambda step: step[0])
                who, drawn = _compared(measures, [a for _, a in sized])
                sizes = [0.0, *(size for size, _ in sized)]
                known[target] = int(who.sum()), sizes, np.stack(drawn)
        if len(known) > 1:
            numbers, every, each = zip(*known.values(), strict=True)
            if all(sizes == every[0] for sizes in every):
                mean = np.ma.masked_invalid(each).mean(axis=0).filled(np.nan)
                known = {MEAN: (min(numbers), every[0], mean), **known}
        for target, (people, sizes, values) in known.items():
            half = crossing(
                np.array(sizes[1:]), values[1:], values[0], values[0] / 2
            )
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
                    area=trapezoid(values, sizes, axis=0) / sizes[-1],
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
    the ``reference``, the curves of the first model."""
    out = []
    for suite in dict.fromkeys(c.suite for c in curves if not c.control):
        mine, theirs = (
            {
                (c.kind, c.target, c.paint, *c.severity): np.stack(c.points)
                for c in some
                if c.suite == suite and c.target != MEAN and not c.control
            }
            for some in (curves, reference)
        )
        clean = np.mean([v[0] for v in mine.values()], axis=0)
        mpc = np.mean([v[1:].mean(axis=0) for v in mine.values()], axis=0)
        moe = np.full(len(clean), np.nan)
        if mine.keys() == theirs.keys():
            errors, usual = (
                [(1 - some[key][1:]).sum(axis=0) for key in mine]
                for some in (mine, theirs)
            )
            with np.errstate(invalid='ignore', divide='ignore'):
                moe = np.mean(np.divide(errors, usual), axis=0)
        out.append(
            Record(
                suite=suite,
                measure=curves[0].measure,
                curves=len(mine),
                severities=sorted({s for key in mine for s in key[4:]}),
                clean=clean,
                mpc=mpc,
                rpc=ratio(mpc, clean),
                moe=moe,
            )
        )
    return out


def control_comparisons(measures: RunMeasures) -> list[Record]:
    """``controls``, over the people that all attacks on a target changed."""
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
    centres are known; ``discs`` are :data:`CENTRED` at the joint, moved by an
    :data:`OFFSET`, or at the place of others."""
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
        if not len(image):
            continue
        towards, away = approach >= LEAST, approach <= -LEAST
        values = np.stack([towards, away, towards * 1.0 - away, approach])
        some = np.ones(values.T.shape, bool)
        drawn = weighted_mean(measures.weights, image, values.T, some, True)
        out.append(
            Record(
                paint=paint,
                severity=severity,
                discs=discs,
                predictions=len(image),
                towards=drawn[0],
                away=drawn[1],
                net=drawn[2],
                approach=drawn[3],
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


def compare_models(
    measures: Sequence[RunMeasures], losses: Sequence[Losses]
) -> Record | None:
    """``comparison`` of ``report.json``: all runs minus the first, None if
    there is only one; with the losses of each run, see
    :func:`.natural_occlusion.natural_occlusion`. A score is the difference of
    the measures, a loss that of the changes by the attack: above 0, for a
    measure of which more is better, if this model loses less."""
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
    given = []
    for boxes in (first.boxes, other.boxes):
        ids = boxes.image_ids, boxes.instance_ids
        rows = np.column_stack([*ids, boxes.boxes])
        # rows without a bbox are kept free for people who are not annotated
        rows = rows[np.isfinite(boxes.boxes).all(axis=1)]
        given.append(rows[np.lexsort(rows.T[::-1])])
    numbers = [len(rows) for rows in given]
    if numbers[0] != numbers[1] or not np.allclose(
        given[0], given[1], atol=0.01
    ):
        return (
            f'{pair} were given different boxes ({numbers[0]} and '
            f'{numbers[1]}), so there are no paired differences: {way} (with '
            'or without --gt-boxes, and the same --max-images)'
        )
    return None


def _differences(first: RunMeasures, other: RunMeasures) -> list[dict]:
    people = int(first.labelled.any(axis=1).sum())
    scores = [difference(other.all_people, first.all_people)]
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
