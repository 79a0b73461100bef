"""Pictures for people: a pair of crops, and a contact sheet of pairs."""

import math
from collections.abc import Sequence

import numpy as np

from . import draw
from .style import (
    ERROR,
    FAINT,
    INK,
    LEFT,
    MIDDLE,
    PAPER,
    REGION,
    RIGHT,
    TRUTH,
    Style,
)
from .view import View, outcome

GAP = 10
SCORE = 0.3
"""Predicted joints of a lower score are drawn small, without links."""


def pair(
    view: View, style: Style, height: int = 512, heading: str = ''
) -> np.ndarray:
    """Clean picture with the truth beside the occluded one.

    On the occluded picture are the painted regions and, if there is one, the
    prediction: joints that were hidden have a line from where they are to
    where they were predicted.

    Args:
        view: What to show.
        style: The data set's joints.
        height: At least this many pixels for the pictures.
        heading: First line of the caption, before the view's title.

    Returns:
        (H, W, 3) RGB.
    """
    scale = max(1, math.ceil(height / view.size[1]))
    said = 'prediction' if view.predicted is not None else 'occluded'
    if view.records and view.predicted is not None:
        said += ' under attack'
    pictures = [
        _captioned(picture, [(title, FAINT)], 13, above=True)
        for picture, title in zip(
            _pictures(view, style, scale), ('truth', said), strict=True
        )
    ]
    body = _beside(pictures)
    lines = [(f'{heading}  {view.title}'.strip(), INK)]
    lines += [(outcome(record), FAINT) for record in view.records]
    lines += [(line, FAINT) for line in _errors(view, style)]
    return _framed(
        body, lines, 15, errors=view.predicted is not None and view.matched
    )


def sheet(
    views: Sequence[View],
    style: Style,
    heading: str,
    columns: int = 0,
    height: int = 256,
    together: int = 1,
    facts: Sequence[str] = (),
) -> np.ndarray:
    """All pairs on one page.

    Args:
        views: What to show, in this order.
        style: The data set's joints.
        heading: Title of the page.
        columns: Pairs in a row; 0 for a page about as high as wide.
        height: At least this many pixels for each picture.
        together: So many pairs belong together and stand in one row.
        facts: Lines below the title.

    Returns:
        (H, W, 3) RGB.
    """
    cells = []
    for view in views:
        scale = max(1, math.ceil(height / view.size[1]))
        body = _beside(_pictures(view, style, scale), gap=4)
        lines = [(view.title, INK)]
        lines += [(outcome(record), FAINT) for record in view.records[:3]]
        cells.append(_captioned(body, lines, 12))
    width = max(cell.shape[1] for cell in cells)
    columns = columns or _columns(cells, width)
    columns = max(1, round(columns / together)) * together
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    page_width = columns * width + (columns - 1) * 2 * GAP
    strips = []
    for row in rows:
        strip = _blank(max(cell.shape[0] for cell in row), page_width)
        for index, cell in enumerate(row):
            left = index * (width + 2 * GAP)
            strip[: cell.shape[0], left : left + cell.shape[1]] = cell
        strips += [strip, _blank(GAP, page_width)]
    page = np.concatenate(strips)
    if facts:
        lines = [(fact, FAINT) for fact in facts]
        page = _captioned(page, lines, 14, above=True)
    return _framed(page, [(heading, INK)], 18, above=True)


def _pictures(view: View, style: Style, scale: int) -> list[np.ndarray]:
    clean = draw.enlarge(view.clean, scale)
    for joints, labelled in zip(view.joints, view.labelled, strict=True):
        draw.draw_pose(clean, joints, labelled, style, scale)
    occluded = draw.enlarge(view.occluded, scale)
    for record in view.records:
        draw.draw_region(occluded, record, scale)
    if view.predicted is None:
        _draw_remaining(occluded, view, style, scale)
    else:
        _draw_prediction(occluded, view, style, scale)
    return [clean, occluded]


def _draw_remaining(
    canvas: np.ndarray, view: View, style: Style, scale: int
) -> None:
    """Dots on the joints that are hidden or have lost their label."""
    removed, hidden = view.removed(), view.hidden()
    radius = draw.thickness(canvas) * 1.3
    for i, (joints, labelled) in enumerate(
        zip(view.joints, view.labelled, strict=True)
    ):
        for k in np.flatnonzero(labelled):
            mark = i, style.names[k]
            if mark in removed or mark in hidden:
                color = ERROR if mark in removed else TRUTH
                draw.disc(canvas, joints[k], radius, color, scale)


