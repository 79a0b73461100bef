"""Hidden joints against visible ones, and kinds of failures."""

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmpose_occlusion.benchmark.analysis import Analysis
from mmpose_occlusion.benchmark.analysis.failures import KINDS as FAILURES
from mmpose_occlusion.benchmark.report.formatting import name

from .base import (
    INK,
    LOOKS,
    STYLE,
    Picture,
    draw,
    paints_of,
    strongest_paint,
)

_KIND_COLORS = {
    'good': ('#e8ece4', ''),
    'jitter': ('#a9c9dd', '..'),
    'swap': ('#d98200', '//'),
    'drift': ('#b5408a', 'xx'),
    'miss': ('#0b3c5d', ''),
}


_KIND_WORDS = {
    'good': 'good',
    'jitter': 'jitter',
    'swap': 'left-right swap',
    'drift': 'drift to another person',
    'miss': 'miss',
}


def hidden_figure(analysis: Analysis) -> Picture | None:
    """Joints found before and after, hidden ones against visible ones."""
    best = strongest_paint(analysis)
    costs = [c for c in analysis.costs if c.plain and c.paint == best]
    lines = []
    for cost in costs:
        found = {row.hidden: row for row in cost.joints if row.joint == 'all'}
        if found[True].clean.ks is not None:
            lines.append((cost, found))
    if not lines:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(9.5, 1.3 + 0.26 * len(lines)), layout='constrained'
        )
        axes = figure.subplots(1, 2, sharey=True, sharex=True)
        for axis, hidden, title in (
            (axes[0], True, 'The hidden joints'),
            (axes[1], False, 'The other joints of the same people'),
        ):
            color, marker = LOOKS[0][0], 'o' if hidden else 's'
            for y, (_, found) in enumerate(lines):
                row = found[hidden]
                if row.clean.ks is None or row.attacked.ks is None:
                    continue
                a, b = 100 * row.clean.ks, 100 * row.attacked.ks
                axis.plot([a, b], [y, y], color='#9fb3c0', linewidth=2.2)
                axis.plot(a, y, marker, color='white', mec=color, ms=5.5)
                axis.plot(b, y, marker, color=color, ms=5.5)
            axis.set_title(title)
            axis.set_xlabel('joints near their place (KS≥0.5), %')
            axis.grid(axis='x')
            axis.set_axisbelow(True)
            axis.tick_params(axis='y', length=0)
            axis.plot([], [], 'o', color='white', mec=color, label='clean')
            axis.plot([], [], 'o', color=color, label='attacked')
        axes[0].set_yticks(
            range(len(lines)), [name(cost.target) for cost, _ in lines]
        )
        axes[0].set_ylim(len(lines) - 0.5, -0.5)
        axes[1].legend(loc='best')
        words = (
            'Part of the joints near their place, clean and attacked, for '
            'hidden and for visible joints; the numbers are in joints.csv.'
        )
        return draw(figure, words)


def failures_figure(analysis: Analysis) -> Picture | None:
    """Kinds of failures, clean and under each paint."""
    costs = [c for c in analysis.costs if c.plain]
    paints = paints_of(costs)
    bars: list[tuple[str, str, dict[str, int]]] = []
    for group in ('hidden', 'visible'):
        for view, paint in [
            ('clean', None),
            *(('attacked', p) for p in paints),
        ]:
            total = dict.fromkeys(FAILURES, 0)
            for cost in costs:
                if paint in (None, cost.paint):
                    for kind, count in cost.failures[group][view].items():
                        total[kind] += count
            bars.append((group, paint or 'clean', total))
    if not any(sum(total.values()) for _, _, total in bars):
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(9.5, 1.5 + 0.3 * len(bars)), layout='constrained'
        )
        axis = figure.subplots()
        labels, places = [], []
        y = 0.0
        for i, (group, label, total) in enumerate(bars):
            if i and group != bars[i - 1][0]:
                y += 0.6
            _stack(axis, y, total)
            labels.append(f'{group} joints, {label}')
            places.append(y)
            y += 1
        axis.set_yticks(places, labels)
        axis.set_ylim(y - 0.4, -0.6)
        axis.set_xlim(0, 100)
        axis.tick_params(axis='y', length=0)
        axis.set_xlabel('joints, %')
        axis.spines['left'].set_visible(False)
        figure.legend(
            handles=[
                Rectangle(
                    (0, 0),
                    1,
                    1,
                    facecolor=color,
                    hatch=hatch,
                    edgecolor='white' if kind == 'swap' else '#667080',
                    label=_KIND_WORDS[kind],
                    linewidth=0.4,
                )
                for kind, (color, hatch) in _KIND_COLORS.items()
            ],
            loc='outside upper center',
            ncols=5,
        )
        words = (
            'Part of the joints that are good, jitter, are swapped left and '
            'right, drift to another person or are missed, clean and under '
            'attack; the numbers are in the table below.'
        )
        return draw(figure, words)


def _stack(axis: Axes, y: float, total: dict[str, int]) -> None:
    count = sum(total.values())
    left = 0.0
    for kind, (color, hatch) in _KIND_COLORS.items():
        part = 100 * total[kind] / count if count else 0.0
        axis.barh(
            y,
            part,
            left=left,
            height=0.8,
            color=color,
            hatch=hatch,
            edgecolor='white' if kind == 'swap' else '#667080',
            linewidth=0.4,
        )
        if part >= 4:
            dark = kind in ('miss',)
            axis.text(
                left + part / 2,
                y,
                f'{part:.0f}',
                ha='center',
                va='center',
                fontsize=8,
                color='white' if dark else INK,
                bbox=None
                if not hatch
                else dict(
                    facecolor='white', edgecolor='none', alpha=0.85, pad=0.8
                ),
            )
        left += part
