"""What is left of a model's poses after MMPose's rescoring and NMS.

The same as ``CocoMetric`` does, from arrays.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from mmpose.evaluation.functional import oks_nms, soft_oks_nms

from mmpose_occlusion.benchmark.data import (
    UNMATCHED,
    BenchmarkRun,
    Predictions,
)

from .scene import Scene

NMS = {'oks_nms': oks_nms, 'soft_oks_nms': soft_oks_nms}
"""MMPose's functions by ``CocoMetric``'s ``nms_mode``."""

_MARGIN = 1e-4
"""NMS is asked wherever two poses come so near to its threshold."""


def pose_scores(
    box_scores: np.ndarray,
    joint_scores: np.ndarray,
    mode: str = 'bbox_keypoint',
    threshold: float = 0.2,
) -> np.ndarray:
    """Score of each pose.

    Args:
        box_scores: ``(N,)``.
        joint_scores: ``(N, K)``.
        mode: ``CocoMetric``'s ``score_mode``.
        threshold: Its ``keypoint_score_thr``.

    Returns:
        ``(N,)`` float64.

    Raises:
        ValueError: There is no such mode.
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
            f'evaluation.score_mode is {mode!r}, but CocoMetric knows bbox, '
            'keypoint, bbox_rle and bbox_keypoint'
        )
    count = joints > threshold
    # one after the other, as CocoMetric sums them up
    total = np.cumsum(np.where(count, joints, 0), axis=1, dtype=np.float32)
    number = count.sum(axis=1)
    mean = total[:, -1] / np.maximum(number, 1).astype(np.float32)
    return boxes * mean


def survivors(
    run: BenchmarkRun, scene: Scene, found: Predictions, keep: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The boxes whose poses are left after NMS.

    Args:
        run: Says how to score and to suppress.
        scene: Of the run.
        found: The poses of all N boxes.
        keep: ``(N,)`` bool, the boxes that take part.

    Returns:
        ``(S,)`` boxes, by image and there in the order of their scores; and
        the scores of all ``(N,)`` boxes.
    """
    how = run.evaluation
    scores = pose_scores(
        run.boxes.scores,
        found.scores,
        how.get('score_mode', 'bbox_keypoint'),
        how.get('keypoint_score_thr', 0.2),
    )
    # CocoMetric sorts annotated boxes by their ids
    ids = np.asarray(run.boxes.instance_ids)
    by_id = UNMATCHED not in ids and len(np.unique(ids)) == len(ids)
    order = np.lexsort(
        (ids if by_id else np.arange(len(ids)), scene.row_image)
    )
    order = order[keep[order]]
    starts = np.flatnonzero(
        np.diff(scene.row_image[order], prepend=-1)
    ).tolist()
    mode = how.get('nms_mode', 'oks_nms')
    crowded = _crowded(run, scene, found, order, mode)
    out = []
    for start, end in pairwise([*starts, len(order)]):
        rows = order[start:end]
        if mode == 'none':
            out.append(rows)
        elif scene.row_image[rows[0]] in crowded:
            out.append(rows[_suppress(run, scene, found, rows, scores, how)])
        else:  # nobody is suppressed; this is the order that NMS gives
            out.append(rows[scores[rows].argsort()[::-1]])
    return (np.concatenate(out) if out else order), scores


def _crowded(
    run: BenchmarkRun,
    scene: Scene,
    found: Predictions,
    rows: np.ndarray,
    mode: str,
) -> set[int]:
    """The images in which NMS may find something to do."""
    image = scene.row_image[rows]
    if mode != 'oks_nms':
        return set(image.tolist())
    near: set[int] = set()
    threshold = run.evaluation.get('nms_thr', 0.9) - _MARGIN
    joints = np.asarray(found.keypoints, np.float64)[rows]
    variance = (2 * np.asarray(run.joints.sigmas)) ** 2
    for step in range(1, len(rows)):
        first = np.flatnonzero(image[step:] == image[:-step])
        if not len(first):
            break
        second = first + step
        area = scene.input_areas[rows[first]] + scene.input_areas[rows[second]]
        apart = ((joints[first] - joints[second]) ** 2).sum(axis=-1)
        oks = np.exp(-apart / variance / (area[:, None] / 2) / 2).mean(axis=1)
        near.update(image[first[oks > threshold]].tolist())
    return near


def _suppress(
    run: BenchmarkRun,
    scene: Scene,
    found: Predictions,
    rows: np.ndarray,
    scores: np.ndarray,
    how: Mapping[str, Any],
) -> np.ndarray:
    mode = how.get('nms_mode', 'oks_nms')
    if mode not in NMS:
        raise ValueError(
            f'evaluation.nms_mode is {mode!r}, but CocoMetric knows oks_nms, '
            'soft_oks_nms and none'
        )
    entries = [
        dict(
            keypoints=np.column_stack([found.keypoints[i], found.scores[i]]),
            area=scene.input_areas[i],
            score=scores[i],
        )
        for i in rows
    ]
    kept = NMS[mode](
        entries, how.get('nms_thr', 0.9), sigmas=np.asarray(run.joints.sigmas)
    )
    return np.asarray(kept, np.int64)
