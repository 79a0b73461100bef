"""Simultaneous intervals, equivalence and rank agreement."""

import numpy as np
import pytest
from scipy.stats import kendalltau, norm, spearmanr

from mmpose_occlusion.benchmark.analysis.bootstrap import (
    crossing,
    equivalence,
    rank_agreement,
    rank_correlation,
    simultaneous_intervals,
)


def test_simultaneous_intervals_cover_all_at_once():
    """Ten means of correlated data: all bands cover in about 95 of 100."""
    rng = np.random.default_rng(0)
    images, attacks, trials = 120, 10, 300
    covered = alone = 0
    for _ in range(trials):
        shared = rng.normal(size=(1, images))
        data = 0.3 * shared + rng.normal(size=(attacks, images))
        weights = rng.multinomial(images, np.full(images, 1 / images), 200)
        drawn = data @ weights.T / images
        values = np.concatenate([data.mean(axis=1)[:, None], drawn], axis=1)
        low, high = simultaneous_intervals(values).T
        covered += bool(((low <= 0) & (high >= 0)).all())
        a, b = np.quantile(drawn, [0.025, 0.975], axis=1)
        alone += bool(((a <= 0) & (b >= 0)).all())
    assert 0.91 <= covered / trials <= 0.985
    assert alone / trials < 0.85


def test_a_single_attack_has_the_usual_width():
    rng = np.random.default_rng(0)
    values = np.r_[2.0, rng.normal(2, 0.5, 20_000)][None]
    low, high = simultaneous_intervals(values)[0]
    assert (low, high) == pytest.approx((2 - 0.98, 2 + 0.98), abs=0.02)


def test_an_undefined_attack_leaves_the_others_alone():
    rng = np.random.default_rng(0)
    good = np.r_[0.0, rng.normal(size=500)]
    both = np.stack([good, np.full(501, np.nan)])
    assert simultaneous_intervals(both)[0] == pytest.approx(
        simultaneous_intervals(good[None])[0]
    )
    assert np.isnan(simultaneous_intervals(both)[1]).all()


def test_equivalence_by_hand():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.001, 0.002, 50_000)
    found = equivalence(np.r_[0.001, drawn])
    assert found.p == pytest.approx(norm.sf(0.004 / 0.002), rel=0.05)
    assert found.equal
    # (1.96 + 0.84) standard errors
    assert found.smallest_effect == pytest.approx(2.8016 * 0.002, rel=0.02)
    assert not equivalence(np.r_[0.004, drawn + 0.003]).equal
    assert equivalence(np.array([np.nan, 1, 2])).p is None


def test_rank_agreement_is_kendalls_tau():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 9, 3))
    one[4] = np.nan
    rest = np.arange(9) != 4
    assert rank_agreement(one, other) == pytest.approx(
        [kendalltau(one[rest, b], other[rest, b]).statistic for b in range(3)]
    )
    assert np.isnan(rank_agreement(one[:2], other[:2])).all()


def test_rank_correlation_is_spearmans_of_the_copies():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 9, (2, 40)).astype(float)
    weights = rng.integers(0, 4, (5, 40))
    copies = [np.repeat(np.arange(40), row) for row in weights]
    assert rank_correlation(one, other, weights) == pytest.approx(
        [spearmanr(one[rows], other[rows]).statistic for rows in copies]
    )
    assert np.isnan(rank_correlation(np.ones(40), other, weights)).all()


@pytest.mark.parametrize(
    ('at', 'curve', 'expected'),
    [
        # .6 -> .2 crosses .4 half way; .6 -> .6 -> .4 never reaches .3
        ([0.1, 0.2], [[0.8, 0.6], [0.6, 0.6], [0.2, 0.4]], [0.15, np.inf]),
        # the first of several
        ([1, 2, 3], [[1.0], [0.3], [0.9], [0.1]], [0.5 / 0.7]),
        ([1], [[1.0], [np.nan]], [np.nan]),
    ],
)
def test_half_is_lost(at, curve, expected):
    curve = np.array(curve)
    found = crossing([0, *at], curve, curve[0] / 2)
    assert found == pytest.approx(expected, nan_ok=True)
