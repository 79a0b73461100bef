"""Object keypoint similarity (OKS) of poses, as COCO defines it, and the
sigmas that data sets publish: of COCO's evaluation, and of MMPose's metainfo.
"""

from collections.abc import Iterable, Sequence

import numpy as np


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
