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
