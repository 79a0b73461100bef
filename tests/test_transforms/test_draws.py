"""Random targets: their distribution, and what a seed fixes."""

# ruff: noqa: NPY002 (MMEngine seeds NumPy's global generator; so do we)

import pickle
import random

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, chisquare

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden import naive_reference as reference
from tests.golden.person import SMALL
from tests.golden.samples import crop, crowd, photo
from tests.records import named

BASIC_PARTS = (
    'head',
    'left_arm',
    'right_arm',
    'hip',
    'left_leg',
    'right_leg',
    'corpus',
)

# --- random targets ----------------------------------------------------------

SEEN = 400


def draws(transform, joints, count=SEEN, **kwargs):
    """Names that were painted, for as many annotations; None for none."""
    clean = photo(64, 48)
    drawn = []
    for ann_id in range(count):
        results = crop(joints, clean.copy(), ann_id=ann_id, **kwargs)
        (record,) = transform(results)['occlusions']
        assert (record['reason'] is None) == (record['pixels'] > 0)
        assert (results['img'] == clean).all() == (record['pixels'] == 0)
        hit = record['pixels'] > 0
        drawn.append(named(record).split(':')[-1] if hit else None)
    return drawn


def is_uniform(drawn, expected):
    counts = [drawn.count(name) for name in expected]
    return set(drawn) == set(expected) and (
        len(counts) == 1 or chisquare(counts).pvalue > 1e-3
    )


def test_random_keypoint_is_an_available_one():
    joints = dict(
        nose=(10, 10),
        left_eye=(0, 20),  # a true zero is as good as any
        right_hip=(30, 60),  # below y = W
        left_ankle=(47.8, 63.8),
        right_ankle=(30, 64),  # outside
    )
    drawn = draws(KeypointOcclusion('random', seed=5), joints)
    assert is_uniform(drawn, joints.keys() - {'right_ankle'})


def test_random_part_is_one_of_seven():
    drawn = draws(PartOcclusion('random', seed=5), SMALL)
    assert is_uniform(drawn, BASIC_PARTS)


def test_random_all_is_one_of_eleven():
    drawn = draws(PartOcclusion('random_all', seed=5), SMALL)
    assert is_uniform(drawn, reference.PARTS)


@pytest.mark.parametrize(('target', 'joint', 'expected'), [
    ('random', 'right_ankle', ['right_leg']),
    ('random', 'nose', ['head']),
    ('random', 'left_hip', ['hip', 'left_leg', 'corpus']),
    ('random_all', 'right_ankle', ['right_leg', 'lower_body', 'right_side']),
    ('random_all', 'nose', ['head', 'upper_body']),
    ('random_all', 'left_hip', ['hip', 'left_leg', 'corpus', 'upper_body',
                                'lower_body', 'left_side']),
])  # fmt: skip
def test_random_part_exists_for_the_person(target, joint, expected):
    drawn = draws(
        PartOcclusion(target, seed=5),
        {joint: (20, 30), 'left_elbow': (-20, 30)},  # the arm is outside
        count=200,
    )
    assert is_uniform(drawn, expected)


@pytest.mark.parametrize('seed', [None, 11])
@pytest.mark.parametrize('prob', [0.2, 0.5])
@pytest.mark.parametrize(('cls', 'target'), [
    (KeypointOcclusion, 'random'),
    (KeypointOcclusion, 'nose'),
    (PartOcclusion, 'random'),
    (PartOcclusion, 'random_all'),
    (PartOcclusion, 'head'),
])  # fmt: skip
def test_stated_probability_is_the_real_one(cls, target, prob, seed):
    np.random.seed(7)
    joints = dict(nose=(10, 10), left_ankle=(30, 50))
    drawn = draws(cls(target, prob=prob, seed=seed), joints)
    hits = SEEN - drawn.count(None)
    assert binomtest(hits, SEEN, prob).pvalue > 1e-3


def test_two_at_one_half_are_independent():
    """A quarter of the crops gets both, though they share their seed."""
    both = 0
    for ann_id in range(SEEN):
        results = crop(SMALL, photo(64, 48), ann_id=ann_id)
        for fill in ('blur', 'mean'):
            transform = KeypointOcclusion(
                'random', fill=fill, prob=0.5, seed=5
            )
            results = transform(results)
        both += all(record['pixels'] for record in results['occlusions'])
    assert binomtest(both, SEEN, 0.25).pvalue > 1e-3


