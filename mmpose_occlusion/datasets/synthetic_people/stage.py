"""People and things put into a picture, one before the other.

Pictures are drawn with ``SAMPLES`` x ``SAMPLES`` samples to the pixel and
averaged; who and what is in front is decided on those samples. Pixel frame:
the centre of the first pixel is (0, 0), x to the right, y down; the same for
samples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .body import turn
from .figure import Figure
from .raster import Buffer, Light, View, extent_of, render

SAMPLES = 2


def to_pixels(samples: np.ndarray) -> np.ndarray:
    """Sample coordinates -> pixel coordinates."""
    return (np.asarray(samples, float) + 0.5) / SAMPLES - 0.5


def to_samples(pixels: np.ndarray) -> np.ndarray:
    """Pixel coordinates -> sample coordinates."""
    return (np.asarray(pixels, float) + 0.5) * SAMPLES - 0.5


@dataclass
class Placed:
    """A figure at a place of a picture, drawn by itself.

    ``floor`` is the row, in samples, of the ground it stands on: people and
    things are drawn in that order. ``unit`` is its stature in samples.
    ``color`` is the buffer's, with the shade of crevices, as uint8 BGR.
    """

    figure: Figure
    view: View
    floor: float
    unit: float
    buffer: Buffer
    color: np.ndarray


@dataclass
class Prop:
    """A thing at a place of a picture.

    ``draw`` draws it into a uint8 canvas (H, W, 3) of samples and returns the
    (H, W) bool mask of what it covers. ``owner`` is who sits on it.
    """

    floor: float
    draw: Callable[[np.ndarray], np.ndarray]
    owner: Placed | None = None


@dataclass
class Fronts:
    """Per sample, what is in front.

    ``layer`` (H, W) is an index into the layers, -1 for the background;
    ``solid`` (H, W) is, where that layer is a figure, an index into its
    solids.
    """

    layer: np.ndarray
    solid: np.ndarray


def place(
    figure: Figure,
    foot: tuple[float, float],
    stature: float,
    size: tuple[int, int],
    light: Light,
    pitch: float = 0.0,
    rise: float = 0.0,
) -> Placed:
    """Put a figure somewhere and draw it, alone.

    Args:
        foot: (x, y) pixel of the ground below the pelvis.
        stature: Standing height in pixels.
        size: The picture's (width, height) in pixels.
        pitch: How far the camera looks down, in degrees.
        rise: How far the feet are above the ground, in pixels.
    """
    unit = stature * SAMPLES
    x, y = to_samples(np.array(foot))
    lift = figure.lowest * np.cos(np.deg2rad(pitch)) * unit
    shift = np.array([x, y + lift - rise * SAMPLES])
    view = View(turn('x', pitch), unit, shift)
    (left, top), (right, bottom) = extent_of(figure.solids, view)
    buffer = Buffer.empty(
        max(int(np.floor(left)), 0),
        max(int(np.floor(top)), 0),
        min(int(np.ceil(right)) + 1, size[0] * SAMPLES),
        min(int(np.ceil(bottom)) + 1, size[1] * SAMPLES),
    )
    render(buffer, figure.solids, view, light)
    color = buffer.color * _crevices(buffer, unit)[..., None]
    color = np.clip(color * 255 + 0.5, 0, 255).astype(np.uint8)
    return Placed(figure, view, float(y), unit, buffer, color)


def _crevices(buffer: Buffer, unit: float) -> np.ndarray:
    """Light left (h, w) where something near is in front of a surface.

    Unsharp masking of the depth buffer, after Luft, Colditz and Deussen,
    Image enhancement by unsharp masking the depth buffer, SIGGRAPH 2006.
    """
    drawn = buffer.drawn
    if not drawn.any():
        return np.ones(drawn.shape, np.float32)
    depth = np.where(drawn, buffer.depth, 0)
    size = max(3, int(0.035 * unit) | 1)
    mean = cv2.blur(depth, (size, size))
    share = cv2.blur(drawn.astype(np.float32), (size, size))
    behind = (depth - mean / np.maximum(share, 1e-3)) / (0.05 * unit)
    return 1 - 0.45 * np.clip(behind, 0, 1)


def compose(
    backdrop: np.ndarray, layers: Sequence[Placed | Prop]
) -> tuple[np.ndarray, Fronts]:
    """Draw layers before a backdrop, the first one farthest.

    Args:
        backdrop: (H, W, 3) uint8 BGR, in pixels.

    Returns:
        The picture (H, W, 3) uint8 BGR in pixels, and what is in front.
    """
    height, width = backdrop.shape[:2]
    shape = (height * SAMPLES, width * SAMPLES)
    canvas = cv2.resize(
        backdrop, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST
    )
    fronts = Fronts(np.full(shape, -1, np.int16), np.full(shape, -1, np.int16))
    for layer in layers:
        if isinstance(layer, Placed):
            _shadow(canvas, layer)
    for index, layer in enumerate(layers):
        if isinstance(layer, Prop):
            fronts.layer[layer.draw(canvas)] = index
            continue
        buffer = layer.buffer
        drawn = buffer.drawn
        if not drawn.any():
            continue
        cv2.copyTo(layer.color, drawn.view(np.uint8), canvas[buffer.window])
        np.copyto(fronts.layer[buffer.window], np.int16(index), where=drawn)
        np.copyto(fronts.solid[buffer.window], buffer.solid, where=drawn)
    picture = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return picture, fronts


def _shadow(canvas: np.ndarray, person: Placed) -> None:
    """A soft dark patch on the ground under somebody."""
    height, width = canvas.shape[:2]
    x, reach = person.view.shift[0], 0.34 * person.unit
    x0, x1 = int(max(x - reach, 0)), int(min(x + reach, width))
    y0 = int(max(person.floor - 0.3 * reach, 0))
    y1 = int(min(person.floor + 0.3 * reach, height))
    if x1 <= x0 or y1 <= y0:
        return
    u = (np.arange(x0, x1) - x) / reach
    v = (np.arange(y0, y1) - person.floor) / (0.28 * reach)
    fall = np.clip(1 - u[None, :] ** 2 - v[:, None] ** 2, 0, 1)
    light = (1 - 0.5 * fall).astype(np.float32)[..., None]
    canvas[y0:y1, x0:x1] = (canvas[y0:y1, x0:x1] * light).astype(np.uint8)
