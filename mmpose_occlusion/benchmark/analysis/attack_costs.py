"""What one attack costs the people whom it attacks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, BenchmarkRun
from mmpose_occlusion.metrics.inference import (
    Equivalence,
    equivalence,
    simultaneous_intervals,
)
from mmpose_occlusion.metrics.joint_groups import joint_groups
from mmpose_occlusion.metrics.pck import box_size, joint_errors, masked_mean

from .attack_description import describe
from .bootstrap import Draws, Estimate, Estimates, difference, estimates
from .error_types import count_types, error_types
from .run_measures import PredictionMeasures, RunMeasures

LEAST_IMAGES, LEAST_DRAWS = 2, 3
"""For simultaneous intervals."""

ALL_JOINTS = 'all'
"""Stands for the name of a joint."""


@dataclass(frozen=True)
class JointScores:
    """Measures of labelled joints; None where undefined.

    Args:
        epe: Mean error as a fraction of the bbox's longer side.
        epe_px: Mean error in pixels.
        pck: Fraction nearer than 0.2 of the bbox's longer side.
        oks50: Fraction with a per-keypoint OKS of at least 0.5.
        ap: COCO's AP of people who consist of this joint alone.
    """

    epe: float | None
    epe_px: float | None
    pck: float | None
    oks50: float | None
    ap: float | None = None


@dataclass(frozen=True)
class JointChange:
    """One joint (or all) of the attacked people, in one group.

    Args:
        joint: Its name, or :data:`ALL_JOINTS`.
        group: One of :data:`mmpose_occlusion.metrics.joint_groups.GROUPS`.
        number: Labelled joints.
        clean: Before the attack.
        attacked: Under it.
    """

    joint: str
    group: str
    number: int
    clean: JointScores
    attacked: JointScores


@dataclass(frozen=True)
class AttackCost:
    """What one attack costs the people whom it attacks.

    Args:
        name: Of the attack.
        suite: From which it came.
        kind: See :class:`.AttackDescription`.
        target: See :class:`.AttackDescription`.
        paint: See :class:`.AttackDescription`.
        place: See :class:`.AttackDescription`.
        severity: See :class:`.AttackDescription`.
        plain: Whether figures of single targets show it, see
            :func:`.attack_description.plain_labels`.
        label: Its paint there, empty for others.
        details: Of the suite.
        config: Of the attack.
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
    """

    name: str
    suite: str
    kind: str
    target: str
    paint: str
    place: str
    severity: float | None
    plain: bool
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


def attack_cost(
    measures: RunMeasures, attack: Attacked, label: str
) -> AttackCost:
    """Measure what an attack costs.

    Args:
        measures: Of the run.
        attack: One of its attacks.
        label: See :attr:`AttackCost.label`.

    Returns:
        The cost, :attr:`AttackCost.together` empty.
    """
    run = measures.run
    what = describe(attack)
    who = attacked_people(measures, attack)
    clean, attacked = measures.clean(who), measures.attacked(attack, who)
    views = dict(
        clean=measures.clean_predictions,
        attacked=PredictionMeasures(measures, attack.predictions),
    )
    groups = {
        group: mask & measures.labelled & who[:, None]
        for group, mask in joint_groups(
            attack.targets, attack.bystanders
        ).items()
    }
    codes = {view: error_types(found) for view, found in views.items()}
    real = np.isfinite(run.boxes.boxes).all(axis=1)
    painted = masked_mean(
        attack.pixels / measures.frame_areas, attack.changed & real
    )
    return AttackCost(
        name=attack.name,
        suite=attack.suite,
        kind=what.kind,
        target=what.target,
        paint=what.paint,
        place=what.place,
        severity=what.severity,
        plain=bool(label),
        label=label,
        details=dict(attack.details),
        config=attack.config,
        crops=int(real.sum()),
        changed=int(attack.changed[real].sum()),
        excluded=int(attack.excluded.sum()),
        painted=painted,
        people=len(np.unique(run.boxes.instance_ids[who])),
        images=len(np.unique(run.boxes.image_ids[who])),
        clean=estimates(clean),
        attacked=estimates(attacked),
        change=estimates(difference(attacked, clean)),
        together={},
        equivalence=equivalence(change_draws(measures, attack)[measures.main]),
        joints=_joint_changes(views, groups, who),
        moved=dict(zip(run.joints.names, movement(run, attack), strict=True)),
        failures={
            group: {v: count_types(codes[v], mask) for v in views}
            for group, mask in groups.items()
        },
    )


def attacked_people(measures: RunMeasures, attack: Attacked) -> np.ndarray:
    """(N,) bool: changed crops of people with a labelled joint."""
    return attack.changed & measures.labelled.any(axis=1)


def change_draws(measures: RunMeasures, attack: Attacked) -> Draws:
    """Attacked minus clean; after :func:`attack_cost` nothing is computed."""
    who = attacked_people(measures, attack)
    return difference(measures.attacked(attack, who), measures.clean(who))


def with_simultaneous_intervals(
    measures: RunMeasures, costs: Sequence[AttackCost]
) -> list[AttackCost]:
    """The costs of all attacks of a run with :attr:`AttackCost.together`.

    With one image or no draws there are no such intervals.
    """
    attacks = measures.run.attacks
    drawn, images = measures.weights.shape
    together: list[Estimates] = [{} for _ in costs]
    for measure in measures.measures if costs else ():
        values = np.stack(
            [change_draws(measures, attack)[measure] for attack in attacks]
        )
        ends = simultaneous_intervals(values)
        if drawn < LEAST_DRAWS or images < LEAST_IMAGES:
            ends = np.full(ends.shape, np.nan)
        rows = np.column_stack([values[:, 0], ends])
        for found, row in zip(together, rows, strict=True):
            found[measure] = Estimate(
                *(float(x) if np.isfinite(x) else None for x in row)
            )
    return [
        replace(cost, together=found)
        for cost, found in zip(costs, together, strict=True)
    ]


def _joint_changes(
    views: dict[str, PredictionMeasures],
    groups: dict[str, np.ndarray],
    who: np.ndarray,
) -> list[JointChange]:
    """Scores of all joints and of each, by group."""
    of_run = views['clean'].of_run
    survivors = {
        view: found.survivors(who) if 'AP' in of_run.measures else None
        for view, found in views.items()
    }
    out = []
    for group, mask in groups.items():
        for joint, name in [
            (None, ALL_JOINTS),
            *enumerate(of_run.run.joints.names),
        ]:
            chosen = mask
            if joint is not None:
                chosen = np.zeros_like(mask)
                chosen[:, joint] = mask[:, joint]
            scores = []
            for view, found in views.items():
                values = found.joint_values
                rows, ap = survivors[view], None
                if joint is not None and rows is not None and chosen.any():
                    ap, _ = found.joint_ap(joint, mask[:, joint], *rows)
                scores.append(
                    JointScores(
                        epe=masked_mean(values['EPE'], chosen),
                        epe_px=masked_mean(values['EPE_px'], chosen),
                        pck=masked_mean(values['PCK'], chosen),
                        oks50=masked_mean(values['OKS50'], chosen),
                        ap=ap,
                    )
                )
            out.append(JointChange(name, group, int(chosen.sum()), *scores))
    return out


def movement(run: BenchmarkRun, attack: Attacked) -> list[float | None]:
    """Mean movement of each joint under an attack, without labels.

    Returns:
        K means over the changed crops of the distance between clean and
        attacked joints, as fractions of the bbox's longer side; None where no
        changed crop has the joint in both.
    """
    who = attack.changed
    moved = joint_errors(
        np.asarray(attack.predictions.keypoints[who], np.float64),
        run.clean.keypoints[who],
    )
    moved /= box_size(run.boxes.boxes[who])[:, None]
    return [masked_mean(column, np.isfinite(column)) for column in moved.T]
