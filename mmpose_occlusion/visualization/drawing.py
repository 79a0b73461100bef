"""Poses and regions on images, and pairs of crops as images.

Places are in pixels of the image that is drawn on, whose first pixel has its
centre at (0, 0).
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from .gallery import (
    ERROR,
    INK,
    PAPER,
    REGION,
    TRUTH,
    Color,
    CropPair,
    PoseStyle,
    record_caption,
)

SCORE = 0.3
"""Predicted joints of a lower score are drawn small, without links."""

_SHIFT = 4  # bits of a pixel's fraction
Place = Sequence[float] | np.ndarray


def draw_pose(
    canvas: np.ndarray,
    joints: np.ndarray,
    shown: np.ndarray,
    style: PoseStyle,
    scores: np.ndarray | None = None,
    unit: float = 1,
) -> None:
    """One person's links and joints.

    Args:
        canvas: (H, W, 3) uint8 RGB, modified.
        joints: (K, 2).
        shown: (K,) bool; joints that are not finite are never drawn.
        style: Links and colours.
        scores: (K,) of a prediction.
        unit: Half the width of a link.
    """
    shown = shown & (np.abs(joints) < 1e5).all(axis=-1)
    sure = shown if scores is None else shown & (scores >= SCORE)
    for link in style.links:
        if sure[list(link)].all():
            a, b = joints[list(link)]
            draw_line(canvas, a, b, style.link_color(link), unit)
    for k in np.flatnonzero(shown):
        size = unit if sure[k] else 0.5 * unit
        draw_dot(canvas, joints[k], style.colors[k], size)


def draw_line(
    canvas: np.ndarray, a: Place, b: Place, color: Color, unit: float = 1
) -> None:
    """A line with a dark rim, so that it is seen on every image."""
    for one, width in ((INK, 4 * unit), (color, 2 * unit)):
        look = one, round(width), cv2.LINE_AA, _SHIFT
        cv2.line(canvas, _fixed(a), _fixed(b), *look)


def draw_dot(
    canvas: np.ndarray, place: Place, color: Color, unit: float = 1
) -> None:
    """A filled circle with a black rim."""
    for one, radius in (((0, 0, 0), 4 * unit), (color, 3.2 * unit)):
        size = round(radius * 2**_SHIFT)
        cv2.circle(canvas, _fixed(place), size, one, -1, cv2.LINE_AA, _SHIFT)


def draw_region(canvas: np.ndarray, record: Mapping, scale: float = 1) -> None:
    """Outline the region that a record painted, if it painted one; the canvas
    is ``scale`` times as large as the record's image."""
    if not record.get('box'):
        return
    region = record.get('region') or {}
    for color, width in ((INK, 4), (REGION, 2)):
        look = color, width, cv2.LINE_AA, _SHIFT
        if region.get('shape') == 'disc':
            radius = scale * (region['radius'] + 0.5) * 2**_SHIFT
            center = _scaled(region['center'], scale)
            cv2.circle(canvas, _fixed(center), round(radius), *look)
        else:
            corners = np.reshape(record['box'], (2, 2)) - 0.5
            a, b = map(_fixed, _scaled(corners, scale))
            cv2.rectangle(canvas, a, b, *look)


def _fixed(place: Place) -> tuple[int, ...]:
    clipped = np.clip(place, -1e4, 1e4)
    return tuple(np.rint(clipped * 2**_SHIFT).astype(int).tolist())


def _scaled(places: Place, scale: float) -> np.ndarray:
    return (np.asarray(places, float) + 0.5) * scale - 0.5


def captioned(
    image: np.ndarray, lines: Sequence[str], size: float, rows: int
) -> np.ndarray:
    """An RGB image with lines of text of a size in pixels below it, and room
    for ``rows`` of them."""
    step, below = round(1.5 * size), image.shape[0] + 4
    page = Image.fromarray(
        cv2.copyMakeBorder(
            image,
            *(0, rows * step + 8, 0, 0, cv2.BORDER_CONSTANT),
            value=PAPER,
        )
    )
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(findfont('DejaVu Sans'), size)
    for i, line in enumerate(lines[:rows]):
        draw.text((6, below + i * step), line, INK, font)
    return np.asarray(page)


def draw_pair(
    pair: CropPair, style: PoseStyle, height: int = 512, heading: str = ''
) -> np.ndarray:
    """The clean crop with the annotation, beside the occluded crop with the
    prediction, which the pair has, outlines of what is painted, and white
    dots and lines from the annotations of hidden joints to their predictions.

    The crops are at least ``height`` pixels high; captions, which ``heading``
    begins, are below. The result is (H, W, 3) uint8 RGB.
    """
    assert pair.predicted is not None
    assert pair.scores is not None
    height = max(height, pair.size[1])
    scale = height / pair.size[1]
    size = round(scale * pair.size[0]), height
    clean, occluded = (
        cv2.resize(np.clip(image, 0, 255).astype(np.uint8), size)[
            ..., ::-1
        ].copy()
        for image in (pair.clean, pair.occluded)
    )
    truth, guess = _scaled(pair.joints, scale), _scaled(pair.predicted, scale)
    for joints, labelled in zip(truth, pair.labelled, strict=True):
        draw_pose(clean, joints, labelled, style)
    for record in pair.records:
        draw_region(occluded, record, scale)
    shown = np.ones(guess.shape[1], bool)
    for joints, scores in zip(guess, pair.scores, strict=True):
        draw_pose(occluded, joints, shown, style, scores)
    for person, name in sorted(pair.listed('targets', 'bystanders')):
        k = style.names.index(name)
        if person < len(truth) and pair.labelled[person, k]:
            start = truth[person, k]
            if pair.matched and np.isfinite(guess[person, k]).all():
                draw_line(occluded, start, guess[person, k], ERROR)
                draw_dot(occluded, guess[person, k], style.colors[k])
            draw_dot(occluded, start, TRUTH)
    lines = [f'{heading}  {pair.title}'.strip()]
    lines += map(record_caption, pair.records)
    page = np.hstack([clean, occluded])
    return captioned(page, lines, 9.7, len(lines))
