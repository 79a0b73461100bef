"""Attacks side by side: by the size of the occlusion, a suite in few numbers,
controls, and whether discs give away the joints that they hide; and models,
paired where they were given the same bboxes.

All results are entries of ``report.json`` (docs/benchmark_analysis.md) with
draws ``(1 + B,)`` in place of estimates. Sources: mPC and rPC, Michaelis et
al., "Benchmarking robustness in object detection", 2019; mOE is as mCE of
Hendrycks and Dietterich, ICLR 2019.
"""

from collections.abc import Sequence
from operator import itemgetter

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
    described,
    grouped,
)
from .bootstrap import (
    Record,
    crossing,
    difference,
    equivalence,
    estimate,
    estimates,
    rank_agreement,
    simultaneous,
)
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


def severity_curves(measures: RunMeasures) -> list[Record]:
    """``curves`` of ``report.json``, of the attacks that paint over their
    targets. Those that are over several targets come first; ``people``
    (bboxes) are those that every step changed."""
    out = []
    for (suite, kind, paint), mine in grouped(
        ((attack.suite, it.kind, it.paint), (it.target, (it.severity, attack)))
        for attack, it in described(measures.run.attacks)
        if it.severity is not None and it.kind != OTHER
        if it.place == AT_TARGET
    ).items():
        known: dict[str, tuple[int, list[float], np.ndarray]] = {}
        for target, steps in grouped(mine).items():
            sized = [(s, a) for s, a in steps if s and a.changed.any()]
            sized.sort(key=itemgetter(0))
            sizes = [0.0, *(size for size, _ in sized)]
            if len({*sizes}) > 2:
                who, drawn = _compared(measures, [a for _, a in sized])
                known[target] = int(who.sum()), sizes, np.stack(drawn)
        if len(known) > 1:
            numbers, every, each = zip(*known.values(), strict=True)
            if all(sizes == every[0] for sizes in every):
                mean = np.ma.masked_invalid(each).mean(axis=0).filled(np.nan)
                known = {MEAN: (min(numbers), every[0], mean), **known}
        for target, (people, sizes, values) in known.items():
            half = crossing(sizes, values, values[0] / 2)
            out.append(
                Record(
                    suite=suite,
                    kind=kind,
                    target=target,
                    paint=paint,
                    people=people,
                    measure=measures.main,
                    severity=sizes,
                    points=list(values),
                    area=trapezoid(values, sizes, axis=0) / sizes[-1],
                    half=estimate(half, censored=True),
                    reached=bool(np.isfinite(half[0])),
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
    found = [measures.scores(who, attack) for attack in (None, *attacks)]
    return who, [draws[measures.main] for draws in found]


def suite_summaries(
    curves: Sequence[Record], reference: Sequence[Record]
) -> list[Record]:
    """``summaries`` of the suites that have severities; mOE is relative to
    the ``reference``, the curves of the first model."""
    out = []
    for suite in dict.fromkeys(curve.suite for curve in curves):
        mine, theirs = (
            {
                (*c.severity, c.kind, c.target, c.paint, c.measure): np.stack(
                    c.points
                )
                for c in some
                if c.suite == suite and c.target != MEAN
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
                severities=sorted({s for key in mine for s in key[1:-4]}),
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
        ((it.target, it.paint, it.severity), (it.place, attack))
        for attack, it in described(measures.run.attacks)
        if it.kind != OTHER
    ).items():
        places: dict[str, Attacked] = {}
        for place, attack in mine:
            places.setdefault(place, attack)
        if len(places) < 2:
            continue
        who, (clean, *under) = _compared(measures, [*places.values()])
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
    out = []
    for (paint, severity, discs), each in grouped(
        (
            (it.paint.partition(MOVED)[0], it.severity, _discs(it)),
            _approach(measures, attack, it),
        )
        for attack, it in described(measures.run.attacks)
        if it.kind == KEYPOINT and it.target in measures.run.joints.names
    ).items():
        approach = np.stack(each, axis=1)
        known = np.isfinite(approach)
        towards, away = approach >= LEAST, approach <= -LEAST
        if known.any():
            out.append(
                Record(
                    paint=paint,
                    severity=severity,
                    discs=discs,
                    predictions=int(known.sum()),
                    towards=measures.mean(towards, known),
                    away=measures.mean(away, known),
                    net=measures.mean(towards * 1.0 - away, known),
                    approach=measures.mean(approach, known),
                )
            )
    return out


def _discs(what: AttackDescription) -> str:
    if what.place != AT_TARGET:
        return what.place
    return OFFSET if what.offset else CENTRED


def _approach(
    measures: RunMeasures, attack: Attacked, what: AttackDescription
) -> np.ndarray:
    """``(N,)`` decrease of the distance of a joint's prediction to the disc's
    centre; NaN where there is no disc, or its centre is not known."""
    joint = measures.run.joints.names.index(what.target)
    centred, centres = _discs(what) == CENTRED, attack.centres
    if centres is None:
        truth = measures.run.boxes.truth[:, joint]
        centres = truth if centred else np.full(2, np.nan)
    before, after = (
        joint_errors(np.asarray(found.keypoints[:, joint], float), centres)
        for found in (measures.run.clean, attack.predictions)
    )
    known = attack.changed & measures.labelled[:, joint]
    if centred:
        known = known & attack.targets[:, joint]
    return np.where(known, before - after, np.nan) / measures.sizes


def compare_models(
    measures: Sequence[RunMeasures], natural: Sequence[Record]
) -> Record:
    """``comparison`` of ``report.json``: all runs minus the first; ``natural``
    is :func:`.natural_occlusion.natural_occlusion` of each. A score is the
    difference of the measures, a loss that of the changes by the attack: above
    0, for a measure of which more is better, if this model loses less."""
    first = measures[0]
    out = Record(baseline=first.run.model, reasons={}, differences=[])
    losses = []  # of each run: paint and size -> by these attacks, in nature
    for other, found in zip(measures, natural, strict=True):
        reason = not_paired(first.run, other.run)
        if reason:
            out.reasons[other.run.model] = reason
            continue
        if other is not first:
            out.differences.extend(_differences(first, other))
        if found.gaps:
            losses.append(
                {
                    (match.paint, size): (lost, match.natural)
                    for match in found.equivalents
                    for size, lost in zip(
                        match.severities, match.losses, strict=True
                    )
                }
            )
    out['agreement'] = [
        dict(
            paint=paint,
            severity=size,
            models=len(losses),
            tau=rank_agreement(
                *np.stack([lost[paint, size] for lost in losses], axis=1)
            ),
        )
        for paint, size in (losses[0] if len(losses) >= LEAST_MODELS else ())
        if all((paint, size) in lost for lost in losses)
    ]
    return estimates(out)


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
        rows = rows[np.isfinite(rows).all(axis=1)]
        given.append(rows[np.lexsort(rows.T[::-1])])
    one, two = given
    if len(one) != len(two) or not np.allclose(one, two, rtol=0, atol=0.01):
        return (
            f'{pair} were given different boxes ({len(one)} and {len(two)}), '
            f'so there are no paired differences: {way} (with or without '
            '--gt-boxes, and the same --max-images)'
        )
    return None


def _differences(first: RunMeasures, other: RunMeasures) -> list[Record]:
    model, known = other.run.model, {a.name: a for a in other.run.attacks}
    score = difference(other.all_people, first.all_people)
    out = [
        Record(
            model=model,
            attack=CLEAN,
            people=int(first.labelled.any(axis=1).sum()),
            score=score,
            loss={},
            score_together=estimates(score),
            loss_together={},
        )
    ]
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
        ours, theirs = first.scores(who, attack), other.scores(whose, same)
        our_loss = difference(ours, first.scores(who))
        their_loss = difference(theirs, other.scores(whose))
        out.append(
            Record(
                model=model,
                attack=attack.name,
                people=int(who.sum()),
                score=difference(theirs, ours),
                loss=difference(their_loss, our_loss),
            )
        )
    images, attacked = len(first.people.images), out[1:]
    for name in ('score', 'loss'):
        together = simultaneous([row[name] for row in attacked], images)
        for row, found in zip(attacked, together, strict=True):
            row[f'{name}_together'] = found
    for row in out:
        undefined = np.full(1, np.nan)  # the other may lack the measure
        row['equivalence'] = equivalence(row.score.get(first.main, undefined))
    return out