def _draw_prediction(
    canvas: np.ndarray, view: View, style: Style, scale: int
) -> None:
    assert view.predicted is not None
    for i, joints in enumerate(view.predicted):
        faint = np.zeros(len(joints), bool)
        if view.scores is not None:
            faint = view.scores[i] < SCORE
        draw.draw_pose(
            canvas, joints, np.ones(len(joints), bool), style, scale, faint
        )
    for i, k in _hidden_truth(view, style):
        truth = view.joints[i, k]
        if view.matched:
            guess = view.predicted[i, k]
            draw.draw_error(canvas, truth, guess, scale)
            size = draw.thickness(canvas) * 1.6
            draw.disc(canvas, guess, size, style.colors[k], scale)
        else:
            radius = draw.thickness(canvas) * 1.3
            draw.disc(canvas, truth, radius, TRUTH, scale)


def _hidden_truth(view: View, style: Style) -> list[tuple[int, int]]:
    index = {name: k for k, name in enumerate(style.names)}
    return sorted(
        (i, index[name])
        for i, name in view.hidden()
        if i < len(view.labelled) and view.labelled[i, index[name]]
    )


def _errors(view: View, style: Style) -> list[str]:
    """How far off the hidden joints were predicted, in words."""
    if view.predicted is None or not view.matched:
        return []
    words = []
    for i, k in _hidden_truth(view, style):
        off = np.linalg.norm(view.predicted[i, k] - view.joints[i, k])
        words.append(f'{style.names[k]} {off:.0f} px')
    return [f'predicted off by: {", ".join(words)}'] if words else []


def _columns(cells: Sequence[np.ndarray], width: int) -> int:
    height = max(cell.shape[0] for cell in cells)
    best = round(math.sqrt(len(cells) * height / width * 1.3))
    return min(len(cells), max(1, best))


def _beside(pictures: Sequence[np.ndarray], gap: int = GAP) -> np.ndarray:
    spacer = _blank(pictures[0].shape[0], gap)
    parts = [part for picture in pictures for part in (picture, spacer)]
    return np.concatenate(parts[:-1], axis=1)


def _captioned(
    body: np.ndarray, lines: Sequence[tuple], size: int, above: bool = False
) -> np.ndarray:
    step = draw.line_height(size)
    caption = _blank(len(lines) * step + GAP // 2, body.shape[1])
    draw.write(caption, lines, (0, GAP // 2), size, body.shape[1])
    return np.concatenate([caption, body] if above else [body, caption])


def _framed(
    body: np.ndarray,
    lines: Sequence[tuple],
    size: int,
    errors: bool = False,
    above: bool = False,
) -> np.ndarray:
    page = _captioned(body, lines, size, above)
    page = np.concatenate([page, _legend(page.shape[1], errors)])
    out = _blank(page.shape[0] + 2 * GAP, page.shape[1] + 2 * GAP)
    out[GAP:-GAP, GAP:-GAP] = page
    return out


def _legend(width: int, errors: bool) -> np.ndarray:
    """One line that explains the marks."""
    size = 13
    strip = _blank(draw.line_height(size) + GAP, width)
    entries: list[tuple[str, tuple, str]] = [
        ('dot', LEFT, "person's left"),
        ('dot', RIGHT, 'right'),
        ('dot', MIDDLE, 'middle'),
        ('box', REGION, 'painted'),
    ]
    if errors:
        entries += [('line', ERROR, 'hidden joint: truth to prediction')]
    else:
        entries += [
            ('dot', TRUTH, 'hidden joint'),
            ('dot', ERROR, 'label removed'),
        ]
    left, middle = 0, GAP + size / 2
    for kind, color, text in entries:
        advance = 16 + draw.text_width(text, size) + 18
        if left + advance - 18 > width:
            break
        _mark(strip, kind, color, np.array([left + 5.0, middle]))
        draw.write(strip, [(text, FAINT)], (left + 16, GAP - 2), size, width)
        left += advance
    return strip


def _mark(
    canvas: np.ndarray, kind: str, color: tuple, center: np.ndarray
) -> None:
    x, y = (round(float(v)) for v in center)
    if kind == 'dot':
        draw.disc(canvas, center, 4, color, 1)
    elif kind == 'line':
        canvas[y - 1 : y + 1, x - 5 : x + 6] = color
    else:
        box = canvas[y - 5 : y + 6, x - 5 : x + 6]
        box[:] = INK
        box[1:-1, 1:-1] = color
        box[3:-3, 3:-3] = PAPER


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), PAPER, np.uint8)
