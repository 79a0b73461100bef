"""Suites: what is in them, and what their files may say."""

import hashlib
import json
from importlib import resources

import numpy as np
import pytest
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.benchmark.suite import (
    checksum,
    load_suite,
    load_suites,
    shipped,
)
from mmpose_occlusion.datasets.detection_matching import offer_donors
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import FILLS
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.transforms import KeypointOcclusion
from tests.golden.samples import names
from tests.test_evaluation.runs import build, synthetic

COCO = Skeleton.from_names(tuple(names('coco')))
PARTS = ['head', 'left_arm', 'right_arm', 'hip', 'left_leg', 'right_leg']
PARTS += ['corpus', 'upper_body', 'lower_body', 'left_side', 'right_side']


@pytest.fixture(autouse=True)
def _registered():
    import mmpose_occlusion.datasets  # noqa: F401


def write(tmp_path, suite):
    path = tmp_path / 'mine.json'
    path.write_text(suite if isinstance(suite, str) else json.dumps(suite))
    return str(path)


@pytest.mark.parametrize('layout', ['coco', 'mpii'])
def test_the_papers_attacks(layout):
    skeleton = Skeleton.from_names(tuple(names(layout)))
    attacks = load_suite('paper', skeleton)
    found = {attack.name: attack for attack in attacks}
    wanted = [
        f'{kind}:{target}:{fill}{size}'
        for kind, targets, size in (
            ('keypoint', names(layout), ':6'),
            ('part', PARTS, ''),
        )
        for fill in ('blur', 'black', 'mean')
        for target in targets
    ]
    assert list(found) == wanted
    assert len(attacks) == 3 * (len(names(layout)) + 11)
    assert found['part:hip:mean'].configs == (
        dict(type='PartOcclusion', target='hip', fill='mean'),
    )
    assert {attack.suite for attack in attacks} == {'paper'}


