"""Scores against outcomes that were drawn with the stated probability."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from mmpose_occlusion.metrics.confidence import (
    FoldCalibration,
    ScoredKeypoints,
)


@pytest.fixture(scope='module')
def drawn():
    """Scores, and outcomes that are right with that probability."""
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 1.5, 20_000)
    return scores, rng.random(len(scores)) < scores


def measures(*given):
    """(6, B)"""
    found = ScoredKeypoints(*given)
    return np.stack(
        [
            found.auroc(),
            found.brier_score(),
            found.confident_wrong_rate(),
            *found.selective_risk(),
            found.calibration_error(),
        ]
    )


def test_a_calibrated_model_has_no_calibration_error(drawn):
    (error,) = ScoredKeypoints(*drawn).calibration_error()
    # each of 15 bins is off by about sqrt(.25 / 1333) * .8
    assert error < 0.02
    scores, right = drawn
    raised = ScoredKeypoints(np.clip(scores + 0.2, 0, 1), right)
    assert 0.15 < raised.calibration_error() < 0.2


def test_auroc_and_brier_are_those_of_scikit_learn(drawn):
    scores, right = drawn
    rounded = scores.round(1)  # many ties
    for values in (scores[:2000], rounded):
        right = drawn[1][: len(values)]
        found = ScoredKeypoints(values, right)
        auroc, brier = found.auroc()[0], found.brier_score()[0]
        assert auroc == pytest.approx(roc_auc_score(right, values), abs=1e-12)
        assert brier == pytest.approx(
            brier_score_loss(right, values), abs=1e-12
        )


def test_weights_are_copies(drawn):
    """A keypoint of weight w counts as if it stood there w times."""
    rng = np.random.default_rng(1)
    scores, right = (x[:300] for x in drawn)
    scores = scores.round(1)
    weights = rng.integers(0, 4, (3, 300))
    found = measures(scores, right, weights, np.arange(300))
    for row, values in zip(weights, found[:5].T, strict=True):
        rows = np.repeat(np.arange(300), row)
        alone = measures(scores[rows], right[rows])[:5, 0]
        assert values == pytest.approx(alone, abs=1e-12)


def test_keypoints_of_an_image_are_drawn_together(drawn):
    """Weights of images are those of their keypoints; many scores are put
    into levels, which changes little."""
    rng = np.random.default_rng(2)
    image = rng.integers(0, 50, len(drawn[0]))
    weights = rng.integers(0, 4, (3, 50))
    found = measures(*drawn, weights, image)
    alone = measures(*drawn, weights[:, image], np.arange(len(image)))
    off = np.abs(found - alone).max(axis=1)
    assert (off <= [1e-4, 1e-12, 1e-12, 2e-4, 2e-4, 1e-12]).all()


def test_levels_change_little(drawn):
    scores, right = drawn
    found = ScoredKeypoints(*drawn)
    assert found.auroc()[0] == pytest.approx(
        roc_auc_score(right, scores), abs=1e-5
    )
    risks = found.risk_curve()
    area, risk = found.selective_risk()
    assert area[0] == pytest.approx(risks.mean(), abs=1e-4)
    kept = round(0.8 * len(scores))
    assert risk[0] == pytest.approx(risks[kept - 1], abs=1e-4)


def test_risk_coverage_by_hand():
    found = ScoredKeypoints([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0])
    risks = [0, 1 / 2, 1 / 3, 1 / 4, 2 / 5]
    assert found.risk_curve() == pytest.approx(risks)
    area, at = found.selective_risk()
    assert area == pytest.approx(sum(risks) / 5)
    assert at == pytest.approx(1 / 4)


def test_equal_scores_are_in_random_order():
    found = ScoredKeypoints(np.full(4, 0.5), [1, 1, 0, 0])
    assert found.risk_curve() == pytest.approx([0.5] * 4)


def test_confident_and_wrong_by_hand():
    found = ScoredKeypoints([0.9, 0.31, 0.3, 0.1, 0.8], [1, 0, 0, 0, 0])
    assert found.confident_wrong_rate() == pytest.approx(2 / 5)
    assert found.confident_wrong_rate(0.5) == pytest.approx(1 / 5)


def test_undefined_is_nan():
    assert np.isnan(measures([], [])).all()
    assert np.isnan(ScoredKeypoints(np.ones(3), np.ones(3)).auroc()).all()


def test_calibration_finds_the_planted_map(drawn):
    """Logits divided by 2.5 are multiplied by it again."""
    scores, right = drawn
    z = np.log(scores / (1 - scores)) / 2.5
    flat = 1 / (1 + np.exp(-z))
    image = np.arange(len(scores)) // 7
    found = FoldCalibration(flat, right, image)(flat, image)
    assert np.abs(found - scores).mean() < 0.02
    (before,) = ScoredKeypoints(flat, right).calibration_error()
    (after,) = ScoredKeypoints(found, right).calibration_error()
    assert before > 0.1
    assert after < 0.02


def test_a_fold_is_not_judged_by_a_fit_on_itself():
    """Images of fold 0 are always right, others never: learned elsewhere."""
    image = np.arange(50)
    right = image % 5 == 0
    scores = np.full(50, 0.5)
    fit = FoldCalibration(scores, right, image)
    found = fit(scores, image)
    assert found[image % 5 == 0] == pytest.approx(0)
    assert found[image % 5 == 1] == pytest.approx(0.25)
