"""Attacks: their short form, and the configs of their transforms."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmpose_occlusion.occlusion import (
    FILLS,
    PLACES,
    Attack,
    DiscSize,
    parse_attack,
)
from mmpose_occlusion.occlusion.sizes import MAX_PERCENT, MAX_RADIUS
from mmpose_occlusion.skeleton import COCO_JOINTS, Skeleton

NOSE = dict(type='KeypointOcclusion', target='nose', fill='black')
HEAD = dict(type='PartOcclusion', target='head', fill='blur')
COCO = Skeleton.from_names(COCO_JOINTS)


@pytest.mark.parametrize(
    ('spec', 'attack'),
    [
        ('keypoint:nose:black', NOSE),
        ('part:head:blur', HEAD),
        ('keypoint:nose', dict(NOSE, fill='blur')),
        ('keypoint:nose:black:24', dict(NOSE, size=24)),
        ('keypoint:nose:black:2.5', dict(NOSE, size=2.5)),
        ('keypoint:nose:black:20%', dict(NOSE, size='20%')),
        ('keypoint:nose:black:on_person', dict(NOSE, place='on_person')),
        (
            'keypoint:nose:black:24:off_person',
            dict(NOSE, size=24, place='off_person'),
        ),
        ('part:head:blur:off_person', dict(HEAD, place='off_person')),
        (' keypoint : nose : black ', NOSE),
        (
            'keypoint:left_eye,right_eye:mean',
            dict(
                type='KeypointOcclusion',
                target=['left_eye', 'right_eye'],
                fill='mean',
            ),
        ),
    ],
)
def test_short_form(spec, attack):
    assert parse_attack(spec).to_config() == attack


@pytest.mark.parametrize(
    ('spec', 'words'),
    [
        ('nose', 'must look like "keypoint:NAME:FILL"'),
        ('keypoint:nose:black:3:4', 'must look like'),
        ('keypoint:nose:black:off_person:4', 'must look like'),
        ('part:head:blur:12:off_person', 'which only keypoints have'),
        ('keypoint:nose:black:0%', 'the size "0%"'),
        ('keypoint:nose:black:%', 'the size "%"'),
        ('keypoint::black', 'must look like'),
        ('joint:nose:black', 'unknown kind "joint": write keypoint or part'),
        ('keypoint:nose,,left_eye:black', 'an empty name'),
        (
            'part:head:blur:12',
            'which only keypoints have: write "part:head:bl',
        ),
        ('keypoint:nose:black:big', 'the size "big"'),
        ('keypoint:nose:black:-3', 'the size "-3"'),
        ('keypoint:nose:black:inf', 'the size "inf"'),
        ('keypoint:nose:black:nan', 'the size "nan"'),
    ],
)
def test_short_form_refused(spec, words):
    with pytest.raises(ValueError, match=f'^attack "{spec}".*{words}'):
        parse_attack(spec)


# --- one spelling -----------------------------------------------------------

names = st.lists(
    st.sampled_from(['nose', 'left_wrist', 'head']),
    min_size=1,
    max_size=3,
    unique=True,
)
radii = st.integers(1, MAX_RADIUS) | st.floats(1e-3, MAX_RADIUS)
percents = st.floats(1e-3, MAX_PERCENT).map('{}%'.format)


@st.composite
def short_forms(draw):
    """Any valid short form, defaults written out or not."""
    kind = draw(st.sampled_from(['keypoint', 'part']))
    words = ['random', '*'] + ['random_all'] * (kind == 'part')
    target = draw(st.sampled_from(words) | names.map(','.join))
    fields = [kind, target]
    if draw(st.booleans()):
        fields.append(draw(st.sampled_from(list(FILLS))))
        if kind == 'keypoint' and draw(st.booleans()):
            fields.append(str(draw(radii | percents)))
        place = draw(st.sampled_from(PLACES))
        if place != 'target':
            fields.append(place)
    return ':'.join(fields)


@given(short_forms())
def test_one_spelling_for_each_attack(text):
    attack = parse_attack(text)
    spelled = str(attack)
    assert parse_attack(spelled) == attack
    assert str(parse_attack(spelled)) == spelled
    assert Attack.from_config(attack.to_config()) == attack


@given(short_forms(), short_forms())
def test_different_attacks_are_spelled_differently(one, other):
    one, other = parse_attack(one), parse_attack(other)
    assume(one != other)
    assert str(one) != str(other)


@pytest.mark.parametrize(
    ('text', 'spelled'),
    [
        ('keypoint:nose', 'keypoint:nose:blur'),
        ('keypoint:nose:black:6', 'keypoint:nose:black'),
        ('keypoint:nose:black:24.0', 'keypoint:nose:black:24'),
        ('keypoint:nose:black:010.0%', 'keypoint:nose:black:10%'),
        ('keypoint:nose:black:1e1%', 'keypoint:nose:black:10%'),
        ('keypoint:nose:black:12.3456789%', 'keypoint:nose:black:12.3457%'),
        (' part : head , hip ', 'part:head,hip:blur'),
    ],
)
def test_spellings_that_mean_the_same(text, spelled):
    assert str(parse_attack(text)) == spelled
    assert parse_attack(text) == parse_attack(spelled)


@pytest.mark.parametrize(
    'size', [0, -1, 10_000, '400.5%', '', '%', None, True, [6], 'big']
)
def test_sizes_refused(size):
    with pytest.raises(ValueError, match=r'^size=.* must be a positive'):
        DiscSize.of(size)


# --- configs ----------------------------------------------------------------


@pytest.mark.parametrize(
    'type_', ['KeypointOcclusion', 'mmpose.KeypointOcclusion']
)
def test_a_wildcard_in_a_config_is_each_joint(type_):
    attack = Attack.from_config(
        dict(type=type_, target='*', fill='black', size='10%', seed=3)
    )
    attack.check(COCO)
    each = attack.expand(COCO)
    assert [str(one) for one in each] == [
        f'keypoint:{name}:black:10%' for name in COCO_JOINTS
    ]
    assert each[9].to_config() == dict(
        type='KeypointOcclusion',
        target='left_wrist',
        fill='black',
        size='10%',
        seed=3,
    )
    assert each[0].expand(COCO) == [each[0]]


def test_a_wildcard_of_parts_includes_the_users():
    attack = Attack.from_config(
        dict(type='PartOcclusion', target='*', parts=dict(face=['nose']))
    )
    found = [one.names for one in attack.expand(COCO)]
    assert found == [*((part,) for part in COCO.parts), ('face',)]
    for one in attack.expand(COCO):
        one.check(COCO)


def test_a_wildcard_is_no_occlusion():
    with pytest.raises(ValueError, match='expand it for a data set first'):
        parse_attack('keypoint:*:black').occlusion()


def test_a_class_as_type():
    from mmpose_occlusion.transforms import PartOcclusion

    attack = Attack.from_config(dict(type=PartOcclusion, target='part:head'))
    assert attack == parse_attack('part:head')


@pytest.mark.parametrize(
    'type_', ['Snow', 'other.KeypointOcclusion', 'RandomOcclusion', '']
)
def test_other_transforms_are_no_attacks(type_):
    assert Attack.from_config(dict(type=type_, target='nose')) is None


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('keypoint:tail', "no joint 'tail' .* nose, left_eye"),
        ('keypoint:nose,head', "no joint 'head'"),
        ('part:nose', "no part 'nose' .* head, left_arm"),
        ('keypoint:nose:pink', 'no fill "pink"; fills are blur, black'),
    ],
)
def test_targets_and_fills_that_do_not_exist(text, words):
    attack = parse_attack(text)
    with pytest.raises(ValueError, match=f'^attack "{attack}": .*{words}'):
        attack.check(COCO)
