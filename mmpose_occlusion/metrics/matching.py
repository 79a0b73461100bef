"""Matching of bboxes to annotated people."""

import numpy as np
from pycocotools import mask

IOU_THRESHOLD = 0.5
"""Least overlap of a bbox with its person's, as in COCO's box AP@0.5."""

UNMATCHED = -1
"""Index for a bbox that matches no person."""


def overlaps(boxes: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Intersection over union (IoU) of bboxes with those of people.

    Args:
        boxes: ``(D, 4)`` xyxy, pixels.
        people: ``(P, 4)`` xyxy in the same frame.

    Returns:
        ``(D, P)`` float64; a bbox without area overlaps with none.
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

    In the order of falling scores (equal scores in the order given), each
    bbox takes the unmatched person with which it overlaps most.

    Args:
        iou: ``(D, P)``, see :func:`overlaps`.
        scores: ``(D,)`` of the bboxes.
        threshold: Least overlap.
        one_to_one: False lets several bboxes match the same person.

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
