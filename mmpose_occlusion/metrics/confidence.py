"""Whether a model's scores tell right keypoints from wrong ones.

All functions take one entry per keypoint: ``scores`` (n,), the model's score,
and ``right`` (n,) bool, whether the prediction counts as right (in the
benchmark: per-keypoint OKS of at least 0.5). ``weights`` (B, G) says how often
each group, such as an image, stands in each of B resampled sets, and ``group``
(n,) is the group of each keypoint; without ``group`` each keypoint is its own.
Without weights the result is that of the keypoints as they are, shape (1,). A
value is NaN where it is undefined.

Sources: expected calibration error with bins of equal mass, Nixon et al.,
CVPR Workshops 2019; risk and coverage, Geifman and El-Yaniv, NeurIPS 2017;
temperature, Guo et al., ICML 2017.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.sparse import csr_array
from scipy.special import expit, logit

BINS = 15
"""Of the expected calibration error."""

COVERAGE = 0.8
"""At which the selective risk is read."""

CONFIDENT = 0.3
"""Score above which a prediction counts as confident."""

_EPS = 1e-6


MAX_LEVELS = 2048
"""Scores of more keypoints are put into so many groups of equally many, whose
scores count as equal: for AUROC, AURC and risk."""


class _Drawn:
    """Keypoints in B resampled sets."""

    def __init__(
        self, number: int, weights: np.ndarray | None, group: np.ndarray | None
    ) -> None:
        self.group = np.arange(number) if group is None else group
        self.weights = (
            np.ones((1, int(self.group.max(initial=0)) + 1))
            if weights is None
            else np.asarray(weights, float)
        )

    def total(self, values: np.ndarray | None = None) -> np.ndarray:
        """(B,) sum of values (n,), by default their number."""
        groups = self.weights.shape[1]
        return self.weights @ np.bincount(self.group, values, groups)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(B,) mean of values (n,)."""
        return _ratio(self.total(values), self.total())

    def totals(
        self, level: np.ndarray, levels: int, values: np.ndarray
    ) -> np.ndarray:
        """(B, L) sums of values (n,) by level (n,)."""
        shape = levels, self.weights.shape[1]
        sums = csr_array(
            (np.asarray(values, float), (level, self.group)), shape=shape
        )
        return (sums @ self.weights.T).T


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(
        part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0
    )


def _levels(scores: np.ndarray) -> tuple[np.ndarray, int]:
    """Rank (n,) of each score among the different ones, and their number."""
    known, level = np.unique(scores, return_inverse=True)
    if len(known) > MAX_LEVELS:
        first = np.linspace(0, len(scores), MAX_LEVELS + 1).astype(int)[1:-1]
        edges = np.sort(scores)[first]
        level = np.searchsorted(np.unique(edges), scores, side='right')
    return level, int(level.max(initial=-1)) + 1


