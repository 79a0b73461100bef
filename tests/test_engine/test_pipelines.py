"""Attacks in pipelines of MMPose."""

import copy

import pytest

from mmpose_occlusion.engine.pipelines import (
    as_attacks,
    attack_name,
    check_attacks,
    find_place,
    insert_attacks,
    with_meta_keys,
)
from mmpose_occlusion.skeleton import Skeleton

NOSE = dict(type='KeypointOcclusion', target='nose', fill='black')
HEAD = dict(type='PartOcclusion', target='head', fill='blur')
TOPDOWN = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=(192, 256)),
    dict(type='PackPoseInputs'),
]
BOTTOMUP = [
    dict(type='LoadImage'),
    dict(type='BottomupResize', input_size=(512, 512)),
    dict(type='PackPoseInputs'),
]


def types(pipeline):
    return [step['type'] for step in pipeline]


def test_name_says_defaults_and_kind_once():
    assert attack_name(dict(type='KeypointOcclusion')) == (
        'keypoint:random:blur'
    )
    scoped = dict(type='mmpose.PartOcclusion', target='head')
    assert attack_name(scoped) == 'part:head:blur'
    assert attack_name(dict(type='Snow', fill='white')) == 'Snow:random:white'


def test_targets_checked_against_the_skeleton():
    skeleton = Skeleton(('nose', 'left_knee', 'right_knee'))
    check_attacks([NOSE, HEAD], skeleton)
    for target in ('random', 'random_all', ['head', 'left_leg']):
        check_attacks([dict(HEAD, target=target)], skeleton)
    own = dict(HEAD, target='knees', parts=dict(knees=['left_knee']))
    check_attacks([own], skeleton)
    with pytest.raises(
        ValueError,
        match=r'attack "keypoint:tail:black": .*joints are: nose, left_knee',
    ):
        check_attacks([NOSE, dict(NOSE, target='tail')], skeleton)
    with pytest.raises(
        ValueError, match=r'"part:left_arm:blur": .*parts are: head, left_leg'
    ):
        check_attacks([dict(HEAD, target='left_arm')], skeleton)
    with pytest.raises(ValueError, match='joints are'):
        check_attacks([dict(NOSE, target='random_all')], skeleton)


def test_config_key():
    assert as_attacks(NOSE) == [NOSE]
    assert as_attacks('part:head:blur') == [HEAD]
    assert as_attacks([NOSE, 'part:head:blur']) == [NOSE, HEAD]
    for wrong in (dict(target='nose'), 3):
        with pytest.raises(ValueError, match='has no "type": set attack'):
            as_attacks(wrong)


def test_inserted_after_the_crop_in_order():
    before = copy.deepcopy(TOPDOWN)
    new = insert_attacks(TOPDOWN, [NOSE, dict(HEAD, seed=7)], seed=3)
    assert before == TOPDOWN
    assert new[:3] == before[:3]
    assert new[3:5] == [dict(NOSE, seed=3), dict(HEAD, seed=7)]
    assert new[5]['type'] == 'PackPoseInputs'
    assert new[5]['meta_keys'][-1] == 'occlusions'
    assert {'img_id', 'input_center'} <= set(new[5]['meta_keys'])
    assert 'seed' not in NOSE


def test_bottomup_right_after_loading():
    assert find_place(BOTTOMUP) == 0
    new = insert_attacks(BOTTOMUP, [NOSE])
    assert types(new) == [
        'LoadImage',
        'KeypointOcclusion',
        'BottomupResize',
        'PackPoseInputs',
    ]


def test_no_place():
    pipeline = [dict(type='GenerateTarget'), dict(type='PackPoseInputs')]
    assert find_place(pipeline) is None


def test_class_as_type():
    from mmpose.datasets.transforms import PackPoseInputs, TopdownAffine

    pipeline = [
        dict(type=TopdownAffine, input_size=(192, 256)),
        dict(type=PackPoseInputs, meta_keys=('id',)),
    ]
    new = insert_attacks(pipeline, [NOSE])
    assert new[0]['type'] is TopdownAffine
    assert new[1]['type'] == 'KeypointOcclusion'
    assert new[2]['meta_keys'] == ('id', 'occlusions')


def test_record_key_added_once():
    once = with_meta_keys(TOPDOWN)
    assert with_meta_keys(once) == once
    assert once[-1]['meta_keys'].count('occlusions') == 1
    assert 'meta_keys' not in TOPDOWN[-1]
