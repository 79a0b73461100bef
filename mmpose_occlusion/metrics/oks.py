"""Object keypoint similarity (OKS) of poses, as COCO defines it."""

import numpy as np


def keypoint_oks(
    offsets: np.ndarray, areas: np.ndarray, sigmas: np.ndarray
) -> np.ndarray:
    """Per-keypoint OKS, ``exp(-d² / (2 s² (2 sigma)²))``.

    ``d`` is the distance between the prediction and the ground truth, ``s²``
    the area of the person. Source: https://cocodataset.org/#keypoints-eval.

    Args:
        offsets: ``(..., K, 2)`` prediction minus ground truth, pixels.
        areas: ``(...)`` square pixels.
        sigmas: ``(K,)`` of the keypoints.

    Returns:
        ``(..., K)`` float64 between 0 and 1.

    >>> keypoint_oks(np.array([[[0, 0], [10, 0]]]), np.array([1e4]),
    ...              np.array([0.05, 0.05])).round(3).tolist()
    [[1.0, 0.607]]
    """
    squares = (offsets**2).sum(axis=-1)
    variances = (2 * np.asarray(sigmas)) ** 2
    areas = np.asarray(areas)[..., None] + np.spacing(1)
    return np.exp(-squares / variances / areas / 2)


def mean_oks(similar: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """OKS of poses: the mean of the per-keypoint OKS.

    Args:
        similar: ``(..., K)`` from :func:`keypoint_oks`.
        labelled: ``(..., K)`` bool, the keypoints that count.

    Returns:
        ``(...)``, NaN where no keypoint counts.
    """
    count = labelled.sum(axis=-1)
    total = np.where(labelled, similar, 0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
