"""Whether a model's scores tell right keypoints from wrong ones.

All functions take one entry per keypoint: ``scores`` (n,), the model's score,
and ``right`` (n,) bool, whether the prediction counts as right (in the
benchmark: per-keypoint OKS of at least 0.5). ``weights`` (B, n) says how often
each keypoint stands in each of B resampled sets; without it the result is that
of the keypoints as they are, shape (1,). A value is NaN where it is undefined.

Sources: expected calibration error with bins of equal mass, Nixon et al.,
CVPR Workshops 2019; risk and coverage, Geifman and El-Yaniv, NeurIPS 2017;
temperature, Guo et al., ICML 2017.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import expit, logit

BINS = 15
"""Of the expected calibration error."""

COVERAGE = 0.8
"""At which the selective risk is read."""

CONFIDENT = 0.3
"""Score above which a prediction counts as confident."""

_EPS = 1e-6


def _weights(weights: np.ndarray | None, n: int) -> np.ndarray:
    return np.ones((1, n)) if weights is None else np.asarray(weights, float)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(
        part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0
    )


def expected_calibration_error(
    scores: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    bins: int = BINS,
) -> np.ndarray:
    """Mean gap between score and share of right predictions, over bins.

    Scores are clipped to [0, 1]. The bins hold equally many of the keypoints
    as they are (resampled sets keep them) and never split equal scores.

    Returns:
        (B,) between 0 and 1.

    >>> import numpy as np
    >>> sure = np.full(10, 0.7)
    >>> expected_calibration_error(sure, np.arange(10) < 7).round(3)
    array([0.])
    """
    weights = _weights(weights, len(scores))
    if not len(scores):
        return np.full(len(weights), np.nan)
    clipped = np.clip(scores, 0, 1)
    order = np.argsort(clipped, kind='stable')
    ranked = clipped[order]
    edges = np.linspace(0, len(ranked), bins + 1).astype(int)[:-1]
    # a bin starts at the first of its equal scores
    starts = np.unique(np.searchsorted(ranked, ranked[edges]))
    gaps = (weights * (clipped - right))[:, order]
    summed = np.add.reduceat(gaps, starts, axis=1)
    return _ratio(np.abs(summed).sum(axis=1), weights.sum(axis=1))


def brier_score(
    scores: np.ndarray, right: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Mean squared gap between score, clipped to [0, 1], and outcome: (B,)."""
    weights = _weights(weights, len(scores))
    squared = (np.clip(scores, 0, 1) - right) ** 2
    return _ratio(weights @ squared, weights.sum(axis=1))


def auroc(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Probability that a positive scores above a negative, ties one half.

    Args:
        scores: (n,).
        positive: (n,) bool: right predictions, or visible keypoints.
        weights: (B, n).

    Returns:
        (B,); NaN without positives or without negatives.

    >>> auroc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0], bool))
    array([0.875])
    """
    weights = _weights(weights, len(scores))
    if not len(scores):
        return np.full(len(weights), np.nan)
    order = np.argsort(scores, kind='stable')
    ranked = np.asarray(scores)[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    chosen = np.asarray(positive, bool)[order]
    drawn = weights[:, order]
    good = np.add.reduceat(np.where(chosen, drawn, 0), starts, axis=1)
    bad = np.add.reduceat(np.where(chosen, 0, drawn), starts, axis=1)
    below = np.cumsum(bad, axis=1) - bad / 2
    return _ratio(
        (good * below).sum(axis=1), good.sum(axis=1) * bad.sum(axis=1)
    )


def confident_wrong_rate(
    scores: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    threshold: float = CONFIDENT,
) -> np.ndarray:
    """Share of all keypoints that are wrong with a score above a threshold.

    Returns:
        (B,).
    """
    weights = _weights(weights, len(scores))
    wrong = (np.asarray(scores) > threshold) & ~np.asarray(right, bool)
    return _ratio(weights @ wrong, weights.sum(axis=1))


def risk_coverage_curve(
    scores: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Share of wrong predictions among those with the highest scores.

    Equal scores are in random order: the curve is the mean over the orders.

    Returns:
        Coverage (n,), i / n of the i highest scores, and risk (n,).
    """
    n = len(scores)
    order = np.argsort(-np.asarray(scores, float), kind='stable')
    ranked = np.asarray(scores)[order]
    wrong = ~np.asarray(right, bool)[order]
    group = np.cumsum(np.r_[True, ranked[1:] != ranked[:-1]][:n]) - 1
    sizes = np.bincount(group)
    expected = (np.bincount(group, wrong) / np.maximum(sizes, 1))[group]
    covered = np.arange(1, n + 1)
    return covered / max(n, 1), np.cumsum(expected) / covered


