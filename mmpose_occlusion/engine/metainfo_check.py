"""The metainfo of a data set, parsed by MMPose and checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmpose_occlusion.errors import UsageError

_KEYS = (
    'dataset_name',
    'keypoint_info',
    'skeleton_info',
    'joint_weights',
    'sigmas',
)


def parse_metainfo(metainfo: Mapping, owner: str) -> dict[str, Any]:
    """MMPose's parsed metainfo.

    Args:
        metainfo: As in configs.
        owner: Type of the data set, for errors.

    Raises:
        UsageError: A key is missing, or keypoints, their swaps, links, weights
            and sigmas do not fit each other.
    """
    name = metainfo.get('from_file') or metainfo.get('dataset_name') or owner
    what = f'metainfo "{name}" of {owner}'
    missing = [k for k in _KEYS if k not in metainfo]
    if missing and 'from_file' not in metainfo:
        raise UsageError(f'{what} lacks "{missing[0]}": add it')
    try:
        parsed = parse_pose_metainfo(metainfo)
    except KeyError as error:
        raise UsageError(
            f'{what} uses {error}, which is not the name of a keypoint: '
            'correct "name", "swap" and "link" in it'
        ) from error
    except (
        AssertionError,
        AttributeError,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
    ) as error:
        text = ' '.join(str(error).split())
        raise UsageError(
            f'{what} cannot be read ({type(error).__name__}: {text}): it '
            f'needs {", ".join(_KEYS)} as in configs/_base_/datasets of MMPose'
        ) from error
    problem = _misfit(parsed)
    if problem:
        raise UsageError(f'{what} {problem}')
    return parsed


def _misfit(parsed: Mapping) -> str:
    names, count = parsed['keypoint_id2name'], parsed['num_keypoints']
    if list(names) != list(range(count)):
        return 'numbers its keypoints ' + (
            f'{", ".join(map(str, names))}: count from 0, in order'
        )
    if len(parsed['keypoint_name2id']) < count:
        return 'gives two keypoints the same name: give each its own'
    for key, given in (
        ('joint_weights', parsed['dataset_keypoint_weights']),
        ('sigmas', parsed['sigmas']),
    ):
        if key == 'sigmas' and not given.size:
            continue  # MMPose's hands and faces have none
        if given.shape != (count,) or not (np.isfinite(given).all()):
            return f'has {given.size} {key} for {count} keypoints'
    flip = parsed['flip_indices']
    for index, other in enumerate(flip):
        if flip[other] != index:
            return (
                f'swaps "{names[index]}" with "{names[other]}", but not the '
                'other way round: correct "swap"'
            )
    return ''
