"""Scores of poses, and non-maximum suppression (NMS) by OKS.

The same as MMPose's ``CocoMetric`` and ``oks_nms`` do, from arrays.
"""

from itertools import pairwise

import numpy as np

from .oks import keypoint_oks, mean_oks

SCORE_MODES = ('bbox', 'keypoint', 'bbox_rle', 'bbox_keypoint')
NMS_MODES = ('oks_nms', 'soft_oks_nms', 'none')

_SOFT_MOST = 20  # poses that soft NMS keeps in an image


def pose_scores(
    box_scores: np.ndarray,
    joint_scores: np.ndarray,
    mode: str = 'bbox_keypoint',
    threshold: float = 0.2,
) -> np.ndarray:
    """``(N,)`` scores of poses from those of their bboxes ``(N,)`` and joints
    ``(N, K)``; mode and threshold are ``CocoMetric``'s ``score_mode`` and
    ``keypoint_score_thr``.

    Raises:
        ValueError: The mode is none of :data:`SCORE_MODES`.
    """
    boxes = np.asarray(box_scores, np.float64)
    joints = np.asarray(joint_scores, np.float32)
    if mode == 'bbox':
        return boxes
    if mode == 'keypoint':
        return joints.mean(axis=1).astype(np.float64)
    if mode == 'bbox_rle':
        return boxes + joints.mean(axis=1) + joints.max(axis=1)
    if mode != 'bbox_keypoint':
        raise ValueError(
            f'evaluation.score_mode is {mode!r}, but must be one of '
            f'{", ".join(SCORE_MODES)}'
        )
    counts = joints > threshold
    # in float32 and joint by joint, as CocoMetric adds them
    total = np.cumsum(np.where(counts, joints, 0), axis=1, dtype=np.float32)
    number = np.maximum(counts.sum(axis=1), 1).astype(np.float32)
    return boxes * (total[:, -1] / number)


def surviving_poses(
    rows: np.ndarray,
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    mode: str = 'oks_nms',
    threshold: float = 0.9,
) -> np.ndarray:
    """Indices of the poses that are left after NMS within each image, in an
    image by falling score (for 'none' as given).

    Args:
        rows: ``(R,)`` indices of the poses that take part, those of an image
            one after another.
        image: ``(N,)`` index of each pose's image.
        keypoints: ``(N, K, 2)`` float32 pixels; NaN for those not found.
        scores: ``(N,)``.
        areas: ``(N,)`` square pixels of the image that were given to the
            model, which ``CocoMetric`` takes as the poses' areas.
        sigmas: ``(K,)`` of the keypoints.
        mode: One of :data:`NMS_MODES`.
        threshold: ``CocoMetric``'s ``nms_thr``.
    """
    if mode not in NMS_MODES:
        raise ValueError(
            f'evaluation.nms_mode is {mode!r}, but must be one of '
            f'{", ".join(NMS_MODES)}'
        )
    if mode == 'none' or not len(rows):
        return rows
    suppress = _soft_nms if mode == 'soft_oks_nms' else _nms
    starts = np.flatnonzero(np.diff(image[rows], prepend=-1)).tolist()
    out = []
    for start, end in pairwise([*starts, len(rows)]):
        here = rows[start:end]
        order = scores[here].argsort()[::-1]
        if len(here) > 1:
            similar = _pose_oks(
                keypoints[here, None], keypoints[None, here],
                areas[here, None], areas[None, here], sigmas,
            )  # fmt: skip
            order = suppress(order, similar, scores[here], threshold)
        out.append(here[order])
    return np.concatenate(out)


def _pose_oks(
    a: np.ndarray,
    b: np.ndarray,
    area_a: np.ndarray,
    area_b: np.ndarray,
    sigmas: np.ndarray,
) -> np.ndarray:
    """OKS of pairs of poses, in MMPose's float32, over the keypoints that both
    have; 0 where they share none."""
    similar = keypoint_oks(b - a, (area_a + area_b) / 2, sigmas)
    known = np.isfinite(similar)
    if known.all():
        return similar.mean(axis=-1).astype(np.float32)
    return np.nan_to_num(mean_oks(similar, known)).astype(np.float32)


def _nms(
    order: np.ndarray, similar: np.ndarray, _: np.ndarray, threshold: float
) -> list[int]:
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[similar[best, order] <= threshold]
    return kept


def _soft_nms(
    order: np.ndarray,
    similar: np.ndarray,
    scores: np.ndarray,
    threshold: float,
) -> list[int]:
    scores = scores[order]
    kept: list[int] = []
    while len(order) and len(kept) < _SOFT_MOST:
        best, order = order[0], order[1:]
        kept.append(best)
        scores = scores[1:] * np.exp(-(similar[best, order] ** 2) / threshold)
        rank = scores.argsort()[::-1]
        order, scores = order[rank], scores[rank]
    return kept
