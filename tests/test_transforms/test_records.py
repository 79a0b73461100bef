"""Records, lists of targets, and the arrays that stay unmodified."""

import copy

import numpy as np
import pytest

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden.person import PERSON, members, painted_by
from tests.golden.samples import (
    covered,
    crop,
    labelled,
    photo,
    replayed,
)
from tests.records import named

# --- lists -------------------------------------------------------------------


def test_a_list_hides_all_it_names():
    targets = ['nose', 'left_ankle', 'right_wrist']
    painted, results = painted_by(
        KeypointOcclusion(targets, fill='black', size=6), PERSON
    )
    records = results['occlusions']
    assert [named(record) for record in records] == [
        'keypoint:nose', 'keypoint:left_ankle', 'keypoint:right_wrist',
    ]  # fmt: skip
    assert covered(painted, PERSON) >= {'nose', 'left_ankle', 'right_wrist'}
    # far apart: three whole discs
    assert painted.sum() == 3 * 113


def test_a_list_of_parts_hides_all_it_names():
    targets = ['head', 'right_leg']
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
        KeypointOcclusion(['left_eye', 'nose'], fill='black', size=6), joints
    )
    first, second = results['occlusions']
    assert first['reason']
    assert not second['reason']
    assert painted.sum() == second['pixels'] == 113


def test_deep_copies_of_a_sample_share_its_records():
    """Copying them would be a fifth of an occlusion's time."""
    _, results = painted_by(KeypointOcclusion('nose', size=6), PERSON)
    records = results['occlusions']
    shared = copy.deepcopy(records)
    assert shared is not records
    assert shared[0] is records[0]


def test_removing_a_part_leaves_the_next_of_the_list_its_joints():
    """The shoulder is in both; the corpus is hidden all the same."""
    targets = ['left_arm', 'corpus']
    painted, _ = painted_by(
        PartOcclusion(targets, fill='black', remove_keypoints=True), PERSON
    )
    assert covered(painted, PERSON) >= members('left_arm') | members('corpus')


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


def test_chains_replay():
    clean = photo(256, 192)
    results = crop(PERSON, clean.copy())
    for transform in (
        KeypointOcclusion(['nose', 'left_eye'], fill='blur'),
        PartOcclusion('head', fill='mean', remove_keypoints=True),
        PartOcclusion('upper_body', fill='blur'),
        KeypointOcclusion('left_hip', fill='blur', size=20),
    ):
        earlier = results.get('occlusions', [])
        count = len(earlier)
        results = transform(results)
        assert len(earlier) == count  # the caller's list stays
    records = results['occlusions']
    assert [record['call'] for record in records] == [0, 0, 1, 2, 3]
    assert (replayed(clean, records) == results['img']).all()
