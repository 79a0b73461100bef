"""Images of pairs of crops: one pair, and a contact sheet of many."""

import math
from collections.abc import Sequence

import numpy as np

from . import drawing
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

GAP = 10
SCORE = 0.3
"""Predicted joints of a lower score are drawn small, without links."""

_COLORS = {
    "person's left": LEFT,
    'right': RIGHT,
    'middle': MIDDLE,
    'painted': REGION,
}
Lines = Sequence[tuple[str, Color]]


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
    crops = [
        _captioned(crop, [(title, FAINT)], 13, above=True)
        for crop, title in zip(
            _crops(pair, style, height), ('annotation', word), strict=True
        )
    ]
    lines = [(f'{heading}  {pair.title}'.strip(), INK)]
    lines += [(record_caption(record), FAINT) for record in pair.records]
    lines += [(line, FAINT) for line in _errors(pair, style)]
    page = _captioned(_beside(crops, GAP), lines, 15)
    return _framed(page, pair.predicted is not None and pair.matched)


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
    cells = []
    for pair in pairs:
        lines = [(pair.title, INK)]
        lines += [(record_caption(r), FAINT) for r in pair.records[:3]]
        crops = _beside(_crops(pair, style, 256), 4)
        cells.append(_captioned(crops, lines, 12))
    width = max(cell.shape[1] for cell in cells)
    height = max(cell.shape[0] for cell in cells)
    columns = round(math.sqrt(len(cells) * height / width * 1.3))
    columns = min(len(cells), max(1, columns))
    columns = max(1, round(columns / together)) * together
    page_width = columns * width + (columns - 1) * 2 * GAP
    strips = []
    for start in range(0, len(cells), columns):
        row = cells[start : start + columns]
        strip = _blank(max(cell.shape[0] for cell in row), page_width)
        for index, cell in enumerate(row):
            left = index * (width + 2 * GAP)
            strip[: cell.shape[0], left : left + cell.shape[1]] = cell
        strips += [strip, _blank(GAP, page_width)]
    page = np.concatenate(strips)
    if facts:
        page = _captioned(page, [(f, FAINT) for f in facts], 14, above=True)
    return _framed(_captioned(page, [(heading, INK)], 18, above=True), False)


def _crops(pair: CropPair, style: PoseStyle, height: int) -> list[np.ndarray]:
    scale = max(1, math.ceil(height / pair.size[1]))
    clean = drawing.enlarge(pair.clean, scale)
    for joints, labelled in zip(pair.joints, pair.labelled, strict=True):
        drawing.draw_pose(clean, joints, labelled, style, scale)
    occluded = drawing.enlarge(pair.occluded, scale)
    for record in pair.records:
        drawing.draw_region(occluded, record, scale)
    if pair.predicted is None:
        _draw_marks(occluded, pair, style, scale)
    else:
        _draw_prediction(occluded, pair, style, scale)
    return [clean, occluded]


def _draw_marks(
    canvas: np.ndarray, pair: CropPair, style: PoseStyle, scale: int
) -> None:
    """Dots on the joints that are hidden or have lost their label."""
    removed = pair.removed()
    radius = drawing.thickness(canvas) * 1.3
    for i, k in _labelled(pair, style, pair.hidden() | removed):
        color = ERROR if (i, style.names[k]) in removed else TRUTH
        drawing.disc(canvas, pair.joints[i, k], radius, color, scale)


def _draw_prediction(
    canvas: np.ndarray, pair: CropPair, style: PoseStyle, scale: int
) -> None:
    assert pair.predicted is not None
    for i, joints in enumerate(pair.predicted):
        shown = np.ones(len(joints), bool)
        faint = None if pair.scores is None else pair.scores[i] < SCORE
        drawing.draw_pose(canvas, joints, shown, style, scale, faint)
    unit = drawing.thickness(canvas)
    for i, k in _labelled(pair, style, pair.hidden()):
        truth = pair.joints[i, k]
        if pair.matched:
            guess = pair.predicted[i, k]
            drawing.draw_error(canvas, truth, guess, scale)
            drawing.disc(canvas, guess, unit * 1.6, style.colors[k], scale)
        else:
            drawing.disc(canvas, truth, unit * 1.3, TRUTH, scale)


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


def _beside(images: Sequence[np.ndarray], gap: int) -> np.ndarray:
    spacer = _blank(images[0].shape[0], gap)
    parts = [part for image in images for part in (image, spacer)]
    return np.concatenate(parts[:-1], axis=1)


def _captioned(
    body: np.ndarray, lines: Lines, size: int, above: bool = False
) -> np.ndarray:
    height = len(lines) * drawing.line_height(size) + GAP // 2
    caption = _blank(height, body.shape[1])
    drawing.write(caption, lines, (0, GAP // 2), size, body.shape[1])
    return np.concatenate([caption, body] if above else [body, caption])


def _framed(page: np.ndarray, errors: bool) -> np.ndarray:
    page = np.concatenate([page, _legend(page.shape[1], errors)])
    height, width = page.shape[:2]
    out = _blank(height + 2 * GAP, width + 2 * GAP)
    out[GAP:-GAP, GAP:-GAP] = page
    return out


def _legend(width: int, errors: bool) -> np.ndarray:
    """One line with a dot and a word for each colour."""
    strip = _blank(drawing.line_height(13) + GAP, width)
    line = {'annotation to prediction of a hidden joint': ERROR}
    dots = {'hidden joint': TRUTH, 'label removed': ERROR}
    left, y = 0, GAP + 6.5
    for text, color in (_COLORS | (line if errors else dots)).items():
        advance = 16 + drawing.text_width(text, 13) + 18
        if left + advance - 18 > width:
            break
        drawing.disc(strip, np.array([left + 5.0, y]), 4, color, 1)
        place = left + 16, GAP - 2
        drawing.write(strip, [(text, FAINT)], place, 13, width)
        left += advance
    return strip


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), PAPER, np.uint8)
