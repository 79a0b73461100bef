"""How crowded people are, from their boxes and joints alone."""

import numpy as np

CROWD_LEVELS = (
    (0.0, 0.1, 'easy'),
    (0.1, 0.8, 'medium'),
    (0.8, np.inf, 'hard'),
)
"""Of CrowdPose's crowd index (Li et al., CVPR 2019)."""

IOU_LEVELS = (
    (0.0, 0.5, 'below .5'),
    (0.5, 0.75, '.5-.75'),
    (0.75, np.inf, '.75 and above'),
)
"""Of the greatest IoU with another person (OCHuman, Zhang et al.,
CVPR 2019)."""

OVERLAP = 0.1
"""IoU from which another person counts as overlapping (Ronchi and Perona,
ICCV 2017)."""

VISIBLE_LEVELS = (
    (1, 6, '1-5'),
    (6, 11, '6-10'),
    (11, 16, '11-15'),
    (16, np.inf, '16 and more'),
)
"""Of the number of visible joints (Ronchi and Perona, ICCV 2017)."""

OVERLAP_LEVELS = ((0, 1, 'none'), (1, 3, '1-2'), (3, np.inf, '3 and more'))
"""Of the number of overlapping people (Ronchi and Perona, ICCV 2017)."""


def pairwise_iou(boxes: np.ndarray) -> np.ndarray:
    """(N, N) IoU of boxes (N, 4) xyxy with each other; 0 on the diagonal."""
    boxes = np.asarray(boxes, float)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    union = area[:, None] + area - shared
    out = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    np.fill_diagonal(out, 0)
    return out


def greatest_iou(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(N,) greatest IoU of each box with another of its image; 0 if alone.

    Args:
        image: (N,) index of each person's image.
        boxes: (N, 4) xyxy.
    """
    out = np.zeros(len(boxes))
    for rows in _by_image(image):
        if len(rows) > 1:
            out[rows] = pairwise_iou(boxes[rows]).max(axis=1)
    return out


def overlapping_people(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(N,) number of people of the image with an IoU of at least
    :data:`OVERLAP`."""
    out = np.zeros(len(boxes), int)
    for rows in _by_image(image):
        out[rows] = (pairwise_iou(boxes[rows]) >= OVERLAP).sum(axis=1)
    return out


def crowd_index(
    image: np.ndarray, boxes: np.ndarray, keypoints: np.ndarray
) -> np.ndarray:
    """CrowdPose's crowd index of each person's image.

    The mean over the image's people of the number of other people's joints
    inside the person's box as a fraction of the number of the person's own
    joints there. People without a joint in their box are left out.

    Args:
        image: (N,) index of each person's image.
        boxes: (N, 4) xyxy.
        keypoints: (N, K, 2) true joints, NaN without label.

    Returns:
        (N,), the same for all people of an image.
    """
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


def level_of(
    values: np.ndarray, levels: tuple
) -> list[tuple[str, np.ndarray]]:
    """Names and members of the levels: low <= value < high."""
    return [
        (name, (values >= low) & (values < high)) for low, high, name in levels
    ]


def _by_image(image: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(image, kind='stable')
    edges = np.flatnonzero(np.diff(np.asarray(image)[order])) + 1
    return np.split(order, edges) if len(order) else []
