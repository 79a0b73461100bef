"""Pictures of a sweep: what attacks look like, and where they hurt."""

from collections.abc import Iterator, Sequence

import numpy as np

from mmpose_occlusion.attacks import RECORD_KEY
from mmpose_occlusion.engine.crops import title_of, to_crop, truth_of
from mmpose_occlusion.evaluation.functional import joint_errors
from mmpose_occlusion.visualization import View

from .crops import AttackedCrops
from .sweep import Sweep


def harm(sweep: Sweep) -> np.ndarray:
    """How much worse the hidden joints of each person got.

    Returns:
        ``(A, N)``: the largest growth of a hidden joint's error, as a part
        of the box's longer side; -inf where no labelled joint was hidden.
    """
    clean = joint_errors(sweep.clean, sweep.truth)
    attacked = joint_errors(sweep.attacked, sweep.truth)
    growth = (attacked - clean) / sweep.sizes[:, None]
    hidden = sweep.hidden & sweep.labelled & sweep.changed[..., None]
    return np.where(hidden, growth, -np.inf).max(axis=2)


def pick(
    harmed: np.ndarray, num: int, quantile: float
) -> list[tuple[int, int]]:
    """Choose cases, nobody and no attack twice where that can be had.

    Args:
        harmed: ``(A, N)`` from :func:`harm`.
        num: How many cases.
        quantile: 1 for the worst cases, 0.5 for typical ones.

    Returns:
        Index of the attack and of the person of each case.
    """
    attacks, people = np.nonzero(np.isfinite(harmed))
    if not len(attacks):
        return []
    values = harmed[attacks, people]
    middle = np.quantile(values, quantile)
    order = np.argsort(np.abs(values - middle), kind='stable')
    chosen: list[tuple[int, int]] = []
    for i in order:
        case = int(attacks[i]), int(people[i])
        if all(case[0] != a and case[1] != p for a, p in chosen):
            chosen.append(case)
            if len(chosen) == num:
                break
    return chosen


def views(
    crops: AttackedCrops, sweep: Sweep, cases: Sequence[tuple[int, int]]
) -> Iterator[View]:
    """The crops of some cases with the model's predictions.

    Args:
        crops: The crops that the sweep went over.
        sweep: What the model said.
        cases: Index of the attack and of the person.
    """
    for number, person in cases:
        crop = crops.crops[person]
        attacked = crops.attacks[number](dict(crop))
        predicted = to_crop(sweep.attacked[number, person][None], crop)
        joints, labelled = truth_of(crop)
        yield View(
            title=title_of(crop),
            clean=crop['img'],
            occluded=attacked['img'],
            joints=joints,
            labelled=labelled,
            records=attacked[RECORD_KEY],
            predicted=predicted,
        )
