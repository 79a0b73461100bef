"""Whether a model's scores tell right keypoints from wrong ones.

All functions take one entry per keypoint: ``scores`` (n,), the model's score,
and ``right`` (n,) bool, whether the prediction counts as right (in the
benchmark: per-keypoint OKS of at least 0.5). They return ``(B,)`` values, one
for each resampled set of images, NaN where undefined; without ``sets`` one
value of the keypoints as they are.

Sources: expected calibration error with bins of equal mass, Nixon et al.,
CVPR Workshops 2019; risk and coverage, Geifman and El-Yaniv, NeurIPS 2017.
"""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.sparse import csr_array

BINS = 15
"""Of the expected calibration error."""

COVERAGE = 0.8
"""At which the selective risk is read."""

CONFIDENT = 0.3
"""Score above which a prediction counts as confident."""

MAX_LEVELS = 2048
"""Scores of more keypoints are put into so many groups of equally many, whose
scores count as equal: for AUROC, AURC and risk."""

FOLDS = 5
"""Of images, for calibration."""


class ResampledSets:
    """Keypoints in B resampled sets of images: weights ``(B, I)``, how often
    each image stands in each set, and the index ``(n,)`` of each keypoint's
    image."""

    def __init__(self, weights: np.ndarray, image: np.ndarray) -> None:
        self.weights, self.image = np.asarray(weights, float), image

    def total(self, values: np.ndarray | None = None) -> np.ndarray:
        """(B,) sum of values (n,), by default their number."""
        images = self.weights.shape[1]
        return self.weights @ np.bincount(self.image, values, images)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(B,) mean of values (n,)."""
        return ratio(self.total(values), self.total())

    def totals(
        self, level: np.ndarray, levels: int, values: np.ndarray
    ) -> np.ndarray:
        """(B, L) sums of values (n,) by level (n,)."""
        shape = levels, self.weights.shape[1]
        sums = csr_array(
            (np.asarray(values, float), (level, self.image)), shape=shape
        )
        return (sums @ self.weights.T).T


def _sets(sets: ResampledSets | None, scores: np.ndarray) -> ResampledSets:
    one = np.ones((1, len(scores)))
    return sets or ResampledSets(one, np.arange(len(scores)))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, NaN where the whole is 0."""
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
    scores: np.ndarray, right: np.ndarray, sets: ResampledSets | None = None
) -> np.ndarray:
    """Mean gap between score and fraction of right predictions, over bins.

    Scores are clipped to [0, 1]. The bins hold equally many of the keypoints
    as they are (resampled sets keep them) and never split equal scores.

    >>> import numpy as np
    >>> sure = np.full(10, 0.7)
    >>> expected_calibration_error(sure, np.arange(10) < 7).round(3)
    array([0.])
    """
    sets = _sets(sets, scores)
    if not len(scores):
        return np.full(len(sets.weights), np.nan)
    clipped = np.clip(scores, 0, 1)
    first = np.linspace(0, len(scores), BINS + 1).astype(int)[:-1]
    # a bin starts at the first of its equal scores
    edges = np.unique(np.sort(clipped)[first])
    place = np.searchsorted(edges, clipped, side='right') - 1
    gaps = sets.totals(place, len(edges), clipped - right)
    return ratio(np.abs(gaps).sum(axis=1), sets.total())


def brier_score(
    scores: np.ndarray, right: np.ndarray, sets: ResampledSets | None = None
) -> np.ndarray:
    """Mean squared gap between score, clipped to [0, 1], and outcome."""
    return _sets(sets, scores).mean((np.clip(scores, 0, 1) - right) ** 2)


def auroc(
    scores: np.ndarray, positive: np.ndarray, sets: ResampledSets | None = None
) -> np.ndarray:
    """Probability that a positive scores above a negative, ties one half.

    Positives (n,) bool are right predictions, or visible keypoints.

    >>> auroc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0], bool))
    array([0.875])
    """
    sets = _sets(sets, scores)
    if not len(scores):
        return np.full(len(sets.weights), np.nan)
    chosen = np.asarray(positive, bool)
    level, levels = _levels(scores)
    good = sets.totals(level, levels, chosen)
    bad = sets.totals(level, levels, ~chosen)
    below = np.cumsum(bad, axis=1) - bad / 2
    pairs = good.sum(axis=1) * bad.sum(axis=1)
    return ratio((good * below).sum(axis=1), pairs)


def confident_wrong_rate(
    scores: np.ndarray,
    right: np.ndarray,
    sets: ResampledSets | None = None,
    threshold: float = CONFIDENT,
) -> np.ndarray:
    """Fraction of all keypoints that are wrong with a score above a
    threshold."""
    wrong = (np.asarray(scores) > threshold) & ~np.asarray(right, bool)
    return _sets(sets, scores).mean(wrong)


def risk_coverage_curve(
    scores: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coverage ``(n,)``, i / n of the i highest scores, and risk ``(n,)``, the
    fraction of wrong predictions among them. Equal scores are in random order:
    the curve is the mean over the orders."""
    n = len(scores)
    known, group, sizes = np.unique(
        -np.asarray(scores, float), return_inverse=True, return_counts=True
    )
    wrong = np.bincount(group, ~np.asarray(right, bool), len(known)) / sizes
    covered = np.arange(1, n + 1)
    return covered / max(n, 1), np.cumsum(np.repeat(wrong, sizes)) / covered


def selective_risk(
    scores: np.ndarray,
    right: np.ndarray,
    sets: ResampledSets | None = None,
    coverage: float = COVERAGE,
) -> tuple[np.ndarray, np.ndarray]:
    """Area under the risk-coverage curve (AURC), and the risk at one
    coverage: (B,) each. Weights are whole numbers."""
    sets = _sets(sets, scores)
    if not len(scores):
        none = np.full(len(sets.weights), np.nan)
        return none, none
    level, levels = _levels(-np.asarray(scores, float))
    count = sets.totals(level, levels, np.ones(len(scores)))
    wrong = sets.totals(level, levels, ~np.asarray(right, bool))
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
    at = np.arange(len(at)), np.minimum(at, levels - 1)
    wrong_kept = before[at] + (kept - start[at]) * share[at]
    known = number > 0
    return ratio(sums, number), ratio(wrong_kept * known, kept * known)


def folds(image: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Masks (n,) of the members of each fold of images and of all others."""
    for fold in range(FOLDS):
        mine = image % FOLDS == fold
        yield mine, ~mine


class FoldCalibration:
    """Isotonic calibration: the best rising map, by least squares, from scores
    (n,) to probabilities of being right (n,) bool, fitted on clean predictions
    of other images, the index (n,) of which is ``image``. Between the fitted
    scores it is linear, beyond them constant."""

    def __init__(
        self, scores: np.ndarray, right: np.ndarray, image: np.ndarray
    ) -> None:
        self._fits = []
        for _, others in folds(image):
            known, place, number = np.unique(
                scores[others], return_inverse=True, return_counts=True
            )
            share = np.bincount(place, right[others]) / number
            if len(known):
                share = isotonic_regression(share, weights=number).x
            self._fits.append((known, share))

    def __call__(self, scores: np.ndarray, image: np.ndarray) -> np.ndarray:
        """(m,) probabilities of scores (m,), clean or attacked; NaN where the
        other folds hold no keypoint."""
        out = np.full(len(scores), np.nan)
        for (known, share), (mine, _) in zip(
            self._fits, folds(image), strict=True
        ):
            if len(known):
                out[mine] = np.interp(scores[mine], known, share)
        return out
