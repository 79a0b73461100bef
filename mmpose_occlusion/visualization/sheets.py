"""Images of pairs of crops: one pair, and a contact sheet of many."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

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

DPI = 100
Look = dict[str, Any]


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
    return _page(
        [pair],
        style,
        height,
        captions=[lines],
        words=('annotation', word),
        errors=pair.predicted is not None and pair.matched,
    )


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
    errors: bool = False,
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
    size = across / DPI, down / DPI
    figure = Figure(figsize=size, dpi=DPI, facecolor=_rgb(PAPER))

    def write(x: float, y: float, text: str, size: int, color: Color) -> None:
        look: Look = dict(fontsize=size, color=_rgb(color), va='top')
        figure.text(x / across, 1 - y / down, text, **look)

    write(10, 8, title, 10, INK)
    for index, (pair, caption) in enumerate(zip(pairs, captions, strict=True)):
        i, j = divmod(index, columns)
        y = top + i * cell[1] + 18
        axes = []
        for k, image in enumerate((pair.clean, pair.occluded)):
            x = 10 + j * cell[0] + k * (width + 4)
            box = x / across, 1 - (y + height) / down, width / across
            one = figure.add_axes((*box, height / down), anchor='NW')
            one.set_axis_off()
            rgb = np.clip(image, 0, 255).astype(np.uint8)[..., ::-1]
            one.imshow(rgb, interpolation='antialiased')
            one.set_autoscale_on(False)
            write(x, y - 14, words[k], 8, FAINT)
            axes.append(one)
        clean, occluded = axes
        for joints, labelled in zip(pair.joints, pair.labelled, strict=True):
            _draw_pose(clean, joints, labelled, style)
        for record in pair.records:
            _draw_region(occluded, record)
        _draw_joints(occluded, pair, style)
        room = cell[0] // 5  # letters
        short = [s if len(s) <= room else f'{s[: room - 1]}…' for s in caption]
        write(10 + j * cell[0], y + height + 4, '\n'.join(short), 7, INK)
    look: Look = dict(ncols=6, frameon=False, fontsize=7, borderpad=0)
    figure.legend(handles=_legend(errors), loc='lower left', **look)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_pose(
    axes: Axes,
    joints: np.ndarray,
    shown: np.ndarray,
    style: PoseStyle,
    faint: np.ndarray | None = None,
) -> None:
    """One person's links and joints.

    Args:
        axes: Of the crop.
        joints: (K, 2) in pixels.
        shown: (K,) bool; joints that are not finite are never drawn.
        style: Links and colours.
        faint: (K,) bool, joints that are drawn small and without links.
    """
    shown = shown & np.isfinite(joints).all(axis=-1)
    shown &= (np.abs(joints) < 1e5).all(axis=-1)
    faint = np.zeros(len(joints), bool) if faint is None else faint
    solid = shown & ~faint
    for link in style.links:
        if solid[list(link)].all():
            x, y = joints[list(link)].T
            _line(axes, x, y, style.link_color(link))
    for k in np.flatnonzero(shown):
        _dot(axes, joints[k], style.colors[k], 2.5 if faint[k] else 5)


def _draw_joints(axes: Axes, pair: CropPair, style: PoseStyle) -> None:
    """The prediction with the errors of hidden joints; without one, dots on
    the joints that are hidden or have lost their label."""
    removed = pair.removed()
    if pair.predicted is None:
        for i, k in _labelled(pair, style, pair.hidden() | removed):
            color = ERROR if (i, style.names[k]) in removed else TRUTH
            _dot(axes, pair.joints[i, k], color, 5)
        return
    for i, joints in enumerate(pair.predicted):
        faint = None if pair.scores is None else pair.scores[i] < SCORE
        _draw_pose(axes, joints, np.ones(len(joints), bool), style, faint)
    for i, k in _labelled(pair, style, pair.hidden()):
        truth = pair.joints[i, k]
        if pair.matched:
            guess = pair.predicted[i, k]
            x, y = np.array([truth, guess]).T
            _line(axes, x, y, ERROR)
            _dot(axes, guess, style.colors[k], 5)
        _dot(axes, truth, TRUTH, 5)


def _draw_region(axes: Axes, record: Mapping) -> None:
    """Outline the region that a record painted, if it painted one."""
    if not record.get('box'):
        return
    region = record.get('region') or {}
    look: Look = dict(
        fill=False, edgecolor=_rgb(REGION), path_effects=_rim(1.5)
    )
    look['linewidth'] = 1.5
    if region.get('shape') == 'disc':
        axes.add_patch(
            Circle(region['center'], region['radius'] + 0.5, **look)
        )
    else:
        x1, y1, x2, y2 = record['box']
        corner = x1 - 0.5, y1 - 0.5
        axes.add_patch(Rectangle(corner, x2 - x1, y2 - y1, **look))


def _line(axes: Axes, x: Sequence, y: Sequence, color: Color) -> None:
    look: Look = dict(color=_rgb(color), path_effects=_rim(1.5))
    axes.plot(x, y, linewidth=1.5, **look)


def _dot(axes: Axes, joint: np.ndarray, color: Color, size: float) -> None:
    look: Look = dict(color=_rgb(color), markeredgecolor='black', zorder=3)
    axes.plot(*joint, 'o', markersize=size, markeredgewidth=0.6, **look)


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


def _legend(errors: bool) -> list[Line2D]:
    colors = {
        "person's left": LEFT,
        'right': RIGHT,
        'middle': MIDDLE,
        'painted': REGION,
        'hidden joint': TRUTH,
        'to its prediction' if errors else 'label removed': ERROR,
    }
    look: Look = dict(marker='o', linestyle='', markeredgecolor='black')
    return [
        Line2D([], [], color=_rgb(color), label=text, **look)
        for text, color in colors.items()
    ]


def _rim(width: float) -> list:
    """A dark rim, so that colours are seen on every image."""
    stroke = patheffects.Stroke(linewidth=width + 1.2, foreground=_rgb(INK))
    return [stroke, patheffects.Normal()]


def _rgb(color: Color) -> tuple[float, ...]:
    return tuple(part / 255 for part in color)
