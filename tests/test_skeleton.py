"""Body parts of MMPose's data sets, listed by hand from their joints."""

import pytest

from mmpose_occlusion.skeleton import ALL_PARTS, Skeleton
from tests.golden.samples import metainfo, names

FACE = 'nose left_eye right_eye left_ear right_ear'
FULL_LIMBS = {
    'left_arm': 'left_shoulder left_elbow left_wrist',
    'right_arm': 'right_shoulder right_elbow right_wrist',
    'hip': 'left_hip right_hip',
    'left_leg': 'left_hip left_knee left_ankle',
    'right_leg': 'right_hip right_knee right_ankle',
    'corpus': 'left_shoulder right_shoulder left_hip right_hip',
    'lower_body': 'left_hip right_hip left_knee right_knee '
                  'left_ankle right_ankle',
}  # fmt: skip
ARMS_AND_HIPS = (
    'left_shoulder right_shoulder left_elbow right_elbow '
    'left_wrist right_wrist left_hip right_hip'
)
LEFT = 'left_ankle left_knee left_hip left_wrist left_elbow left_shoulder'
RIGHT = LEFT.replace('left', 'right')

# head of each data set, and whether its sides have an eye and an ear
HEADS = {
    'coco': (FACE, True),
    'ochuman': (FACE, True),
    'coco_wholebody': (FACE, True),
    # a facial joint, so that the neck stays out
    'halpe': (f'{FACE} head', True),
    'halpe26': (f'{FACE} head', True),
    # no facial joint: the neck is in
    'mpii': ('head_top upper_neck', False),
    'aic': ('head_top neck', False),
    'crowdpose': ('top_head neck', False),
    'jhmdb': ('head neck', False),
}


def table(layout):
    """All eleven parts of a data set as sets of names."""
    head, has_face = HEADS[layout]
    parts = {
        **FULL_LIMBS,
        'head': head,
        'upper_body': f'{head} {ARMS_AND_HIPS}',
        'left_side': LEFT + ' left_ear left_eye' * has_face,
        'right_side': RIGHT + ' right_ear right_eye' * has_face,
    }
    return {part: set(joints.split()) for part, joints in parts.items()}


@pytest.mark.parametrize('layout', HEADS)
def test_parts(layout):
    skeleton = Skeleton.from_metainfo(metainfo(layout))
    assert list(skeleton.names) == names(layout)
    parts = {part: set(joints) for part, joints in skeleton.parts.items()}
    assert {part: parts[part] for part in ALL_PARTS} == table(layout)
    # no joint is named twice, and none that the data set lacks
    for joints in skeleton.parts.values():
        assert isinstance(joints, tuple)
        assert len(joints) == len(set(joints))
        assert set(joints) <= set(names(layout))


@pytest.mark.parametrize('layout', HEADS)
def test_basic_parts_are_seven(layout):
    skeleton = Skeleton.from_metainfo(metainfo(layout))
    assert sorted(skeleton.basic_parts) == [
        'corpus', 'head', 'hip', 'left_arm', 'left_leg', 'right_arm',
        'right_leg',
    ]  # fmt: skip


def test_a_data_set_without_a_parts_joints_lacks_the_part():
    # snout, head, neck, legs under names of their own, tail
    skeleton = Skeleton.from_metainfo(metainfo('zebra'))
    assert skeleton.parts['head'] == ('head', 'neck')
    for part in (*FULL_LIMBS, 'left_side', 'right_side'):
        assert part not in skeleton.parts
        assert part not in skeleton.basic_parts
    # landmarks of a face that are only numbered
    assert not Skeleton.from_metainfo(metainfo('wflw')).parts


def test_a_part_of_which_some_joints_exist():
    # Human3.6M's legs end in feet; no elbow is called otherwise
    skeleton = Skeleton.from_metainfo(metainfo('h36m'))
    assert set(skeleton.parts['left_leg']) == {'left_hip', 'left_knee'}
    assert set(skeleton.parts['head']) == {'head'}


@pytest.mark.parametrize('layout', ['coco_wholebody', 'halpe'])
def test_parts_of_hands_feet_and_face(layout):
    parts = Skeleton.from_metainfo(metainfo(layout)).parts
    assert parts['left_foot'][-1] == 'left_heel'
    assert len(parts['right_foot']) == 3
    assert parts['left_ring_finger'] == tuple(
        f'left_ring_finger{i}' for i in (1, 2, 3, 4)
    )
    assert len(parts['right_hand']) == 21
    assert 'right_hand_root' in parts['right_hand']
    assert len(parts['face']) == 68
    body = set().union(*(parts[part] for part in ALL_PARTS))
    assert len(body) == 17 + (layout == 'halpe')


@pytest.mark.parametrize('layout', ['onehand10k', 'rhd2d', 'freihand2d'])
def test_a_hand_alone(layout):
    skeleton = Skeleton.from_metainfo(metainfo(layout))
    assert len(skeleton.parts['hand']) == 21
    assert set(skeleton.basic_parts) == set(skeleton.parts)
    assert len(skeleton.parts['pinky_finger']) == 4


def test_the_error_for_an_unknown_part_says_how_to_define_it():
    skeleton = Skeleton(('a', 'b'))
    with pytest.raises(ValueError, match=r"parts=\{'tail': \['a', \.\.\.\]\}"):
        skeleton.part_indices('tail')


@pytest.mark.parametrize('layout', ['coco', 'mpii', 'halpe'])
def test_unflipped_names_pair_up(layout):
    """Every left part mirrors the right one, joint by joint."""
    parts = Skeleton.from_metainfo(metainfo(layout)).parts
    for kind in ('arm', 'leg', 'side'):
        left = [n.replace('left', 'right') for n in parts[f'left_{kind}']]
        assert set(left) == set(parts[f'right_{kind}'])


def test_parts_do_not_depend_on_joint_order():
    forth = {'keypoint_id2name': dict(enumerate(names('coco')))}
    back = {'keypoint_id2name': dict(enumerate(reversed(names('coco'))))}
    forth, back = map(Skeleton.from_metainfo, (forth, back))
    assert forth.names == back.names[::-1]
    assert {p: set(j) for p, j in forth.parts.items()} == {
        p: set(j) for p, j in back.parts.items()
    }


def test_own_parts():
    own = {'left_hand': ['left_wrist', 'left_elbow']}
    skeleton = Skeleton.from_metainfo(metainfo('coco'), parts=own)
    assert skeleton.parts['left_hand'] == ('left_wrist', 'left_elbow')
    plain = Skeleton.from_metainfo(metainfo('coco'))
    assert 'left_hand' not in plain.parts
    assert {**skeleton.parts} == {
        **plain.parts, 'left_hand': skeleton.parts['left_hand'],
    }  # fmt: skip


@pytest.mark.parametrize(('own', 'words'), [
    ({'hand': ['left_wrist', 'thumb']}, ['hand', 'thumb', *names('coco')]),
    ({'hand': 'left_wrist'}, ['hand', 'left_wrist', 'list']),
    ({'hand': []}, ['hand']),
])  # fmt: skip
def test_wrong_own_parts(own, words):
    with pytest.raises(ValueError, match='hand') as info:
        Skeleton.from_metainfo(metainfo('coco'), parts=own)
    assert '\n' not in str(info.value)
    for word in words:
        assert word in str(info.value)
