"""Everybody in the images of a benchmark run, and which boxes they are near.

None of this depends on what a model said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import UNMATCHED, BenchmarkRun, Boxes
from mmpose_occlusion.metrics.coco import make_person

PADDING = 1.25
"""Of boxes, as MMPose's ``GetBBoxCenterScale`` has it."""


@dataclass(frozen=True)
class People:
    """P annotated people of I images as arrays.

    Args:
        ids: ``(P,)`` int64 annotation ids.
        image: ``(P,)`` index of the image.
        joints: ``(P, K, 2)`` in pixels of the image.
        labelled: ``(P, K)`` bool.
        boxes: ``(P, 4)`` xyxy.
        areas: ``(P,)`` square pixels.
        crowd: ``(P,)`` bool.
        category: ``(P,)`` index into the scene's categories.
        slot: ``(P,)`` place among the people of the same image.
    """

    ids: np.ndarray
    image: np.ndarray
    joints: np.ndarray
    labelled: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    crowd: np.ndarray
    category: np.ndarray
    slot: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Scene:
    """Who is where, and which of the N boxes and P people to compare.

    Args:
        images: ``(I,)`` ids of the images with a box or a person, sorted.
        row_image: ``(N,)`` index of each box's image.
        people: See :class:`People`; nobody for data without COCO's
            evaluation.
        categories: Length C, ids.
        row_category: ``(N,)`` index into the categories.
        owner: ``(N,)`` index of each box's person, or
            :data:`~..data.UNMATCHED`.
        pair_row: ``(M,)`` boxes of all pairs of a box with a person of the
            same image and category.
        pair_person: ``(M,)`` people of these pairs.
        input_areas: ``(N,)`` square pixels of the image that go into the
            model; NMS compares poses by them.
    """

    images: np.ndarray
    row_image: np.ndarray
    people: People
    categories: list[int]
    row_category: np.ndarray
    owner: np.ndarray
    pair_row: np.ndarray
    pair_person: np.ndarray
    input_areas: np.ndarray


def make_scene(run: BenchmarkRun) -> Scene:
    """The scene of a run.

    Raises:
        ValueError: An annotation has not the data set's joints.
    """
    boxes = run.boxes
    anns = [
        make_person(
            ann,
            len(run.joints.names),
            run.evaluation.get('use_area', True),
        )
        for ann in run.people
        if 'keypoints' in ann and 'bbox' in ann
    ]
    images = np.unique(
        np.concatenate(
            [
                np.asarray(boxes.image_ids, np.int64),
                np.array([ann['image_id'] for ann in anns], np.int64),
            ]
        )
    )
    categories = sorted({ann['category_id'] for ann in anns}) or [1]
    people = _people(anns, images, categories, len(run.joints.names))
    row_image = np.searchsorted(images, boxes.image_ids)
    owner = _owners(boxes, people)
    fallback = categories.index(1) if 1 in categories else 0
    row_category = np.full(len(boxes), fallback)
    known = owner != UNMATCHED
    row_category[known] = people.category[owner[known]]
    pair_row, pair_person = same_image(row_image, people.image)
    same = row_category[pair_row] == people.category[pair_person]
    return Scene(
        images=images,
        row_image=row_image,
        people=people,
        categories=categories,
        row_category=row_category,
        owner=owner,
        pair_row=pair_row[same],
        pair_person=pair_person[same],
        input_areas=input_areas(
            boxes.boxes,
            run.crop_size,
            run.evaluation.get('padding', PADDING),
        ),
    )


def input_areas(
    boxes: np.ndarray, crop_size: tuple[int, int], padding: float = PADDING
) -> np.ndarray:
    """Area of the image that MMPose cuts out for each box.

    Args:
        boxes: ``(N, 4)`` xyxy in pixels.
        crop_size: (width, height) of the model's input, which gives the
            aspect ratio.
        padding: Factor of the box's sides.

    Returns:
        ``(N,)`` square pixels.
    """
    width, height = ((boxes[:, 2:] - boxes[:, :2]) * padding).T
    ratio = crop_size[0] / crop_size[1]
    width, height = (
        np.maximum(width, height * ratio),
        np.maximum(height, width / ratio),
    )
    return width * height


def _people(
    anns: Sequence[Mapping[str, Any]],
    images: np.ndarray,
    categories: list[int],
    num_joints: int,
) -> People:
    joints = np.array([ann['keypoints'] for ann in anns], np.float64)
    joints = joints.reshape(len(anns), num_joints, 3)
    xywh = np.array([ann['bbox'] for ann in anns], np.float64).reshape(-1, 4)
    image = np.searchsorted(
        images, np.array([ann['image_id'] for ann in anns], np.int64)
    )
    return People(
        ids=np.array([ann['id'] for ann in anns], np.int64),
        image=image,
        joints=joints[..., :2],
        labelled=joints[..., 2] > 0,
        boxes=np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        areas=np.array([ann['area'] for ann in anns], np.float64),
        crowd=np.array([ann['iscrowd'] for ann in anns], bool),
        category=np.searchsorted(
            categories, np.array([a['category_id'] for a in anns], np.int64)
        ),
        slot=rank_in_group(image),
    )


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """How many entries of the same group come before each entry.

    >>> rank_in_group(np.array([3, 5, 3, 3])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(groups, kind='stable')
    ordered = groups[order]
    first = np.searchsorted(ordered, ordered, side='left')
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - first
    return rank


def _owners(boxes: Boxes, people: People) -> np.ndarray:
    order = np.argsort(people.ids, kind='stable')
    ids = np.asarray(boxes.instance_ids, np.int64)
    owner = np.full(len(ids), UNMATCHED)
    if len(people):
        place = np.minimum(
            np.searchsorted(people.ids[order], ids), len(people) - 1
        )
        person = order[place]
        owner = np.where(people.ids[person] == ids, person, UNMATCHED)
    return owner


def same_image(
    rows: np.ndarray, people: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a box and a person with equal image indices."""
    order = np.argsort(people, kind='stable')
    first = np.searchsorted(people[order], rows, side='left')
    last = np.searchsorted(people[order], rows, side='right')
    counts = last - first
    pair_row = np.repeat(np.arange(len(rows)), counts)
    offset = np.arange(len(pair_row)) - np.repeat(
        np.cumsum(counts) - counts, counts
    )
    return pair_row, order[np.repeat(first, counts) + offset]
