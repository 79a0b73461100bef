"""How crowded people are, from their boxes and joints alone."""

from collections.abc import Iterator

import numpy as np

from .annotations import overlaps

LEVELS: dict[str, dict[str, tuple[float, float]]] = {
    'visible joints': {
        '1-5': (1, 6),
        '6-10': (6, 11),
        '11-15': (11, 16),
        '16 and more': (16, np.inf),
    },
    'overlapping people': {
        'none': (0, 1),
        '1-2': (1, 3),
        '3 and more': (3, np.inf),
    },
    'crowd index': {
        'easy': (0.0, 0.1),
        'medium': (0.1, 0.8),
        'hard': (0.8, np.inf),
    },
    'greatest IoU': {
        'below .5': (0.0, 0.5),
        '.5-.75': (0.5, 0.75),
        '.75 and above': (0.75, np.inf),
    },
}
"""What people are divided by -> level -> least value, and first beyond it.

Sources: Ronchi and Perona, ICCV 2017 (the first two), CrowdPose, Li et al.,
CVPR 2019, and OCHuman, Zhang et al., CVPR 2019.
"""

OVERLAP = 0.1
"""IoU from which another person counts as overlapping (Ronchi and Perona)."""


def other_people(
    image: np.ndarray, boxes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Greatest IoU ``(N,)`` of each person with the others of the image, 0 if
    alone, and number of people with an IoU of at least :data:`OVERLAP`.
    ``image`` ``(N,)`` is the index of each person's image, boxes are xyxy."""
    greatest, number = np.zeros(len(boxes)), np.zeros(len(boxes), int)
    for rows in _by_image(image):
        iou = overlaps(boxes[rows], boxes[rows])
        np.fill_diagonal(iou, 0)
        greatest[rows] = iou.max(axis=1)
        number[rows] = (iou >= OVERLAP).sum(axis=1)
    return greatest, number


def crowd_index(
    image: np.ndarray, boxes: np.ndarray, keypoints: np.ndarray
) -> np.ndarray:
    """CrowdPose's crowd index of each person's image, ``(N,)``.

    The mean over the image's people of the number of other people's joints
    inside the person's box as a fraction of the number of the person's own
    joints there. People without a joint in their box are left out. Joints
    ``(N, K, 2)`` are NaN without label."""
    out = np.zeros(len(boxes))
    for rows in _by_image(image):
        xy = keypoints[rows][None]
        box = np.asarray(boxes, float)[rows][:, None, None]
        with np.errstate(invalid='ignore'):
            inside = ((xy >= box[..., :2]) & (xy <= box[..., 2:])).all(axis=3)
        counts = inside.sum(axis=2)  # (box, person)
        own = np.diag(counts)
        known = own > 0
        if known.any():
            others = counts.sum(axis=1) - own
            out[rows] = (others[known] / own[known]).mean()
    return out


def _by_image(image: np.ndarray) -> Iterator[np.ndarray]:
    for value in np.unique(image):
        yield np.flatnonzero(image == value)
