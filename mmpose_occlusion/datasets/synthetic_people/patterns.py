"""What surfaces look like: albedo as a function of the local position.

A paint takes local points (3, N) in statures, X to the person's left, Y up
the segment, Z to its front, and returns BGR in 0..1, (3, N) or (3, 1).
"""

from collections.abc import Callable

import numpy as np

from .colors import contrasting, sample_cloth_color
from .raster import Paint

Test = Callable[[np.ndarray], np.ndarray]
"""Local points (3, N) -> bool (N,)."""

PATTERNS = ('plain', 'hoops', 'stripes', 'checks', 'dots', 'mottle', 'panel')
PATTERN_WEIGHTS = np.array([0.64, 0.10, 0.05, 0.06, 0.03, 0.05, 0.07])


def plain(color: np.ndarray) -> Paint:
    """One colour."""
    flat = np.asarray(color, np.float32)[:, None]
    return lambda q: flat


def choose(test: Test, where: Paint, other: Paint) -> Paint:
    """``where`` on points for which ``test(q)`` holds, ``other`` elsewhere."""
    return lambda q: np.where(test(q), where(q), other(q))


def creased(paint: Paint, amount: float, phase: float) -> Paint:
    """Darken and lighten as folds of cloth do; ``amount`` about 0.1."""

    def fold(q: np.ndarray) -> np.ndarray:
        x, y, z = q
        wave = np.sin(38 * y + 16 * x + phase)
        wave *= np.sin(23 * x - 31 * z + 1.7 * phase)
        wave += 0.6 * np.sin(71 * y - 44 * x + 27 * z + 2.9 * phase)
        return paint(q) * (1 + amount * wave)

    return fold


def mirrored(paint: Paint) -> Paint:
    """The paint with left and right exchanged."""
    flip = np.array([[-1], [1], [1]], np.float32)
    return lambda q: paint(q * flip)


def sample_plain_cloth(rng: np.random.Generator) -> Paint:
    """Draw cloth of one colour."""
    color = plain(sample_cloth_color(rng))
    return creased(color, rng.uniform(0.02, 0.10), rng.uniform(0, 6.3))


def sample_cloth(rng: np.random.Generator) -> Paint:
    """Draw cloth, patterned or not; neither side is favoured."""
    name = str(rng.choice(PATTERNS, p=PATTERN_WEIGHTS / PATTERN_WEIGHTS.sum()))
    base = sample_cloth_color(rng)
    paint = _pattern(rng, name, base, contrasting(rng, base))
    paint = creased(paint, rng.uniform(0.03, 0.13), rng.uniform(0, 6.3))
    return mirrored(paint) if rng.random() < 0.5 else paint


def _pattern(
    rng: np.random.Generator, name: str, base: np.ndarray, second: np.ndarray
) -> Paint:
    one, two = plain(base), plain(second)
    period = rng.uniform(0.025, 0.075)
    share = rng.uniform(0.25, 0.6)
    phase = rng.uniform(0, 1)

    def saw(v: np.ndarray) -> np.ndarray:
        return np.mod(v / period + phase, 1.0)

    def hoop(q: np.ndarray) -> np.ndarray:
        return saw(q[1]) < share

    def stripe(q: np.ndarray) -> np.ndarray:
        return saw(q[0]) < share

    if name == 'hoops':
        return choose(hoop, two, one)
    if name == 'stripes':
        return choose(lambda q: saw(q[0] + 0.5 * q[2]) < share * 0.6, two, one)
    if name == 'checks':
        mixed = plain(0.5 * base + 0.5 * second)
        return choose(
            hoop, choose(stripe, two, mixed), choose(stripe, mixed, one)
        )
    if name == 'dots':
        size = (0.16 + 0.2 * share) ** 2

        def dot(q: np.ndarray) -> np.ndarray:
            row = np.floor(q[1] / period)
            u = np.mod(q[0] / period + 0.5 * np.mod(row, 2), 1) - 0.5
            v = np.mod(q[1] / period, 1) - 0.5
            return u * u + v * v < size

        return choose(dot, two, one)
    if name == 'mottle':
        a, b, c = rng.uniform(40, 110, 3)

        def blot(q: np.ndarray) -> np.ndarray:
            x, y, z = q
            return (
                np.sin(a * x + 2 * np.sin(b * y))
                + np.sin(b * y + 2 * np.sin(c * z))
                + np.sin(c * z + a * x)
            ) > 0.4

        return choose(blot, two, one)
    if name == 'panel':
        return choose(lambda q: np.abs(q[0]) < 0.035 + 0.03 * share, two, one)
    return one
