"""Values with their intervals, one below the other."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmpose_occlusion.benchmark.analysis import Analysis, Estimate
from mmpose_occlusion.benchmark.analysis.attacks import HERE, JOINT, PART
from mmpose_occlusion.benchmark.analysis.compare import CLEAN, Comparison
from mmpose_occlusion.benchmark.analysis.controls import Control
from mmpose_occlusion.benchmark.analysis.costs import Cost
from mmpose_occlusion.benchmark.report.formatting import NAMES, PLACES, name

from .base import (
    INK,
    LOOKS,
    STYLE,
    Picture,
    draw,
    looks,
    paints_of,
    strongest_paint,
    whiskers,
)

Look = tuple[str, str, str]
Values = Mapping[str, Estimate]
"""Label of a line -> value."""


def costs_figure(analysis: Analysis) -> Picture | None:
    """What hiding each joint and each part costs, with intervals."""
    main = analysis.main
    plain = [
        c
        for c in analysis.costs
        if c.plain and c.change[main].value is not None
    ]
    panels = [
        (kind, [c for c in plain if c.kind == kind])
        for kind in (JOINT, PART)
        if any(c.kind == kind for c in plain)
    ]
    if not panels:
        return None
    style = looks(paints_of(plain))
    most = max(len({c.target for c in costs}) for _, costs in panels)
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(5.2 * len(panels), 1.3 + 0.32 * most),
            layout='constrained',
        )
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, (kind, costs) in zip(axes, panels, strict=True):
            groups = [
                (paint, style[paint], _by_target(costs, paint, main))
                for paint in paints_of(costs)
            ]
            _forest(axis, groups, f'change of {NAMES[main]}')
            axis.set_title(f'One {kind} hidden')
        axes[0].legend(title='painted', loc='best')
        words = (
            f'Change of {NAMES[main]} with its 95 % interval for every '
            'joint and part that was hidden, by paint.'
        )
        return draw(figure, words)


def _by_target(costs: Sequence[Cost], paint: str, measure: str) -> Values:
    return {
        name(c.target): c.change[measure] for c in costs if c.paint == paint
    }


def controls_figure(controls: Sequence[Control]) -> Picture | None:
    """Hiding the joint, painting elsewhere on the person, and off it."""
    known = [c for c in controls if c.people]
    if not known:
        return None
    places = list(dict.fromkeys(p for c in known for p in c.change))
    places.sort(key=lambda p: list(PLACES).index(p) if p in PLACES else 9)
    groups = [
        (
            PLACES.get(place, name(place)),
            LOOKS[i % len(LOOKS)],
            {
                f'{name(c.target)}, {c.paint}': c.change[place]
                for c in known
                if place in c.change
            },
        )
        for i, place in enumerate(places)
    ]
    return _alone(
        groups,
        f'change of {NAMES[known[0].measure]}',
        'Change of the measure by the place of the paint, with 95 % '
        'intervals; the numbers are in the table below.',
        'the same area painted on',
    )


def paints_figure(analysis: Analysis) -> Picture | None:
    """Different paints on the same joints of the same people."""
    measure = analysis.main
    costs = [
        c
        for c in analysis.costs
        if c.target == 'random'
        and c.place == HERE
        and c.severity is None
        and c.change[measure].value is not None
    ]
    if len(costs) < 2:
        return None
    costs.sort(key=lambda c: c.change[measure].value or 0)
    values = {c.paint: c.change[measure] for c in costs}
    return _alone(
        [('', LOOKS[0], values)],
        f'change of {NAMES[measure]}',
        f'Change of {NAMES[measure]} by the paint on the same joint of each '
        'person, with 95 % intervals.',
    )


def comparison_figure(
    comparison: Comparison, first: Analysis
) -> Picture | None:
    """How much better or worse other models are than the first, under the
    paint that costs it most.

    Args:
        comparison: Of the models.
        first: The one to compare with.
    """
    measure = first.main
    best = strongest_paint(first)
    plain = [c for c in first.costs if c.plain and c.paint == best]
    shown = {CLEAN, *(c.name for c in plain)}
    found = [
        d
        for d in comparison.differences
        if d.attack in shown
        and measure in d.score
        and d.score[measure].value is not None
    ]
    if not found:
        return None
    groups = [
        (
            model,
            LOOKS[i % len(LOOKS)],
            {d.attack: d.score[measure] for d in found if d.model == model},
        )
        for i, model in enumerate(dict.fromkeys(d.model for d in found))
    ]
    return _alone(
        groups,
        f'{NAMES[measure]} minus that of {comparison.baseline}',
        f'{NAMES[measure]} of the models minus that of '
        f'{comparison.baseline}, on the same people, clean and under every '
        'attack.',
        'model',
    )


def _alone(
    groups: Sequence[tuple[str, Look, Values]],
    title: str,
    words: str,
    legend: str | None = None,
) -> Picture:
    """A figure of one forest."""
    lines = {label for _, _, values in groups for label in values}
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(8.2, 1.2 + (0.24 + 0.07 * len(groups)) * len(lines)),
            layout='constrained',
        )
        axis = figure.subplots()
        _forest(axis, groups, title)
        if legend:
            axis.legend(title=legend, loc='best')
        return draw(figure, words)


def _forest(
    axis: Axes, groups: Sequence[tuple[str, Look, Values]], title: str
) -> None:
    """Draw groups of values, each with its colour and mark.

    Args:
        axis: Drawn on.
        groups: Word for the legend, look and values of each.
        title: Of the values' axis.
    """
    labels = list(dict.fromkeys(x for _, _, values in groups for x in values))
    for i, (word, (color, marker, _), values) in enumerate(groups):
        shift = (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
        known = {k: e for k, e in values.items() if e.value is not None}
        axis.errorbar(
            [e.value or 0 for e in known.values()],
            [labels.index(label) + shift for label in known],
            xerr=whiskers(list(known.values())),
            fmt=marker,
            markersize=4.8,
            color=color,
            elinewidth=1.2,
            label=word,
        )
    for y in range(0, len(labels), 2):
        axis.axhspan(y - 0.5, y + 0.5, color='#f0f1ed', zorder=0)
    axis.axvline(0, color=INK, linewidth=0.9)
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.tick_params(axis='y', length=0)
    axis.spines['left'].set_visible(False)
    axis.grid(axis='x')
    axis.set_axisbelow(True)
    axis.set_xlabel(title)
