"""Joints, regions and text on enlarged images, with OpenCV.

A pixel (x, y) has its centre at (x + 0.5, y + 0.5) from the image's corner:
a joint at x is drawn at (x + 0.5) * scale - 0.5. Canvases are RGB.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .crop_pair import ERROR, INK, REGION, TRUTH, Color, PoseStyle

_SHIFT = 4  # bits of OpenCV's subpixel coordinates
_AA = cv2.LINE_AA


def enlarge(image: np.ndarray, scale: int) -> np.ndarray:
    """An (H, W, 3) BGR image as an RGB canvas ``scale`` times as large.

    Cubic interpolation keeps the edges of discs sharp.
    """
    rgb = np.clip(image, 0, 255).astype(np.uint8)[..., ::-1]
    if scale == 1:
        return rgb.copy()
    size = image.shape[1] * scale, image.shape[0] * scale
    return cv2.resize(
        np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_CUBIC
    )


def draw_pose(
    canvas: np.ndarray,
    joints: np.ndarray,
    shown: np.ndarray,
    style: PoseStyle,
    scale: int,
    faint: np.ndarray | None = None,
) -> None:
    """Draw one person's joints and links.

    Args:
        canvas: (H * scale, W * scale, 3) RGB; drawn on.
        joints: (K, 2) in pixels of the image.
        shown: (K,) bool; joints that are not finite are never drawn.
        style: Links and colours.
        scale: Of the canvas.
        faint: (K,) bool, joints that are drawn small and without links.
    """
    faint = np.zeros(len(joints), bool) if faint is None else faint
    shown = shown & np.isfinite(joints).all(axis=-1)
    unit = thickness(canvas)
    solid = shown & ~faint
    for link in style.links:
        if solid[link[0]] and solid[link[1]]:
            a, b = (_point(joints[i], scale) for i in link)
            color = style.link_color(link)
            cv2.line(canvas, a, b, _dark(color), unit + 2, _AA, _SHIFT)
            cv2.line(canvas, a, b, color, unit, _AA, _SHIFT)
    for index in np.flatnonzero(shown):
        radius = unit * (1.0 if faint[index] else 1.6)
        disc(canvas, joints[index], radius, style.colors[index], scale)


def disc(
    canvas: np.ndarray,
    joint: np.ndarray,
    radius: float,
    color: Color,
    scale: int,
) -> None:
    """A dot with a dark rim; the radius is in pixels of the canvas."""
    center = _point(joint, scale)
    for extra, paint in ((1.2, _dark(color)), (0.0, color)):
        size = round((radius + extra) * (1 << _SHIFT))
        cv2.circle(canvas, center, size, paint, -1, _AA, _SHIFT)


def draw_error(
    canvas: np.ndarray, truth: np.ndarray, guess: np.ndarray, scale: int
) -> None:
    """A ring at a joint's annotation and a line to its prediction."""
    ends = _point(truth, scale), _point(guess, scale)
    unit = thickness(canvas)
    size = round((unit * 2.0 + 1) * (1 << _SHIFT))
    cv2.line(canvas, *ends, INK, unit + 2, _AA, _SHIFT)
    cv2.line(canvas, *ends, ERROR, unit, _AA, _SHIFT)
    cv2.circle(canvas, ends[0], size, INK, unit + 2, _AA, _SHIFT)
    cv2.circle(canvas, ends[0], size, TRUTH, unit, _AA, _SHIFT)


def draw_region(canvas: np.ndarray, record: Mapping, scale: int) -> None:
    """Outline the region that a record painted, if it painted one."""
    if not record.get('box'):
        return
    unit = thickness(canvas)
    region = record.get('region') or {}
    for width, color in ((unit + 2, INK), (unit, REGION)):
        if region.get('shape') == 'disc':
            center = _point(np.array(region['center']), scale)
            size = round((region['radius'] + 0.5) * scale * (1 << _SHIFT))
            cv2.circle(canvas, center, size, color, width, _AA, _SHIFT)
        else:
            x1, y1, x2, y2 = (edge * scale for edge in record['box'])
            corners = (x1, y1), (x2 - 1, y2 - 1)
            cv2.rectangle(canvas, *corners, color, width, _AA)


def thickness(canvas: np.ndarray) -> int:
    """Width of lines, in pixels of the canvas."""
    return max(1, round(min(canvas.shape[:2]) / 200))


def write(
    canvas: np.ndarray,
    lines: Sequence[tuple[str, Color]],
    corner: tuple[int, int],
    size: int,
    width: int,
) -> None:
    """Write lines of text and RGB below a corner (left, top) of the canvas,
    in letters of a size in pixels; what is longer than ``width`` pixels is
    cut with an ellipsis."""
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    letters = font(size)
    x, y = corner
    for row, (text, color) in enumerate(lines):
        shown = text
        while text and letters.getlength(shown) > width:
            text = text[:-1]
            shown = f'{text.rstrip(" ,;:")}…'
        pen.text((x, y + row * line_height(size)), shown, color, letters)
    canvas[:] = np.asarray(image)


def line_height(size: int) -> int:
    """Distance of two lines, in pixels."""
    return round(size * 1.4)


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib."""
    folder = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
    return ImageFont.truetype(str(folder / 'DejaVuSans.ttf'), size)


def text_width(text: str, size: int) -> int:
    """Width of a line in pixels."""
    return int(font(size).getlength(text))


def _point(joint: np.ndarray, scale: int) -> tuple[int, int]:
    """A joint in OpenCV's subpixel coordinates, clipped to their range."""
    xy = (np.asarray(joint, float) + 0.5) * scale - 0.5
    xy = np.clip(xy, -1e5, 1e5) * (1 << _SHIFT)
    return round(float(xy[0])), round(float(xy[1]))


def _dark(color: Color) -> Color:
    red, green, blue = (round(0.35 * part) for part in color)
    return red, green, blue
