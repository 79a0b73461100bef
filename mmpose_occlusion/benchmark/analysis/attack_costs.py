"""What one attack costs the people whom it attacks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, BenchmarkRun
from mmpose_occlusion.metrics.inference import Equivalence, equivalence
from mmpose_occlusion.metrics.pck import (
    TARGET,
    box_size,
    joint_errors,
    joint_groups,
    masked_mean,
)

from .attack_description import AttackDescription, describe
from .bootstrap import (
    Draws,
    Estimates,
    difference,
    estimates,
    simultaneous,
    weighted_mean,
)
from .error_types import count_types, error_types
from .prediction_measures import PredictionMeasures
from .run_measures import RunMeasures

ALL_JOINTS = 'all'
"""Stands for the name of a joint."""

OF_JOINTS = ('EPE', 'EPE_px', 'PCK', 'OKS50')
"""Measures of single joints, see :mod:`.prediction_measures`."""


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
    :data:`mmpose_occlusion.metrics.pck.GROUPS`: number of labelled joints,
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

    Args:
        label: Its paint in figures of single targets, see
            :func:`.attack_description.plain_labels`; empty for others.
        crops: N, the bboxes.
        changed: Crops that the attack changed.
        excluded: Crops in which the attack found no place.
        painted: Mean fraction of a changed crop that was painted.
        people: Attacked people with a labelled joint.
        images: In which these are.
        clean: Measures of the attacked people without the attack.
        attacked: Under it.
        change: Attacked minus clean, paired.
        together: The same with intervals that hold for all attacks of the
            run at once.
        equivalence: Whether the change of the main measure is as good as
            none.
        joints: Each joint, by group.
        moved: Joint -> mean movement, see :func:`movement`.
        failures: Group -> ``clean`` and ``attacked`` -> type of error ->
            number of joints.
        turned: Group -> number of joints that were right (OKS50) and are no
            longer, and of those that became right.
    """

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
    run = measures.run
    who = measures.attacked_people(attack)
    views = dict(
        clean=measures.clean_predictions,
        attacked=measures.under(attack),
    )
    groups = {
        group: mask & measures.labelled & who[:, None]
        for group, mask in joint_groups(
            attack.targets, attack.bystanders
        ).items()
    }
    codes = {view: error_types(found) for view, found in views.items()}
    right = {v: found.joint_values['OKS50'] > 0 for v, found in views.items()}
    lost = right['clean'] & ~right['attacked']
    gained = right['attacked'] & ~right['clean']
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
            for row in _joint_changes(views, group, mask, who)
        ],
        moved=dict(zip(run.joints.names, movement(run, attack), strict=True)),
        failures={
            group: {v: count_types(codes[v], mask) for v in views}
            for group, mask in groups.items()
        },
        turned={
            group: (int(lost[mask].sum()), int(gained[mask].sum()))
            for group, mask in groups.items()
        },
    )


def with_simultaneous_intervals(
    measures: RunMeasures, costs: Sequence[AttackCost]
) -> list[AttackCost]:
    """The costs of all attacks of a run with :attr:`AttackCost.together`."""
    changes = [measures.change(attack) for attack in measures.run.attacks]
    images = len(measures.people.images)
    return [
        replace(cost, together=found)
        for cost, found in zip(
            costs, simultaneous(changes, images), strict=True
        )
    ]


def _joint_changes(
    views: dict[str, PredictionMeasures],
    group: str,
    mask: np.ndarray,
    who: np.ndarray,
) -> list[JointChange]:
    """Scores of all joints and of each in one group, a mask ``(N, K)``."""
    of_run = views['clean'].of_run
    weights, image, names = of_run.weights, of_run.image, of_run.run.joints
    numbers = [int(mask.sum()), *map(int, mask.sum(axis=0))]
    known = np.flatnonzero(mask.any(axis=0)).tolist()
    drawn: list[list[Draws]] = []
    for found in views.values():
        rows: list[Draws] = [{} for _ in numbers]
        for measure in OF_JOINTS if len(known) else ():
            all_, each = (
                weighted_mean(
                    weights,
                    image,
                    found.joint_values[measure][:, known],
                    mask[:, known],
                    by_joint,
                )
                for by_joint in (False, True)
            )
            rows[0][measure] = all_
            for k, draws in zip(known, each, strict=True):
                rows[k + 1][measure] = draws
        if 'AP' in of_run.measures and len(known):
            survivors = found.survivors(who)
            ours = weights if group == TARGET else weights[:1]
            for k in known:
                rows[k + 1]['AP'] = found.joint_ap(
                    k, mask[:, k], *survivors, ours
                )
        drawn.append(rows)
    return [
        JointChange(
            name,
            group,
            number,
            _scores(clean),
            _scores(attacked),
            {
                measure: found
                for measure, found in estimates(
                    difference(attacked, clean)
                ).items()
                if measure != 'AP' or group == TARGET
            },
        )
        for name, number, clean, attacked in zip(
            [ALL_JOINTS, *names.names], numbers, *drawn, strict=True
        )
    ]


def _scores(draws: Draws) -> JointScores:
    return JointScores(
        **{
            name.lower(): float(values[0]) if np.isfinite(values[0]) else None
            for name, values in draws.items()
        }
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
