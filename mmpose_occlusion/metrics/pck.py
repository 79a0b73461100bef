"""Distances to the ground truth: EPE, PCK and PCKh."""

import numpy as np

PCK_THRESHOLD = 0.2
"""Fraction of the longer side of the bbox, as in MMPose's configs."""

PCKH_THRESHOLD = 0.5
"""Fraction of the head's size."""

NOT_IN_PCKH = ('pelvis', 'thorax')
"""Keypoints that MPII leaves out of the mean PCKh."""


def clip_box(xywh: np.ndarray, width: int, height: int) -> np.ndarray:
    """An annotated bbox, cut to its image as MMPose's data sets cut it.

    Args:
        xywh: ``(4,)`` pixels, as COCO annotates it.
        width: Of the image.
        height: Of the image.

    Returns:
        ``(4,)`` float32 xyxy between 0 and ``width - 1``, ``height - 1``.
        Source: ``BaseCocoStyleDataset.parse_data_info`` of MMPose.
    """
    x, y, w, h = np.asarray(xywh, np.float64)
    limit = np.array([width, height, width, height]) - 1
    return np.clip([x, y, x + w, y + h], 0, limit).astype(np.float32)


def box_size(boxes: np.ndarray) -> np.ndarray:
    """The longer side of bboxes, by which PCK and EPE are normalised.

    MMPose's ``PCKAccuracy`` takes it of the bbox that the data set gives,
    which is cut to the image, see :func:`clip_box`.

    Args:
        boxes: ``(N, 4)`` xyxy, pixels.

    Returns:
        ``(N,)`` pixels.
    """
    return np.max(boxes[:, 2:] - boxes[:, :2], axis=1)


def joint_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """End-point error (EPE): distance of each joint to its ground truth.

    Args:
        predicted: ``(..., 2)`` pixels.
        truth: ``(..., 2)`` in the same frame.

    Returns:
        ``(...)`` pixels.
    """
    return np.linalg.norm(predicted - truth, axis=-1)


def is_correct(
    errors: np.ndarray, sizes: np.ndarray, threshold: float = PCK_THRESHOLD
) -> np.ndarray:
    """Joints whose error is below ``threshold`` times their person's size.

    Args:
        errors: ``(N, K)`` pixels.
        sizes: ``(N,)`` pixels: of the bbox for PCK, of the head for PCKh.
        threshold: Fraction of the size.

    Returns:
        ``(N, K)`` bool.
    """
    return errors < threshold * sizes[:, None]


def pck(
    errors: np.ndarray,
    sizes: np.ndarray,
    mask: np.ndarray,
    threshold: float = PCK_THRESHOLD,
) -> float | None:
    """Percentage of correct keypoints (PCK), as a fraction.

    Args:
        errors: ``(N, K)`` pixels.
        sizes: ``(N,)`` pixels, see :func:`is_correct`.
        mask: ``(N, K)`` bool, the joints that count, each with equal weight.
        threshold: Fraction of the size.

    Returns:
        The fraction, or None if no joint counts.
    """
    return masked_mean(is_correct(errors, sizes, threshold), mask)


def masked_mean(values: np.ndarray, mask: np.ndarray) -> float | None:
    """Mean of the defined values in a mask, or None if there is none."""
    chosen = values[mask]
    chosen = chosen[np.isfinite(chosen)]
    return float(chosen.mean()) if len(chosen) else None
