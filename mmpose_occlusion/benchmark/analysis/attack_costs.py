"""What one attack costs the people whom it attacks, and types of errors."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import (
    UNMATCHED,
    Attacked,
    BenchmarkRun,
)
from mmpose_occlusion.metrics.average_precision import equal_pairs
from mmpose_occlusion.metrics.oks_pck import (
    TARGET,
    box_size,
    joint_errors,
    joint_groups,
    keypoint_oks,
    masked_mean,
)

from .attack_description import AttackDescription, describe
from .bootstrap import (
    Draws,
    Equivalence,
    Estimates,
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


@dataclass(frozen=True)
class JointScores:
    """Measures of labelled joints; None where undefined. EPE as a fraction of
    the bbox's longer side and in pixels, PCK@0.2, OKS50, and COCO's AP of
    people who consist of this joint alone."""

    epe: float | None = None
    epe_px: float | None = None
    pck: float | None = None
    oks50: float | None = None
    ap: float | None = None


@dataclass(frozen=True)
class JointChange:
    """One joint, or :data:`ALL_JOINTS`, of the attacked people in one of the
    :data:`mmpose_occlusion.metrics.oks_pck.GROUPS`: number of labelled joints,
    scores, and the change (attacked minus clean) of :data:`OF_JOINTS`, of
    targets of AP, too; empty without joints."""

    joint: str
    group: str
    number: int
    clean: JointScores
    attacked: JointScores
    change: Estimates


@dataclass(frozen=True)
class AttackCost(AttackDescription):
    """What one attack costs the people whom it attacks.

    ``label`` is its paint in figures of single targets, see
    :func:`.attack_description.plain_labels`. Of all ``crops`` it ``changed``
    some, in which it painted a mean fraction, and found no place in those that
    are ``excluded``. Measures are over the ``people`` with a labelled joint in
    changed crops, and ``change`` is attacked minus clean, ``together`` with
    intervals that hold for all attacks of the run at once; ``equivalence`` is
    of the main measure. ``moved``: joint -> :func:`movement`; ``failures``:
    group -> view -> type of error -> number of joints; ``turned``: group ->
    number of joints that were right (OKS50) and are no longer, and of those
    that became right."""

    name: str
    suite: str
    label: str
    details: dict[str, Any]
    config: Any
    crops: int
    changed: int
    excluded: int
    painted: float | None
    people: int
    images: int
    clean: Estimates
    attacked: Estimates
    change: Estimates
    together: Estimates
    equivalence: Equivalence
    joints: list[JointChange] = field(repr=False)
    moved: dict[str, float | None] = field(repr=False)
    failures: dict[str, dict[str, dict[str, int]]] = field(repr=False)
    turned: dict[str, tuple[int, int]]

    @property
    def plain(self) -> bool:
        """Whether figures of single targets show it."""
        return bool(self.label)


def attack_cost(
    measures: RunMeasures, attack: Attacked, label: str
) -> AttackCost:
    """Measure what an attack costs; :attr:`AttackCost.together` is empty."""
    run, who = measures.run, measures.attacked_people(attack)
    clean, under = measures.clean_predictions, measures.under(attack)
    views = dict(clean=clean, attacked=under)
    groups = {
        group: mask & measures.labelled & who[:, None]
        for group, mask in joint_groups(
            attack.targets, attack.bystanders
        ).items()
    }
    codes = {view: error_types(found) for view, found in views.items()}
    right, still = (m.joint_values['OKS50'] > 0 for m in (clean, under))

    def numbers(found: np.ndarray) -> dict[str, int]:
        number = np.bincount(found, minlength=len(ERROR_TYPES)).tolist()
        return dict(zip(ERROR_TYPES, number, strict=True))

    real = np.isfinite(run.boxes.boxes).all(axis=1)
    change = measures.change(attack)
    return AttackCost(
        **vars(describe(attack)),
        name=attack.name,
        suite=attack.suite,
        label=label,
        details=dict(attack.details),
        config=attack.config,
        crops=int(real.sum()),
        changed=int(attack.changed[real].sum()),
        excluded=int(attack.excluded.sum()),
        painted=masked_mean(
            attack.pixels / measures.frame_areas, attack.changed & real
        ),
        people=len(np.unique(run.boxes.instance_ids[who])),
        images=len(np.unique(run.boxes.image_ids[who])),
        clean=estimates(measures.clean(who)),
        attacked=estimates(measures.attacked(attack, who)),
        change=estimates(change),
        together={},
        equivalence=equivalence(change[measures.main]),
        joints=[
            row
            for group, mask in groups.items()
            for row in _joint_changes(measures, views, group, mask, who)
        ],
        moved=dict(zip(run.joints.names, movement(run, attack), strict=True)),
        failures={
            group: {view: numbers(codes[view][mask]) for view in views}
            for group, mask in groups.items()
        },
        turned={
            group: (
                int((right & ~still & mask).sum()),
                int((still & ~right & mask).sum()),
            )
            for group, mask in groups.items()
        },
    )


def _joint_changes(
    measures: RunMeasures,
    views: dict[str, PredictionMeasures],
    group: str,
    mask: np.ndarray,
    who: np.ndarray,
) -> list[JointChange]:
    """Scores of all joints and of each in one group, a mask ``(N, K)``."""
    known = np.flatnonzero(mask.any(axis=0)).tolist()
    ours = measures.weights if group == TARGET else measures.weights[:1]
    drawn: list[list[Draws]] = []
    for found in views.values():
        rows: list[Draws] = [{} for _ in range(1 + mask.shape[1])]
        for measure in OF_JOINTS if known else ():
            part = found.joint_values[measure][:, known], mask[:, known]
            rows[0][measure] = measures.mean(*part)
            each = measures.mean(*part, by_joint=True)
            for k, draws in zip(known, each, strict=True):
                rows[k + 1][measure] = draws
        if known and 'AP' in measures.measures:
            left = found.survivors(who)
            for k in known:
                rows[k + 1]['AP'] = found.joint_ap(k, mask[:, k], *left, ours)
        drawn.append(rows)
    changes = [
        estimates(difference(b, a)) for a, b in zip(*drawn, strict=True)
    ]
    if group != TARGET:
        for change in changes:
            change.pop('AP', None)
    return [
        JointChange(name, group, number, _scores(a), _scores(b), change)
        for name, number, a, b, change in zip(
            [ALL_JOINTS, *measures.run.joints.names],
            [int(mask.sum()), *map(int, mask.sum(axis=0))],
            *drawn,
            changes,
            strict=True,
        )
    ]


def _scores(draws: Draws) -> JointScores:
    return JointScores(
        **{k.lower(): estimate(v[:1]).value for k, v in draws.items()}
    )


def movement(run: BenchmarkRun, attack: Attacked) -> list[float | None]:
    """Mean movement of each joint under an attack, without labels: over the
    changed crops the distance between clean and attacked joints, as fractions
    of the bbox's longer side; None where no changed crop has the joint in
    both."""
    who = attack.changed
    moved = joint_errors(
        np.asarray(attack.predictions.keypoints[who], np.float64),
        run.clean.keypoints[who],
    )
    moved /= box_size(run.boxes.boxes[who])[:, None]
    return [masked_mean(column, np.isfinite(column)) for column in moved.T]


ERROR_TYPES = ('good', 'jitter', 'swap', 'drift', 'miss')
"""In the order of their codes."""

GOOD, JITTER, SWAP, DRIFT, MISS = range(5)

GOOD_OKS = 0.85
"""Least per-keypoint OKS of a good joint: d below 0.57 times 2 sigma s."""


def error_types(measures: PredictionMeasures) -> np.ndarray:
    """``(N, K)`` int8, index into :data:`ERROR_TYPES`; -1 without a label.

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
        offsets = np.where(known[..., None], offsets, 0)
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
    codes = np.full(own.shape, MISS, np.int8)
    codes[(drift >= OKS50) & (drift > swap)] = DRIFT
    codes[(swap >= OKS50) & (swap >= drift)] = SWAP
    codes[own >= OKS50] = JITTER
    codes[own >= GOOD_OKS] = GOOD
    return np.where(of_run.labelled, codes, -1)


def _other_people(
    measures: PredictionMeasures,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a bbox and another person of its image: joints ``(M, K, 2)``,
    index of the bbox ``(M,)`` and labels ``(M, K)``."""
    of_run = measures.of_run
    people, boxes = of_run.people, of_run.run.boxes
    if len(people):
        owner, ids, truth = (
            of_run.owner,
            np.arange(len(people)),
            people.keypoints,
        )
        rows, who, labelled = (
            of_run.pairs.pose,
            of_run.pairs.person,
            people.labelled,
        )
        other = owner[rows] != UNMATCHED
    else:
        owner = ids = boxes.instance_ids
        truth, labelled = boxes.truth, of_run.labelled
        rows, who = equal_pairs(of_run.image, of_run.image)
        other = np.ones(len(rows), bool)
    other &= owner[rows] != ids[who]
    return truth[who[other]], rows[other], labelled[who[other]]
