"""Poses and regions on images; pairs of crops and contact sheets as images.

Places are in pixels of the image that is drawn on, whose first pixel has its
centre at (0, 0).
"""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from .crop_pair import (
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
            draw_line(
                canvas, *joints[list(link)], style.link_color(link), unit
            )
    for k in np.flatnonzero(shown):
        size = unit if sure[k] else 0.5 * unit
        draw_dot(canvas, joints[k], style.colors[k], size)


def draw_line(
    canvas: np.ndarray, a: Place, b: Place, color: Color, unit: float = 1
) -> None:
    """A line with a dark rim, so that it is seen on every image."""
    for one, width in ((INK, 4 * unit), (color, 2 * unit)):
        ends, width = (_fixed(a), _fixed(b)), round(width)
        cv2.line(canvas, *ends, one, width, cv2.LINE_AA, _SHIFT)


def draw_dot(
    canvas: np.ndarray, place: Place, color: Color, unit: float = 1
) -> None:
    """A filled circle with a black rim."""
    for one, radius in (((0, 0, 0), 4 * unit), (color, 3.2 * unit)):
        size = round(radius * 2**_SHIFT)
        at = _fixed(place)
        cv2.circle(canvas, at, size, one, -1, cv2.LINE_AA, _SHIFT)


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
            ends = map(_fixed, _scaled(corners, scale))
            cv2.rectangle(canvas, *ends, *look)


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
    prediction, with a line from each hidden joint's annotation to it.

    Args:
        pair: The crops.
        style: The data set's joints.
        height: Minimum height of the crops, in pixels.
        heading: Start of the caption.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    word = 'prediction' if pair.predicted is not None else 'occluded'
    if pair.records and pair.predicted is not None:
        word += ' under attack'
    lines = [f'{heading}  {pair.title}'.strip()]
    lines += [record_caption(record) for record in pair.records]
    lines += _errors(pair, style)
    words = 'annotation', word
    return _page([pair], style, height, captions=[lines], words=words)


def contact_sheet(
    pairs: Sequence[CropPair],
    style: PoseStyle,
    heading: str,
    together: int = 1,
    facts: Sequence[str] = (),
) -> np.ndarray:
    """All pairs in one image, about as high as wide.

    Args:
        pairs: The crops in their order.
        style: The data set's joints.
        heading: Title.
        together: Number of successive pairs that are kept in one row.
        facts: Lines below the title.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    captions = [
        [pair.title, *(record_caption(r) for r in pair.records[:3])]
        for pair in pairs
    ]
    title = '\n'.join([heading, *facts])
    return _page(pairs, style, 256, captions, title, together=together)


def _page(
    pairs: Sequence[CropPair],
    style: PoseStyle,
    height: int,
    captions: Sequence[Sequence[str]],
    title: str = '',
    words: tuple[str, str] = ('', ''),
    together: int = 1,
) -> np.ndarray:
    """Pairs in rows, each with lines of text below; lengths in pixels."""
    height = max(height, *(pair.size[1] for pair in pairs))
    width = math.ceil(height * max(p.size[0] / p.size[1] for p in pairs))
    cell = 2 * width + 20, height + 14 * max(map(len, captions)) + 30
    columns = round(math.sqrt(1.3 * len(pairs) * cell[1] / cell[0]))
    columns = max(1, round(min(columns, len(pairs)) / together)) * together
    top = 17 * title.count('\n') + 25 if title else 5
    across = columns * cell[0] + 10
    down = math.ceil(len(pairs) / columns) * cell[1] + top + 25
    canvas = np.full((down, across, 3), PAPER, np.uint8)
    texts = [(10, 5, title, 14, INK)]
    for index, (pair, caption) in enumerate(zip(pairs, captions, strict=True)):
        i, j = divmod(index, columns)
        x, y = 10 + j * cell[0], top + i * cell[1] + 18
        for k, side in enumerate(_sides(pair, style, height)):
            left = x + k * (width + 4)
            canvas[y : y + height, left : left + side.shape[1]] = side
            texts.append((left, y - 15, words[k], 11, FAINT))
        room = cell[0] // 5  # letters
        short = [s if len(s) <= room else f'{s[: room - 1]}…' for s in caption]
        texts.append((x, y + height + 3, '\n'.join(short), 9.7, INK))
    x = 16
    errors = words[0] and pairs[0].predicted is not None and pairs[0].matched
    for word, color in (
        *(("person's left", LEFT), ('right', RIGHT), ('middle', MIDDLE)),
        *(('painted', REGION), ('hidden joint', TRUTH)),
        ('to its prediction' if errors else 'label removed', ERROR),
    ):
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
        np.ascontiguousarray(
            cv2.resize(np.clip(image, 0, 255).astype(np.uint8), size)[
                ..., ::-1
            ]
        )
        for image in (pair.clean, pair.occluded)
    )
    truth = _scaled(pair.joints, scale)
    for joints, labelled in zip(truth, pair.labelled, strict=True):
        draw_pose(clean, joints, labelled, style)
    for record in pair.records:
        draw_region(occluded, record, scale)
    removed = pair.removed()
    if pair.predicted is None:
        for i, k in _labelled(pair, style, pair.hidden() | removed):
            color = ERROR if (i, style.names[k]) in removed else TRUTH
            draw_dot(occluded, truth[i, k], color)
        return clean, occluded
    guess = _scaled(pair.predicted, scale)
    shown = np.ones(guess.shape[1], bool)
    for i, joints in enumerate(guess):
        scores = None if pair.scores is None else pair.scores[i]
        draw_pose(occluded, joints, shown, style, scores)
    for i, k in _labelled(pair, style, pair.hidden()):
        if pair.matched:
            draw_line(occluded, truth[i, k], guess[i, k], ERROR)
            draw_dot(occluded, guess[i, k], style.colors[k])
        draw_dot(occluded, truth[i, k], TRUTH)
    return clean, occluded


def _labelled(
    pair: CropPair, style: PoseStyle, joints: set[tuple[int, str]]
) -> list[tuple[int, int]]:
    """(person, joint) indices of those that have a label."""
    index = {name: k for k, name in enumerate(style.names)}
    return sorted(
        (i, index[name])
        for i, name in joints
        if i < len(pair.labelled) and pair.labelled[i, index[name]]
    )


def _errors(pair: CropPair, style: PoseStyle) -> list[str]:
    """A line with the errors of the hidden joints, in pixels."""
    if pair.predicted is None or not pair.matched:
        return []
    words = []
    for i, k in _labelled(pair, style, pair.hidden()):
        off = np.linalg.norm(pair.predicted[i, k] - pair.joints[i, k])
        words.append(f'{style.names[k]} {off:.0f} px')
    return [f'error of the prediction: {", ".join(words)}'] if words else []
