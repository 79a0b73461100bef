"""Suites: what is in them, and what their files may say."""

import hashlib
import json
from importlib import resources

import numpy as np
import pytest
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.benchmark.suite import (
    SuiteAttack,
    checksum,
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

COCO = Skeleton(tuple(names('coco')))
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
    skeleton = Skeleton(tuple(names(layout)))
    attacks = load_suites(['paper'], [], skeleton)
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
    assert found['part:hip:mean'].config == dict(
        type='PartOcclusion', target='hip', fill='mean'
    )
    assert {attack.suite for attack in attacks} == {'paper'}


def test_severity_is_a_part_of_the_box():
    attacks = load_suites(['severity'], [], COCO)
    assert [attack.details['severity'] for attack in attacks] == pytest.approx(
        [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
    )
    for attack in attacks:
        config = attack.config
        assert config['size'] == f'{100 * attack.details["severity"]:g}%'
        assert config['target'] == 'random'
    assert attacks[1].name == 'keypoint:random:black:10%'


def test_controls_name_what_they_control():
    attacks = {
        attack.name: attack for attack in load_suites(['controls'], [], COCO)
    }
    assert len(attacks) == 3 * 17
    for place in ('on_person', 'off_person'):
        control = attacks[f'keypoint:left_hip:black:24:{place}']
        assert control.details == dict(
            control=place, of='keypoint:left_hip:black:24'
        )
        assert control.details['of'] in attacks


def test_a_leak_is_the_same_disc_centred_moved_and_beside():
    attacks = load_suites(['leak'], [], COCO)
    assert len(attacks) == 3 * 17
    hip = [a for a in attacks if a.config['target'] == 'left_hip']
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
    attacks = load_suites(['paints'], [], COCO)
    fills = [attack.config.pop('fill') for attack in attacks]
    assert set(fills) == set(FILLS)
    rest = attacks[0].config
    assert all(attack.config == rest for attack in attacks)


@pytest.mark.parametrize('layout', ['coco', 'mpii', 'aic', 'ap10k'])
def test_shipped_suites_fit_every_skeleton(layout):
    skeleton = Skeleton(tuple(names(layout)))
    attacks = load_suites(shipped(), [], skeleton)
    # all of map-coarse's attacks are map's
    assert {a.suite for a in attacks} == {*shipped()} - {'map-coarse'}
    # what they leave to chance is drawn by the seed that is given to them
    assert not any('seed' in a.config for a in attacks)


def test_paints_have_equal_areas(synthetic_people):
    """Within 1 % of the painted pixels, for everybody."""
    cfg = synthetic(synthetic_people)
    cfg['pipeline'] = cfg['pipeline'][:-1]
    crops = build(offer_donors(cfg))
    attacks = [
        TRANSFORMS.build(dict(attack.config, seed=0))
        for attack in load_suites(['paints'], [], COCO)
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
        'keypoint:*:black:24',
        dict(attack='part:hip', name='two', details=dict(level=2)),
        dict(attack=dict(type='Fog', density=1), name='fog'),
    ]
    path = write(tmp_path, dict(description='mine', attacks=entries))
    skeleton = Skeleton(('nose', 'left_hip'))
    attacks = load_suites([path], [], skeleton)
    assert [attack.name for attack in attacks] == [
        'part:head,hip:mean',
        'keypoint:nose:black',
        'keypoint:nose:black:24',
        'keypoint:left_hip:black:24',
        'two',
        'fog',
    ]
    assert attacks[1].config['type'] == 'KeypointOcclusion'
    assert attacks[3].config['target'] == 'left_hip'
    assert attacks[3].suite == 'mine'
    assert attacks[4].details == dict(level=2)
    # only MMPose can say whether there is such a transform
    assert attacks[5].config == dict(type='Fog', density=1)


def test_keys_do_not_depend_on_defaults():
    """Nor on the way in which the transform is named."""

    def key(type='KeypointOcclusion', **config):
        return SuiteAttack('a', 's', dict(config, type=type)).key

    known = key(target='nose', fill='blur')
    assert key(target='nose') == known
    assert key(target='nose', size='20%') == known
    assert key(type='mmpose.KeypointOcclusion', target='nose') == known
    assert key(type=KeypointOcclusion, target='nose') == known
    assert key(target='nose', size=6) != known
    exact = dict(target='nose', paper_exact=True)
    assert key(**exact) == key(**exact, size=6) != known
    assert key(target='left_eye') != known


def test_the_users_own_parts(tmp_path):
    skeleton = Skeleton(tuple(names('coco')), dict(hand=['left_wrist']))
    path = write(tmp_path, dict(attacks=['part:hand:black']))
    (attack,) = load_suites([path], [], skeleton)
    assert attack.config['parts'] == dict(hand=['left_wrist'])


def test_an_attack_of_two_suites_is_there_once(tmp_path):
    entries = ['keypoint:nose:black', 'keypoint:nose:blur']
    path = write(tmp_path, dict(attacks=entries))
    attacks = load_suites([path], ['keypoint:nose'], COCO)
    assert [attack.name for attack in attacks] == entries
    assert attacks[0].details == dict(severity=0.2)
    assert attacks[1].suite == 'mine'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (dict(attacks=3), 'has no list "attacks"'),
        (['keypoint:nose'], 'has no list "attacks"'),
        ('{"attacks": [', 'is not JSON'),
        (dict(attacks=['keypoint:toe']), "no joint 'toe'"),
        (dict(attacks=[dict(attack='part:hip', nam='x')]), 'key "nam"'),
        (
            dict(attacks=[dict(attack='part:*:blur', name='x')]),
            'two different attacks have the name "x"',
        ),
        (dict(attacks=[['part:*', 'keypoint:*']]), 'is no attack'),
    ],
)
def test_what_a_file_may_not_say(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as error:
        load_suites([path], [], COCO)
    assert words in str(error.value)
    assert path in str(error.value)
    assert '\n' not in str(error.value)


def test_unknown_suites_are_answered_with_those_there_are():
    with pytest.raises(UsageError, match=r'the suites are .*paper'):
        load_suites(['papers'], [], COCO)


def test_two_attacks_of_one_name(tmp_path):
    entry = dict(attack='part:hip', name='keypoint:nose:blur')
    path = write(tmp_path, dict(attacks=[entry]))
    with pytest.raises(UsageError, match='"keypoint:nose:blur", in su'):
        load_suites([path], ['keypoint:nose:blur'], COCO)


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
    attacks = load_suites(['occlusion-1.0'], [], COCO)
    assert {attack.checksum for attack in attacks} == {known}
    assert attacks[0].to_json()['checksum'] == known


def test_the_demo_is_a_subset_of_the_frozen_suite():
    demo, whole = (
        {a.name: a.key for a in load_suites([name], [], COCO)}
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
    assert checksum(str(one)) == load_suites([str(one)], [], COCO)[0].checksum
