"""Which detection is whose: boxes against people."""

import numpy as np
import torch
from mmpose.structures.bbox import bbox_overlaps

IOU_THRESHOLD = 0.5
"""From this overlap on a box is of a person, as in COCO's box AP@0.5."""

NOBODY = -1
"""Index of a box that is of no person."""


def overlaps(boxes: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Intersection over union (IoU) of boxes with people's boxes.

    Args:
        boxes: ``(D, 4)`` xyxy in pixels.
        people: ``(P, 4)`` xyxy in the same pixels.

    Returns:
        ``(D, P)`` float64; a box without area overlaps nothing.
    """
    return bbox_overlaps(
        torch.from_numpy(np.asarray(boxes, np.float64).reshape(-1, 4)),
        torch.from_numpy(np.asarray(people, np.float64).reshape(-1, 4)),
    ).numpy()


def match_boxes(
    iou: np.ndarray,
    scores: np.ndarray,
    threshold: float = IOU_THRESHOLD,
    one_to_one: bool = True,
) -> np.ndarray:
    """Match the boxes of one picture to its people.

    As COCOeval does: the box with the highest score chooses first (of equal
    scores the first in order), and takes the person it overlaps most among
    those that are left.

    Args:
        iou: ``(D, P)``, see :func:`overlaps`.
        scores: ``(D,)`` of the boxes.
        threshold: Least overlap.
        one_to_one: False lets several boxes have the same person.

    Returns:
        ``(D,)`` int, index of each box's person, or :data:`NOBODY`.
    """
    owner = np.full(len(iou), NOBODY)
    if not iou.size:
        return owner
    left = iou.copy()
    for box in np.argsort(-np.asarray(scores, np.float64), kind='stable'):
        person = int(np.argmax(left[box]))
        if left[box, person] >= threshold:
            owner[box] = person
            if one_to_one:
                left[:, person] = NOBODY
    return owner
