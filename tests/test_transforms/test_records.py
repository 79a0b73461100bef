"""Records, lists of targets, and the arrays that stay unmodified."""

import json

import numpy as np
import pytest

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden.person import PERSON, members, painted_by
from tests.golden.samples import (
    RECORD_KEYS,
    covered,
    crop,
    crowd,
    labelled,
    photo,
    replayed,
    weights,
)
from tests.records import named

# --- lists -------------------------------------------------------------------


def test_a_list_hides_all_it_names():
    targets = ['nose', 'keypoint:left_ankle', 'right_wrist']
    painted, results = painted_by(
        KeypointOcclusion(targets, fill='black'), PERSON
    )
    records = results['occlusions']
    assert [named(record) for record in records] == [
        'keypoint:nose', 'keypoint:left_ankle', 'keypoint:right_wrist',
    ]  # fmt: skip
    assert covered(painted, PERSON) >= {'nose', 'left_ankle', 'right_wrist'}
    # far apart: three whole discs
    assert painted.sum() == 3 * 113


def test_a_list_of_parts_hides_all_it_names():
    targets = ['head', 'part:right_leg']
    painted, results = painted_by(
        PartOcclusion(targets, fill='black', remove_keypoints=True), PERSON
    )
    gone = members('head') | members('right_leg')
    assert covered(painted, PERSON) >= gone
    assert labelled(results) == PERSON.keys() - covered(painted, PERSON)
    assert [named(r) for r in results['occlusions']] == [
        'part:head', 'part:right_leg',
    ]  # fmt: skip


def test_a_list_records_what_it_could_not_hide():
    joints = dict(nose=(96, 40))
    painted, results = painted_by(
        KeypointOcclusion(['left_eye', 'nose'], fill='black'), joints
    )
    first, second = results['occlusions']
    assert first['reason']
    assert not second['reason']
    assert painted.sum() == second['pixels'] == 113


def test_removing_a_part_leaves_the_next_of_the_list_its_joints():
    """The shoulder is in both; the corpus is hidden all the same."""
    targets = ['left_arm', 'corpus']
    painted, _ = painted_by(
        PartOcclusion(targets, fill='black', remove_keypoints=True), PERSON
    )
    assert covered(painted, PERSON) >= members('left_arm') | members('corpus')


# --- what is modified --------------------------------------------------------

ARRAYS = ('img', 'keypoints', 'keypoints_visible', 'transformed_keypoints')


@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
@pytest.mark.parametrize('paper_exact', [False, True])
@pytest.mark.parametrize(('cls', 'kwargs'), [
    (KeypointOcclusion, dict(target='left_wrist')),
    (PartOcclusion, dict(target='left_arm', remove_keypoints=True)),
])  # fmt: skip
def test_the_callers_arrays_stay(cls, kwargs, fill, paper_exact):
    transform = cls(fill=fill, paper_exact=paper_exact, **kwargs)
    earlier = KeypointOcclusion('right_ankle', prob=0)
    given = earlier(crop(PERSON, photo(256, 192)))
    arrays = {key: given[key] for key in ARRAYS}
    copies = {key: given[key].copy() for key in ARRAYS}
    results = transform(dict(given))
    assert not (results['img'] == copies['img']).all()
    for key in ARRAYS:
        assert (arrays[key] == copies[key]).all(), key
    # nor does the caller's list of records grow behind his back
    assert len(given['occlusions']) == 1
    assert len(results['occlusions']) == 2


@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'left_wrist'), (PartOcclusion, 'left_arm'),
])  # fmt: skip
def test_inplace_paints_into_the_callers_image(cls, target, fill):
    image = photo(256, 192)
    copied = cls(target, fill=fill)(crop(PERSON, image.copy()))
    results = cls(target, fill=fill, inplace=True)(crop(PERSON, image))
    assert results['img'] is image
    assert (image == copied['img']).all()
    assert results['occlusions'] == copied['occlusions']