def selective_risk(
    scores: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    coverage: float = COVERAGE,
) -> tuple[np.ndarray, np.ndarray]:
    """Area under the risk-coverage curve, and the risk at one coverage.

    Args:
        scores: (n,).
        right: (n,) bool.
        weights: (B, n) whole numbers.
        coverage: Share of the keypoints that are kept.

    Returns:
        AURC (B,) and risk (B,).
    """
    weights = _weights(weights, len(scores))
    area, risk = np.full((2, len(weights)), np.nan)
    for i, row in enumerate(weights):
        drawn = np.repeat(np.arange(len(scores)), row.astype(int))
        if not len(drawn):
            continue
        _, risks = risk_coverage_curve(
            np.asarray(scores)[drawn], np.asarray(right)[drawn]
        )
        area[i] = risks.mean()
        kept = max(1, round(coverage * len(drawn)))
        risk[i] = risks[kept - 1]
    return area, risk


Calibration = Callable[[np.ndarray], np.ndarray]
"""Scores -> probabilities of being right."""


def fit_isotonic(scores: np.ndarray, right: np.ndarray) -> Calibration:
    """The best rising map from scores to probabilities, by least squares.

    Between the fitted scores it is linear, beyond them constant.
    """
    known, place = np.unique(scores, return_inverse=True)
    number = np.bincount(place)
    share = np.bincount(place, np.asarray(right, float)) / number
    fitted = isotonic_regression(share, weights=number).x
    return lambda values: np.interp(values, known, fitted)


def fit_temperature(scores: np.ndarray, right: np.ndarray) -> Calibration:
    """The temperature that makes the outcomes most likely.

    Scores are clipped to (0, 1); their logits are divided by the temperature.
    """
    z = logit(np.clip(scores, _EPS, 1 - _EPS))
    y = np.asarray(right, float)

    def loss(log_temperature: float) -> float:
        scaled = z / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, scaled) - y * scaled))

    temperature = np.exp(minimize_scalar(loss, bounds=(-5, 5)).x)
    return lambda values: expit(
        logit(np.clip(values, _EPS, 1 - _EPS)) / temperature
    )


CALIBRATIONS = {'isotonic': fit_isotonic, 'temperature': fit_temperature}


def calibrate_by_fold(
    kind: str,
    fit_scores: np.ndarray,
    fit_right: np.ndarray,
    fit_image: np.ndarray,
    scores: np.ndarray,
    image: np.ndarray,
    folds: int = 5,
) -> np.ndarray:
    """Calibrated scores, each from a fit on other images.

    Args:
        kind: One of :data:`CALIBRATIONS`.
        fit_scores: (n,) of clean predictions.
        fit_right: (n,) bool.
        fit_image: (n,) index of each keypoint's image.
        scores: (m,) to be calibrated, clean or attacked.
        image: (m,) index of each keypoint's image.
        folds: Images are spread over so many folds by their index.

    Returns:
        (m,) probabilities; NaN where the other folds hold no keypoint.
    """
    out = np.full(len(scores), np.nan)
    for fold in range(folds):
        others = fit_image % folds != fold
        mine = image % folds == fold
        if others.any() and mine.any():
            fit = CALIBRATIONS[kind](fit_scores[others], fit_right[others])
            out[mine] = fit(scores[mine])
    return out
