"""The short form of attacks, and their configs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmpose_occlusion.occlusion import FILLS, Attack, DiscSize, parse_attack
from mmpose_occlusion.occlusion.placement import PLACES
from mmpose_occlusion.skeleton import Skeleton, joint_names

COCO = Skeleton(joint_names('coco'))


@pytest.mark.parametrize(
    ('text', 'attack'),
    [
        ('keypoint:nose:black', Attack('keypoint', ('nose',), 'black')),
        ('part:head', Attack('part', ('head',), 'blur')),
        (
            'keypoint:nose:black:24',
            Attack('keypoint', ('nose',), 'black', DiscSize(radius=24)),
        ),
        (
            'keypoint:nose:black:2.5',
            Attack('keypoint', ('nose',), 'black', DiscSize(radius=2.5)),
        ),
        (
            'keypoint:nose:black:20%:on_person',
            Attack(
                'keypoint',
                ('nose',),
                'black',
                DiscSize(fraction=0.2),
                'on_person',
            ),
        ),
        (
            'part:head:blur:off_person',
            Attack('part', ('head',), 'blur', place='off_person'),
        ),
        (
            'keypoint:nose:black:10%:offset=0.5',
            Attack(
                'keypoint',
                ('nose',),
                'black',
                DiscSize(fraction=0.1),
                offset=0.5,
            ),
        ),
        (
            'keypoint:nose:black:decoy:offset=1.5:uncovered',
            Attack(
                'keypoint',
                ('nose',),
                'black',
                place='decoy',
                offset=1.5,
                stay_covered=False,
            ),
        ),
        (' keypoint : nose : black ', Attack('keypoint', ('nose',), 'black')),
        (
            'keypoint:left_eye,right_eye:mean',
            Attack('keypoint', ('left_eye', 'right_eye'), 'mean'),
        ),
    ],
)
def test_short_form(text, attack):
    assert parse_attack(text) == attack


@pytest.mark.parametrize(
    'text',
    [
        *('nose', 'joint:nose:black', 'keypoint::black'),
        *('keypoint:nose:black:3:4', 'keypoint:nose:black:off_person:4'),
        *('part:head:blur:12', 'part:head:blur:12:off_person'),
        *('keypoint:nose,,left_eye:black', 'keypoint:nose:black:offset=far'),
        *('keypoint:nose:black:offset=-1', 'part:head:black:offset=0.5'),
        *('keypoint:nose:black:offset=0.5:10%', 'part:head:blur:uncovered'),
    ],
)
def test_short_form_refused(text):
    words = 'must look like "keypoint:NAME:FILL:SIZE"'
    with pytest.raises(ValueError, match=f'^attack "{text}" {words}'):
        parse_attack(text)


@pytest.mark.parametrize('size', ['0%', '%', 'big', '-3', 'inf', 'nan'])
def test_sizes_refused(size):
    text = f'keypoint:nose:black:{size}'
    with pytest.raises(ValueError, match=f"^attack .* size='{size}' must"):
        parse_attack(text)


joints = st.lists(st.sampled_from(COCO.names), min_size=1, unique=True)
sizes = st.one_of(
    st.integers(1, 99).map(str), st.integers(1, 99).map(lambda n: f'{n}%')
)


@given(
    names=joints,
    fill=st.sampled_from(sorted(FILLS)),
    size=sizes,
    place=st.sampled_from(PLACES),
    offset=st.integers(0, 20),
)
def test_one_spelling_for_an_attack(names, fill, size, place, offset):
    text = ':'.join(['keypoint', ','.join(names), fill, size])
    if size == '20%':
        text = text.removesuffix(':20%')  # the default is left out
    if place != 'target':
        text += f':{place}'
    if offset:
        text += f':offset={offset / 10:g}'
    if offset > 10:
        text += ':uncovered'
    attack = parse_attack(text)
    assert str(attack) == text
    assert Attack.from_config(attack.to_config()) == attack
    attack.check(COCO)


ODD_NAMES = ('a:b', 'a,b', 'a\\', '\\:', '1', 'part:x', '<s>$_"\n\'', 'é')


@given(st.lists(st.sampled_from(ODD_NAMES), min_size=1, unique=True))
def test_names_with_marks_of_the_short_form(names):
    attack = Attack('keypoint', tuple(names), 'black')
    assert parse_attack(str(attack)) == attack
    assert Attack.from_config(attack.to_config()) == attack
    attack.check(Skeleton(ODD_NAMES))


def test_escapes_by_hand():
    attack = parse_attack(r'keypoint:a\:b,c\,d,e\\:black')
    assert attack.names == ('a:b', 'c,d', 'e\\')
    assert attack.fill == 'black'
    one = Attack.from_config(dict(type='KeypointOcclusion', target=1))
    assert one.names == ('1',)


@pytest.mark.parametrize(
    'type_', ['KeypointOcclusion', 'mmpose.KeypointOcclusion']
)
def test_configs_are_understood_with_and_without_scope(type_):
    config = dict(type=type_, target='*', fill='black', prob=0.5)
    attack = Attack.from_config(config)
    assert attack == Attack(
        'keypoint', ('*',), 'black', options=dict(prob=0.5)
    )
    every = attack.expand(COCO)
    assert [one.names for one in every] == [(n,) for n in COCO.names]
    assert every[0].to_config() == dict(
        type='KeypointOcclusion',
        target='nose',
        fill='black',
        size='20%',
        prob=0.5,
    )


def test_other_transforms_are_no_attacks():
    for type_ in ('Snow', 'other.KeypointOcclusion', 'PartMix'):
        assert Attack.from_config(dict(type=type_)) is None


def test_parts_are_expanded_with_the_users_own():
    attack = Attack('part', ('*',), parts={'hand': ['left_wrist']})
    names = [one.names[0] for one in attack.expand(COCO)]
    assert names[-1] == 'hand'
    attack.expand(COCO)[-1].check(COCO)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('keypoint:tail:black', 'joints are: nose, left_eye'),
        ('part:tail:black', 'parts are: head, left_arm'),
        (
            'keypoint:nose:purple',
            "fill='purple' is unknown; it is one",
        ),
        ('keypoint:random_all:black', 'joints are'),
        ('keypoint:nose:black:offset=1.5', 'above 1 with stay_covered=False'),
    ],
)
def test_what_the_data_set_lacks(text, words):
    with pytest.raises(ValueError, match=f'^attack "{text}": .*{words}'):
        parse_attack(text).check(COCO)
