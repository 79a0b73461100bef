"""Bootstrap over images: weights, and percentile intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

DRAWS = 1000
"""Resampled sets of images."""

LEVEL = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval, None where it is undefined.

    Args:
        value: Of the data.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float | None
    low: float | None
    high: float | None

    @property
    def is_real(self) -> bool:
        """Whether the interval excludes 0."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0


Draws = dict[str, np.ndarray]
"""Measure -> ``(1 + B,)`` values: of the images, and of resampled sets."""

Estimates = dict[str, Estimate]
"""Measure -> estimate."""


def draw_weights(images: int, draws: int, seed: int = 0) -> np.ndarray:
    """How often each image is drawn, with replacement.

    Args:
        images: I, the number of images, and of draws in each set.
        draws: B, the number of sets.
        seed: Of the generator.

    Returns:
        ``(1 + B, I)`` float64; the first row is 1.
    """
    weights = np.ones((1 + draws, images))
    if images:
        generator = np.random.default_rng(seed)
        weights[1:] = generator.multinomial(
            images, np.full(images, 1 / images), size=draws
        )
    return weights


def estimate(values: np.ndarray, level: float = LEVEL) -> Estimate:
    """Value and percentile interval.

    Args:
        values: ``(1 + B,)``, the first of the data; NaN where undefined.
        level: Of the interval.
    """
    if not len(values) or not np.isfinite(values[0]):
        return Estimate(None, None, None)
    drawn = values[1:][np.isfinite(values[1:])]
    if not len(drawn):
        return Estimate(float(values[0]), None, None)
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(float(values[0]), float(low), float(high))


def censored_estimate(values: np.ndarray) -> Estimate:
    """Value and interval of sizes that may be infinite; such ends are None.

    Args:
        values: ``(1 + B,)``, infinite where a size is never reached.
    """
    drawn = values[1:][~np.isnan(values[1:])]
    tail = (1 - LEVEL) / 2
    ends = (
        np.quantile(drawn, [tail, 1 - tail], method='nearest')
        if len(drawn)
        else (np.nan, np.nan)
    )
    return Estimate(
        *(float(x) if np.isfinite(x) else None for x in (values[0], *ends))
    )


def estimates(draws: Mapping[str, np.ndarray]) -> Estimates:
    """Value and interval of each measure."""
    return {name: estimate(values) for name, values in draws.items()}


def difference(a: Draws, b: Draws) -> Draws:
    """``a - b`` of the measures that both have, draw by draw."""
    return {name: a[name] - b[name] for name in a if name in b}


def weighted_mean(
    weights: np.ndarray,
    image: np.ndarray,
    values: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    """Mean over the joints of resampled images.

    Args:
        weights: ``(B, I)``.
        image: ``(N,)`` index of the image.
        values: ``(N, K)``.
        mask: ``(N, K)`` bool, the joints that count, except those of which
            the value is undefined.

    Returns:
        ``(B,)``, NaN where no joint counts.
    """
    mask = mask & np.isfinite(values)
    images = weights.shape[1]
    total = np.bincount(image, np.where(mask, values, 0).sum(axis=1), images)
    number = np.bincount(image, mask.sum(axis=1), images)
    total, number = weights @ total, weights @ number
    return np.divide(
        total, number, out=np.full(len(total), np.nan), where=number > 0
    )
