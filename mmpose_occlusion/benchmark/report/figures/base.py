"""What all figures share: colours, marks, how they are saved.

Colours come with a shape, a hatch or a number.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mmpose_occlusion.benchmark.analysis import Analysis, Estimate
from mmpose_occlusion.benchmark.analysis.costs import Cost

INK, FAINT, LINE = '#22262e', '#667080', '#d9dcd6'


LOOKS = [
    ('#0b3c5d', 'o', ''),
    ('#d98200', 's', '//'),
    ('#1b8a6b', '^', '..'),
    ('#b5408a', 'D', 'xx'),
    ('#4d9fd6', 'v', '\\\\'),
    ('#c24a1a', 'P', '++'),
    ('#6d7680', 'X', '--'),
    ('#a08a00', '<', 'oo'),
    ('#5b4b9e', '>', '**'),
]


_KNOWN = {'black': 0, 'blur': 1, 'mean': 2}


HEAT = LinearSegmentedColormap.from_list(
    'heat', ['#ffffff', '#d6e4ec', '#86b3cc', '#2f7298', '#0b3c5d', '#04121d']
)


STYLE = {
    'font.size': 9,
    'text.color': INK,
    'axes.labelcolor': INK,
    'axes.edgecolor': '#9aa2a8',
    'axes.titlesize': 10,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'xtick.color': INK,
    'ytick.color': INK,
    'grid.color': LINE,
    'hatch.linewidth': 0.7,
    'legend.frameon': False,
    'svg.hashsalt': 'mmpose_occlusion',
    'svg.fonttype': 'path',
}


@dataclass(frozen=True)
class Picture:
    """A figure with the words that stand for it.

    Args:
        svg: The drawing.
        words: What is to be seen, for those who cannot.
    """

    svg: str
    words: str


def draw(figure: Figure, words: str) -> Picture:
    out = io.StringIO()
    figure.savefig(
        out,
        format='svg',
        metadata={'Date': None},
        bbox_inches='tight',
        transparent=True,
    )
    return Picture(out.getvalue(), words)


def looks(paints: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Colour, marker and hatch of each paint, the same in all figures."""
    out: dict[str, tuple[str, str, str]] = {}
    free = [i for i in range(len(LOOKS)) if i not in _KNOWN.values()]
    for paint in paints:
        index = _KNOWN.get(paint.split(' ')[0])
        if index is None or LOOKS[index] in out.values():
            index = free.pop(0) if free else len(LOOKS) - 1
        out[paint] = LOOKS[index]
    return out


def paints_of(costs: Sequence[Cost]) -> list[str]:
    return list(dict.fromkeys(cost.paint for cost in costs))


def whiskers(estimates: Sequence[Estimate]) -> np.ndarray:
    """Lengths to both sides, for matplotlib."""
    ends = [
        (0.0, 0.0)
        if e.value is None or e.low is None or e.high is None
        else (max(0.0, e.value - e.low), max(0.0, e.high - e.value))
        for e in estimates
    ]
    return np.array(ends).reshape(-1, 2).T


def strongest_paint(analysis: Analysis) -> str | None:
    """The paint that costs most in the mean over joints and parts."""
    totals: dict[str, list[float]] = {}
    for cost in analysis.costs:
        value = cost.change[analysis.main].value
        if cost.plain and value is not None:
            totals.setdefault(cost.paint, []).append(value)
    if not totals:
        return None
    most = max(len(values) for values in totals.values())
    full = {p: v for p, v in totals.items() if len(v) == most}
    return min(full, key=lambda paint: float(np.mean(full[paint])))
