"""Simultaneous intervals, equivalence and rank agreement."""

import numpy as np
import pytest
from scipy.stats import kendalltau, norm

from mmpose_occlusion.metrics.inference import (
    equivalence,
    rank_agreement,
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
    found = equivalence(np.r_[0.001, drawn], margin=0.005)
    assert found.p == pytest.approx(norm.sf(0.004 / 0.002), rel=0.05)
    assert found.equal
    # (1.96 + 0.84) standard errors
    assert found.smallest_effect == pytest.approx(2.8016 * 0.002, rel=0.02)
    assert not equivalence(np.r_[0.004, drawn + 0.003], 0.005).equal
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
