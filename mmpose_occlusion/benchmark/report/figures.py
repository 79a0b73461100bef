"""Charts as SVG: values with intervals, and curves.

Every colour comes with a marker or a number. A chart consists of
panels, one SVG each, which the page puts side by side or below each other.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
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
    '#0b3c5d', '#d98200', '#1b8a6b', '#b5408a', '#4d9fd6', '#c24a1a',
    '#6d7680', '#a08a00', '#5b4b9e',
)  # fmt: skip
LOOKS: list[Look] = list(zip(_COLORS, 'os^DvPX<>', strict=True))

_PAINTS = dict(zip(('black', 'blur', 'mean'), LOOKS, strict=False))

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
    own = {name: _PAINTS.get(name.split(' ')[0]) for name in names}
    free = iter(LOOKS[len(_PAINTS) :] if any(own.values()) else LOOKS)
    out: dict[str, Look] = {}
    for name, look in own.items():
        if look is None or look in out.values():
            look = next(free, LOOKS[-1])
        out[name] = look
    return out


Mark = tuple[str, str, str, Estimate]
"""Panel, group of one colour, row and value."""


@matplotlib.rc_context(STYLE)
def forest_chart(
    marks: Iterable[Mark], xlabel: str, legend_title: str = ''
) -> Chart:
    """Values with their intervals, one below the other; those without a value
    are left out. Panels of one group have no legend."""
    names: list[str] = []
    found: dict[str, dict[str, dict[str, Estimate]]] = {}
    for title, group, row, estimate in marks:
        names.append(group)
        if estimate.value is not None:
            groups = found.setdefault(title, {})
            groups.setdefault(group, {})[row] = estimate
    chart, shown = Chart(), looks(names)
    for title, groups in found.items():
        known = {name: groups.get(name, {}) for name in shown}
        rows = list(dict.fromkeys(r for each in known.values() for r in each))
        height = 1.3 + (0.22 + 0.06 * len(shown)) * len(rows)
        axis, legend = new_panel(chart, WIDTH, height), {}
        for i, (name, (color, marker)) in enumerate(shown.items()):
            if not known[name]:
                continue
            shift = (i - (len(shown) - 1) / 2) * 0.8 / len(shown)
            value, low, high = _numbers(known[name].values())
            sides = np.nan_to_num([value - low, high - value])
            legend[name] = axis.errorbar(
                value,
                [rows.index(row) + shift for row in known[name]],
                xerr=np.maximum(sides, 0),
                fmt=marker,
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
        if len(shown) == 1:
            legend = {}
        _finish(axis, title, xlabel, legend, legend_title)
    return chart


class Line(NamedTuple):
    """One curve in a panel; without a label thin and grey, without a band."""

    panel: str
    label: str
    look: Look
    x: Sequence[float]
    points: Sequence[Estimate]


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
    start = bottom - room if low is None else low
    chart: Chart = []
    for title in dict.fromkeys(line.panel for line in lines):
        axis, legend = new_panel(chart, WIDTH, 4.1), {}
        for panel, label, (color, marker), x, points in lines:
            value, below, above = _numbers(points)
            if panel != title:
                continue
            if not label:
                axis.plot(x, value, color=LEADER, linewidth=0.9, zorder=1)
                continue
            band: Any = dict(color=color, alpha=0.15, linewidth=0)
            axis.fill_between(x, below, above, **band)
            (legend[label],) = axis.plot(
                x,
                value,
                color=color,
                marker=marker,
                markersize=5,
                markevery=max(1, len(value) // 10),
                linewidth=2,
            )
        axis.set(ylim=(start, top + room), ylabel=ylabel)
        axis.grid(axis='y')
        _finish(axis, title, xlabel, legend)
    return chart


def _numbers(found: Iterable[Estimate]) -> np.ndarray:
    """``(3, n)`` values and ends, NaN where undefined."""
    rows = [(e.value, e.low, e.high) for e in found]
    return np.array(rows, float).reshape(-1, 3).T


def _finish(
    axis: Axes,
    title: str,
    xlabel: str,
    legend: Mapping[str, Any],
    legend_title: str = '',
) -> None:
    """Titles, so few ticks along x that their labels do not touch, and a
    legend (label -> artist) above the axes, so that it lies on no data."""
    axis.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=2))
    axis.grid(axis='x')
    axis.set(title=title, xlabel=xlabel)
    if legend:
        longest = max(map(len, legend))
        axis.figure.legend(
            list(legend.values()),
            list(legend),
            title=legend_title or None,
            loc='outside upper left',
            ncols=max(1, min(len(legend), 56 // (longest + 6))),
            alignment='left',
        )
