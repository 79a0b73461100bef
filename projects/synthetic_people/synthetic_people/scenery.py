"""Backgrounds (rooms, outdoors, studios) and furniture.

Backgrounds are (H, W, 3) float32 BGR in 0..1, in pixels.
"""

import cv2
import numpy as np

from .appearance import contrasting, sample_color
from .rendering import Array, Rng

Size = tuple[int, int]
"""(height, width)."""
Point = tuple[float, float]
"""(x, y)."""


def fractal_noise(rng: Rng, size: Size, coarse: int, octaves: int) -> Array:
    """Sum of noises of 1, 2, 4, ... times ``coarse`` cells per height,
    (height, width) float32 of mean 0 and standard deviation 1."""
    height, width = size
    out = np.zeros(size, np.float32)
    for octave in range(octaves):
        cells = coarse * 2**octave
        grid = rng.normal(size=(cells, max(2, cells * width // height)))
        grid = grid.astype(np.float32) / 2**octave
        out += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return out / (out.std() + 1e-6)


def sample_background(rng: Rng, size: Size, horizon: float) -> Array:
    """Draw a background, (height, width, 3) uint8 BGR; the row of the
    horizon sets the perspective of floors."""
    kind = rng.random()
    if kind < 0.48:
        image = _room(rng, size, horizon)
    elif kind < 0.88:
        image = _outdoors(rng, size, horizon)
    else:
        image = _studio(rng, size)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def _muted(rng: Rng) -> Array:
    grey = 0.6 * rng.uniform(0.35, 0.85) + rng.uniform(-0.06, 0.06, 3)
    return np.clip(0.4 * sample_color(rng) + grey, 0, 1).astype(np.float32)


def _studio(rng: Rng, size: Size) -> Array:
    one, two = _muted(rng), _muted(rng)
    mix = fractal_noise(rng, size, 2, int(rng.integers(2, 6)))
    mix = 1 / (1 + np.exp(-np.float32(rng.uniform(0.8, 3)) * mix))
    return one + (two - one) * mix[..., None]


def _surface(rng: Rng, s: Array, t: Array, kind: str) -> Array:
    """A wall or floor of one colour with a pattern, float32; ``s, t`` (H, W)
    are coordinates on it, in which planks, tiles and so on have size 1."""
    row, col = np.floor(s), np.floor(t)
    dark = rng.uniform(0.55, 0.9)
    tone = 1 + 0.05 * fractal_noise(rng, s.shape, 2, 2)
    if kind == 'planks':
        grain = np.sin(9 * s + 3 * np.sin(0.5 * t + row))
        tone += 0.12 * np.sin(row * 12.9898) + 0.05 * grain
        tone[s - row < 0.05] *= 0.7
    elif kind == 'bricks':
        t = 0.4 * t + 0.5 * np.mod(row, 2)
        tone *= 1 + 0.13 * np.sin(row * 12.7 + np.floor(t) * 78.2)
        tone[(s - row < 0.14) | (np.mod(t, 1) < 0.07)] = 1.5 * dark
    elif kind == 'tiles':
        tone += 0.06 * np.sin(row * 7.1 + col * 3.7)
        tone[(s - row < 0.05) | (t - col < 0.05)] *= dark
    elif kind == 'checks':
        tone[np.mod(row + col, 2) > 0] *= dark
    elif kind == 'stripes':
        tone[s - row < 0.5] *= dark
    elif kind == 'dots':
        u, v = np.mod(s + 0.5 * np.mod(col, 2), 1) - 0.5, t - col - 0.5
        tone[u * u + v * v < 0.1 * dark] *= dark
    elif kind == 'carpet':
        tone += 0.08 * fractal_noise(rng, s.shape, 24, 3)
    return _muted(rng) * tone[..., None].astype(np.float32)


def _floor(rng: Rng, image: Array, top: int, horizon: float) -> None:
    """A floor in perspective below row ``top``."""
    height, width = image.shape[:2]
    if top >= height - 1:
        return
    rows = np.arange(top, height, dtype=np.float32) - min(horizon, top - 12)
    v = np.repeat((height / rows)[:, None], width, axis=1)  # away from us
    u = (np.arange(width, dtype=np.float32) - width / 2) / height * v
    turn, size = rng.uniform(0, np.pi / 2), rng.uniform(0.12, 0.5)
    s = (np.cos(turn) * u + np.sin(turn) * v) / size
    t = (np.cos(turn) * v - np.sin(turn) * u) / size
    kind = rng.choice(['planks', 'tiles', 'checks', 'carpet'])
    fade = np.linspace(0.85, 1.08, height - top)[:, None, None]
    image[top:] = _surface(rng, s, t, kind) * fade


def _room(rng: Rng, size: Size, horizon: float) -> Array:
    t, s = np.mgrid[: size[0], : size[1]].astype(np.float32)
    kind = rng.choice(['', '', 'bricks', 'stripes', 'planks', 'dots'])
    unit = rng.uniform(10, 40)
    if kind == 'bricks':
        s, t, unit = t, s, unit / 2
    image = _surface(rng, s / unit, t / unit, kind)
    for _ in range(rng.integers(0, 4)):
        _hang(rng, image)
    height = size[0]
    top = horizon + rng.uniform(0.08, 0.35) * height
    top = int(np.clip(top, 0.3 * height, 0.92 * height))
    _floor(rng, image, top, horizon)
    if rng.random() < 0.7:  # skirting board
        board = image[max(top - int(rng.integers(3, 9)), 0) : top]
        board[:] = rng.uniform(0.3, 0.95)
    return image


def _fill(image: Array, box: tuple[float, ...], color: Array) -> Array:
    """Fill ``box`` (x, y, w, h), clipped to the image; returns a view."""
    x, y, w, h = box
    rows = slice(max(int(y), 0), max(int(y + h), 0))
    view = image[rows, max(int(x), 0) : max(int(x + w), 0)]
    view[:] = color
    return view


def _hang(rng: Rng, image: Array) -> None:
    """A painting, window, door or shelf on the wall."""
    height, width = image.shape[:2]
    w, h = rng.uniform(0.12, 0.4, 2) * (width, height)
    x, y = rng.uniform((-0.1, 0), (1, 0.4)) * (width, height)
    frame = sample_color(rng)
    kind = rng.choice(['painting', 'window', 'door', 'shelf'])
    if kind == 'door':
        _fill(image, (x, y, w, height), frame)
        panel = x + w / 8, y + w / 8, 0.75 * w, h
        _fill(image, panel, 0.8 * frame)
        _fill(image, np.add(panel, (2, 2, -4, -4)), frame)
    elif kind == 'shelf':
        _fill(image, (x - 4, y + h, w + 8, 5), frame)
        for left in np.arange(x, x + w, rng.uniform(5, 12)):
            thick, tall = rng.uniform(3, 8), h * rng.uniform(0.4, 0.8)
            book = left, y + h - tall, thick, tall
            _fill(image, book, sample_color(rng))
    else:
        _fill(image, (x, y, w, h), frame)
        inside = _fill(image, (x + 4, y + 4, w - 8, h - 8), frame)
        if min(inside.shape[:2]) > 4:
            scene = _sky if kind == 'window' else _studio
            inside[:] = scene(rng, inside.shape[:2])
        if kind == 'window':
            _fill(image, (x + w / 2 - 1, y, 3, h), frame)
            _fill(image, (x, y + h / 2 - 1, w, 3), frame)


def _sky(rng: Rng, size: Size) -> Array:
    blue = rng.uniform(0.7, 0.97)
    green = blue * rng.uniform(0.78, 0.97)
    high = np.float32([blue, green, green * rng.uniform(0.6, 1.0)])
    low = np.clip(high + rng.uniform(0.05, 0.3), 0, 1)
    mix = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
    sky = high + (low - high) * mix
    cloud = np.clip(fractal_noise(rng, size, 3, 4), 0, 2)
    return sky + (0.97 - sky) * (cloud * rng.uniform(0, 0.45))[..., None]


def _outdoors(rng: Rng, size: Size, horizon: float) -> Array:
    image = _sky(rng, size)
    height, width = size
    line = int(np.clip(horizon, 0.12 * height, 0.7 * height))
    for _ in range(rng.integers(1, 4)):
        _skyline(rng, image, line)
    kind = rng.choice(['grass', 'sand', 'street', 'paving'])
    if kind == 'paving':
        _floor(rng, image, line, horizon)
        return image
    color = {'grass': (0.22, 0.48, 0.36), 'sand': (0.56, 0.72, 0.80)}
    color = np.array(color.get(kind, (0.45, 0.45, 0.46)))
    color = color * rng.uniform(0.6, 1.2) * rng.uniform(0.88, 1.12, 3)
    noise = fractal_noise(rng, (height - line, width), rng.integers(6, 40), 4)
    fade = np.linspace(1.1, 0.9, height - line)[:, None]
    tone = fade * (1 + rng.uniform(0.03, 0.12) * noise)
    image[line:] = color * tone[..., None]
    if kind == 'street' and rng.random() < 0.6:
        near = int(width * rng.uniform(-1, 2)), height
        white, thick = (0.85, 0.88, 0.88), int(rng.integers(2, 7))
        cv2.line(image, (width // 2, line), near, white, thick, cv2.LINE_AA)
    return image


def _skyline(rng: Rng, image: Array, line: int) -> None:
    """Hills, trees or houses on the horizon."""
    height, width = image.shape[:2]
    kind = rng.choice(['hills', 'trees', 'houses'])
    if kind == 'hills':
        profile = fractal_noise(rng, (8, width), 2, 3)[4]
        tops = line - height * (0.09 + 0.04 * profile)
        color = np.array([0.35, 0.45, 0.35]) * rng.uniform(0.6, 1.4)
        below = np.arange(height)[:, None] >= tops
        image[below] = color * rng.uniform(0.85, 1.15, 3)
    elif kind == 'trees':
        for _ in range(rng.integers(3, 14)):
            x, tall = rng.uniform(0, width), height * rng.uniform(0.05, 0.22)
            trunk = x - 0.05 * tall, line - tall, 0.1 * tall + 1, tall
            _fill(image, trunk, np.array([0.15, 0.22, 0.3]))
            for _ in range(7):
                leaf = np.array([0.18, 0.38, 0.26]) * rng.uniform(0.6, 1.4)
                side, up = rng.normal(0, 0.35), rng.uniform(0.6, 1.5)
                place = int(x + side * tall), int(line - up * tall)
                r = max(2, int(tall * rng.uniform(0.2, 0.4)))
                cv2.circle(image, place, r, leaf.tolist(), -1, cv2.LINE_AA)
    else:
        x = rng.uniform(-0.2, 0.1) * width
        while x < width:
            w, h = rng.uniform(0.1, (0.35, 0.5)) * (width, height)
            color, step = _muted(rng), int(rng.integers(10, 24))
            pane, y = contrasting(rng, color), line - h
            _fill(image, (x, y, w, h), color)
            for left in np.arange(x + 6, x + w - step, step):
                for top in np.arange(y + 6, line - step, step):
                    _fill(image, (left, top, step // 2, step // 2), pane)
            x += w + rng.integers(0, 30)


class Brush:
    """Draws flat shapes of ``color``, BGR in 0..1, into ``canvas`` (H, W, 3)
    uint8 BGR and ``mask`` (H, W) uint8, 1 where something was drawn."""

    def __init__(self, rng: Rng, size: Size) -> None:
        self.canvas = np.zeros((*size, 3), np.uint8)
        self.mask = np.zeros(size, np.uint8)
        self.color = sample_color(rng)

    def poly(self, points: Array, tone: float = 1.0) -> None:
        """A filled polygon (N, 2), ``tone`` times as light as ``color``."""
        corners = [np.round(points).astype(np.int32)]
        color = np.clip(self.color * tone, 0, 1) * 255
        cv2.fillPoly(self.canvas, corners, color.tolist())
        cv2.fillPoly(self.mask, corners, 1)

    def rect(self, foot: Point, w: float, h: float, **tone: float) -> None:
        """A rectangle by the middle of its foot, width and height."""
        self.bar(foot, h, 0, max(w, 1), **tone)

    def block(self, foot: Point, w: float, h: float, d: float) -> None:
        """A box of depth d seen from the front and a little from above."""
        self.rect(foot, w, h)
        front, back = w / 2, w / 2 - d / 2
        corners = [(-front, -h), (front, -h), (back, -d - h), (-back, -d - h)]
        self.poly(np.add(corners, foot), 1.2)

    def bar(
        self, foot: Point, h: float, lean: float, thick: float, **tone: float
    ) -> None:
        """A post, its top shifted sideways by ``lean``."""
        w = thick / 2
        corners = [(-w, 0), (w, 0), (lean + w, -h), (lean - w, -h)]
        self.poly(np.add(corners, foot), **tone)

    def oval(
        self, centre: Point, axes: Point, angle: float = 0, tone: float = 1.0
    ) -> None:
        """A filled ellipse by its half axes; ``angle`` is in degrees."""
        turn = np.exp(1j * np.deg2rad(angle))
        way = np.exp(1j * np.linspace(0, 2 * np.pi, 48))
        way = turn * (axes[0] * way.real + 1j * axes[1] * way.imag)
        self.poly(np.stack([way.real, way.imag], axis=1) + centre, tone)


KINDS = ('crate', 'table', 'armchair', 'plant', 'post', 'board', 'ball')


def draw_furniture(rng: Rng, brush: Brush, foot: Point, unit: float) -> None:
    """Draw a random thing; ``foot`` is the middle of its foot, ``unit`` the
    stature of a person at that distance, in samples."""

    def u(low: float, high: float) -> float:
        return unit * rng.uniform(low, high)

    x, y = foot
    kind = rng.choice(KINDS)
    if kind == 'crate':
        w, h = u(0.2, 0.55), u(0.12, 0.42)
        brush.block(foot, w, h, u(0.04, 0.12))
        for share in rng.uniform(0.1, 0.9, rng.integers(0, 4)):
            brush.rect((x, y - share * h), w, unit * 0.01, tone=0.7)
    elif kind == 'table':
        w, h, thick = u(0.45, 1.1), u(0.26, 0.45), u(0.025, 0.05)
        leg = u(0.02, 0.05)
        for side in (-0.46, 0.46):
            brush.rect((x + side * w, y), leg, h, tone=0.85)
        brush.block((x, y - h + thick), w, thick, u(0.03, 0.09))
    elif kind == 'armchair':
        w = u(0.5, 1.1)
        brush.rect((x, y - 0.25 * unit), w, 0.25 * unit, tone=0.85)
        brush.block((x, y - 0.04 * unit), w, 0.21 * unit, 0.05 * unit)
        arm = 0.09 * unit, 0.33 * unit, 0.03 * unit
        for side in (-0.5, 0.5):
            brush.block((x + side * w, y - 0.02 * unit), *arm)
    elif kind == 'plant':
        pot, tall = u(0.08, 0.16), u(0.2, 0.55)
        corners = [(-1, -1.5), (1, -1.5), (0.7, 0), (-0.7, 0)]
        brush.poly(np.multiply(corners, pot) + foot)
        brush.color = np.array([0.2, 0.45, 0.25]) * rng.uniform(0.6, 1.4, 3)
        for angle in rng.uniform(-150, -30, rng.integers(7, 18)):
            half = 0.5 * tall * rng.uniform(0.4, 1)
            way = 1.1 * half * np.exp(1j * np.deg2rad(angle))
            middle = x + way.real, y - 1.4 * pot + way.imag
            axes, tone = (half, 0.22 * half), rng.uniform(0.7, 1.3)
            brush.oval(middle, axes, angle, tone)
    elif kind == 'post':
        thick, tall, lean = u(0.03, 0.11), u(0.5, 2.2), u(-0.08, 0.08)
        brush.bar(foot, tall, lean, thick)
        dark = x + 0.25 * thick, y
        brush.bar(dark, tall, lean, 0.4 * thick, tone=0.75)
        if rng.random() < 0.4:
            top = x + lean, y - tall
            brush.oval(top, (unit * 0.08, unit * 0.06), 0, 1.2)
    elif kind == 'board':
        w, h = u(0.2, 0.7), u(0.2, 0.6)
        brush.rect(foot, w, h)
        brush.color, inset = sample_color(rng), 0.08 * min(w, h)
        brush.rect((x, y - inset), w - 2 * inset, h - 2 * inset)
    else:  # a ball, lit from the upper left
        radius = u(0.05, 0.16)
        for step in range(6):
            r = radius * (1 - step / 7)
            shift = 0.3 * (radius - r)
            centre = x - shift, y - radius - shift
            brush.oval(centre, (r, r), 0, 0.75 + 0.08 * step)


def draw_stool(
    rng: Rng, brush: Brush, foot: Point, h: float, unit: float
) -> None:
    """Draw a block or stool of height h; ``foot`` and ``unit`` as above."""
    (x, y), h = foot, max(h, 2)
    sizes = rng.uniform(0.24, 0.38), 0.05, 0.035
    width, deep, thick = np.multiply(unit, sizes)
    if rng.random() < 0.5:
        brush.block(foot, width, h, deep)
        return
    for side in (-0.45, -0.25, 0.25, 0.45):
        leg = x + side * width, y
        brush.rect(leg, 0.025 * unit, h, tone=0.85)
    brush.block((x, y - h + thick), width, thick, deep)
