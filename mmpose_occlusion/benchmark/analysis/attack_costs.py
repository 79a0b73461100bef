"""What one attack costs the people whom it attacks, and types of errors."""

import numpy as np

from mmpose_occlusion.benchmark.data import UNMATCHED, Attacked, BenchmarkRun
from mmpose_occlusion.metrics.average_precision import equal_pairs
from mmpose_occlusion.metrics.oks_pck import (
    TARGET,
    box_size,
    joint_errors,
    joint_groups,
    keypoint_oks,
    masked_mean,
)

from .attack_description import describe
from .bootstrap import (
    Draws,
    Record,
    difference,
    equivalence,
    estimate,
    estimates,
)
from .run_measures import OKS50, PredictionMeasures, RunMeasures

ALL_JOINTS = 'all'
"""Stands for the name of a joint."""

OF_JOINTS = ('EPE', 'EPE_px', 'PCK', 'OKS50')
"""Measures of single joints, see :mod:`.run_measures`."""


def attack_cost(measures: RunMeasures, attack: Attacked, label: str) -> Record:
    """What an attack costs, an entry of ``attacks`` in ``report.json``
    (``together`` is empty); its label is of
    :func:`.attack_description.plain_labels`."""
    run, who = measures.run, measures.attacked_people(attack)
    clean, under = measures.clean_predictions, measures.under(attack)
    groups = joint_groups(attack.targets, attack.bystanders)
    known = measures.labelled & who[:, None]
    masks = {group: mask & known for group, mask in groups.items()}
    types = dict(clean=error_types(clean), attacked=error_types(under))
    right, still = (v.joint_values['OKS50'] > 0 for v in (clean, under))
    real = np.isfinite(run.boxes.boxes).all(axis=1)
    areas: np.ndarray | float = float(np.prod(run.crop_size))
    if run.evaluation.get('frame') == 'image':
        areas = measures.input_areas  # the image in the region of each bbox
    change = measures.change(attack)
    return estimates(
        dict(
            **vars(describe(attack)),
            name=attack.name,
            suite=attack.suite,
            label=label,
            details=dict(attack.details),
            config=attack.config,
            crops=int(real.sum()),
            changed=int(attack.changed[real].sum()),
            excluded=int(attack.excluded.sum()),
            painted=masked_mean(attack.pixels / areas, attack.changed & real),
            people=len(np.unique(run.boxes.instance_ids[who])),
            images=len(np.unique(run.boxes.image_ids[who])),
            clean=measures.scores(who),
            attacked=measures.scores(who, attack),
            change=change,
            together={},
            equivalence=equivalence(change[measures.main]),
            joints=[
                row
                for group, mask in masks.items()
                for row in _joint_rows(clean, under, group, mask, who)
            ],
            moved=_movement(run, attack),
            failures={
                group: {view: _counts(t[mask]) for view, t in types.items()}
                for group, mask in masks.items()
            },
            turned={
                group: (
                    int((right & ~still & mask).sum()),
                    int((still & ~right & mask).sum()),
                )
                for group, mask in masks.items()
            },
        )
    )


def _joint_rows(
    clean: PredictionMeasures,
    under: PredictionMeasures,
    group: str,
    mask: np.ndarray,
    who: np.ndarray,
) -> list[Record]:
    """Scores of all joints and of each in one group, a mask ``(N, K)``; the
    change of AP is of targets alone."""
    measures, views = clean.of_run, (clean, under)
    weights = measures.weights if group == TARGET else measures.weights[:1]
    each = [view.by_joint(OF_JOINTS, mask, who, weights) for view in views]
    whole = [
        {m: measures.mean(v.joint_values[m], mask) for m in OF_JOINTS}
        for v in views
    ]
    rows = [(ALL_JOINTS, mask.sum(), whole)]
    for k, name in enumerate(measures.run.joints.names):
        own = [{m: values[k] for m, values in found.items()} for found in each]
        rows.append((name, mask[:, k].sum(), own))
    out = []
    for name, number, pair in rows:
        before, after = pair if number else ({}, {})
        change = difference(after, before)
        if group != TARGET:
            change.pop('AP', None)
        out.append(
            Record(
                joint=name,
                group=group,
                number=int(number),
                clean=_values(before),
                attacked=_values(after),
                change=estimates(change),
            )
        )
    return out


