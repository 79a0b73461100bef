"""Values with their intervals, one below the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.analysis import Estimate

from .chart_base import BAND, INK, Chart, Look, few_ticks, legend


@dataclass(frozen=True)
class Group:
    """Values that share a colour.

    Args:
        label: In the legend.
        look: Colour and marker.
        values: Label of the row -> value.
    """

    label: str
    look: Look
    values: Mapping[str, Estimate]


def forest_chart(
    panels: Mapping[str, Sequence[Group]],
    xlabel: str,
    alt: str,
    legend_title: str = '',
    width: float = 4.6,
) -> Chart | None:
    """Draw panels of groups; None where there is no value.

    Args:
        panels: Title -> groups.
        xlabel: Name of the values.
        alt: Description.
        legend_title: Title of the legend; panels of one group have none.
        width: Of a panel in inches.
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
        with chart.panel(width, height) as axis:
            for i, (group, found) in enumerate(
                zip(groups, known, strict=True)
            ):
                shift = (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
                color, marker = group.look
                if not found:
                    continue
                axis.errorbar(
                    [e.value or 0.0 for e in found.values()],
                    [rows.index(row) + shift for row in found],
                    xerr=np.array([_sides(e) for e in found.values()]).T,
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
            few_ticks(axis)
            axis.set_xlabel(xlabel)
            axis.set_title(title)
            if len(groups) > 1:
                legend(axis, [group.label for group in groups], legend_title)
    return chart if chart.panels else None


def _sides(estimate: Estimate) -> tuple[float, float]:
    """Lengths of the error bar below and above the value."""
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or low is None or high is None:
        return 0.0, 0.0
    return max(0.0, value - low), max(0.0, high - value)
