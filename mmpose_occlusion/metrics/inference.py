"""Statements over many attacks at once, from shared bootstrap draws.

``values`` (A, 1 + B) holds a statistic of A attacks: column 0 of the images as
they are, the others of B resampled sets of images, the same sets in every row.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, norm

LEVEL = 0.95
MARGIN = 0.005
"""Difference of AP below which two results count as equal."""

POWER = 0.8
"""Of the smallest detectable effect."""


def simultaneous_intervals(
    values: np.ndarray, level: float = LEVEL
) -> np.ndarray:
    """Intervals that hold for all attacks together.

    The half width of each is its standard error times the quantile of the
    greatest standardised deviation over the attacks (max-|t| bootstrap; Romano
    and Wolf, JASA 2005).

    Args:
        values: (A, 1 + B).
        level: Probability that all intervals cover.

    Returns:
        (A, 2) low and high; NaN where a statistic is undefined.
    """
    point, drawn = values[:, :1], values[:, 1:]
    known = np.isfinite(drawn)
    number = np.maximum(known.sum(axis=1, keepdims=True), 2)
    mean = np.where(known, drawn, 0).sum(axis=1, keepdims=True) / number
    spread = np.where(known, drawn - mean, 0)
    error = np.sqrt((spread**2).sum(axis=1, keepdims=True) / (number - 1))
    with np.errstate(invalid='ignore', divide='ignore'):
        t = np.abs(drawn - point) / error
    t = np.where(np.isfinite(t), t, 0)
    greatest = t.max(axis=0) if len(t) else np.zeros(0)
    width = np.quantile(greatest, level) * error if len(greatest) else error
    return np.concatenate([point - width, point + width], axis=1)


@dataclass(frozen=True)
class Equivalence:
    """Whether a difference is as good as none.

    Args:
        margin: Greatest difference that counts as none.
        p: Of the two one-sided tests (Schuirmann 1987), normal with the
            bootstrap's standard error; None where it is undefined.
        equal: Whether ``p`` is at most 0.05.
        smallest_effect: Difference that a test at 5 % finds with
            probability :data:`POWER`.
    """

    margin: float
    p: float | None
    equal: bool
    smallest_effect: float | None


def equivalence(
    values: np.ndarray, margin: float = MARGIN, alpha: float = 0.05
) -> Equivalence:
    """Two one-sided tests that a difference lies within a margin.

    Args:
        values: (1 + B,).
        margin: Above 0, in the statistic's units.
        alpha: Level of each test.
    """
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or len(drawn) < 2:
        return Equivalence(margin, None, False, None)
    error = float(np.std(drawn, ddof=1))
    effect = (norm.ppf(1 - alpha / 2) + norm.ppf(POWER)) * error
    gap = margin - abs(float(values[0]))
    p = float(norm.sf(gap / error)) if error else float(gap <= 0)
    return Equivalence(margin, p, p <= alpha, float(effect))


def rank_agreement(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Kendall's tau-b between two statistics over attacks or joints.

    Args:
        one: (A, 1 + B).
        other: (A, 1 + B), of the same draws.

    Returns:
        (1 + B,); NaN where fewer than three rows are defined.
    """
    out = np.full(one.shape[1], np.nan)
    for draw in range(one.shape[1]):
        a, b = one[:, draw], other[:, draw]
        known = np.isfinite(a) & np.isfinite(b)
        if known.sum() > 2:
            out[draw] = kendalltau(a[known], b[known]).statistic
    return out


def rank_correlation(
    one: np.ndarray, other: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Spearman's correlation of two values in resampled sets.

    Args:
        one: (n,).
        other: (n,).
        weights: (B, n) how often each row is drawn.

    Returns:
        (B,); NaN where a value is constant or nothing is drawn.
    """
    weights = np.asarray(weights, float)
    ranks = [_drawn_ranks(values, weights) for values in (one, other)]
    number = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid='ignore', divide='ignore'):
        a, b = (
            r - (weights * r).sum(axis=1, keepdims=True) / number
            for r in ranks
        )
        spread = (weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1)
        found = (weights * a * b).sum(axis=1) / np.sqrt(spread)
    return np.where(spread > 1e-9, found, np.nan)


def _drawn_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B, n) mean ranks of values (n,), equal ones share theirs."""
    known, level = np.unique(values, return_inverse=True)
    order = np.argsort(level, kind='stable')
    starts = np.searchsorted(level[order], np.arange(len(known)))
    if not len(known):
        return np.zeros_like(weights)
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(counts, axis=1) - (counts - 1) / 2
    return middle[:, level]
