"""Metainfo that does not fit itself."""

import pytest

from mmpose_occlusion.engine.metainfo_check import parse_metainfo
from mmpose_occlusion.errors import UsageError


def metainfo(**changes):
    info = {
        0: dict(name='nose', swap=''),
        1: dict(name='left_hand', swap='right_hand'),
        2: dict(name='right_hand', swap='left_hand'),
    }
    base = dict(
        dataset_name='three',
        keypoint_info=info,
        skeleton_info={0: dict(link=('nose', 'left_hand'))},
        joint_weights=[1.0] * 3,
        sigmas=[0.1] * 3,
    )
    return {k: v for k, v in {**base, **changes}.items() if v is not ...}


def test_good():
    assert parse_metainfo(metainfo(), 'D')['flip_indices'] == [0, 2, 1]


def hands(**left):
    info = metainfo()['keypoint_info']
    info[1] = {**info[1], **left}
    return dict(keypoint_info=info)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (dict(sigmas=...), 'lacks "sigmas"'),
        (dict(sigmas=[0.1] * 2), 'has 2 sigmas for 3 keypoints'),
        (dict(joint_weights=[1] * 4), 'has 4 joint_weights for 3'),
        (hands(swap='paw'), "uses 'paw', which is not the name"),
        (hands(swap='nose'), 'swaps "left_hand" with "nose"'),
        (hands(name='nose', swap=''), "uses 'left_hand'"),
        (dict(skeleton_info={0: dict(link=('a', 'b'))}), "uses 'a'"),
        (dict(keypoint_info=[]), 'cannot be read'),
        (
            dict(
                keypoint_info={
                    k: dict(name=str(k), swap='') for k in (1, 2, 4)
                },
                skeleton_info={},
            ),
            'numbers its keypoints 1, 2, 4',
        ),
        (dict(from_file='none.py'), 'none.py.*does not exist'),
    ],
)
def test_misfits(change, words):
    with pytest.raises(UsageError, match=words) as caught:
        parse_metainfo(metainfo(**change), 'D')
    assert '\n' not in str(caught.value)
