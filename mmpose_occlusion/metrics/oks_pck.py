"""Distances of joints to the ground truth: object keypoint similarity (OKS),
EPE, PCK and PCKh; the sigmas that data sets publish; groups of joints."""

from collections.abc import Iterable, Sequence

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
    person's size ``(N,)``, of the bbox for PCK, of the head for PCKh, which
    are the fractions of these."""
    return errors < threshold * sizes[:, None]


def masked_mean(
    values: np.ndarray, mask: np.ndarray | bool = True
) -> float | None:
    """Mean of the defined values in a mask, or None if there is none."""
    chosen = values[mask & np.isfinite(values)]
    return float(chosen.mean()) if len(chosen) else None


def joint_groups(
    targets: np.ndarray, bystanders: np.ndarray
) -> dict[str, np.ndarray]:
    """Masks ``(N, K)`` of :data:`GROUPS`; each joint is in one of them:
    targets and bystanders are those under paint."""
    rest = ~(targets | bystanders)
    return {TARGET: targets, BYSTANDER: bystanders, VISIBLE: rest}


def keypoint_oks(
    offsets: np.ndarray, areas: np.ndarray, sigmas: np.ndarray
) -> np.ndarray:
    """Per-keypoint OKS, ``exp(-d² / (2 s² (2 sigma)²))``.

    ``d`` is the length of the offset ``(..., K, 2)`` of the prediction from
    the ground truth, pixels, ``s²`` the area ``(...)`` of the person. Source:
    https://cocodataset.org/#keypoints-eval. ``(..., K)`` float64 in [0, 1].

    >>> keypoint_oks(np.array([[[0, 0], [10, 0]]]), np.array([1e4]),
    ...              np.array([0.05, 0.05])).round(3).tolist()
    [[1.0, 0.607]]
    """
    squares = (offsets**2).sum(axis=-1)
    variances = (2 * np.asarray(sigmas)) ** 2
    areas = np.asarray(areas)[..., None] + np.spacing(1)
    return np.exp(-squares / variances / areas / 2)


def mean_oks(similar: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """OKS ``(...)`` of poses: the mean of the per-keypoint OKS ``(..., K)``
    over the keypoints that count, a mask ``(..., K)``; NaN where none does."""
    count = labelled.sum(axis=-1)
    total = np.where(labelled, similar, 0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


UNPUBLISHED = 0.05
"""Of every joint of a data set that is not listed here."""

_LIMBS = dict(
    **dict(shoulder=0.079, elbow=0.072, wrist=0.062),
    **dict(hip=0.107, knee=0.087, ankle=0.089),
)


def _both(**joints: float) -> dict[str, float]:
    return {
        f'{side}_{joint}': sigma
        for joint, sigma in joints.items()
        for side in ('left', 'right')
    }


SIGMAS: dict[str, dict[str, float]] = {
    'COCO': dict(nose=0.026, **_both(eye=0.025, ear=0.035, **_LIMBS)),
    'CrowdPose': dict(top_head=0.079, neck=0.079, **_both(**_LIMBS)),
    'AIC': dict(
        **dict(left_shoulder=0.01417709, right_shoulder=0.01388152),
        **dict(left_elbow=0.01497891, right_elbow=0.01515228),
        **dict(left_wrist=0.01402144, right_wrist=0.01057665),
        **dict(left_hip=0.03843971, right_hip=0.03909642),
        **dict(left_knee=0.03412318, right_knee=0.03686941),
        **dict(left_ankle=0.02415081, right_ankle=0.01981803),
        **dict(head_top=0.01291456, neck=0.01236153),
    ),
    'MPII': dict(
        **dict.fromkeys(('pelvis', 'thorax', 'upper_neck'), 0.026),
        head_top=0.026,
        **_both(**{**_LIMBS, 'shoulder': 0.179, 'knee': 0.083}),
    ),
}
"""Data set -> joint -> sigma."""

_SAME = {'head': 'top_head'}
"""CrowdPose's own file and MMPose's name of the same joint."""


def published_sigmas(names: Sequence[str]) -> tuple[np.ndarray, str | None]:
    """``(K,)`` sigmas and name of the data set that has all these joints, in
    any order; :data:`UNPUBLISHED` and None if there is none.

    >>> published_sigmas(['left_wrist', 'nose'])
    (array([0.05, 0.05]), None)
    """
    wanted = [_SAME.get(name, name) for name in names]
    for source, sigmas in SIGMAS.items():
        if set(wanted) == set(sigmas):
            return np.array([sigmas[name] for name in wanted]), source
    return np.full(len(names), UNPUBLISHED), None


def sigmas_or_default(
    sigmas: Sequence[float], names: Iterable[str]
) -> np.ndarray:
    """A data set's own sigmas ``(K,)``; where its metainfo has none, as that
    of MMPose's hands and faces, :func:`published_sigmas`."""
    own = np.asarray(sigmas, np.float64)
    return own if len(own) else published_sigmas(list(names))[0]
