"""Images from a formula: textures, and things that lie over a region.

A formula takes the positions of a region's pixels: ``u`` to the right and
``v`` downwards, each -1 and 1 at the region's ends, and ``depth``, how far
inside a pixel is, 0 at the outline and 1 at the centre. All are (H, W). It
gives colours, (H, W, 3) BGR, 0 to 255. Its random draws do not depend on the
pixels.
"""

from collections.abc import Callable
from colorsys import hsv_to_rgb
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from .paints import Paint, Request, as_channels, paint
from .regions import Array, Disc, PixelBox, Region

Formula = Callable[[Array, Array, Array, Generator], Array]

PATTERNS = ('stripes', 'checks', 'dots', 'weave', 'marble')


def texture(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    """A pattern of two colours, 5 to 10 periods across, in any direction."""
    pattern = PATTERNS[rng.integers(len(PATTERNS))]
    dark, light = _two_colors(rng)
    u, v = _turned(u, v, rng.uniform(0, np.pi))
    period = rng.uniform(0.2, 0.4)
    a, b = rng.uniform(0, 2 * np.pi, 2)
    x, y = u / period, v / period
    share: Array
    if pattern == 'stripes':
        share = np.mod(x, 1) < 0.5
    elif pattern == 'checks':
        share = (np.mod(x, 1) < 0.5) ^ (np.mod(y, 1) < 0.5)
    elif pattern == 'dots':
        row = np.floor(y)
        across = np.mod(x + 0.5 * np.mod(row, 2), 1) - 0.5
        share = across**2 + (y - row - 0.5) ** 2 < 0.1
    elif pattern == 'weave':
        over = (np.floor(x) + np.floor(y)) % 2 == 0
        along = np.where(over, np.mod(x, 1), np.mod(y, 1))
        share = 0.15 + 0.85 * np.sin(np.pi * along)
    else:
        wave = np.sin(3 * x + a + 2 * np.sin(2 * y + b))
        share = 0.5 + 0.5 * np.sin(2 * y + a + 2 * wave)
    return _mix(dark, light, share)


def ball(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    dark, light = _two_colors(rng)
    u, v = _turned(u, v, rng.uniform(0, np.pi))
    band = np.abs(u + 0.25 * v * v) < 0.28
    return _shaded(_mix(dark, light, band), u, v, depth, 1)


def parcel(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    card = np.array([105, 150, 190]) * rng.uniform(0.8, 1.1)
    side = rng.choice([-1, 1])
    color = _mix(card, np.array([165, 200, 220]), np.abs(u) < 0.12)
    label = (np.abs(side * u - 0.5) < 0.25) & (np.abs(v - 0.3) < 0.2)
    color = _mix(color, np.array([245, 245, 245]), label)
    lines = label & (np.abs(side * u - 0.5) < 0.18) & (np.mod(v, 0.12) < 0.04)
    color = _mix(color, np.array([60, 60, 60]), lines)
    return _shaded(color, u, v, depth, 0.15)


def plate(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    color, _ = _two_colors(rng)
    rim = np.where(depth < 0.3, 0.92, np.where(depth < 0.36, 0.7, 1.0))
    pale = rim[..., None] * np.array([235, 240, 242])
    ring = (depth > 0.1) & (depth < 0.18)
    return _shaded(_mix(pale, color, ring), u, v, depth, 0.15)


def cushion(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    dark, light = _two_colors(rng)
    u, v = _turned(u, v, rng.uniform(0, np.pi))
    diamonds = np.sin(9 * (u + v)) * np.sin(9 * (u - v)) > 0
    color = _mix(dark, 0.6 * dark + 0.4 * light, diamonds)
    color = _mix(color, light, (depth < 0.08) | (depth > 0.9))
    return _shaded(color, u, v, depth, 0.8)


def foliage(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    color = np.broadcast_to([20.0, 45, 30], (*u.shape, 3)).copy()
    for x, y, turn, size, light, warm in rng.random((30, 6)):
        along, across = _turned(
            u - 2.4 * x + 1.2, v - 2.4 * y + 1.2, np.pi * turn
        )
        length = 0.3 + 0.25 * size
        inside = np.abs(across) < 0.4 * length * (1 - (along / length) ** 2)
        leaf = (0.5 + 0.6 * light) * np.array([45, 150, 60 + 70 * warm])
        vein = np.abs(across) < 0.03 * length
        color[inside] = _mix(leaf, 1.3 * leaf, vein[inside])
    return np.clip(color, 0, 255)


def basket(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    straw = np.array([80, 135, 175]) * rng.uniform(0.8, 1.15)
    x, y = 6 * u, 9 * v + 0.5 * np.floor(6 * u)
    bulge = np.abs(np.sin(np.pi * x)) * (0.6 + 0.4 * np.abs(np.sin(y)))
    bulge = np.where(depth < 0.12, 0.8 + depth, bulge)
    return _shaded((0.3 + 0.7 * bulge)[..., None] * straw, u, v, depth, 0.4)


def sign(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    rim = [[40, 30, 190], [170, 90, 20], [30, 120, 30]][rng.integers(3)]
    angle = rng.choice([0, np.pi / 4, np.pi / 2])
    color = _mix(np.array([240, 240, 240]), np.array(rim), depth < 0.22)
    _, across = _turned(u, v, angle)
    bar = (np.abs(across) < 0.14) & (depth > 0.3)
    return _shaded(_mix(color, np.array([35, 35, 35]), bar), u, v, depth, 0.1)


def screen(u: Array, v: Array, depth: Array, rng: Generator) -> Array:
    glow = np.array([90, 70, 50]) * rng.uniform(0.6, 1.2)
    color = (0.6 - 0.4 * v)[..., None] * glow
    gleam = np.mod(0.7 * u + v + rng.uniform(0, 1), 1.1) < 0.22
    color = _mix(color, 0.5 * color + 90, gleam)
    return _mix(color, np.array([25, 25, 25]), depth < 0.16)


THINGS: dict[str, Formula] = {
    f.__name__: f
    for f in (ball, parcel, plate, cushion, foliage, basket, sign, screen)
}


def _two_colors(rng: Generator) -> tuple[Array, Array]:
    """A dark and a light colour, BGR."""
    hue, other = rng.random(2)
    dark = hsv_to_rgb(hue, rng.uniform(0.4, 0.9), rng.uniform(0.2, 0.5))
    light = hsv_to_rgb(other, rng.uniform(0.1, 0.6), rng.uniform(0.75, 1))
    return 255 * np.array(dark[::-1]), 255 * np.array(light[::-1])


def _turned(u: Array, v: Array, angle: float) -> tuple[Array, Array]:
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * u + sin * v, cos * v - sin * u


def _mix(one: Array, other: Array, share: Array) -> Array:
    """``other`` where the share is 1, ``one`` where it is 0."""
    share = np.asarray(share, float)[..., None]
    return (1 - share) * one + share * other


def _shaded(
    color: Array, u: Array, v: Array, depth: Array, roundness: float
) -> Array:
    """Light from the upper left, and a darker outline."""
    light = 1 - roundness * (0.3 * (u + v) / 2 + 0.45 * (1 - depth) ** 3)
    light = light * np.where(depth < 0.05, 0.7, 1)
    return np.clip(light[..., None] * color, 0, 255)


@paint('texture', random=True)
@dataclass(frozen=True)
class Texture(Paint):
    """A pattern of two colours."""

    seed: int

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        return _drawn(texture, self.seed, image, region, box)


@paint('object', random=True)
@dataclass(frozen=True)
class Object(Paint):
    """One of :data:`THINGS`: a ball, a parcel, a plant, ..."""

    thing: str
    seed: int

    @classmethod
    def resolve(cls, fill: str, request: Request) -> 'Object':
        things = list(THINGS)
        return cls(things[request.seed % len(things)], request.seed)

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        return _drawn(THINGS[self.thing], self.seed, image, region, box)


def _drawn(
    formula: Formula, seed: int, image: Array, region: Region, box: PixelBox
) -> Array:
    color = formula(*frame(region, box), np.random.default_rng(seed))
    return as_channels(color, image)


def frame(region: Region, box: PixelBox) -> tuple[Array, Array, Array]:
    """Positions of the pixels of a box in a region: u, v and depth."""
    if isinstance(region, Disc):
        width = height = 2 * region.radius
    else:
        x1, y1, x2, y2 = region.box
        width, height = x2 - x1, y2 - y1
    (x, y), (x1, y1, x2, y2) = region.center, box
    u = (np.arange(x1, x2) - x) / (width / 2)
    v = (np.arange(y1, y2) - y) / (height / 2)
    u, v = np.meshgrid(u, v)
    if isinstance(region, Disc):
        return u, v, 1 - np.sqrt(u * u + v * v)
    return u, v, 1 - np.maximum(np.abs(u), np.abs(v))
