"""Charts as SVG: values with intervals, and curves.

Every colour comes with a marker or a number. A chart consists of
panels, one SVG each, which the page puts side by side or below each other.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mmpose_occlusion.benchmark.analysis import Estimate

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

_STYLE = {
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
}


@dataclass
class Chart:
    """A figure of the page: description for readers who do not see it,
    sentence for the caption, and panels, SVG files of figures."""

    alt: str
    note: str = ''
    panels: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    @contextmanager
    def panel(self, width: float, height: float) -> Iterator[Axes]:
        """Axes of a new panel, which is saved at the end; in inches."""
        with matplotlib.rc_context(_STYLE):
            figure = Figure(figsize=(width, height), layout='constrained')
            yield figure.subplots()
            out = io.StringIO()
            figure.savefig(
                out,
                format='svg',
                metadata={'Date': None},
                bbox_inches='tight',
                transparent=True,
            )
            self.panels.append(_with_dark_mode(out.getvalue()))
            self.figures.append(figure)


def pdf(figure: Figure) -> bytes:
    """A panel as a PDF file with its fonts, for a paper."""
    out = io.BytesIO()
    with matplotlib.rc_context({**_STYLE, 'pdf.fonttype': 42}):
        figure.savefig(
            out,
            format='pdf',
            metadata={'CreationDate': None},
            bbox_inches='tight',
        )
    return out.getvalue()


def _with_dark_mode(svg: str) -> str:
    rules = ''.join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in _DARK.items()
        for kind in ('fill', 'stroke')
    )
    style = f'<style>@media(prefers-color-scheme:dark){{{rules}}}</style>'
    head, end, rest = svg.partition('<defs>')
    return f'{head}{style}{end}{rest}'


def looks(names: Iterable[str]) -> dict[str, Look]:
    """A look for each name; black, blur and mean always have the same."""
    out: dict[str, Look] = {}
    free = [i for i in range(len(LOOKS)) if i not in _FIXED.values()]
    for name in names:
        index = _FIXED.get(name.split(' ')[0])
        if index is None or LOOKS[index] in out.values():
            index = free.pop(0) if free else len(LOOKS) - 1
        out[name] = LOOKS[index]
    return out


@dataclass(frozen=True)
class Group:
    """Values that share a colour: label of the row -> value."""

    label: str
    look: Look
    values: Mapping[str, Estimate]


@dataclass(frozen=True)
class Line:
    """One curve; without a label thin and grey, without a band."""

    label: str
    look: Look
    x: Sequence[float]
    points: Sequence[Estimate]


def forest_chart(
    panels: Mapping[str, Sequence[Group]],
    xlabel: str,
    alt: str,
    legend_title: str = '',
) -> Chart | None:
    """Values with their intervals, one below the other, in panels (title ->
    groups); None where there is no value. Panels of one group have no legend.
    """
    chart = Chart(alt)
    for title, groups in panels.items():
        known = [
            {row: e for row, e in g.values.items() if e.value is not None}
            for g in groups
        ]
        rows = list(dict.fromkeys(row for found in known for row in found))
        if not rows:
            continue
        height = 1.3 + (0.22 + 0.06 * len(groups)) * len(rows)
        with chart.panel(WIDTH, height) as axis:
            for i, found in enumerate(known):
                if not found:
                    continue
                shift = (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
                color, marker = groups[i].look
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
            _finish(axis, title, xlabel)
            if len(groups) > 1:
                _legend(axis, [group.label for group in groups], legend_title)
    return chart if chart.panels else None


def line_chart(
    panels: Mapping[str, Sequence[Line]],
    xlabel: str,
    ylabel: str,
    alt: str,
    low: float | None = None,
) -> Chart | None:
    """Curves with the bands of their intervals in panels (title -> curves) of
    the same height and values' axis, which begins at ``low``, by default below
    all values; None without a value."""
    lines = [line for panel in panels.values() for line in panel]
    ends = _numbers(e for line in lines for e in line.points)
    if not np.isfinite(ends).any():
        return None
    bottom, top = np.nanmin(ends), np.nanmax(ends)
    room = 0.04 * (top - bottom) or 0.05
    chart = Chart(alt)
    for title, panel in panels.items():
        with chart.panel(WIDTH, 4.1) as axis:
            for i, line in enumerate(panel):
                value, below, above = _numbers(line.points)
                color, marker = line.look
                if not line.label:
                    axis.plot(
                        line.x, value, color=LEADER, linewidth=0.9, zorder=1
                    )
                    continue
                axis.fill_between(
                    line.x, below, above, color=color, alpha=0.15, linewidth=0
                )
                axis.plot(
                    line.x,
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
            _finish(axis, title, xlabel)
            _legend(axis, [line.label for line in panel])
    return chart


def _numbers(found: Iterable[Estimate]) -> np.ndarray:
    """``(3, n)`` values and ends, NaN where undefined."""
    rows = [(e.value, e.low, e.high) for e in found]
    return np.array(rows, float).reshape(-1, 3).T


def _finish(axis: Axes, title: str, xlabel: str) -> None:
    """Titles, and so few ticks along x that their labels do not touch."""
    axis.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=2))
    axis.grid(axis='x')
    axis.set_title(title)
    axis.set_xlabel(xlabel)


def _legend(axis: Axes, labels: Sequence[str], title: str = '') -> None:
    """A legend above the axes, so that it lies on no data. The artists have
    the labels ``'0'``, ``'1'``, …, indices of the names ``labels``: matplotlib
    leaves out names that start with an underscore."""
    handles, numbers = axis.get_legend_handles_labels()
    if not handles:
        return
    longest = max(map(len, labels))
    made = axis.figure.legend(
        handles,
        numbers,
        title=title or None,
        loc='outside upper left',
        ncols=max(1, min(len(handles), 56 // (longest + 6))),
        alignment='left',
    )
    for text, number in zip(made.get_texts(), numbers, strict=True):
        text.set_text(labels[int(number)])
