"""Severity curves."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmpose_occlusion.benchmark.analysis.curves import MEAN, Curve
from mmpose_occlusion.benchmark.report.formatting import NAMES, name, number

from .base import (
    LOOKS,
    STYLE,
    Picture,
    draw,
    looks,
)


def curves_figure(curves: Sequence[Curve]) -> Picture | None:
    """Severity curves with bands; single targets thin, their mean thick."""
    if not curves:
        return None
    main = [c for c in curves if c.target in (MEAN, 'random')] or list(curves)
    single = [c for c in curves if c not in main]
    panels = 1 + bool(single)
    style = looks(list(dict.fromkeys(c.paint for c in main)))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.4 * panels, 3.9), layout='constrained')
        axes = figure.subplots(1, panels, squeeze=False, sharey=True)[0]
        for curve in main:
            color, marker, _ = style[curve.paint]
            x = 100 * np.array(curve.severity)
            axes[0].fill_between(
                x,
                [p.low if p.low is not None else np.nan for p in curve.points],
                [
                    p.high if p.high is not None else np.nan
                    for p in curve.points
                ],
                color=color,
                alpha=0.18,
                linewidth=0,
            )
            label = f'{_curve_name(curve)}: area {number(curve.area.value)}'
            axes[0].plot(
                x,
                [np.nan if p.value is None else p.value for p in curve.points],
                color=color,
                marker=marker,
                markersize=5,
                linewidth=2,
                label=label,
            )
        axes[0].legend(loc='best')
        axes[0].set_title('Larger and larger discs')
        axes[0].set_ylabel(NAMES[curves[0].measure])
        if single:
            _single_curves(axes[1], single)
        for axis in axes:
            axis.set_xlabel("diameter, % of the height of the person's box")
            axis.grid()
            axis.set_axisbelow(True)
        words = (
            f'{NAMES[curves[0].measure]} by the size of the disc, with 95 % '
            'bands; the numbers are in the table below.'
        )
        return draw(figure, words)


def _curve_name(curve: Curve) -> str:
    if curve.target == MEAN:
        return f'mean of all {curve.kind}s, {curve.paint}'
    if curve.target == 'random':
        return f'one {curve.kind} of each person, {curve.paint}'
    return f'{name(curve.target)}, {curve.paint}'


def _single_curves(axis: Axes, curves: Sequence[Curve]) -> None:
    """All targets thin and grey, those that lose most and least named."""
    order = sorted(curves, key=lambda c: c.area.value or 0)
    named = order[:3] + (order[-1:] if len(order) > 3 else [])
    for curve in curves:
        axis.plot(
            100 * np.array(curve.severity),
            [np.nan if p.value is None else p.value for p in curve.points],
            color='#bcc3c7',
            linewidth=0.9,
            zorder=1,
        )
    dashes = ['-', '--', '-.', ':']
    for curve, dash, look in zip(named, dashes, LOOKS, strict=False):
        axis.plot(
            100 * np.array(curve.severity),
            [np.nan if p.value is None else p.value for p in curve.points],
            linestyle=dash,
            color=look[0],
            linewidth=2,
            label=f'{name(curve.target)}, {curve.paint}',
        )
    axis.legend(loc='best')
    axis.set_title('The three that lose most, and the one that loses least')
