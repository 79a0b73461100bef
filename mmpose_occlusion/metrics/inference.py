"""Statements over many attacks and severities, from shared bootstrap draws.

``values`` ``(A, 1 + B)`` holds a statistic of A attacks: column 0 of the
images as they are, the others of B resampled sets of images, the same sets in
every row.

Sources: simultaneous intervals, Romano and Wolf, JASA 2005; two one-sided
tests, Schuirmann 1987; mPC and rPC, Michaelis et al., "Benchmarking robustness
in object detection", 2019; mOE is as mCE of Hendrycks and Dietterich, ICLR
2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, norm

LEVEL = 0.95

MARGIN = 0.005
"""Difference of AP below which two results count as equal."""

POWER = 0.8
"""Of the smallest detectable effect."""

Curves = Mapping[str, np.ndarray]
"""Name of a corruption -> ``(S, 1 + B)`` measure by severity."""


def simultaneous_intervals(
    values: np.ndarray, level: float = LEVEL
) -> np.ndarray:
    """Intervals ``(A, 2)`` that hold for all attacks together with a
    probability of ``level``; NaN where a statistic is undefined.

    The half width of each is its standard error times the quantile of the
    greatest standardised deviation over the attacks (max-|t| bootstrap)."""
    point, drawn = values[:, :1], values[:, 1:]
    known = np.isfinite(drawn)
    number = np.maximum(known.sum(axis=1, keepdims=True), 2)
    mean = np.where(known, drawn, 0).sum(axis=1, keepdims=True) / number
    spread = np.where(known, drawn - mean, 0)
    error = np.sqrt((spread**2).sum(axis=1, keepdims=True) / (number - 1))
    with np.errstate(invalid='ignore', divide='ignore'):
        t = np.abs(drawn - point) / error
    greatest = np.where(np.isfinite(t), t, 0).max(axis=0, initial=0)
    width = np.quantile(greatest, level) * error if len(greatest) else error
    return np.concatenate([point - width, point + width], axis=1)


@dataclass(frozen=True)
class Equivalence:
    """Whether a difference is as good as none: ``p`` of the two one-sided
    tests that it lies within the margin (normal, with the bootstrap's standard
    error; None where undefined), ``equal`` if it is at most 0.05, and the
    smallest effect that a test at 5 % finds with probability :data:`POWER`."""

    margin: float
    p: float | None
    equal: bool
    smallest_effect: float | None


def equivalence(
    values: np.ndarray, margin: float = MARGIN, alpha: float = 0.05
) -> Equivalence:
    """Two one-sided tests, each at ``alpha``, that a difference ``(1 + B,)``
    lies within a margin."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or len(drawn) < 2:
        return Equivalence(margin, None, False, None)
    error = float(np.std(drawn, ddof=1))
    effect = (norm.ppf(1 - alpha / 2) + norm.ppf(POWER)) * error
    gap = margin - abs(float(values[0]))
    p = float(norm.sf(gap / error)) if error else float(gap <= 0)
    return Equivalence(margin, p, p <= alpha, float(effect))


def rank_agreement(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Kendall's tau-b between two statistics ``(A, 1 + B)`` over attacks,
    joints or models: ``(1 + B,)``, NaN where fewer than three rows are
    defined."""
    out = np.full(one.shape[1], np.nan)
    known = np.isfinite(one) & np.isfinite(other)
    for draw in np.flatnonzero(known.sum(axis=0) > 2):
        rows = known[:, draw]
        out[draw] = kendalltau(one[rows, draw], other[rows, draw]).statistic
    return out


def rank_correlation(
    one: np.ndarray, other: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Spearman's correlation ``(B,)`` of two values ``(n,)`` in sets that draw
    each row as often as ``weights`` ``(B, n)`` say; NaN where a value is
    constant or nothing is drawn."""
    weights = np.asarray(weights, float)
    number = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid='ignore', divide='ignore'):
        a, b = (
            r - (weights * r).sum(axis=1, keepdims=True) / number
            for r in (_drawn_ranks(v, weights) for v in (one, other))
        )
        spread = (weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1)
        found = (weights * a * b).sum(axis=1) / np.sqrt(spread)
    return np.where(spread > 1e-9, found, np.nan)


def _drawn_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``(B, n)`` mean ranks of values ``(n,)``, equal ones share theirs."""
    known, level = np.unique(values, return_inverse=True)
    if not len(known):
        return np.zeros_like(weights)
    order = np.argsort(level, kind='stable')
    starts = np.searchsorted(level[order], np.arange(len(known)))
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(counts, axis=1) - (counts - 1) / 2
    return middle[:, level]


def mean_performance(curves: Curves) -> np.ndarray:
    """mPC: mean over corruptions of the mean over their severities,
    ``(1 + B,)``."""
    return np.mean([curve.mean(axis=0) for curve in curves.values()], axis=0)


def mean_occlusion_error(curves: Curves, reference: Curves) -> np.ndarray:
    """mOE ``(1 + B,)``: mean over corruptions of the error, 1 minus the
    measure summed over severities, relative to a reference model with the same
    corruptions; 1 is as good as the reference, less is better."""
    with np.errstate(invalid='ignore', divide='ignore'):
        ratios = [
            (1 - curve).sum(axis=0) / (1 - reference[name]).sum(axis=0)
            for name, curve in curves.items()
        ]
    return np.mean(ratios, axis=0)


def crossing(
    severities: np.ndarray,
    curve: np.ndarray,
    clean: np.ndarray,
    level: np.ndarray,
) -> np.ndarray:
    """Smallest severity at which a measure has fallen to a level; with half of
    the clean measure as the level this is S50.

    Linear between severities ``(S,)``, rising, of a curve ``(S, 1 + B)``, from
    the clean measure ``(1 + B,)`` at severity 0. Infinite where it never does,
    0 where the clean measure is there already.

    >>> clean = np.array([0.8])
    >>> crossing(np.array([0.1, 0.2]), np.array([[0.6], [0.2]]), clean,
    ...          clean / 2).round(3)
    array([0.15])
    """
    x = np.concatenate([[0.0], severities])
    y = np.concatenate([clean[None], curve])
    out = np.full(y.shape[1], np.inf)
    for i in range(len(x) - 1, 0, -1):
        above, below = y[i - 1], y[i]
        falls = (above > level) & (below <= level)
        with np.errstate(invalid='ignore', divide='ignore'):
            share = (above - level) / (above - below)
        out = np.where(falls, x[i - 1] + share * (x[i] - x[i - 1]), out)
    out = np.where(y[0] <= level, 0, out)
    return np.where(
        np.isfinite(y).all(axis=0) & np.isfinite(level), out, np.nan
    )
