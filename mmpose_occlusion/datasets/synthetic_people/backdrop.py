"""Places for people to be in: walls, floors, streets, fields."""

import cv2
import numpy as np

from .colors import contrasting, sample_cloth_color


def fractal_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    coarse: int = 4,
    octaves: int = 5,
) -> np.ndarray:
    """Sum of smooth noises of doubling fineness.

    Returns:
        (height, width) float32 of mean 0 and standard deviation 1.
    """
    out = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = coarse * 2**octave
        grid = rng.standard_normal(
            (cells, max(2, cells * width // height))
        ).astype(np.float32)
        out += (
            cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
            / 2**octave
        )
    return out / (out.std() + 1e-6)


def sample_backdrop(
    rng: np.random.Generator, height: int, width: int, horizon: float
) -> np.ndarray:
    """Draw a background.

    Args:
        horizon: Row of the horizon; floors are seen in its perspective.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    kind = rng.random()
    if kind < 0.48:
        image = _room(rng, height, width, horizon)
    elif kind < 0.88:
        image = _outdoors(rng, height, width, horizon)
    else:
        image = _studio(rng, height, width)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def _flat(height: int, width: int, color: np.ndarray) -> np.ndarray:
    return np.broadcast_to(color.astype(np.float32), (height, width, 3)).copy()


def _muted(rng: np.random.Generator) -> np.ndarray:
    color = sample_cloth_color(rng)
    grey = rng.uniform(0.35, 0.85)
    return np.clip(
        color * 0.4 + 0.6 * grey + rng.uniform(-0.06, 0.06, 3), 0, 1
    )


def _studio(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    one, two = _muted(rng), _muted(rng)
    mix = fractal_noise(rng, height, width, 2, int(rng.integers(2, 6)))
    mix = 1 / (1 + np.exp(-rng.uniform(0.8, 3) * mix))
    return one + (two - one) * mix[..., None].astype(np.float32)


def _floor_coordinates(
    height: int, width: int, top: int, horizon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Ground-plane coordinates (u sideways, v away) of rows from ``top``."""
    rows = np.arange(top, height, dtype=np.float32) - min(horizon, top - 12)
    away = height / rows
    cols = (np.arange(width, dtype=np.float32) - width / 2) / height
    return cols[None, :] * away[:, None], np.repeat(
        away[:, None], width, axis=1
    )


def _floor(
    rng: np.random.Generator, image: np.ndarray, top: int, horizon: float
) -> None:
    height, width = image.shape[:2]
    if top >= height - 1:
        return
    u, v = _floor_coordinates(height, width, top, horizon)
    color = _muted(rng)
    other = np.clip(color * rng.uniform(0.55, 0.9), 0, 1)
    turn = rng.uniform(0, np.pi / 2)
    s = np.cos(turn) * u + np.sin(turn) * v
    t = -np.sin(turn) * u + np.cos(turn) * v
    size = rng.uniform(0.12, 0.5)
    kind = rng.choice(['planks', 'tiles', 'checks', 'carpet'])
    if kind == 'planks':
        board = np.floor(s / size)
        tone = 0.12 * np.sin(board * 12.9898) + 0.05 * np.sin(
            40 * s + 3 * np.sin(2 * t + board)
        )
        seam = np.mod(s / size, 1) < 0.05
        floor = color * (1 + tone - 0.35 * seam)[..., None]
    elif kind == 'tiles':
        seam = (np.mod(s / size, 1) < 0.05) | (np.mod(t / size, 1) < 0.05)
        tone = 0.06 * np.sin(
            np.floor(s / size) * 7.1 + np.floor(t / size) * 3.7
        )
        floor = np.where(seam[..., None], other, color * (1 + tone)[..., None])
    elif kind == 'checks':
        odd = np.mod(np.floor(s / size) + np.floor(t / size), 2) > 0
        floor = np.where(odd[..., None], other, color)
    else:
        noise = fractal_noise(rng, height - top, width, 24, 3)
        floor = color * (1 + 0.08 * noise)[..., None]
    fade = np.linspace(0.85, 1.08, height - top, dtype=np.float32)
    image[top:] = floor * fade[:, None, None]


def _wall(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    color = _muted(rng)
    wall = _flat(height, width, color)
    kind = rng.choice(['paint', 'paint', 'bricks', 'paper', 'panels', 'dots'])
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    if kind == 'bricks':
        h = rng.uniform(7, 18)
        w = h * rng.uniform(2, 3)
        row = np.floor(ys / h)
        col = np.floor(xs / w + 0.5 * np.mod(row, 2))
        tone = 0.13 * np.sin(row * 12.7 + col * 78.2)
        mortar = (np.mod(ys / h, 1) < 0.14) | (
            np.mod(xs / w + 0.5 * np.mod(row, 2), 1) < 0.07
        )
        wall = wall * (1 + tone)[..., None]
        wall[mortar] = np.clip(color * rng.uniform(0.6, 1.3), 0, 1)
    elif kind == 'paper':
        period = rng.uniform(8, 40)
        stripe = np.mod(xs / period, 1) < rng.uniform(0.3, 0.6)
        wall[stripe] *= rng.uniform(0.75, 0.95)
    elif kind == 'panels':
        period = rng.uniform(14, 60)
        edge = np.mod(xs / period, 1) < 2 / period
        wall = (
            wall * (1 + 0.04 * np.sin(np.floor(xs / period) * 5.3))[..., None]
        )
        wall[edge] *= 0.7
    elif kind == 'dots':
        period = rng.uniform(14, 36)
        u = (
            np.mod(xs / period + 0.5 * np.mod(np.floor(ys / period), 2), 1)
            - 0.5
        )
        v = np.mod(ys / period, 1) - 0.5
        wall[u * u + v * v < rng.uniform(0.03, 0.1)] *= rng.uniform(0.7, 1.25)
    light = fractal_noise(rng, height, width, 2, 2)
    return wall * (1 + 0.06 * light)[..., None]


def _room(
    rng: np.random.Generator, height: int, width: int, horizon: float
) -> np.ndarray:
    image = _wall(rng, height, width)
    for _ in range(rng.integers(0, 4)):
        _wall_thing(rng, image)
    top = int(
        np.clip(
            horizon + rng.uniform(0.08, 0.35) * height,
            0.3 * height,
            0.92 * height,
        )
    )
    _floor(rng, image, top, horizon)
    if rng.random() < 0.7:
        board = int(rng.integers(3, 9))
        image[max(top - board, 0) : top] = rng.uniform(0.3, 0.95)
    return image


def _wall_thing(rng: np.random.Generator, image: np.ndarray) -> None:
    """A picture, window, door or shelf on the wall."""
    height, width = image.shape[:2]
    kind = rng.choice(['picture', 'window', 'door', 'shelf'])
    w = int(width * rng.uniform(0.12, 0.4))
    h = int(height * rng.uniform(0.12, 0.4))
    x = int(rng.uniform(-0.1, 1) * width)
    y = int(rng.uniform(0, 0.4) * height)
    frame = tuple(float(c) for c in sample_cloth_color(rng))
    if kind == 'door':
        cv2.rectangle(image, (x, y), (x + w, height), frame, -1)
        cv2.rectangle(
            image,
            (x + w // 8, y + w // 8),
            (x + w - w // 8, y + h),
            tuple(float(0.8 * c) for c in frame),
            2,
            cv2.LINE_AA,
        )
        return
    if kind == 'shelf':
        left = x
        while left < x + w:
            thick = int(rng.integers(3, 12))
            tall = int(h * rng.uniform(0.4, 0.8))
            color = tuple(float(c) for c in sample_cloth_color(rng))
            cv2.rectangle(
                image, (left, y + h - tall), (left + thick, y + h), color, -1
            )
            left += thick + 1
        cv2.rectangle(image, (x - 4, y + h), (x + w + 4, y + h + 5), frame, -1)
        return
    cv2.rectangle(image, (x, y), (x + w, y + h), frame, -1)
    x0, y0 = max(x + 4, 0), max(y + 4, 0)
    x1, y1 = min(x + w - 3, width), min(y + h - 3, height)
    if x1 - x0 > 4 and y1 - y0 > 4:
        if kind == 'window':
            image[y0:y1, x0:x1] = _sky(rng, y1 - y0, x1 - x0)
            cv2.line(
                image, ((x0 + x1) // 2, y0), ((x0 + x1) // 2, y1), frame, 3
            )
            cv2.line(
                image, (x0, (y0 + y1) // 2), (x1, (y0 + y1) // 2), frame, 3
            )
        else:
            image[y0:y1, x0:x1] = _studio(rng, y1 - y0, x1 - x0)


def _sky(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    blue = rng.uniform(0.7, 0.97)
    green = blue * rng.uniform(0.78, 0.97)
    high = np.array([blue, green, green * rng.uniform(0.6, 1.0)])
    low = np.clip(high + rng.uniform(0.05, 0.3), 0, 1)
    mix = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = (high + (low - high) * mix).astype(np.float32)
    sky = np.repeat(sky, width, axis=1)
    cloud = np.clip(fractal_noise(rng, height, width, 3, 4), 0, 2) / 2
    return sky + (0.97 - sky) * (cloud * rng.uniform(0, 0.9))[..., None]


def _outdoors(
    rng: np.random.Generator, height: int, width: int, horizon: float
) -> np.ndarray:
    image = _sky(rng, height, width)
    line = int(np.clip(horizon, 0.12 * height, 0.7 * height))
    for _ in range(rng.integers(1, 4)):
        _skyline(rng, image, line)
    ground = rng.choice(['grass', 'sand', 'street', 'paving'])
    if ground == 'paving':
        _floor(rng, image, line, horizon)
        return image
    color = {
        'grass': np.array([0.22, 0.48, 0.36]),
        'sand': np.array([0.56, 0.72, 0.80]),
        'street': np.array([0.45, 0.45, 0.46]),
    }[str(ground)] * (rng.uniform(0.6, 1.2) * rng.uniform(0.88, 1.12, 3))
    rows = height - line
    noise = fractal_noise(rng, rows, width, int(rng.integers(6, 40)), 4)
    fade = np.linspace(1.1, 0.9, rows, dtype=np.float32)[:, None]
    image[line:] = (
        color * (fade * (1 + rng.uniform(0.03, 0.12) * noise))[..., None]
    )
    if ground == 'street' and rng.random() < 0.6:
        x0 = rng.uniform(0, width)
        cv2.line(
            image,
            (int(width / 2), line),
            (int(x0 * 3 - width), height),
            (0.85, 0.88, 0.88),
            int(rng.integers(2, 7)),
            cv2.LINE_AA,
        )
    return image


def _skyline(rng: np.random.Generator, image: np.ndarray, line: int) -> None:
    """Hills, trees or houses on the horizon."""
    height, width = image.shape[:2]
    kind = rng.choice(['hills', 'trees', 'houses'])
    if kind == 'hills':
        profile = fractal_noise(rng, 8, width, 2, 3)[4]
        tops = line - height * (0.05 + 0.04 * (1 + profile))
        below = np.arange(height)[:, None] >= tops[None, :]
        image[below] = np.array([0.35, 0.45, 0.35]) * (
            rng.uniform(0.6, 1.4) * rng.uniform(0.85, 1.15, 3)
        )
        return
    if kind == 'trees':
        green = np.array([0.18, 0.38, 0.26])
        for _ in range(rng.integers(3, 14)):
            x = int(rng.uniform(0, width))
            size = height * rng.uniform(0.05, 0.22)
            cv2.line(
                image,
                (x, line),
                (x, int(line - size)),
                (0.15, 0.22, 0.3),
                max(2, int(size * 0.1)),
            )
            for _ in range(7):
                blob = green * rng.uniform(0.6, 1.4)
                cv2.circle(
                    image,
                    (
                        int(x + rng.normal(0, 0.35 * size)),
                        int(line - size * rng.uniform(0.6, 1.5)),
                    ),
                    max(2, int(size * rng.uniform(0.2, 0.4))),
                    tuple(float(c) for c in blob),
                    -1,
                    cv2.LINE_AA,
                )
        return
    x = int(rng.uniform(-0.2, 0.1) * width)
    while x < width:
        w = int(width * rng.uniform(0.1, 0.35))
        top = int(line - height * rng.uniform(0.1, 0.5))
        color = _muted(rng)
        cv2.rectangle(
            image, (x, top), (x + w, line), tuple(float(c) for c in color), -1
        )
        pane = contrasting(rng, color)
        step = int(rng.integers(10, 24))
        for wy in range(top + 6, line - step, step):
            for wx in range(x + 6, x + w - step, step):
                cv2.rectangle(
                    image,
                    (wx, wy),
                    (wx + step // 2, wy + step // 2),
                    tuple(float(c) for c in pane),
                    -1,
                )
        x += w + int(rng.integers(0, 30))
