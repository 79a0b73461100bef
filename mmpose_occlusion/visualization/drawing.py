"""Poses on images, in pixels of these, whose first has its centre at (0, 0);
pairs of crops as images."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from .gallery import INK, PAPER, CropPair, PoseStyle

SCORE = 0.3
"""Predicted joints of a lower score are drawn small, without links."""

_SHIFT = 4  # bits of a pixel's fraction


def draw_pose(
    canvas: np.ndarray,
    joints: np.ndarray,
    shown: np.ndarray,
    style: PoseStyle,
    scores: np.ndarray | None = None,
    unit: float = 1,
) -> None:
    """Draw one person's links and joints ``(K, 2)`` on an RGB canvas. Joints
    are ``shown`` ``(K,)`` where they are finite; the scores ``(K,)`` are of a
    prediction, a unit is half the width of a link."""
    shown = shown & (np.abs(joints) < 1e5).all(axis=-1)
    sure = shown if scores is None else shown & (scores >= SCORE)
    fixed = np.nan_to_num(np.clip(joints, -1e4, 1e4)) * 2**_SHIFT
    places = np.rint(fixed).astype(int).tolist()
    tail = cv2.LINE_AA, _SHIFT
    # all have a dark rim, so that they are seen on every image
    for link in style.links:
        if sure[list(link)].all():
            a, b = (places[k] for k in link)
            cv2.line(canvas, a, b, INK, round(4 * unit), *tail)
            color = style.link_color(link)
            cv2.line(canvas, a, b, color, round(2 * unit), *tail)
    for k in np.flatnonzero(shown):
        size = (unit if sure[k] else 0.5 * unit) * 2**_SHIFT
        cv2.circle(canvas, places[k], round(4 * size), (0, 0, 0), -1, *tail)
        color = style.colors[k]
        cv2.circle(canvas, places[k], round(3.2 * size), color, -1, *tail)


def captioned(
    image: np.ndarray, lines: Sequence[str], size: float, rows: int
) -> np.ndarray:
    """An RGB image with lines of text of a size in pixels below it, and room
    for ``rows`` of them."""
    step, below = round(1.5 * size), image.shape[0] + 4
    padded = cv2.copyMakeBorder(
        image, 0, rows * step + 8, 0, 0, cv2.BORDER_CONSTANT, value=PAPER
    )
    page = Image.fromarray(padded)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(findfont('DejaVu Sans'), size)
    for i, line in enumerate(lines[:rows]):
        draw.text((6, below + i * step), line, INK, font)
    return np.asarray(page)


def draw_pair(
    pair: CropPair, style: PoseStyle, height: int = 512, heading: str = ''
) -> np.ndarray:
    """The clean crop with the annotation beside the occluded crop with the
    prediction, which the pair has, at least ``height`` pixels high, above a
    caption that begins with the heading: (H, W, 3) uint8 RGB."""
    assert pair.predicted is not None
    assert pair.scores is not None
    tall, wide = pair.clean.shape[:2]
    scale = max(height, tall) / tall
    size = round(scale * wide), round(scale * tall)
    sides = [
        cv2.resize(np.clip(image, 0, 255)[..., ::-1].astype(np.uint8), size)
        for image in (pair.clean, pair.occluded)
    ]
    truth, guess = (
        (joints + 0.5) * scale - 0.5
        for joints in (pair.joints, pair.predicted)
    )
    for joints, labelled in zip(truth, pair.labelled, strict=True):
        draw_pose(sides[0], joints, labelled, style)
    shown = np.ones(guess.shape[1], bool)
    for joints, scores in zip(guess, pair.scores, strict=True):
        draw_pose(sides[1], joints, shown, style, scores)
    caption = f'{heading}  {pair.title}'.strip()
    return captioned(np.hstack(sides), [caption], 9.7, 1)