def expected_calibration_error(
    scores: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    group: np.ndarray | None = None,
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
    drawn = _Drawn(len(scores), weights, group)
    if not len(scores):
        return np.full(len(drawn.weights), np.nan)
    clipped = np.clip(scores, 0, 1)
    ranked = np.sort(clipped)
    first = np.linspace(0, len(ranked), bins + 1).astype(int)[:-1]
    # a bin starts at the first of its equal scores
    edges = np.unique(ranked[first])
    place = np.searchsorted(edges, clipped, side='right') - 1
    gaps = drawn.totals(place, len(edges), clipped - right)
    return _ratio(np.abs(gaps).sum(axis=1), drawn.total())


def brier_score(
    scores: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> np.ndarray:
    """Mean squared gap between score, clipped to [0, 1], and outcome: (B,)."""
    squared = (np.clip(scores, 0, 1) - right) ** 2
    return _Drawn(len(scores), weights, group).mean(squared)


def auroc(
    scores: np.ndarray,
    positive: np.ndarray,
    weights: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> np.ndarray:
    """Probability that a positive scores above a negative, ties one half.

    Args:
        scores: (n,).
        positive: (n,) bool: right predictions, or visible keypoints.
        weights: (B, G).
        group: (n,).

    Returns:
        (B,); NaN without positives or without negatives.

    >>> auroc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0], bool))
    array([0.875])
    """
    drawn = _Drawn(len(scores), weights, group)
    if not len(scores):
        return np.full(len(drawn.weights), np.nan)
    chosen = np.asarray(positive, bool)
    level, levels = _levels(scores)
    good = drawn.totals(level, levels, chosen)
    bad = drawn.totals(level, levels, ~chosen)
    below = np.cumsum(bad, axis=1) - bad / 2
    return _ratio(
        (good * below).sum(axis=1), good.sum(axis=1) * bad.sum(axis=1)
    )


def confident_wrong_rate(
    scores: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    group: np.ndarray | None = None,
    threshold: float = CONFIDENT,
) -> np.ndarray:
    """Share of all keypoints that are wrong with a score above a threshold.

    Returns:
        (B,).
    """
    wrong = (np.asarray(scores) > threshold) & ~np.asarray(right, bool)
    return _Drawn(len(scores), weights, group).mean(wrong)


def right_rate(
    right: np.ndarray,
    weights: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> np.ndarray:
    """Share of right predictions: (B,)."""
    return _Drawn(len(right), weights, group).mean(right)


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
    group: np.ndarray | None = None,
    coverage: float = COVERAGE,
) -> tuple[np.ndarray, np.ndarray]:
    """Area under the risk-coverage curve, and the risk at one coverage.

    Args:
        scores: (n,).
        right: (n,) bool.
        weights: (B, G) whole numbers.
        group: (n,).
        coverage: Share of the keypoints that are kept.

    Returns:
        AURC (B,) and risk (B,).
    """
    drawn = _Drawn(len(scores), weights, group)
    if not len(scores):
        none = np.full(len(drawn.weights), np.nan)
        return none, none
    level, levels = _levels(-np.asarray(scores, float))
    count = drawn.totals(level, levels, np.ones(len(scores)))
    wrong = drawn.totals(level, levels, ~np.asarray(right, bool))
    stop, lost = np.cumsum(count, axis=1), np.cumsum(wrong, axis=1)
    start, before = stop - count, lost - wrong
    share = np.divide(wrong, count, out=np.zeros_like(wrong), where=count > 0)
    # inside of a level the i-th risk is (before + j share) / i, with
    # j = i - start: share + (before - share start) / i
    most = int(stop.max())
    harmonic = np.concatenate([[0], np.cumsum(1 / np.arange(1, most + 1))])
    inverse = harmonic[stop.astype(int)] - harmonic[start.astype(int)]
    sums = (wrong + (before - share * start) * inverse).sum(axis=1)
    number = stop[:, -1]
    kept = np.maximum(1, np.round(coverage * number))
    at = (stop < kept[:, None]).sum(axis=1)
    row, at = np.arange(len(at)), np.minimum(at, levels - 1)
    inside = (kept - start[row, at]) * share[row, at]
    known = np.where(number > 0, 1.0, 0.0)
    return (
        _ratio(sums, number),
        _ratio((before[row, at] + inside) * known, kept * known),
    )


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


class FoldCalibration:
    """Calibrated scores, each from a fit on clean predictions of other images.

    Args:
        kind: One of :data:`CALIBRATIONS`.
        scores: (n,) of clean predictions.
        right: (n,) bool.
        image: (n,) index of each keypoint's image.
        folds: Images are spread over so many folds by their index.
    """

    def __init__(
        self,
        kind: str,
        scores: np.ndarray,
        right: np.ndarray,
        image: np.ndarray,
        folds: int = 5,
    ) -> None:
        self._fits: list[Calibration | None] = []
        for fold in range(folds):
            others = image % folds != fold
            self._fits.append(
                CALIBRATIONS[kind](scores[others], right[others])
                if others.any()
                else None
            )

    def __call__(self, scores: np.ndarray, image: np.ndarray) -> np.ndarray:
        """(m,) probabilities of scores (m,), clean or attacked; NaN where the
        other folds hold no keypoint."""
        out = np.full(len(scores), np.nan)
        fold = image % len(self._fits)
        for i, fit in enumerate(self._fits):
            if fit is not None:
                out[fold == i] = fit(scores[fold == i])
        return out
