"""A measure by the size of the occlusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.analysis import Estimate

from .chart_base import LEADER, Chart, Look, few_ticks, legend


@dataclass(frozen=True)
class Line:
    """One curve.

    Args:
        label: In the legend; empty for a thin grey curve without a band.
        look: Colour and marker.
        severity: Diameters as fractions of the height of the bbox.
        points: Value at each.
    """

    label: str
    look: Look
    severity: Sequence[float]
    points: Sequence[Estimate]


def severity_chart(
    panels: Mapping[str, Sequence[Line]], ylabel: str, alt: str
) -> Chart | None:
    """Draw panels of curves with the bands of their intervals.

    Args:
        panels: Title -> curves; the values' axis is the same in all.
        ylabel: Name of the measure.
        alt: Description.
    """
    lines = [line for panel in panels.values() for line in panel]
    ends = np.array([_numbers(e) for line in lines for e in line.points])
    if not np.isfinite(ends).any():
        return None
    low, high = np.nanmin(ends), np.nanmax(ends)
    room = 0.04 * (high - low) + 1e-3
    chart = Chart(alt)
    for title, panel in panels.items():
        with chart.panel(4.6, 4.1) as axis:
            for i, line in enumerate(panel):
                x = 100 * np.array(line.severity)
                value, below, above = np.array(
                    [_numbers(e) for e in line.points]
                ).T
                if not line.label:
                    axis.plot(x, value, color=LEADER, linewidth=0.9, zorder=1)
                    continue
                color, marker = line.look
                axis.fill_between(
                    x, below, above, color=color, alpha=0.15, linewidth=0
                )
                axis.plot(
                    x,
                    value,
                    color=color,
                    marker=marker,
                    markersize=5,
                    linewidth=2,
                    label=str(i),
                )
            axis.set_ylim(low - room, high + room)
            axis.set_ylabel(ylabel)
            axis.set_xlabel("diameter, % of the height of the person's bbox")
            few_ticks(axis)
            axis.grid(axis='y')
            axis.set_title(title)
            legend(axis, [line.label for line in panel])
    return chart


def _numbers(estimate: Estimate) -> list[float]:
    found = estimate.value, estimate.low, estimate.high
    return [np.nan if x is None else x for x in found]
