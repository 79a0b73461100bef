"""Pure maths of the metrics: arrays in, numbers out."""

import numpy as np

PCK_THRESHOLD = 0.2
"""Part of the box's longer side, as in MMPose's ``PCKAccuracy``."""


def box_size(boxes: np.ndarray) -> np.ndarray:
    """The longer side of boxes, by which PCK is normalised.

    Args:
        boxes: ``(N, 4)`` xyxy in pixels.

    Returns:
        ``(N,)`` pixels.
    """
    return np.max(boxes[:, 2:] - boxes[:, :2], axis=1)


def joint_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance of each joint to its truth (end-point error, EPE).

    Args:
        predicted: ``(..., 2)`` in pixels.
        truth: ``(..., 2)`` in the same pixels.

    Returns:
        ``(...)`` pixels.
    """
    return np.linalg.norm(predicted - truth, axis=-1)


def pck(
    errors: np.ndarray,
    sizes: np.ndarray,
    mask: np.ndarray,
    threshold: float = PCK_THRESHOLD,
) -> float | None:
    """Percentage of correct keypoints (PCK), as a fraction.

    A joint is correct if its error is under ``threshold`` times its
    person's size. All joints of the mask count alike.

    Args:
        errors: ``(N, K)`` pixels.
        sizes: ``(N,)`` pixels, see :func:`box_size`.
        mask: ``(N, K)`` bool, the joints that count.
        threshold: Part of the size.

    Returns:
        The fraction, or None where no joint counts.
    """
    if not mask.any():
        return None
    return float((errors < threshold * sizes[:, None])[mask].mean())


def oks(
    errors: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    """Object keypoint similarity (OKS) of people with their truth.

    COCO's formula, ``mean of exp(-d² / (2 s² (2 sigma)²))`` over a person's
    labelled joints, with ``s²`` the area.

    Args:
        errors: ``(N, K)`` pixels; infinite for a joint that is not there.
        areas: ``(N,)`` square pixels.
        sigmas: ``(K,)`` of the joints.
        mask: ``(N, K)`` bool, the joints that count.

    Returns:
        ``(N,)`` between 0 and 1, NaN for people without a joint that counts.
    """
    variance = areas[:, None] * (2 * np.asarray(sigmas)) ** 2
    similar = np.exp(-(errors**2) / 2 / (variance + np.spacing(1)))
    count = mask.sum(axis=1)
    total = np.where(mask, similar, 0).sum(axis=1)
    return np.divide(
        total, count, out=np.full(len(total), np.nan), where=count > 0
    )
