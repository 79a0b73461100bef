"""Bootstrap over images: weights, means, intervals, and statements over many
attacks and severities from the same draws.

Sources: simultaneous intervals, Romano and Wolf, JASA 2005; two one-sided
tests, Schuirmann 1987.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import kendalltau, norm

from mmpose_occlusion.metrics.confidence import ratio

DRAWS = 1000
"""Resampled sets of images."""

LEVEL = 0.95

MARGIN = 0.005
"""Difference of AP below which two results count as equal."""

POWER = 0.8
"""Of the smallest detectable effect."""


class Record(dict[str, Any]):
    """A dict whose keys are attributes, too: results as ``report.json`` has
    them, which docs/benchmark_analysis.md defines."""

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f'no {name} among {list(self)}')


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval, None where undefined."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, *numbers: float) -> 'Estimate':
        """From three numbers, None where they are not finite."""
        return cls(*(float(x) if np.isfinite(x) else None for x in numbers))

    @property
    def is_real(self) -> bool:
        """Whether the interval excludes 0."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0


UNDEFINED = Estimate(None, None, None)

Draws = dict[str, np.ndarray]
"""Measure -> ``(1 + B,)`` values: of the images, and of resampled sets."""


def draw_weights(images: int, draws: int, seed: int = 0) -> np.ndarray:
    """How often each image is drawn, with replacement: ``(1 + draws, images)``
    float64, the first row 1."""
    weights = np.ones((1 + draws, images))
    if images:
        generator = np.random.default_rng(seed)
        weights[1:] = generator.multinomial(
            images, np.full(images, 1 / images), size=draws
        )
    return weights


def estimate(values: np.ndarray, censored: bool = False) -> Estimate:
    """Value and percentile interval of ``(1 + B,)`` values, the first of the
    data; NaN where undefined. ``censored`` are sizes that are infinite where
    they are never reached; such ends are None."""
    if not (censored or np.isfinite(values[0])):
        return UNDEFINED
    drawn = values[1:]
    drawn = drawn[~np.isnan(drawn) if censored else np.isfinite(drawn)]
    if not len(drawn):
        return Estimate.of(values[0], np.nan, np.nan)
    levels = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    # between a size and infinity there is nothing to interpolate
    method: Any = 'nearest' if censored else 'linear'
    return Estimate.of(values[0], *np.quantile(drawn, levels, method=method))


def estimates(found: Any) -> Any:
    """Nested results with an estimate in place of each array of draws."""
    if isinstance(found, np.ndarray):
        return estimate(found)
    if isinstance(found, Mapping):
        return Record({k: estimates(each) for k, each in found.items()})
    if isinstance(found, list):
        return [estimates(each) for each in found]
    return found


def difference(a: Draws, b: Draws) -> Draws:
    """``a - b`` of the measures that both have, draw by draw."""
    return {name: a[name] - b[name] for name in a if name in b}


def weighted_mean(
    weights: np.ndarray,
    image: np.ndarray,
    values: np.ndarray,
    mask: np.ndarray | bool = True,
    by_joint: bool = False,
) -> np.ndarray:
    """Mean ``(B,)`` of the defined values ``(N, K)`` in a mask ``(N, K)`` over
    resampled images, or ``(K, B)`` of each joint by itself; NaN without any.
    Images have weights ``(B, I)``, bboxes an index of the image."""
    known = mask & np.isfinite(values)
    both = [np.where(known, values, 0), known]
    if not by_joint:
        both = [each.sum(axis=1) for each in both]
    return ratio(*(resampled_sum(weights, image, each) for each in both))


def resampled_sum(
    weights: np.ndarray, image: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """``(B,)`` sums of values ``(N,)`` over resampled images, or ``(K, B)``
    of ``(N, K)``."""
    if values.ndim == 1:
        return resampled_sum(weights, image, values[:, None])[0]
    images, joints = weights.shape[1], values.shape[1]
    place = image[:, None] * joints + np.arange(joints)
    sums = np.bincount(place.ravel(), values.ravel(), images * joints)
    return (weights @ sums.reshape(images, joints)).T


def simultaneous(draws: Sequence[Draws], images: int) -> list[Record]:
    """Estimates of several attacks with :func:`simultaneous_intervals`;
    without intervals for one image or less than two draws."""
    out = [Record() for _ in draws]
    for name in draws[0] if draws else ():
        values = np.stack([each[name] for each in draws])
        ends = simultaneous_intervals(values)
        if values.shape[1] < 3 or images < 2:
            ends = np.full(ends.shape, np.nan)
        for found, row in zip(out, np.c_[values[:, 0], ends], strict=True):
            found[name] = Estimate.of(*row)
    return out


def simultaneous_intervals(values: np.ndarray) -> np.ndarray:
    """Intervals ``(A, 2)`` of a statistic of A attacks, ``(A, 1 + B)`` from
    the same draws, that hold for all together with a probability of
    :data:`LEVEL`; NaN where it is undefined.

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
    width = np.quantile(greatest, LEVEL) * error if len(greatest) else error
    return np.concatenate([point - width, point + width], axis=1)


def equivalence(values: np.ndarray) -> Record:
    """Whether a difference ``(1 + B,)`` is as good as none.

    ``p`` of the two one-sided tests that it lies within :data:`MARGIN`
    (normal, with the bootstrap's standard error; None where undefined),
    ``equal`` if it is at most 5 %, and the ``smallest_effect`` that a
    two-sided test at 5 % finds with probability :data:`POWER`."""
    drawn = values[1:][np.isfinite(values[1:])]
    p = effect = None
    if np.isfinite(values[0]) and len(drawn) > 1:
        error = float(np.std(drawn, ddof=1))
        gap = MARGIN - abs(float(values[0]))
        p = float(norm.sf(gap / error)) if error else float(gap <= 0)
        reach = norm.ppf((1 + LEVEL) / 2) + norm.ppf(POWER)
        effect = float(reach * error)
    equal = p is not None and p <= 1 - LEVEL
    return Record(margin=MARGIN, p=p, equal=equal, smallest_effect=effect)


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


def crossing(
    severities: Sequence[float], curve: np.ndarray, level: np.ndarray
) -> np.ndarray:
    """Smallest severity at which a measure has fallen to a level ``(1 + B,)``;
    with half of the clean measure as the level this is S50.

    Linear between severities ``(S,)``, rising from 0, of a curve ``(S, 1 +
    B)``, first the clean measure; infinite where it never does.
    """
    out = np.full(curve.shape[1], np.inf)
    for i in range(len(severities) - 1, 0, -1):
        start, end = severities[i - 1 : i + 1]
        above, below = curve[i - 1 : i + 1]
        falls = (above > level) & (below <= level)
        with np.errstate(invalid='ignore', divide='ignore'):
            share = (above - level) / (above - below)
        out = np.where(falls, start + share * (end - start), out)
    out = np.where(curve[0] <= level, 0, out)
    known = np.isfinite(curve).all(axis=0) & np.isfinite(level)
    return np.where(known, out, np.nan)
