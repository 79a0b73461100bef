"""Charts as SVG: values with intervals, and curves.

Every colour comes with a marker or a number. A chart consists of
panels, one SVG each, which the page puts side by side or below each other.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mmpose_occlusion.benchmark.analysis import Estimate
from mmpose_occlusion.visualization.gallery import data_uri

INK, FAINT, LINE = '#22262e', '#667080', '#d9dcd6'
WARM = '#d98200'
BAND, LIMB, LEADER = '#f0f1ed', '#d5dad5', '#b4bbbf'

WIDTH = 4.6
"""Of panels in inches: readable on a phone."""

Look = tuple[str, str]
"""Colour and marker."""

LOOKS: list[Look] = [
    ('#0b3c5d', 'o'),
    ('#d98200', 's'),
    ('#1b8a6b', '^'),
    ('#b5408a', 'D'),
    ('#4d9fd6', 'v'),
    ('#c24a1a', 'P'),
    ('#6d7680', 'X'),
    ('#a08a00', '<'),
    ('#5b4b9e', '>'),
]
_FIXED = {'black': 0, 'blur': 1, 'mean': 2}

_DARK = {
    INK: '#e6e8ec',
    FAINT: '#a3adb9',
    LINE: '#3a3f47',
    BAND: '#20242a',
    LIMB: '#3d434b',
    LEADER: '#565d66',
    '#0b3c5d': '#7fc0ea',
    '#5b4b9e': '#a99bea',
    '#b5408a': '#e07bbb',
}
"""Colours that are others in dark mode."""

HEAT = LinearSegmentedColormap.from_list(
    'heat', ['#ffffff', '#d6e4ec', '#86b3cc', '#2f7298', '#0b3c5d', '#04121d']
)

STYLE = {
    'font.size': 9,
    'text.color': INK,
    'text.parse_math': False,
    'axes.labelcolor': INK,
    'axes.edgecolor': FAINT,
    'axes.titlesize': 10,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.axisbelow': True,
    'xtick.color': INK,
    'ytick.color': INK,
    'grid.color': LINE,
    'legend.frameon': False,
    'svg.hashsalt': 'mmpose_occlusion',
    'svg.fonttype': 'path',
    'pdf.fonttype': 42,
}


Chart = list[Figure]
"""The panels of a chart, empty without data."""


def new_panel(chart: Chart, width: float, height: float) -> Axes:
    """Axes of a new panel, in inches."""
    chart.append(Figure(figsize=(width, height), layout='constrained'))
    return chart[-1].subplots()


def svg_uri(figure: Figure) -> str:
    """A panel as an SVG image with colours for dark mode."""
    svg = _saved(figure, 'svg', transparent=True).decode()
    rules = ''.join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in _DARK.items()
        for kind in ('fill', 'stroke')
    )
    style = f'<style>@media(prefers-color-scheme:dark){{{rules}}}</style>'
    return data_uri(
        'image/svg+xml', svg.replace('<defs>', f'{style}<defs>', 1).encode()
    )


def pdf_uri(figure: Figure) -> str:
    """A panel as a PDF file with its fonts, for a paper."""
    return data_uri('application/pdf', _saved(figure, 'pdf'))


def _saved(figure: Figure, kind: str, **more: bool) -> bytes:
    out = io.BytesIO()
    date = {'svg': 'Date', 'pdf': 'CreationDate'}[kind]
    with matplotlib.rc_context(STYLE):
        figure.savefig(
            out,
            format=kind,
            metadata={date: None},
            bbox_inches='tight',
            **more,
        )
    return out.getvalue()


def looks(names: Iterable[str]) -> dict[str, Look]:
    """A look for each name; black, blur and mean always have the same."""
    out: dict[str, Look] = {}
    fixed = {name: _FIXED.get(name.split(' ')[0]) for name in names}
    kept = (
        _FIXED.values() if any(x is not None for x in fixed.values()) else ()
    )
    free = [i for i in range(len(LOOKS)) if i not in kept]
    for name, index in fixed.items():
        if index is None or LOOKS[index] in out.values():
            index = free.pop(0) if free else len(LOOKS) - 1
        out[name] = LOOKS[index]
    return out


class Line(NamedTuple):
    """One curve; without a label thin and grey, without a band."""

    label: str
    look: Look
    x: Sequence[float]
    points: Sequence[Estimate]


@matplotlib.rc_context(STYLE)
def forest_chart(
    panels: Mapping[str, Mapping[str, Mapping[str, Estimate]]],
    xlabel: str,
    legend_title: str = '',
) -> Chart:
    """Values with their intervals, one below the other, in panels (title ->
    group of one colour -> row -> value), of which those without a value are
    left out. Panels of one group have no legend."""
    chart: Chart = []
    for title, groups in panels.items():
        known = [
            {row: e for row, e in values.items() if e.value is not None}
            for values in groups.values()
        ]
        rows = list(dict.fromkeys(row for found in known for row in found))
        if not rows:
            continue
        height = 1.3 + (0.22 + 0.06 * len(groups)) * len(rows)
        axis = new_panel(chart, WIDTH, height)
        by_group = list(looks(groups).values())
        for i, found in enumerate(known):
            if not found:
                continue
            shift = (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
            color, marker = by_group[i]
            value, low, high = _numbers(found.values())
            sides = np.nan_to_num([value - low, high - value])
            axis.errorbar(
                value,
                [rows.index(row) + shift for row in found],
                xerr=np.maximum(sides, 0),
                fmt=marker,
                markersize=4.8,
                color=color,
                elinewidth=1.2,
                label=str(i),
            )
        for y in range(0, len(rows), 2):
            axis.axhspan(y - 0.5, y + 0.5, color=BAND, zorder=0)
        axis.axvline(0, color=INK, linewidth=0.9)
        axis.set_yticks(range(len(rows)), rows)
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.tick_params(axis='y', length=0)
        axis.spines['left'].set_visible(False)
        labels = list(groups) if len(groups) > 1 else []
        _finish(axis, title, xlabel, labels, legend_title)
    return chart


@matplotlib.rc_context(STYLE)
def line_chart(
    panels: Mapping[str, Sequence[Line]],
    xlabel: str,
    ylabel: str,
    low: float | None = None,
) -> Chart:
    """Curves with the bands of their intervals in panels (title -> curves) of
    the same height and values' axis, which begins at ``low``, by default below
    all values; empty without a value."""
    lines = [line for panel in panels.values() for line in panel]
    ends = _numbers(e for line in lines for e in line.points)
    if not np.isfinite(ends).any():
        return []
    bottom, top = np.nanmin(ends), np.nanmax(ends)
    room = 0.04 * (top - bottom) or 0.05
    chart: Chart = []
    for title, panel in panels.items():
        axis = new_panel(chart, WIDTH, 4.1)
        for i, (label, (color, marker), x, points) in enumerate(panel):
            value, below, above = _numbers(points)
            if not label:
                axis.plot(x, value, color=LEADER, linewidth=0.9, zorder=1)
                continue
            axis.fill_between(
                x, below, above, color=color, alpha=0.15, linewidth=0
            )
            axis.plot(
                x,
                value,
                color=color,
                marker=marker,
                markersize=5,
                markevery=max(1, len(value) // 10),
                linewidth=2,
                label=str(i),
            )
        axis.set_ylim(bottom - room if low is None else low, top + room)
        axis.set_ylabel(ylabel)
        axis.grid(axis='y')
        _finish(axis, title, xlabel, [line.label for line in panel])
    return chart


def _numbers(found: Iterable[Estimate]) -> np.ndarray:
    """``(3, n)`` values and ends, NaN where undefined."""
    rows = [(e.value, e.low, e.high) for e in found]
    return np.array(rows, float).reshape(-1, 3).T


def _finish(
    axis: Axes,
    title: str,
    xlabel: str,
    labels: Sequence[str],
    legend_title: str = '',
) -> None:
    """Titles, so few ticks along x that their labels do not touch, and a
    legend above the axes, so that it lies on no data. The artists have the
    labels ``'0'``, ``'1'``, …, indices of the names ``labels``: matplotlib
    leaves out names that start with an underscore."""
    axis.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=2))
    axis.grid(axis='x')
    axis.set_title(title)
    axis.set_xlabel(xlabel)
    handles, numbers = axis.get_legend_handles_labels()
    if not handles or not labels:
        return
    longest = max(map(len, labels))
    made = axis.figure.legend(
        handles,
        numbers,
        title=legend_title or None,
        loc='outside upper left',
        ncols=max(1, min(len(handles), 56 // (longest + 6))),
        alignment='left',
    )
    for text, number in zip(made.get_texts(), numbers, strict=True):
        text.set_text(labels[int(number)])
