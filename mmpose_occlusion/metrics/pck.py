"""Distances to the ground truth: EPE, PCK and PCKh; groups of joints."""

import numpy as np

PCK_THRESHOLD = 0.2
"""Fraction of the longer side of the bbox, as in MMPose's configs."""

PCKH_THRESHOLD = 0.5
"""Fraction of the head's size."""

TARGET, BYSTANDER, VISIBLE = 'target', 'bystander', 'visible'

GROUPS = (TARGET, BYSTANDER, VISIBLE)
"""Joints that an attack names and hides, others that it hides, and the rest.
"""

NOT_IN_PCKH = ('pelvis', 'thorax')
"""Keypoints that MPII leaves out of the mean PCKh."""


def clip_box(xywh: np.ndarray, width: int, height: int) -> np.ndarray:
    """``(4,)`` float32 xyxy, an annotated bbox (xywh, pixels) cut to its image
    as MMPose's data sets cut it: between 0 and ``width - 1``, ``height - 1``.
    Source: ``BaseCocoStyleDataset.parse_data_info`` of MMPose."""
    x, y, w, h = np.asarray(xywh, np.float64)
    limit = np.array([width, height, width, height]) - 1
    return np.clip([x, y, x + w, y + h], 0, limit).astype(np.float32)


def box_size(boxes: np.ndarray) -> np.ndarray:
    """``(N,)`` longer sides of bboxes ``(N, 4)`` xyxy, pixels, by which PCK
    and EPE are normalised; MMPose's ``PCKAccuracy`` takes bboxes that are cut
    to the image, see :func:`clip_box`."""
    return np.max(boxes[:, 2:] - boxes[:, :2], axis=1)


def joint_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """End-point error (EPE): ``(...)`` distances of joints ``(..., 2)`` to
    their ground truth in the same frame, pixels."""
    return np.linalg.norm(predicted - truth, axis=-1)


def is_correct(
    errors: np.ndarray, sizes: np.ndarray, threshold: float = PCK_THRESHOLD
) -> np.ndarray:
    """``(N, K)`` bool: errors ``(N, K)`` below ``threshold`` times the
    person's size ``(N,)``, of the bbox for PCK, of the head for PCKh."""
    return errors < threshold * sizes[:, None]


def pck(
    errors: np.ndarray,
    sizes: np.ndarray,
    mask: np.ndarray,
    threshold: float = PCK_THRESHOLD,
) -> float | None:
    """Percentage of correct keypoints (PCK), as a fraction, see
    :func:`is_correct`; None if no joint of the mask ``(N, K)`` counts."""
    return masked_mean(is_correct(errors, sizes, threshold), mask)


def masked_mean(values: np.ndarray, mask: np.ndarray) -> float | None:
    """Mean of the defined values in a mask, or None if there is none."""
    chosen = values[mask]
    chosen = chosen[np.isfinite(chosen)]
    return float(chosen.mean()) if len(chosen) else None


def joint_groups(
    targets: np.ndarray, bystanders: np.ndarray
) -> dict[str, np.ndarray]:
    """Masks ``(N, K)`` of :data:`GROUPS`; each joint is in one of them:
    targets and bystanders are those under paint."""
    rest = ~(targets | bystanders)
    return {TARGET: targets, BYSTANDER: bystanders, VISIBLE: rest}
