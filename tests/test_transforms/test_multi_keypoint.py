"""Several joints hidden at once, corrected and as the reference does it.

A crop is 48 wide and 64 high unless stated otherwise. On it the reference's
disc has a radius of 6 pixels (113 of them), the corrected one of
max(2, 1.5) = 2 (13 pixels).
"""

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare

from mmpose_occlusion.transforms import MultiKeypointOcclusion
from tests.golden import naive_reference as reference
from tests.golden.samples import (
    crop,
    labelled,
    mask,
    naive_joints,
    names,
    photo,
    random_person,
    white,
)
from tests.records import named

FAR_APART = dict(nose=(10, 10), left_wrist=(35, 12), right_hip=(20, 40))
BOTH = pytest.mark.parametrize('paper_exact', [False, True])


def multi(**kwargs):
    return MultiKeypointOcclusion(**kwargs)


def drawn(records):
    """(name, fill) of what was drawn, in order."""
    return [
        (named(record).removeprefix('keypoint:'), record['fill'])
        for record in records
        if named(record) != 'keypoint:random'
    ]


def draws(transform, joints, count, layout='coco'):
    """What was drawn for as many annotations."""
    results = crop(joints, photo(64, 48), layout)
    return [
        drawn(transform({**results, 'id': i})['occlusions'])
        for i in range(count)
    ]


@pytest.mark.parametrize(('paper_exact', 'pixels'), [(False, 13), (True, 113)])
def test_every_joint_has_a_disc_of_its_own(paper_exact, pixels):
    clean = white(64, 48)
    results = multi(
        keypoint_prob=1.0, fills=['black'], size=6, paper_exact=paper_exact
    )(crop(FAR_APART, clean.copy()))
    assert mask(results, clean).sum() == 3 * pixels
    records = results['occlusions']
    assert {name for name, _ in drawn(records)} == set(FAR_APART)
    assert [record['pixels'] for record in records] == [pixels] * 3
    assert {record['call'] for record in records} == {0}
    assert labelled(results) == set(FAR_APART)  # none is removed
    assert all(record['removed'] == [] for record in records)


