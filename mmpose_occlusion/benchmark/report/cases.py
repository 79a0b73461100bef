"""Worst and typical cases: one person under one attack each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.analysis import Record
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.oks_pck import box_size, joint_errors
from mmpose_occlusion.visualization import PoseStyle
from mmpose_occlusion.visualization.gallery import image_uri, svg_places

from .formatting import describe


@dataclass(frozen=True)
class Case:
    """One person under one attack, and the target whose error grows most:
    before and after, as fractions of the longer side of the person's bbox."""

    attack: str
    row: int
    image_id: int
    instance_id: int
    before: float
    after: float
    joint: str


@dataclass(frozen=True)
class CaseImages:
    """The ``(H, W, 3)`` BGR crops of a case, and the ``(2, 3)`` affine matrix
    from pixels of the image to pixels of the crop."""

    clean: np.ndarray
    attacked: np.ndarray
    to_crop: np.ndarray

    def in_crop(self, joints: np.ndarray) -> np.ndarray:
        """``(K, 2)`` joints of the image in pixels of the crop."""
        return joints @ self.to_crop[:, :2].T + self.to_crop[:, 2]


MakeImages = Callable[
    [BenchmarkRun, Sequence[Case]], Mapping[Case, CaseImages]
]
"""Makes the crops of a run's cases again; a LookupError with a sentence where
the data set is missing or has changed."""


def pick_cases(
    run: BenchmarkRun, quantile: float, number: int = 6
) -> list[Case]:
    """At most ``number`` cases by how much the error of a target grows, around
    a quantile of the growth: 1 for the worst, 0.5 for typical ones; each of
    another person and attack."""
    boxes = run.boxes
    labelled = (boxes.visible > 0) & np.isfinite(boxes.truth).all(-1)
    sizes = box_size(boxes.person_boxes)[:, None]
    before = joint_errors(run.clean.keypoints, boxes.truth) / sizes
    growth = np.full((len(run.attacks), len(boxes)), -np.inf)
    joints = np.zeros(growth.shape, int)
    for index, attack in enumerate(run.attacks):
        counts = attack.targets & labelled & attack.changed[:, None]
        after = joint_errors(attack.predictions.keypoints, boxes.truth) / sizes
        grown = after - before
        grown = np.where(counts & np.isfinite(grown), grown, -np.inf)
        growth[index], joints[index] = grown.max(1), grown.argmax(1)
    attacks, people = np.nonzero(np.isfinite(growth))
    values = growth[attacks, people]
    if not len(values):
        return []
    distance = np.abs(values - np.quantile(values, quantile))
    chosen: list[Case] = []
    for i in np.argsort(distance, kind='stable'):
        name, row = run.attacks[attacks[i]].name, int(people[i])
        if len(chosen) == number:
            break
        if any(name == case.attack or row == case.row for case in chosen):
            continue
        joint = joints[attacks[i], row]
        ids = int(boxes.image_ids[row]), int(boxes.instance_ids[row])
        error = float(before[row, joint])
        errors = error, float(before[row, joint] + values[i])
        chosen.append(Case(name, row, *ids, *errors, run.joints.names[joint]))
    return chosen


def case_cards(
    analysis: Record,
    headings: Mapping[str, Sequence[Case]],
    case_images: MakeImages | None,
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Heading -> cases with their crops, or the reason why there are none."""
    if case_images is None:
        return {}, 'this report was made without the data set'
    run, titles = analysis.run, {c.name: describe(c) for c in analysis.costs}
    try:
        return {
            heading: [
                dict(
                    case=case,
                    title=titles[case.attack],
                    crops=drawn_crops(case, crops, run),
                )
                for case, crops in case_images(run, cases).items()
            ]
            for heading, cases in headings.items()
            if cases
        }, ''
    except LookupError as error:
        return {}, error.args[0]


def drawn_crops(
    case: Case, images: CaseImages, run: BenchmarkRun
) -> dict[str, Any]:
    """Both crops with predictions and errors, as the template's ``crops``
    draws them."""
    attack = next(a for a in run.attacks if a.name == case.attack)
    truth, clean, attacked = (
        svg_places(images.in_crop(joints[case.row]))
        for joints in (
            run.boxes.truth,
            run.clean.keypoints,
            attack.predictions.keypoints,
        )
    )
    hidden = np.flatnonzero(attack.hidden[case.row])
    return dict(
        size=images.clean.shape[1::-1],
        style=PoseStyle.from_names(run.joints.names, run.joints.links),
        truth=truth,
        hidden=[k for k in hidden.tolist() if truth[k]],
        views=[
            ('clean', image_uri(images.clean, 'jpeg'), clean),
            ('attacked', image_uri(images.attacked, 'jpeg'), attacked),
        ],
    )
