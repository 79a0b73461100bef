"""Annotated people in COCO's format and as arrays; bboxes matched to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask

AREA_RATIO = 0.53
"""Area of a person over that of the bbox, where none is annotated (MMPose)."""

WHOLE_BODY = dict(
    foot_kpts=6, face_kpts=68, lefthand_kpts=21, righthand_kpts=21
)
"""Where COCO-WholeBody keeps the joints after its first 17 -> how many."""

ANY_AREA = (0.0, 1e10)

IOU_THRESHOLD = 0.5
"""Least overlap of a bbox with its person's, as in COCO's box AP@0.5."""

UNMATCHED = -1
"""Index for a bbox that matches no person."""


def make_person(
    ann: Mapping[str, Any], num_joints: int, use_area: bool = True
) -> dict:
    """An annotation of COCO's with all entries that the evaluation needs.
    Where it has no ``area``, or ``use_area`` is False, this is
    :data:`AREA_RATIO` of its bbox, as in MMPose.

    Raises:
        ValueError: The annotation does not have ``num_joints`` joints.
    """
    joints = list(ann['keypoints'])
    if len(joints) < 3 * num_joints:
        for key in WHOLE_BODY:
            joints += ann.get(key, [])
    if len(joints) != 3 * num_joints:
        raise ValueError(
            f'annotation {ann["id"]} of image {ann["image_id"]} has '
            f'{len(joints) / 3:g} joints, but the data set has {num_joints}; '
            'give the annotation file of this data set (ann_file)'
        )
    area = ann.get('area') if use_area else None
    if area is None:
        area = ann['bbox'][2] * ann['bbox'][3] * AREA_RATIO
    return dict(
        id=ann['id'],
        image_id=ann['image_id'],
        category_id=int(ann.get('category_id', 1)),
        bbox=[float(x) for x in ann['bbox']],
        area=float(area),
        iscrowd=int(ann.get('iscrowd', 0)),
        keypoints=[float(x) for x in joints],
    )


@dataclass(frozen=True)
class People:
    """P annotated people of I images as arrays: annotation ids, sorted ids of
    the I images and C categories and each person's index into them, keypoints
    ``(P, K, 2)`` in pixels, labels ``(P, K)``, boxes ``(P, 4)`` xywh, areas in
    square pixels, and which annotations are crowds of several people."""

    ids: np.ndarray
    images: np.ndarray
    image: np.ndarray
    categories: np.ndarray
    category: np.ndarray
    keypoints: np.ndarray
    labelled: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    crowd: np.ndarray

    @classmethod
    def from_dicts(
        cls, people: Sequence[Mapping[str, Any]], images: Sequence, joints: int
    ) -> 'People':
        """Collect people of :func:`make_person` with K joints; ``images`` are
        ids of further images, those of the poses."""
        categories = np.unique([p['category_id'] for p in people] or [1])
        owners = [p['image_id'] for p in people]
        ids = np.unique(np.array([*images, *owners]))
        keypoints = np.array([p['keypoints'] for p in people], np.float64)
        keypoints = keypoints.reshape(len(people), joints, 3)
        return cls(
            ids=np.array([p['id'] for p in people]),
            images=ids,
            image=np.searchsorted(ids, np.array(owners, ids.dtype)),
            categories=categories,
            category=np.searchsorted(
                categories, [p['category_id'] for p in people]
            ),
            keypoints=keypoints[..., :2],
            labelled=keypoints[..., 2] > 0,
            boxes=np.array([p['bbox'] for p in people]).reshape(-1, 4),
            areas=np.array([p['area'] for p in people], np.float64),
            crowd=np.array([p['iscrowd'] for p in people], bool),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def counting(
        self,
        labelled: np.ndarray,
        area_range: tuple[float, float] = ANY_AREA,
    ) -> np.ndarray:
        """``(P,)`` bool, people who count; COCO ignores all others: crowds,
        people without a label ``(P, K)`` and those whose area is out of range.
        """
        low, high = area_range
        sized = (self.areas >= low) & (self.areas <= high)
        return labelled.any(axis=1) & ~self.crowd & sized


def overlaps(boxes: np.ndarray, people: np.ndarray) -> np.ndarray:
    """``(D, P)`` intersection over union (IoU) of bboxes ``(D, 4)`` with
    those of people ``(P, 4)``, xyxy; a bbox without area overlaps with none.
    """
    found, true = (
        np.asarray(b, np.float64).reshape(-1, 4) for b in (boxes, people)
    )
    if not len(found) or not len(true):
        return np.zeros((len(found), len(true)))
    xywh = (np.hstack([b[:, :2], b[:, 2:] - b[:, :2]]) for b in (found, true))
    return mask.iou(*xywh, np.zeros(len(true), np.uint8))


def match_boxes(
    iou: np.ndarray,
    scores: np.ndarray,
    threshold: float = IOU_THRESHOLD,
    one_to_one: bool = True,
) -> np.ndarray:
    """Match the bboxes of one image to its people greedily, as COCOeval does.

    In the order of falling scores ``(D,)`` (equal scores in the order given),
    each bbox takes the unmatched person with which its overlap ``(D, P)`` is
    greatest, if it is at least the threshold. ``one_to_one=False`` lets
    several bboxes match the same person.

    Returns:
        ``(D,)`` int, index of each bbox's person, or :data:`UNMATCHED`.
    """
    owner = np.full(len(iou), UNMATCHED)
    if not iou.size:
        return owner
    free = iou.copy()
    for box in np.argsort(-np.asarray(scores, np.float64), kind='stable'):
        person = int(np.argmax(free[box]))
        if free[box, person] >= threshold:
            owner[box] = person
            if one_to_one:
                free[:, person] = -1
    return owner
