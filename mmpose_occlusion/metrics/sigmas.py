"""Sigmas of OKS that data sets publish, by joint name.

Source: COCO's evaluation, and the metainfo of MMPose 1.3 for the others.
"""

from collections.abc import Sequence

import numpy as np

UNPUBLISHED = 0.05
"""Of every joint of a data set that is not listed here."""

_LIMBS = dict(
    shoulder=0.079,
    elbow=0.072,
    wrist=0.062,
    hip=0.107,
    knee=0.087,
    ankle=0.089,
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
        right_shoulder=0.01388152,
        right_elbow=0.01515228,
        right_wrist=0.01057665,
        left_shoulder=0.01417709,
        left_elbow=0.01497891,
        left_wrist=0.01402144,
        right_hip=0.03909642,
        right_knee=0.03686941,
        right_ankle=0.01981803,
        left_hip=0.03843971,
        left_knee=0.03412318,
        left_ankle=0.02415081,
        head_top=0.01291456,
        neck=0.01236153,
    ),
    'MPII': dict(
        pelvis=0.026,
        thorax=0.026,
        upper_neck=0.026,
        head_top=0.026,
        **_both(**{**_LIMBS, 'shoulder': 0.179, 'knee': 0.083}),
    ),
}
"""Data set -> joint -> sigma."""

_SAME = {'head': 'top_head'}
"""CrowdPose's own file and MMPose's name of the same joint."""


def published_sigmas(names: Sequence[str]) -> tuple[np.ndarray, str | None]:
    """The sigmas of the data set that has these joints.

    Args:
        names: All joints of a data set, in any order.

    Returns:
        ``(K,)`` sigmas, and the name of the data set; :data:`UNPUBLISHED` and
        None if there is none of these names.

    >>> published_sigmas(['left_wrist', 'nose'])
    (array([0.05, 0.05]), None)
    """
    wanted = [_SAME.get(name, name) for name in names]
    for source, sigmas in SIGMAS.items():
        if set(wanted) == set(sigmas):
            return np.array([sigmas[name] for name in wanted]), source
    return np.full(len(names), UNPUBLISHED), None
