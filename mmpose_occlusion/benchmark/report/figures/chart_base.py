"""Style of all charts: colours and markers, and how they become SVG.

Every colour comes with a marker or a number. A chart consists of
panels, one SVG each, which the page puts side by side or below each other.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

INK, FAINT, LINE = '#22262e', '#667080', '#d9dcd6'
BAND, LIMB, LEADER = '#f0f1ed', '#d5dad5', '#b4bbbf'

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
    """A figure of the page.

    Args:
        alt: Description for readers who do not see it.
        note: Sentence for the caption.
        panels: SVG files.
    """

    alt: str
    note: str = ''
    panels: list[str] = field(default_factory=list)

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


def legend(axis: Axes, labels: Sequence[str], title: str = '') -> None:
    """A legend above the axes, so that it lies on no data.

    Args:
        axis: Whose artists have the labels ``'0'``, ``'1'``, …: matplotlib
            leaves out names that start with an underscore.
        labels: Names of these artists.
        title: Of the legend.
    """
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


def few_ticks(axis: Axes) -> None:
    """So few ticks along x that their labels do not touch."""
    axis.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=2))
    axis.grid(axis='x')
