"""Scores against outcomes that were drawn with the stated probability."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from mmpose_occlusion.metrics import confidence


@pytest.fixture(scope='module')
def drawn():
    """Scores, and outcomes that are right with that probability."""
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 1.5, 20_000)
    return scores, rng.random(len(scores)) < scores


def test_a_calibrated_model_has_no_calibration_error(drawn):
    (error,) = confidence.expected_calibration_error(*drawn)
    # each of 15 bins is off by about sqrt(.25 / 1333) * .8
    assert error < 0.02
    scores, right = drawn
    (off,) = confidence.expected_calibration_error(
        np.clip(scores + 0.2, 0, 1), right
    )
    assert 0.15 < off < 0.2


def test_auroc_and_brier_are_those_of_scikit_learn(drawn):
    scores, right = drawn
    rounded = scores.round(1)  # many ties
    for values in (scores[:2000], rounded):
        right = drawn[1][: len(values)]
        assert confidence.auroc(values, right)[0] == pytest.approx(
            roc_auc_score(right, values), abs=1e-12
        )
        assert confidence.brier_score(values, right)[0] == pytest.approx(
            brier_score_loss(right, values), abs=1e-12
        )


def test_weights_are_copies(drawn):
    """A keypoint of weight w counts as if it stood there w times."""
    rng = np.random.default_rng(1)
    scores, right = (x[:300] for x in drawn)
    scores = scores.round(1)
    weights = rng.integers(0, 4, (3, 300))
    sets = confidence.ResampledSets(weights, np.arange(300))
    for function in (
        confidence.auroc,
        confidence.brier_score,
        confidence.confident_wrong_rate,
        lambda *a: confidence.selective_risk(*a)[0],
        lambda *a: confidence.selective_risk(*a)[1],
    ):
        found = function(scores, right, sets)
        for row, value in zip(weights, found, strict=True):
            rows = np.repeat(np.arange(300), row)
            alone = function(scores[rows], right[rows])[0]
            assert value == pytest.approx(alone, abs=1e-12)


def test_keypoints_of_an_image_are_drawn_together(drawn):
    """Weights of images are those of their keypoints; many scores are put
    into levels, which changes little."""
    rng = np.random.default_rng(2)
    scores, right = drawn
    image = rng.integers(0, 50, len(scores))
    weights = rng.integers(0, 4, (3, 50))
    sets = confidence.ResampledSets(weights, image)
    alone = confidence.ResampledSets(weights[:, image], np.arange(len(scores)))
    for function, off in (
        (confidence.auroc, 1e-4),
        (confidence.brier_score, 1e-12),
        (confidence.expected_calibration_error, 1e-12),
        (confidence.confident_wrong_rate, 1e-12),
        (lambda *a: confidence.selective_risk(*a)[0], 2e-4),
        (lambda *a: confidence.selective_risk(*a)[1], 2e-4),
    ):
        found = function(scores, right, sets)
        known = function(scores, right, alone)
        assert found == pytest.approx(known, abs=off)


def test_levels_change_little(drawn):
    scores, right = drawn
    assert confidence.auroc(scores, right)[0] == pytest.approx(
        roc_auc_score(right, scores), abs=1e-5
    )
    _, risks = confidence.risk_coverage_curve(scores, right)
    area, risk = confidence.selective_risk(scores, right)
    assert area[0] == pytest.approx(risks.mean(), abs=1e-4)
    kept = round(0.8 * len(scores))
    assert risk[0] == pytest.approx(risks[kept - 1], abs=1e-4)


def test_risk_coverage_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([1, 0, 1, 1, 0], bool)
    covered, risk = confidence.risk_coverage_curve(scores, right)
    assert covered.tolist() == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4, 2 / 5])
    area, at = confidence.selective_risk(scores, right)
    assert area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4 + 2 / 5) / 5)
    assert at == pytest.approx(1 / 4)


def test_equal_scores_are_in_random_order():
    scores = np.full(4, 0.5)
    right = np.array([1, 1, 0, 0], bool)
    _, risk = confidence.risk_coverage_curve(scores, right)
    assert risk == pytest.approx([0.5] * 4)


def test_confident_and_wrong_by_hand():
    scores = np.array([0.9, 0.31, 0.3, 0.1, 0.8])
    right = np.array([1, 0, 0, 0, 0], bool)
    assert confidence.confident_wrong_rate(scores, right) == pytest.approx(
        2 / 5
    )
    assert confidence.confident_wrong_rate(
        scores, right, threshold=0.5
    ) == pytest.approx(1 / 5)


def test_undefined_is_nan():
    none = np.zeros(0)
    for function in (
        confidence.auroc,
        confidence.brier_score,
        confidence.expected_calibration_error,
        confidence.confident_wrong_rate,
    ):
        assert np.isnan(function(none, none.astype(bool))).all()
    assert np.isnan(confidence.auroc(np.ones(3), np.ones(3, bool))).all()
    assert np.isnan(confidence.selective_risk(none, none)[0]).all()


def test_calibration_finds_the_planted_map(drawn):
    """Logits divided by 2.5 are multiplied by it again."""
    scores, right = drawn
    z = np.log(scores / (1 - scores)) / 2.5
    flat = 1 / (1 + np.exp(-z))
    image = np.arange(len(scores)) // 7
    found = confidence.FoldCalibration(flat, right, image)(flat, image)
    assert np.abs(found - scores).mean() < 0.02
    (before,) = confidence.expected_calibration_error(flat, right)
    (after,) = confidence.expected_calibration_error(found, right)
    assert before > 0.1
    assert after < 0.02


def test_a_fold_is_not_judged_by_a_fit_on_itself():
    """Images of fold 0 are always right, others never: learned elsewhere."""
    image = np.arange(50)
    right = image % 5 == 0
    scores = np.full(50, 0.5)
    fit = confidence.FoldCalibration(scores, right, image)
    found = fit(scores, image)
    assert found[image % 5 == 0] == pytest.approx(0)
    assert found[image % 5 == 1] == pytest.approx(0.25)