@pytest.mark.parametrize('inplace', [False, True])
@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
def test_views(fill, inplace):
    """A mirrored, strided view is painted like its copy."""
    wide = photo(256, 400)
    view = wide[:, 383::-2]
    assert view.shape == (256, 192, 3)
    assert not view.flags['C_CONTIGUOUS']
    transform = PartOcclusion('left_arm', fill=fill, inplace=inplace)
    expected = transform(crop(PERSON, view.copy()))['img']
    results = transform(crop(PERSON, view))
    assert (results['img'] == expected).all()
    assert (results['img'] is view) == inplace
    assert (wide == photo(256, 400)).all() != inplace


@pytest.mark.parametrize('fill', ['blur', 'mean', 'black'])
@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'left_wrist'), (PartOcclusion, 'left_arm'),
])  # fmt: skip
def test_float_images(cls, target, fill):
    clean = photo(256, 192)
    expected = cls(target, fill=fill)(crop(PERSON, clean.copy()))['img']
    results = cls(target, fill=fill)(crop(PERSON, clean.astype(np.float32)))
    assert results['img'].dtype == np.float32
    # float paint is not rounded, and the integer filter is within one
    assert np.abs(results['img'] - expected).max() < 2


# --- records -----------------------------------------------------------------


@pytest.mark.parametrize('transform', [
    KeypointOcclusion(['nose', 'left_eye'], fill='blur'),
    KeypointOcclusion('random', fill='mean', seed=1),
    PartOcclusion(['left_arm', 'upper_body'], remove_keypoints=True),
    PartOcclusion('random_all', fill='mean', seed=1),
    KeypointOcclusion('left_ankle', fill='black', paper_exact=True),
    PartOcclusion('right_leg', fill='blur', paper_exact=True),
])  # fmt: skip
def test_records_replay(transform):
    clean = photo(256, 192)
    others = [dict(nose=(60, 60), left_wrist=(66, 66)), {}]
    people = [PERSON] if transform.paper_exact else [PERSON, *others]
    results = transform(crowd(people, clean.copy()))
    records = json.loads(json.dumps(results['occlusions'], allow_nan=False))
    assert records == results['occlusions']
    assert (replayed(clean, records) == results['img']).all()
    for record in records:
        assert record.keys() >= RECORD_KEYS
        assert record['transform'] == type(transform).__name__
        assert record['fill'] == transform.fill
        kind = 'part' if isinstance(transform, PartOcclusion) else 'keypoint'
        assert named(record).startswith(f'{kind}:')
        if record['reason'] is None:
            x1, y1, x2, y2 = record['box']
            assert 0 <= x1 < x2 <= 192
            assert 0 <= y1 < y2 <= 256
            assert 0 < record['pixels'] <= (x2 - x1) * (y2 - y1)
            assert record['paint']['kind'] in ('blur', 'color')
            assert record['region']['shape'] in ('disc', 'box')


def test_chains_replay():
    clean = photo(256, 192)
    results = crop(PERSON, clean.copy())
    for transform in (
        KeypointOcclusion(['nose', 'left_eye'], fill='blur'),
        PartOcclusion('head', fill='mean', remove_keypoints=True),
        PartOcclusion('upper_body', fill='blur'),
        KeypointOcclusion('left_hip', fill='blur', size=20),
    ):
        results = transform(results)
    records = results['occlusions']
    assert [record['call'] for record in records] == [0, 0, 1, 2, 3]
    assert (replayed(clean, records) == results['img']).all()


@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'nose'), (PartOcclusion, 'head'),
])  # fmt: skip
def test_prob_zero_is_the_identity_and_says_so(cls, target):
    clean = photo(256, 192)
    results = crop(PERSON, clean.copy())
    seen = weights(results)
    results = cls(target, prob=0)(results)
    assert (results['img'] == clean).all()
    assert weights(results) == seen
    assert results['occlusions']
    for record in results['occlusions']:
        assert record['reason']
        assert not record['pixels']
