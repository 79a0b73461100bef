"""Joints are found by name."""

import pytest

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.protocol import (
    BLAZEPOSE,
    joint_mapping,
    named_joints,
)
from mmpose_occlusion.skeleton import COCO_JOINTS as COCO
from mmpose_occlusion.skeleton import MPII_ORDER as MPII

AIC = (
    'right_shoulder',
    'right_elbow',
    'right_wrist',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_hip',
    'right_knee',
    'right_ankle',
    'left_hip',
    'left_knee',
    'left_ankle',
    'head_top',
    'neck',
)


def test_blazepose_has_all_of_coco():
    found = joint_mapping(BLAZEPOSE, COCO)
    assert [BLAZEPOSE[i] for i in found] == list(COCO)


def test_partial_overlap_is_minus_one():
    found = joint_mapping(COCO, AIC)
    assert (found >= 0).sum() == 12
    assert found[-2:].tolist() == [-1, -1]


def test_names_for_one_place():
    assert [MPII[i] for i in joint_mapping(MPII, AIC)][-2:] == [
        'head_top',
        'upper_neck',
    ]


def test_no_overlap_is_refused():
    with pytest.raises(UsageError, match='share no joint'):
        joint_mapping(['thumb'], COCO, 'hand.onnx')


def test_an_unknown_convention_lists_the_known():
    with pytest.raises(UsageError, match='write coco, mpii, blazepose'):
        named_joints('kinect')