def _values(draws: Draws) -> Record:
    """Values alone, None where undefined."""
    none = np.array([np.nan])
    return Record(
        (name.lower(), estimate(draws.get(name, none)[:1]).value)
        for name in (*OF_JOINTS, 'AP')
    )


def _movement(run: BenchmarkRun, attack: Attacked) -> dict[str, float | None]:
    """Joint -> mean distance between its clean and its attacked prediction in
    changed crops, a fraction of the longer side of the model's bbox."""
    after = np.asarray(attack.predictions.keypoints, np.float64)
    moved = joint_errors(after, run.clean.keypoints)
    moved = (moved / box_size(run.boxes.boxes)[:, None])[attack.changed]
    return dict(zip(run.joints.names, map(masked_mean, moved.T), strict=True))


def _counts(types: np.ndarray) -> dict[str, int]:
    """Type of error -> number of joints."""
    number = np.bincount(types, minlength=len(ERROR_TYPES)).tolist()
    return dict(zip(ERROR_TYPES, number, strict=True))


ERROR_TYPES = ('good', 'jitter', 'swap', 'drift', 'miss')
"""In the order of their codes."""

GOOD, JITTER, SWAP, DRIFT, MISS = range(5)

GOOD_OKS = 0.85
"""Least per-keypoint OKS of a good joint: d below 0.57 times 2 sigma s."""


def error_types(measures: PredictionMeasures) -> np.ndarray:
    """``(N, K)`` int, index into :data:`ERROR_TYPES`; -1 without a label.

    After Ronchi and Perona, Benchmarking and Error Diagnosis in Multi-Instance
    Pose Estimation (ICCV 2017): a prediction is compared by per-keypoint OKS
    with the person's own joint, with that of the other side, and with the
    joints of other people; see docs/benchmark_analysis.md."""
    of_run, own = measures.of_run, measures.similar
    boxes, joints = of_run.run.boxes, of_run.run.joints

    def similar(
        rows: np.ndarray, truth: np.ndarray, known: np.ndarray
    ) -> np.ndarray:
        """``(M, K)`` with some joints, 0 for those that are not known."""
        offsets = measures.keypoints[rows] - truth
        found = keypoint_oks(offsets, boxes.areas[rows], joints.sigmas)
        return np.where(known, found, 0)

    flip, same = np.asarray(joints.flip), np.arange(own.shape[1])
    paired = of_run.labelled[:, flip] & (flip != same)
    swap = similar(np.arange(len(own)), boxes.truth[:, flip], paired)
    drift = np.zeros(own.shape)
    truth, rows, labelled = _other_people(measures)
    for side in (same, flip):
        near = similar(rows, truth[:, side], labelled[:, side])
        np.maximum.at(drift, rows, near)
    swapped = (swap >= OKS50) & (swap >= drift)
    first = [own >= GOOD_OKS, own >= OKS50, swapped, drift >= OKS50]
    codes = np.select(first, [GOOD, JITTER, SWAP, DRIFT], MISS)
    return np.where(of_run.labelled, codes, -1)


def _other_people(
    measures: PredictionMeasures,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a bbox and another person of its image: joints ``(M, K, 2)``,
    index of the bbox ``(M,)`` and labels ``(M, K)``."""
    of_run = measures.of_run
    people, boxes = of_run.people, of_run.run.boxes
    if len(people):
        truth, labels = people.keypoints, people.labelled
        rows, who = measures.compared.pose, measures.compared.person
        own = of_run.owner[rows]
        other = (own != UNMATCHED) & (own != who)
    else:
        truth, labels = boxes.truth, of_run.labelled
        rows, who = equal_pairs(of_run.image, of_run.image)
        other = boxes.instance_ids[rows] != boxes.instance_ids[who]
    return truth[who[other]], rows[other], labels[who[other]]
