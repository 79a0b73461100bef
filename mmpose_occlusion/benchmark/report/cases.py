"""Worst and typical cases: one person under one attack each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.pck import box_size, joint_errors

WORST, TYPICAL = 1.0, 0.5
"""Quantiles of the increase of the error."""


@dataclass(frozen=True)
class Case:
    """One person under one attack.

    Args:
        attack: Name.
        row: Of the boxes.
        image_id: Of the image.
        instance_id: Of the person.
        before: Error of the joint without the attack, as a fraction of the
            longer side of the person's bbox.
        after: The same under the attack.
        joint: Target whose error grows most.
    """

    attack: str
    row: int
    image_id: int
    instance_id: int
    before: float
    after: float
    joint: str


@dataclass(frozen=True)
class CaseImages:
    """The crops of a case.

    Args:
        clean: ``(H, W, 3)`` uint8 BGR crop.
        attacked: The same under the attack.
        to_crop: ``(2, 3)`` affine matrix from pixels of the image to pixels
            of the crop.
    """

    clean: np.ndarray
    attacked: np.ndarray
    to_crop: np.ndarray

    def in_crop(self, joints: np.ndarray) -> np.ndarray:
        """``(K, 2)`` joints of the image in pixels of the crop."""
        return joints @ self.to_crop[:, :2].T + self.to_crop[:, 2]


MakeImages = Callable[
    [BenchmarkRun, Sequence[Case]], Mapping[Case, CaseImages]
]
"""Makes the crops of a run's cases again.

It raises LookupError with a sentence where the data set is missing or has
changed.
"""


def pick_cases(
    run: BenchmarkRun, quantile: float, number: int = 6
) -> list[Case]:
    """Cases by how much the error of a target grows.

    Args:
        run: The run.
        quantile: :data:`WORST` or :data:`TYPICAL`.
        number: Maximum number; each is of another person and attack.
    """
    boxes = run.boxes
    labelled = (boxes.visible > 0) & np.isfinite(boxes.truth).all(-1)
    sizes = box_size(boxes.person_boxes)[:, None]
    before = joint_errors(run.clean.keypoints, boxes.truth) / sizes

    def after(index: int) -> np.ndarray:
        """``(N, K)`` errors under an attack."""
        predicted = run.attacks[index].predictions.keypoints
        return joint_errors(predicted, boxes.truth) / sizes

    growth = np.full((len(run.attacks), len(boxes)), -np.inf)
    joints = np.zeros(growth.shape, int)
    for index, attack in enumerate(run.attacks):
        counts = attack.targets & labelled & attack.changed[:, None]
        grown = after(index) - before
        grown = np.where(counts & np.isfinite(grown), grown, -np.inf)
        growth[index], joints[index] = grown.max(1), grown.argmax(1)
    out = []
    for index, row in choose(growth, number, quantile):
        joint = joints[index, row]
        out.append(
            Case(
                attack=run.attacks[index].name,
                row=row,
                image_id=int(boxes.image_ids[row]),
                instance_id=int(boxes.instance_ids[row]),
                before=float(before[row, joint]),
                after=float(after(index)[row, joint]),
                joint=run.joints.names[joint],
            )
        )
    return out


def choose(
    growth: np.ndarray, number: int, quantile: float
) -> list[tuple[int, int]]:
    """Cases near a quantile, each of another attack and person.

    Args:
        growth: ``(A, N)`` increase of the error; -inf for no case.
        number: Maximum number of cases.
        quantile: 1 for the worst cases, 0.5 for typical ones.

    Returns:
        Index of the attack and of the person of each case.
    """
    attacks, people = np.nonzero(np.isfinite(growth))
    if not len(attacks):
        return []
    values = growth[attacks, people]
    distance = np.abs(values - np.quantile(values, quantile))
    chosen: list[tuple[int, int]] = []
    for i in np.argsort(distance, kind='stable'):
        case = int(attacks[i]), int(people[i])
        if all(case[0] != a and case[1] != p for a, p in chosen):
            chosen.append(case)
            if len(chosen) == number:
                break
    return chosen
