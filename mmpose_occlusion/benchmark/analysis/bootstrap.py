"""Bootstrap over images: weights, means, and intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.metrics.inference import LEVEL, simultaneous_intervals

DRAWS = 1000
"""Resampled sets of images."""

LEAST_IMAGES, LEAST_DRAWS = 2, 3
"""For simultaneous intervals."""


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval, None where undefined."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, *numbers: float) -> 'Estimate':
        """From three numbers, of which those that are not finite are
        undefined."""
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

Estimates = dict[str, Estimate]
"""Measure -> estimate."""


def draw_weights(images: int, draws: int, seed: int = 0) -> np.ndarray:
    """How often each image is drawn, with replacement.

    Returns:
        ``(1 + draws, images)`` float64; the first row is 1.
    """
    weights = np.ones((1 + draws, images))
    if images:
        generator = np.random.default_rng(seed)
        weights[1:] = generator.multinomial(
            images, np.full(images, 1 / images), size=draws
        )
    return weights


def estimate(values: np.ndarray) -> Estimate:
    """Value and percentile interval of ``(1 + B,)`` values, the first of the
    data; NaN where undefined."""
    if not len(values) or not np.isfinite(values[0]):
        return UNDEFINED
    drawn = values[1:][np.isfinite(values[1:])]
    if not len(drawn):
        return Estimate(float(values[0]), None, None)
    return Estimate.of(values[0], *np.quantile(drawn, _ENDS))


_ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def censored_estimate(values: np.ndarray) -> Estimate:
    """Value and interval of ``(1 + B,)`` sizes, infinite where a size is never
    reached; such ends are None."""
    drawn = values[1:][~np.isnan(values[1:])]
    if not len(drawn):
        return Estimate.of(values[0], np.nan, np.nan)
    ends = np.quantile(drawn, _ENDS, method='nearest')
    return Estimate.of(values[0], *ends)


def estimates(draws: Mapping[str, np.ndarray]) -> Estimates:
    """Value and interval of each measure."""
    return {name: estimate(values) for name, values in draws.items()}


def simultaneous(draws: Sequence[Draws], images: int) -> list[Estimates]:
    """Estimates of several attacks whose intervals hold for all of them at
    once; without intervals for one image or without draws."""
    out: list[Estimates] = [{} for _ in draws]
    for name in draws[0] if draws else ():
        values = np.stack([each[name] for each in draws])
        ends = simultaneous_intervals(values)
        if values.shape[1] < LEAST_DRAWS or images < LEAST_IMAGES:
            ends = np.full(ends.shape, np.nan)
        for found, row in zip(out, np.c_[values[:, 0], ends], strict=True):
            found[name] = Estimate.of(*row)
    return out


def difference(a: Draws, b: Draws) -> Draws:
    """``a - b`` of the measures that both have, draw by draw."""
    return {name: a[name] - b[name] for name in a if name in b}


def weighted_mean(
    weights: np.ndarray,
    image: np.ndarray,
    values: np.ndarray,
    mask: np.ndarray,
    by_joint: bool = False,
) -> np.ndarray:
    """Mean over the joints of resampled images.

    Args:
        weights: ``(B, I)``.
        image: ``(N,)`` index of the image.
        values: ``(N, K)``; undefined ones do not count.
        mask: ``(N, K)`` bool, the joints that count.
        by_joint: Whether each joint is by itself.

    Returns:
        ``(B,)``, or ``(K, B)`` by joint; NaN where no joint counts.
    """
    mask = mask & np.isfinite(values)
    values = np.where(mask, values, 0)
    if by_joint:
        total, number = (
            np.stack([np.bincount(image, x, weights.shape[1]) for x in each])
            @ weights.T
            for each in (values.T, mask.T)
        )
    else:
        total, number = (
            weights @ np.bincount(image, x.sum(axis=1), weights.shape[1])
            for x in (values, mask)
        )
    return np.divide(
        total, number, out=np.full(total.shape, np.nan), where=number > 0
    )
