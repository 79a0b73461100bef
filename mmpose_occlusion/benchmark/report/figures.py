"""Charts as SVG: values with intervals, and curves.

Every colour comes with a marker or a number. A chart consists of
panels, one SVG each, which the page puts side by side or below each other.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

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

WIDTH = 4.6  # of panels in inches: readable on a phone

Look = tuple[str, str]  # colour and marker
_COLORS = (
    *('#0b3c5d', '#d98200', '#1b8a6b', '#b5408a', '#4d9fd6', '#c24a1a'),
    *('#6d7680', '#a08a00', '#5b4b9e'),
)
LOOKS: list[Look] = list(zip(_COLORS, 'os^DvPX<>', strict=True))

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

_INKED = ('text.color', 'axes.labelcolor', 'xtick.color', 'ytick.color')
STYLE = {
    **dict.fromkeys(_INKED, INK),
    'font.size': 9,
    'text.parse_math': False,
    'axes.edgecolor': FAINT,
    'axes.titlesize': 10,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.axisbelow': True,
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
    rules = ''.join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in _DARK.items()
        for kind in ('fill', 'stroke')
    )
    style = f'<style>@media(prefers-color-scheme:dark){{{rules}}}</style>'
    svg = _saved(figure, 'svg', metadata={'Date': None}, transparent=True)
    svg = svg.replace(b'<defs>', f'{style}<defs>'.encode(), 1)
    return data_uri('image/svg+xml', svg)


def pdf_uri(figure: Figure) -> str:
    """A panel as a PDF file with its fonts, for a paper."""
    pdf = _saved(figure, 'pdf', metadata={'CreationDate': None})
    return data_uri('application/pdf', pdf)


def _saved(figure: Figure, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(out, format=kind, bbox_inches='tight', **more)
    return out.getvalue()


def looks(names: Iterable[str]) -> dict[str, Look]:
    """A look for each name; black, blur and mean always have the same."""
    out: dict[str, Look] = {}
    fixed = {name: _FIXED.get(name.split(' ')[0]) for name in names}
    kept = _FIXED.values() if {*fixed.values()} - {None} else ()
    free = [i for i in range(len(LOOKS)) if i not in kept]
    for name, index in fixed.items():
        if index is None or LOOKS[index] in out.values():
            index = free.pop(0) if free else len(LOOKS) - 1
        out[name] = LOOKS[index]
    return out


class Line(NamedTuple):
    """One curve in a panel; without a label thin and grey, without a band."""

    panel: str
    label: str
    look: Look
    x: Sequence[float]
    points: Sequence[Estimate]


Mark = tuple[str, str, str, Estimate]
"""Panel, group of one colour, row and value."""


@matplotlib.rc_context(STYLE)
def forest_chart(
    marks: Iterable[Mark], xlabel: str, legend_title: str = ''
) -> Chart:
    """Values with their intervals, one below the other; those without a value
    are left out. Panels of one group have no legend."""
    every, chart = list(marks), Chart()
    found = {m[:3]: m[3] for m in every if m[3].value is not None}
    groups = looks(dict.fromkeys(group for _, group, *_ in every))
    for title in dict.fromkeys(panel for panel, *_ in found):
        known = {
            group: {
                row: estimate
                for (panel, own, row), estimate in found.items()
                if (panel, own) == (title, group)
            }
            for group in groups
        }
        rows = list(dict.fromkeys(r for each in known.values() for r in each))
        height = 1.3 + (0.22 + 0.06 * len(groups)) * len(rows)
        axis = new_panel(chart, WIDTH, height)
        for i, (group, (color, marker)) in enumerate(groups.items()):
            if not known[group]:
                continue
            shift = (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
            value, low, high = _numbers(known[group].values())
            sides = np.nan_to_num([value - low, high - value])
            axis.errorbar(
                value,
                [rows.index(row) + shift for row in known[group]],
                xerr=np.maximum(sides, 0),
                fmt=marker,
                label=str(i),
                color=color,
                markersize=4.8,
                elinewidth=1.2,
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
    lines: Sequence[Line],
    xlabel: str,
    ylabel: str,
    low: float | None = None,
) -> Chart:
    """Curves with the bands of their intervals in panels of the same height
    and values' axis, which begins at ``low``, by default below all values;
    empty without a value."""
    ends = _numbers(e for line in lines for e in line.points)
    if not np.isfinite(ends).any():
        return []
    bottom, top = np.nanmin(ends), np.nanmax(ends)
    room = 0.04 * (top - bottom) or 0.05
    chart: Chart = []
    for title in dict.fromkeys(line.panel for line in lines):
        axis = new_panel(chart, WIDTH, 4.1)
        panel = [line for line in lines if line.panel == title]
        for i, (_, label, (color, marker), x, points) in enumerate(panel):
            value, below, above = _numbers(points)
            if not label:
                axis.plot(x, value, color=LEADER, linewidth=0.9, zorder=1)
                continue
            look: Any = dict(color=color, alpha=0.15, linewidth=0)
            axis.fill_between(x, below, above, **look)
            look = dict(color=color, marker=marker, markersize=5, linewidth=2)
            every = max(1, len(value) // 10)
            axis.plot(x, value, markevery=every, label=str(i), **look)
        start = bottom - room if low is None else low
        axis.set(ylim=(start, top + room), ylabel=ylabel)
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
    axis.set(title=title, xlabel=xlabel)
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