@BOTH
@pytest.mark.parametrize(('most', 'rounds'), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_rounds_are_the_joints_or_the_most_allowed(most, rounds, paper_exact):
    """n = min(#available, max_num), never a joint twice."""
    transform = multi(
        max_keypoints=most, keypoint_prob=1.0, seed=0, paper_exact=paper_exact
    )
    for found in draws(transform, FAR_APART, 20):
        assert len(found) == len({name for name, _ in found}) == rounds


@BOTH
def test_rounds_are_drawn_one_by_one(paper_exact):
    """Each of min(7, 5) rounds happens with probability 0.2."""
    joints = dict.fromkeys(names('coco')[:7], (20, 30))
    transform = multi(seed=3, paper_exact=paper_exact)
    counts = [len(found) for found in draws(transform, joints, 400)]
    assert binomtest(sum(counts), 400 * 5, 0.2).pvalue > 1e-3
    # with 5 rounds 0.8^5 = 32.8 % of the crops stay as they are
    assert binomtest(counts.count(0), 400, 0.8**5).pvalue > 1e-3
    assert max(counts) > 2


@BOTH
def test_joints_and_fills_are_drawn_evenly(paper_exact):
    joints = dict.fromkeys(names('coco')[:4], (20, 30))
    transform = multi(
        max_keypoints=2, keypoint_prob=1.0, seed=3, paper_exact=paper_exact
    )
    both = draws(transform, joints, 400)
    for place in (0, 1):  # the first round and the second
        found = [names_and_fills[place] for names_and_fills in both]
        for which, values in ((0, joints), (1, ('mean', 'blur'))):
            tally = [[f[which] for f in found].count(v) for v in values]
            assert sum(tally) == 400
            assert chisquare(tally).pvalue > 1e-3


def test_which_joints_are_available():
    joints = dict(
        nose=(20, 20),
        left_eye=(0, 30),  # a true zero
        left_hip=(-9, 30),  # outside
        left_ankle=(20, 63),  # y >= W
    )
    for paper_exact, expected in (
        (False, {'nose', 'left_eye', 'left_ankle'}),
        (True, {'nose', 'left_hip', 'left_ankle'}),
    ):
        transform = multi(keypoint_prob=1.0, paper_exact=paper_exact)
        (found,) = draws(transform, joints, 1)
        assert {name for name, _ in found} == expected


def test_mpii_missing_joints_win_draws_of_the_reference():
    joints = dict(pelvis=(20, 20))
    for paper_exact, rounds in ((False, 1), (True, 5)):
        transform = multi(keypoint_prob=1.0, seed=0, paper_exact=paper_exact)
        for found in draws(transform, joints, 5, 'mpii'):
            assert len(found) == rounds


def test_an_ankle_is_drawn_and_not_painted_by_the_reference():
    """y >= W: its bounds test swaps the axes."""
    clean = white(64, 48)
    for paper_exact, pixels in ((False, 13), (True, 0)):
        results = multi(
            keypoint_prob=1.0, fills=['black'], size=6, paper_exact=paper_exact
        )(crop(dict(left_ankle=(20, 55)), clean.copy()))
        assert mask(results, clean).sum() == pixels
        (record,) = results['occlusions']
        assert named(record) == 'keypoint:left_ankle'
        assert bool(record['reason']) == paper_exact


def test_the_reference_paints_each_on_the_one_before():
    """All of the crop is 0 but 255 in the nose's disc of 113 of its 3072
    pixels: mean 9.38. Once that disc is 9, the mean is 0.33; once the
    wrist's is 9 as well, before the nose's, it is 9.71."""
    joints = dict(nose=(10, 10), left_wrist=(35, 12))
    clean = np.zeros((64, 48, 3), np.uint8)
    for row, col in reference.disc_pixels((10, 10), 64, 48):
        clean[row, col] = 255
    orders = set()
    for seed in range(12):
        results = multi(
            keypoint_prob=1.0, fills=['mean'], seed=seed, paper_exact=True
        )(crop(joints, clean.copy()))
        found = tuple(name for name, _ in drawn(results['occlusions']))
        orders.add(found)
        wrist = 0 if found[0] == 'nose' else 9
        assert (results['img'][10, 10] == 9).all()
        assert (results['img'][12, 35] == wrist).all()
        turns = [record['turn'] for record in results['occlusions']]
        assert turns == [0, 1]
    assert len(orders) == 2


def test_corrected_discs_all_come_from_the_crop_as_it_was():
    """13 pixels of 255 in 3072: mean 1.08, whatever the order."""
    joints = dict(nose=(10, 10), left_wrist=(35, 12))
    clean = np.zeros((64, 48, 3), np.uint8)
    for row, col in reference.disc_pixels((10, 10), 64, 48, 2):
        clean[row, col] = 255
    for seed in range(6):
        results = multi(keypoint_prob=1.0, fills=['mean'], seed=seed)(
            crop(joints, clean.copy())
        )
        assert (results['img'][10, 10] == 1).all()
        assert (results['img'][12, 35] == 1).all()


@pytest.mark.parametrize('seed', range(12))
def test_equal_to_the_last_pixel(seed):
    rng = np.random.default_rng(seed)
    height, width = [(64, 48), (48, 64), (31, 17), (40, 40)][seed % 4]
    layout = ('coco', 'mpii')[seed // 4 % 2]
    flipped = bool(seed % 3 == 0)
    clean = photo(height, width, seed)
    joints = random_person(rng, layout, height, width)
    held = naive_joints(joints, layout, flipped)
    transform = multi(
        max_keypoints=8, keypoint_prob=0.9, size=4, seed=seed,
        paper_exact=True,
    )  # fmt: skip
    results = transform(crop(joints, clean.copy(), layout, flipped))
    found = drawn(results['occlusions'])
    assert 0 < len(found) <= reference.rounds(held, 8)
    available = set(reference.drawn_from('keypoint', held))
    assert {name for name, _ in found} <= available
    expected = reference.occlude_keypoints(clean, held, found, 4)
    np.testing.assert_array_equal(results['img'], expected)
    assert labelled(results, layout=layout) == set(joints)


@pytest.mark.parametrize(('kwargs', 'words'), [
    (dict(fills='mean'), "fills='mean'"),
    (dict(fills=[]), 'fills'),
    (dict(fills=['mean', 'purple']), 'purple'),
    (dict(max_keypoints=0), 'max_keypoints=0'),
    (dict(max_keypoints=2.5), '2.5'),
    (dict(keypoint_prob=1.2), 'keypoint_prob=1.2'),
    (dict(prob=-1), 'prob=-1'),
    (dict(size=0), 'size=0'),
    (dict(size=2.5, paper_exact=True), 'whole number of pixels'),
])  # fmt: skip
def test_bad_arguments_are_refused(kwargs, words):
    with pytest.raises(ValueError, match=words) as info:
        multi(**kwargs)
    assert str(info.value).startswith('MultiKeypointOcclusion')
