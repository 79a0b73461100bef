"""Which joint of a model is which joint of a data set, by name."""

from collections.abc import Sequence

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import COCO_JOINTS, CONVENTIONS

BLAZEPOSE = tuple(
    """nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye
    right_eye_outer left_ear right_ear mouth_left mouth_right left_shoulder
    right_shoulder left_elbow right_elbow left_wrist right_wrist left_pinky
    right_pinky left_index right_index left_thumb right_thumb left_hip
    right_hip left_knee right_knee left_ankle right_ankle left_heel right_heel
    left_foot_index right_foot_index""".split()  # noqa: SIM905
)
"""MediaPipe's 33 landmarks."""

HALPE26 = COCO_JOINTS + tuple(
    """head neck hip left_big_toe right_big_toe left_small_toe right_small_toe
    left_heel right_heel""".split()  # noqa: SIM905
)

NAMED = {**CONVENTIONS, 'blazepose': BLAZEPOSE, 'halpe26': HALPE26}

_SYNONYMS = (
    {'head_top', 'top_head', 'head'},
    {'upper_neck', 'neck'},
    {'left_foot_index', 'left_big_toe'},
    {'right_foot_index', 'right_big_toe'},
)
"""Names that data sets give to the same place (within their accuracy)."""


def named_joints(names: str | Sequence[str]) -> tuple[str, ...]:
    """Joint names from the name of a convention, or as they are.

    >>> named_joints('coco')[:2]
    ('nose', 'left_eye')

    Raises:
        UsageError: The convention is unknown.
    """
    if not isinstance(names, str):
        return tuple(names)
    if names not in NAMED:
        raise UsageError(
            f'joints "{names}" are unknown: write {", ".join(NAMED)}, or '
            'list the names'
        )
    return NAMED[names]


def joint_mapping(
    of_model: Sequence[str], of_data: Sequence[str], who: str = 'the model'
) -> np.ndarray:
    """Index of the model's joint for each of the data set's.

    Args:
        of_model: Names, any number.
        of_data: Names, length K.
        who: The model's name in the sentence.

    Returns:
        (K,) int, -1 where the model has no such joint.

    Raises:
        UsageError: They share no joint.

    >>> joint_mapping(['neck', 'nose'], ['nose', 'left_hip', 'upper_neck'])
    array([ 1, -1,  0])
    """
    index = {name: i for i, name in enumerate(of_model)}
    out = []
    for name in of_data:
        same = next((s for s in _SYNONYMS if name in s), {name})
        found = [index[n] for n in (name, *sorted(same)) if n in index]
        out.append(found[0] if found else -1)
    if max(out, default=-1) < 0:
        raise UsageError(
            f'{who} and the data set share no joint: the model has '
            f'{", ".join(of_model)}; the data set {", ".join(of_data)}'
        )
    return np.array(out)