def test_severity_is_a_part_of_the_box():
    attacks = load_suite('severity', COCO)
    assert [attack.details['severity'] for attack in attacks] == pytest.approx(
        [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
    )
    for attack in attacks:
        (config,) = attack.configs
        assert config['size'] == f'{100 * attack.details["severity"]:g}%'
        assert config['target'] == 'random'
    assert attacks[1].name == 'keypoint:random:black:10%'


def test_controls_name_what_they_control():
    attacks = {attack.name: attack for attack in load_suite('controls', COCO)}
    assert len(attacks) == 3 * 17
    for place in ('on_person', 'off_person'):
        control = attacks[f'keypoint:left_hip:black:24:{place}']
        assert control.details == dict(
            control=place, of='keypoint:left_hip:black:24'
        )
        assert control.details['of'] in attacks


def test_a_leak_is_the_same_disc_centred_moved_and_beside():
    attacks = load_suite('leak', COCO)
    assert len(attacks) == 3 * 17
    hip = [a for a in attacks if a.configs[0]['target'] == 'left_hip']
    name = 'keypoint:left_hip:black:10%'
    assert [attack.name for attack in hip] == [
        name,
        f'{name}:offset=0.5',
        f'{name}:decoy',
    ]
    assert [attack.details for attack in hip] == [
        dict(severity=0.1),
        dict(severity=0.1, offset=0.5),
        dict(severity=0.1, control='decoy', of=name),
    ]
    assert len({attack.key for attack in hip}) == 3


def test_paints_differ_in_the_paint_alone():
    attacks = load_suite('paints', COCO)
    fills = [attack.configs[0].pop('fill') for attack in attacks]
    assert set(fills) == set(FILLS)
    rest = attacks[0].configs
    assert all(attack.configs == rest for attack in attacks)


@pytest.mark.parametrize('layout', ['coco', 'mpii', 'aic', 'ap10k'])
def test_shipped_suites_fit_every_skeleton(layout):
    skeleton = Skeleton.from_names(tuple(names(layout)))
    attacks = load_suites(shipped(), [], skeleton)
    # all of map-coarse's attacks are map's
    assert {a.suite for a in attacks} == {*shipped()} - {'map-coarse'}
    # what they leave to chance is drawn by the seed that is given to them
    assert not any('seed' in c for a in attacks for c in a.configs)


def test_paints_have_equal_areas(synthetic_people):
    """Within 1 % of the painted pixels, for everybody."""
    cfg = synthetic(synthetic_people)
    cfg['pipeline'] = cfg['pipeline'][:-1]
    crops = build(offer_donors(cfg))
    attacks = [
        TRANSFORMS.build(dict(attack.configs[0], seed=0))
        for attack in load_suite('paints', COCO)
    ]
    painted = 0
    for i in range(len(crops)):
        records = [a(crops[i])['occlusions'][0] for a in attacks]
        assert len({(r['kind'], r['target']) for r in records}) == 1
        areas = np.array([record['pixels'] for record in records])
        if areas.any():
            painted += 1
            assert np.abs(areas / areas[0] - 1).max() <= 0.01
    assert painted > 4


def test_entries_of_every_kind(tmp_path):
    entries = [
        'part:head,hip:mean',
        dict(type='mmpose.KeypointOcclusion', target='nose', fill='black'),
        dict(attack='keypoint:*:black:24', name='big {target}'),
        dict(
            attack=['keypoint:nose:black', dict(type='PartOcclusion')],
            name='two',
            details=dict(level=2),
        ),
        dict(attack=dict(type='Fog', density=1), name='fog'),
    ]
    path = write(tmp_path, dict(description='mine', attacks=entries))
    skeleton = Skeleton.from_names(('nose', 'left_hip'))
    attacks = load_suite(path, skeleton)
    assert [attack.name for attack in attacks] == [
        'part:head,hip:mean',
        'keypoint:nose:black',
        'big nose',
        'big left_hip',
        'two',
        'fog',
    ]
    assert attacks[1].configs[0]['type'] == 'KeypointOcclusion'
    assert attacks[3].configs[0]['target'] == 'left_hip'
    assert attacks[3].suite == 'mine'
    assert [config['type'] for config in attacks[4].configs] == [
        'KeypointOcclusion',
        'PartOcclusion',
    ]
    assert attacks[4].details == dict(level=2)
    # only MMPose can say whether there is such a transform
    assert attacks[5].configs == (dict(type='Fog', density=1),)


def test_keys_do_not_depend_on_defaults():
    """Nor on the way in which the transform is named."""

    def key(**config):
        own = dict(a=[dict(dict(type='KeypointOcclusion'), **config)])
        return load_suite('a', COCO, own)[0].key

    known = key(target='nose', fill='blur')
    assert key(target='nose') == known
    assert key(target='nose', size='20%') == known
    assert key(type='mmpose.KeypointOcclusion', target='nose') == known
    assert key(type=KeypointOcclusion, target='nose') == known
    assert key(target='nose', size=6) != known
    exact = dict(target='nose', paper_exact=True)
    assert key(**exact) == key(**exact, size=6) != known
    assert key(target='left_eye') != known


def test_suites_of_a_config_and_the_users_own_parts():
    skeleton = Skeleton.from_names(
        tuple(names('coco')), dict(hand=['left_wrist'])
    )
    own = dict(paper=['part:hand:black'])
    (attack,) = load_suites(['paper'], [], skeleton, own)
    assert attack.configs[0]['parts'] == dict(hand=['left_wrist'])


def test_an_attack_of_two_suites_is_there_once():
    own = dict(
        a=['keypoint:nose:black', 'keypoint:nose:blur'],
        b=['keypoint:nose:blur'],
    )
    attacks = load_suites(['a', 'b'], ['keypoint:nose'], COCO, own)
    assert [attack.name for attack in attacks] == own['a']
    assert attacks[0].details == dict(severity=0.2)
    assert attacks[1].suite == 'a'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (dict(attacks=3), 'has no list "attacks"'),
        (['keypoint:nose'], 'has no list "attacks"'),
        ('{"attacks": [', 'cannot be read'),
        (dict(attacks=['keypoint:toe']), "no joint 'toe'"),
        (dict(attacks=[dict(attack='part:hip', nam='x')]), 'key "nam"'),
        (
            dict(attacks=[dict(attack='part:*:blur', name='x')]),
            'two different attacks have the name "x"',
        ),
        (
            dict(attacks=[dict(attack=['part:*', 'keypoint:*'])]),
            'joints and for parts at once',
        ),
    ],
)
def test_what_a_file_may_not_say(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as error:
        load_suite(path, COCO)
    assert words in str(error.value)
    assert path in str(error.value)
    assert '\n' not in str(error.value)


def test_unknown_suites_are_answered_with_those_there_are():
    with pytest.raises(UsageError, match=r'the suites are mine, .*paper'):
        load_suite('papers', COCO, dict(mine=[]))


def test_two_attacks_of_one_name():
    own = dict(a=[dict(attack='part:hip', name='keypoint:nose:blur')])
    with pytest.raises(UsageError, match='"keypoint:nose:blur", in su'):
        load_suites(['a'], ['keypoint:nose:blur'], COCO, own)


def test_nothing_to_do():
    with pytest.raises(UsageError, match='there is no attack'):
        load_suites([], [], COCO)


def test_the_frozen_suite_is_unchanged():
    """Results carry this; a suite with other attacks gets another name."""
    text = resources.files('mmpose_occlusion').joinpath(
        'benchmark/suites/occlusion-1.0.json'
    )
    content = json.loads(text.read_text())
    canonical = json.dumps(content, sort_keys=True, separators=(',', ':'))
    known = hashlib.sha256(canonical.encode('ascii')).hexdigest()[:16]
    assert checksum('occlusion-1.0') == known == 'efb27fe126899a7b'
    attacks = load_suite('occlusion-1.0', COCO)
    assert {attack.checksum for attack in attacks} == {known}
    assert attacks[0].to_json()['checksum'] == known


def test_the_demo_is_a_subset_of_the_frozen_suite():
    demo, whole = (
        {a.name: a.key for a in load_suite(name, COCO)}
        for name in ('demo', 'occlusion-1.0')
    )
    assert demo.items() <= whole.items()


def test_checksums_are_of_the_content_alone(tmp_path):
    one, other = tmp_path / 'a.json', tmp_path / 'b.json'
    one.write_text('{"attacks": ["keypoint:*:black"], "x": 1}')
    other.write_text('{ "x": 1,\n"attacks": ["keypoint:*:black"]}')
    assert checksum(str(one)) == checksum(str(other))
    other.write_text('{"x": 2, "attacks": ["keypoint:*:black"]}')
    assert checksum(str(one)) != checksum(str(other))
    own = dict(mine=['keypoint:nose:black'])
    assert checksum('mine', own) == load_suite('mine', COCO, own)[0].checksum