@pytest.mark.parametrize('cls', [KeypointOcclusion, PartOcclusion])
def test_random_without_joints_is_recorded(cls):
    clean = photo(64, 48)
    for joints in ({}, dict(nose=(-3, 5))):
        results = cls('random')(crop(joints, clean.copy()))
        (record,) = results['occlusions']
        assert record['reason']
        assert not record['pixels']
        assert (results['img'] == clean).all()


# --- seeds -------------------------------------------------------------------

RANDOM_CASES = [
    (KeypointOcclusion, dict(target='random', prob=0.7)),
    (PartOcclusion, dict(target='random', prob=0.7)),
    (PartOcclusion, dict(target='random_all', prob=0.7)),
]


def name_drawn(transform, joints=SMALL, **kwargs):
    results = transform(crop(joints, photo(64, 48), **kwargs))
    (record,) = results['occlusions']
    return named(record) if record['pixels'] else None


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_a_seeded_draw_depends_on_the_annotation_alone(cls, kwargs):
    transform = cls(seed=3, **kwargs)
    ids = [(img, ann) for img in (1, 2, 70) for ann in (0, 1, 5, 10**10)]
    first = {(i, a): name_drawn(transform, img_id=i, ann_id=a) for i, a in ids}
    assert len(set(first.values())) > 2
    fresh = pickle.loads(pickle.dumps(cls(seed=3, **kwargs)))
    np.random.seed(99)
    random.seed(99)
    for img, ann in reversed(ids):
        assert name_drawn(fresh, img_id=img, ann_id=ann) == first[img, ann]


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_seeds_images_and_annotations_all_matter(cls, kwargs):
    def row(seed=3, img_id=1, ann_ids=range(40)):
        transform = cls(seed=seed, **kwargs)
        return [
            name_drawn(transform, img_id=img_id, ann_id=a) for a in ann_ids
        ]

    assert row() == row()
    assert row() != row(seed=4)
    assert row() != row(img_id=2)
    assert row() != row(ann_ids=range(40, 80))


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_a_seeded_draw_leaves_the_generators_alone(cls, kwargs):
    np.random.seed(0)
    expected = np.random.random(3)
    np.random.seed(0)
    name_drawn(cls(seed=3, **kwargs))
    assert (np.random.random(3) == expected).all()


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_an_unseeded_draw_follows_numpys_generator(cls, kwargs):
    def row(seed):
        np.random.seed(seed)
        random.seed(random.random())
        return [name_drawn(cls(**kwargs)) for _ in range(30)]

    assert row(1) == row(1)
    assert row(1) != row(2)


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_a_seeded_draw_is_the_same_in_every_worker(cls, kwargs):
    class Crops(torch.utils.data.Dataset):
        transform = cls(seed=3, **kwargs)

        def __len__(self):
            return 24

        def __getitem__(self, ann_id):
            return name_drawn(self.transform, ann_id=ann_id)

    def loaded(**loader):
        loader = torch.utils.data.DataLoader(
            Crops(), collate_fn=list, **loader
        )
        return [name for batch in loader for name in batch]

    alone = loaded(batch_size=1)
    assert len(set(alone)) > 2
    assert loaded(batch_size=5, num_workers=2) == alone


@pytest.mark.parametrize(('cls', 'kwargs'), RANDOM_CASES)
def test_the_order_of_people_does_not_matter(cls, kwargs):
    people = [dict(SMALL, id=number) for number in (8, 3, 5, 21, 13)]

    def by_id(order):
        results = crowd([people[i] for i in order], photo(64, 48))
        results = cls(seed=3, **kwargs)(results)
        return {
            results['id'][record['instance']]: (
                named(record) if record['pixels'] else None
            )
            for record in results['occlusions']
        }

    drawn = by_id(range(5))
    assert by_id([4, 2, 0, 1, 3]) == drawn
    assert by_id([1]) == {3: drawn[3]}
    # the image of one person, gathered or not, is the same
    assert name_drawn(cls(seed=3, **kwargs), ann_id=5) == drawn[5]
