"""Whether a model's scores tell right keypoints from wrong ones.

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


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, NaN where the whole is 0."""
    return np.divide(
        part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0
    )


class ScoredKeypoints:
    """Keypoints in B resampled sets of images. All measures are ``(B,)``, NaN
    where undefined.

    Args:
        scores: ``(n,)``, the model's.
        right: ``(n,)`` bool, whether the prediction counts as right (in the
            benchmark: per-keypoint OKS of at least 0.5), or for
            :meth:`auroc` whether the keypoint is visible.
        weights: ``(B, I)`` whole numbers, how often each image stands in each
            set; by default one set of the keypoints as they are.
        image: ``(n,)`` index of each keypoint's image.
    """

    def __init__(
        self,
        scores: np.ndarray,
        right: np.ndarray,
        weights: np.ndarray | None = None,
        image: np.ndarray | None = None,
    ) -> None:
        self.scores = np.asarray(scores, float)
        self.right = np.asarray(right, bool)
        if weights is None or image is None:
            weights, image = np.ones((1, len(scores))), np.arange(len(scores))
        self.weights, self.image = np.asarray(weights, float), image

    def total(self, values: np.ndarray | None = None) -> np.ndarray:
        """(B,) sum of values (n,), by default their number."""
        images = self.weights.shape[1]
        return self.weights @ np.bincount(self.image, values, images)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(B,) mean of values (n,)."""
        return ratio(self.total(values), self.total())

    def _totals(
        self, level: np.ndarray, levels: int, values: np.ndarray
    ) -> np.ndarray:
        """(B, L) sums of values (n,) by level (n,)."""
        shape = levels, self.weights.shape[1]
        sums = csr_array(
            (np.asarray(values, float), (level, self.image)), shape=shape
        )
        return (sums @ self.weights.T).T

    def calibration_error(self) -> np.ndarray:
        """Expected calibration error: mean gap between score and fraction of
        right predictions, over bins.

        Scores are clipped to [0, 1]. The bins hold equally many of the
        keypoints as they are (resampled sets keep them) and never split equal
        scores.

        >>> import numpy as np
        >>> sure = ScoredKeypoints(np.full(10, 0.7), np.arange(10) < 7)
        >>> sure.calibration_error().round(3)
        array([0.])
        """
        number = len(self.scores)
        if not number:
            return np.full(len(self.weights), np.nan)
        clipped = np.clip(self.scores, 0, 1)
        first = np.linspace(0, number, BINS + 1).astype(int)[:-1]
        # a bin starts at the first of its equal scores
        edges = np.unique(np.sort(clipped)[first])
        place = np.searchsorted(edges, clipped, side='right') - 1
        gaps = self._totals(place, len(edges), clipped - self.right)
        return ratio(np.abs(gaps).sum(axis=1), self.total())

    def brier_score(self) -> np.ndarray:
        """Mean squared gap between score, clipped to [0, 1], and outcome."""
        return self.mean((np.clip(self.scores, 0, 1) - self.right) ** 2)

    def auroc(self) -> np.ndarray:
        """Probability that a right keypoint scores above a wrong one, ties one
        half.

        >>> right = np.array([1, 1, 0, 0], bool)
        >>> ScoredKeypoints(np.array([0.9, 0.5, 0.5, 0.1]), right).auroc()
        array([0.875])
        """
        level, levels = _levels(self.scores)
        good = self._totals(level, levels, self.right)
        bad = self._totals(level, levels, ~self.right)
        below = np.cumsum(bad, axis=1) - bad / 2
        pairs = good.sum(axis=1) * bad.sum(axis=1)
        return ratio((good * below).sum(axis=1), pairs)

    def confident_wrong_rate(self, threshold: float = CONFIDENT) -> np.ndarray:
        """Fraction of all keypoints that are wrong with a score above a
        threshold."""
        return self.mean((self.scores > threshold) & ~self.right)

    def risk_curve(self) -> np.ndarray:
        """``(n,)`` fraction of wrong predictions among the i highest scores,
        i from 1; resampled sets play no part. Equal scores are in random
        order: the curve is the mean over the orders."""
        known, group, sizes = np.unique(
            -self.scores, return_inverse=True, return_counts=True
        )
        wrong = np.bincount(group, ~self.right, len(known)) / sizes
        covered = np.arange(1, len(self.scores) + 1)
        return np.cumsum(np.repeat(wrong, sizes)) / covered

    def selective_risk(self) -> tuple[np.ndarray, np.ndarray]:
        """Area under the risk-coverage curve (AURC), and the risk at a
        coverage of :data:`COVERAGE`: (B,) each."""
        if not len(self.scores):
            none = np.full(len(self.weights), np.nan)
            return none, none
        level, levels = _levels(-self.scores)
        count = self._totals(level, levels, np.ones(len(level)))
        wrong = self._totals(level, levels, ~self.right)
        stop, lost = np.cumsum(count, axis=1), np.cumsum(wrong, axis=1)
        start, before = stop - count, lost - wrong
        share = np.nan_to_num(ratio(wrong, count))
        # inside of a level the i-th risk is (before + j share) / i, with
        # j = i - start: share + (before - share start) / i
        most = int(stop.max())
        harmonic = np.concatenate([[0], np.cumsum(1 / np.arange(1, most + 1))])
        inverse = harmonic[stop.astype(int)] - harmonic[start.astype(int)]
        sums = (wrong + (before - share * start) * inverse).sum(axis=1)
        number = stop[:, -1]
        kept = np.maximum(1, np.round(COVERAGE * number))
        at = (stop < kept[:, None]).sum(axis=1)
        at = np.arange(len(at)), np.minimum(at, levels - 1)
        wrong_kept = before[at] + (kept - start[at]) * share[at]
        known = number > 0
        return ratio(sums, number), ratio(wrong_kept * known, kept * known)


def _levels(scores: np.ndarray) -> tuple[np.ndarray, int]:
    """Rank (n,) of each score among the different ones, and their number."""
    known, level = np.unique(scores, return_inverse=True)
    if len(known) > MAX_LEVELS:
        first = np.linspace(0, len(scores), MAX_LEVELS + 1).astype(int)[1:-1]
        edges = np.sort(scores)[first]
        level = np.searchsorted(np.unique(edges), scores, side='right')
    return level, int(level.max(initial=-1)) + 1


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
