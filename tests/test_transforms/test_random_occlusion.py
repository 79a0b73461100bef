"""One target out of all joints and parts: the reference's mode "all"."""

import numpy as np
import pytest
from scipy.stats import chisquare

from mmpose_occlusion.transforms import RandomOcclusion
from tests.golden import naive_reference as reference
from tests.golden.samples import (
    crop,
    labelled,
    naive_joints,
    photo,
    random_person,
)
from tests.records import named, under

# outside the crop and on its border; the left arm is not there
PEOPLE = dict(
    nose=(20, 20), left_eye=(0, 30), left_ankle=(20, 60), right_hip=(-9, 30)
)


def draws(transform, joints, count=500):
    results = crop(joints, photo(64, 48))
    found = []
    for ann_id in range(count):
        (record,) = transform({**results, 'id': ann_id})['occlusions']
        found.append(named(record))
    return found


def full(mode, joints):
    """Records' names of what the reference draws from."""
    return {
        f'part:{name}' if name in reference.PARTS else f'keypoint:{name}'
        for name in reference.drawn_from(mode, joints)
    }


def is_even(found, expected):
    tally = [found.count(name) for name in expected]
    return set(found) == set(expected) and chisquare(tally).pvalue > 1e-3


def test_the_reference_draws_from_its_joints_and_all_eleven_parts():
    """Three joints have no zero: each of 14 targets is as likely."""
    expected = full('all', naive_joints(PEOPLE, 'coco', False))
    assert len(expected) == 3 + 11
    assert is_even(draws(RandomOcclusion(seed=2, paper_exact=True), PEOPLE),
                   expected)  # fmt: skip


def test_corrected_draws_from_what_there_is():
    expected = {
        'keypoint:nose',
        'keypoint:left_eye',
        'keypoint:left_ankle',
        'part:head',
        'part:left_leg',
        'part:upper_body',
        'part:lower_body',
        'part:left_side',
    }
    assert is_even(draws(RandomOcclusion(seed=2), PEOPLE), expected)


def test_own_parts_are_drawn_too():
    own = RandomOcclusion(seed=2, parts=dict(foot=['left_ankle']))
    assert 'part:foot' in draws(own, PEOPLE, 100)


@pytest.mark.parametrize('paper_exact', [False, True])
def test_person_without_targets_is_unchanged(paper_exact):
    clean = photo(64, 48)
    results = RandomOcclusion(paper_exact=paper_exact)(crop({}, clean.copy()))
    (record,) = results['occlusions']
    assert named(record) == 'target:random'
    assert record['reason'] == 'this person has no available target'
    assert (results['img'] == clean).all()


@pytest.mark.parametrize('layout', ['coco', 'mpii'])
@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
def test_equal_to_the_last_pixel(fill, layout):
    """Joints remove nothing, parts do, in both as the reference."""
    rng = np.random.default_rng(len(fill))
    kinds = set()
    for ann_id in range(40):
        clean = photo(64, 64, ann_id)
        joints = random_person(rng, layout, 64, 64)
        held = naive_joints(joints, layout, False)
        transform = RandomOcclusion(
            fill=fill, size=4, remove_keypoints=True, seed=5, paper_exact=True
        )
        results = transform(crop(joints, clean.copy(), layout, ann_id=ann_id))
        (record,) = results['occlusions']
        kind, name = named(record).split(':')
        gone = set()
        if kind == 'part':
            expected, gone = reference.occlude_part(
                clean, held, name, fill, layout
            )
        else:
            expected = reference.occlude_keypoint(clean, held, name, fill, 4)
        np.testing.assert_array_equal(results['img'], expected)
        assert labelled(results, layout=layout) == joints.keys() - gone
        kinds.add((kind, bool(gone)))
    assert kinds >= {('keypoint', False), ('part', True)}


def test_only_parts_remove():
    transform = RandomOcclusion(remove_keypoints=True, seed=0)
    joints = dict(nose=(20, 20), left_ankle=(20, 55))
    seen = set()
    for ann_id in range(30):
        results = transform(crop(joints, photo(64, 48), ann_id=ann_id))
        (record,) = results['occlusions']
        kind = named(record).split(':')[0]
        assert under(record)
        assert record['removed'] == (under(record) * (kind == 'part'))
        assert record['region']['shape'] == dict(part='box', keypoint='disc')[
            kind]  # fmt: skip
        seen.add(kind)
    assert seen == {'part', 'keypoint'}


@pytest.mark.parametrize(('kwargs', 'words'), [
    (dict(fill='purple'), 'purple'),
    (dict(prob=2), 'prob=2'),
    (dict(size=0), 'size=0'),
    (dict(size=1.5, paper_exact=True), 'whole number of pixels'),
])  # fmt: skip
def test_bad_arguments_are_refused(kwargs, words):
    with pytest.raises(ValueError, match=words) as info:
        RandomOcclusion(**kwargs)
    assert str(info.value).startswith('RandomOcclusion')
