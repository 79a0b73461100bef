"""Worst and typical cases: one person under one attack each."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmpose_occlusion.benchmark.analysis import Record
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.oks_pck import box_size, joint_errors
from mmpose_occlusion.visualization import PoseStyle
from mmpose_occlusion.visualization.gallery import image_uri, svg_places

from .formatting import describe

WORST_CASES, TYPICAL_CASES = 'Worst cases', 'Typical cases'


class Case(NamedTuple):
    """A person, row of the bboxes, under an attack; the target whose error
    grows most, and its error before and after, as fractions of the longer side
    of the person's bbox."""

    attack: str
    row: int
    joint: str
    before: float
    after: float


CaseImages = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The ``(H, W, 3)`` BGR crops of a person, clean and attacked, and the
``(2, 3)`` affine matrix from pixels of the image to pixels of the crops."""

MakeImages = Callable[
    [BenchmarkRun, Sequence[tuple[str, int]]], Sequence[CaseImages]
]
"""Makes crops of a run again, each of an attack (its name) and a person (row
of the bboxes); a LookupError with a sentence where the data set is missing or
has changed."""


def pick_cases(run: BenchmarkRun, quantile: float, number: int) -> list[Case]:
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
        error = float(before[row, joint])
        after = float(before[row, joint] + values[i])
        chosen.append(Case(name, row, run.joints.names[joint], error, after))
    return chosen


def case_cards(
    analysis: Record, number: int, make_images: MakeImages | None
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Heading -> cases, and the reason why they have no crops, if so."""
    run, titles = analysis.run, {c.name: describe(c) for c in analysis.costs}
    cards: dict[str, list[dict[str, Any]]] = {
        heading: [
            dict(
                case=case,
                title=titles[case.attack],
                image_id=run.boxes.image_ids[case.row],
                person_id=run.boxes.instance_ids[case.row],
            )
            for case in pick_cases(run, quantile, number)
        ]
        for heading, quantile in ((WORST_CASES, 1.0), (TYPICAL_CASES, 0.5))
    }
    if make_images is None:
        return cards, 'this report was made without the data set'
    try:
        for mine in filter(None, cards.values()):
            people = [(card['case'].attack, card['case'].row) for card in mine]
            found = make_images(run, people)
            for card, who, images in zip(mine, people, found, strict=True):
                card['crops'] = drawn_crops(run, *who, images)
    except LookupError as error:
        return cards, error.args[0]
    return cards, ''


def drawn_crops(
    run: BenchmarkRun, name: str, row: int, images: CaseImages
) -> dict[str, Any]:
    """Both crops of a person under an attack with predictions and errors, as
    the template's ``crops`` draws them."""
    attack = next(a for a in run.attacks if a.name == name)
    clean_crop, attacked_crop, to_crop = images
    truth, clean, attacked = (
        svg_places(joints[row] @ to_crop[:, :2].T + to_crop[:, 2])
        for joints in (
            run.boxes.truth,
            run.clean.keypoints,
            attack.predictions.keypoints,
        )
    )
    hidden = np.flatnonzero(attack.hidden[row])
    return dict(
        size=clean_crop.shape[1::-1],
        style=PoseStyle(run.joints.names, run.joints.links),
        truth=truth,
        hidden=[k for k in hidden.tolist() if truth[k]],
        views=[
            ('clean', image_uri(clean_crop, 'jpeg'), clean),
            ('attacked', image_uri(attacked_crop, 'jpeg'), attacked),
        ],
    )
