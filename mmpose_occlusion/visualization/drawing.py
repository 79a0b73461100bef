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
    FAINT,
    INK,
    LEFT,
    MIDDLE,
    PAPER,
    REGION,
    RIGHT,
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


def write_texts(
    canvas: np.ndarray, texts: Sequence[tuple[float, float, str, float, Color]]
) -> np.ndarray:
    """Texts (x, y of their upper left corner, lines, size, colour), in
    pixels, on a copy."""
    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    path = findfont('DejaVu Sans')
    for x, y, text, size, color in texts:
        font = ImageFont.truetype(path, size)
        draw.multiline_text((x, y), text, color, font, spacing=size * 0.2)
    return np.asarray(image)


def draw_pair(
    pair: CropPair, style: PoseStyle, height: int = 512, heading: str = ''
) -> np.ndarray:
    """The clean crop with the annotation beside the occluded crop.

    The occluded crop shows the painted regions and, if there is one, the
    prediction, with a line from each hidden joint's annotation to it. The
    crops are at least ``height`` pixels high, and ``heading`` begins the
    caption. The result is (H, W, 3) uint8 RGB.
    """
    matched = pair.predicted is not None and pair.matched
    word = 'occluded'
    if pair.predicted is not None:
        word = 'prediction under attack' if pair.records else 'prediction'
    lines = [f'{heading}  {pair.title}'.strip()]
    lines += [record_caption(record) for record in pair.records]
    lines += _errors(pair, style) if matched else []
    height = max(height, pair.size[1])
    clean, occluded = _sides(pair, style, height)
    width = clean.shape[1]
    down = height + 14 * len(lines) + 60
    across = max(2 * width + 30, 590)  # of the legend
    canvas = np.full((down, across, 3), PAPER, np.uint8)
    canvas[23 : 23 + height, 10 : 10 + width] = clean
    canvas[23 : 23 + height, 14 + width : 14 + 2 * width] = occluded
    room = across // 5  # letters
    short = [s if len(s) <= room else f'{s[: room - 1]}…' for s in lines]
    texts = [
        (10, 8, 'annotation', 11, FAINT),
        (14 + width, 8, word, 11, FAINT),
        (10, height + 26, '\n'.join(short), 9.7, INK),
    ]
    legend = {
        "person's left": LEFT,
        'right': RIGHT,
        'middle': MIDDLE,
        'painted': REGION,
        'hidden joint': TRUTH,
        'to its prediction' if matched else 'label removed': ERROR,
    }
    x = 16
    for word, color in legend.items():
        draw_dot(canvas, (x, down - 12), color)
        texts.append((x + 9, down - 18, word, 9.7, INK))
        x += 30 + 6 * len(word)
    return write_texts(canvas, texts)


def _sides(
    pair: CropPair, style: PoseStyle, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both crops in a height, with what is drawn on them."""
    scale = height / pair.size[1]
    size = round(scale * pair.size[0]), height
    clean, occluded = (
        cv2.resize(np.clip(image, 0, 255).astype(np.uint8), size)[
            ..., ::-1
        ].copy()
        for image in (pair.clean, pair.occluded)
    )
    truth = _scaled(pair.joints, scale)
    for joints, labelled in zip(truth, pair.labelled, strict=True):
        draw_pose(clean, joints, labelled, style)
    for record in pair.records:
        draw_region(occluded, record, scale)
    if pair.predicted is None:
        removed = _labelled(pair, style, 'removed')
        hidden = _labelled(pair, style, 'targets', 'bystanders', 'removed')
        for i, k in hidden:
            color = ERROR if (i, k) in removed else TRUTH
            draw_dot(occluded, truth[i, k], color)
        return clean, occluded
    guess = _scaled(pair.predicted, scale)
    shown = np.ones(guess.shape[1], bool)
    for i, joints in enumerate(guess):
        scores = None if pair.scores is None else pair.scores[i]
        draw_pose(occluded, joints, shown, style, scores)
    for i, k in _labelled(pair, style, 'targets', 'bystanders'):
        if pair.matched and np.isfinite(guess[i, k]).all():
            draw_line(occluded, truth[i, k], guess[i, k], ERROR)
            draw_dot(occluded, guess[i, k], style.colors[k])
        draw_dot(occluded, truth[i, k], TRUTH)
    return clean, occluded


def _labelled(
    pair: CropPair, style: PoseStyle, *roles: str
) -> list[tuple[int, int]]:
    """(person, joint) indices of joints in these roles that have a label."""
    found = [(i, style.names.index(n)) for i, n in pair.listed(*roles)]
    return sorted(
        (i, k)
        for i, k in found
        if i < len(pair.labelled) and pair.labelled[i, k]
    )


def _errors(pair: CropPair, style: PoseStyle) -> list[str]:
    """A line with the errors of the hidden joints, in pixels."""
    assert pair.predicted is not None
    off = np.linalg.norm(pair.predicted - pair.joints, axis=-1)
    words = [
        f'{style.names[k]} {off[i, k]:.0f} px'
        for i, k in _labelled(pair, style, 'targets', 'bystanders')
    ]
    return [f'error of the prediction: {", ".join(words)}'] if words else []
