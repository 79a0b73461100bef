"""Values with their intervals, one below the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmpose_occlusion.benchmark.analysis import Estimate

from .chart_base import (
    INK,
    Chart,
    Look,
    few_ticks,
    legend,
    rows,
    whiskers,
)


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
        labels = list(
            dict.fromkeys(
                row
                for group in groups
                for row, e in group.values.items()
                if e.value is not None
            )
        )
        if not labels:
            continue
        height = 1.3 + (0.22 + 0.06 * len(groups)) * len(labels)
        with chart.panel(width, height) as axis:
            for i, group in enumerate(groups):
                shift = (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
                known = {
                    row: e
                    for row, e in group.values.items()
                    if e.value is not None
                }
                color, marker, _ = group.look
                axis.errorbar(
                    [e.value or 0 for e in known.values()],
                    [labels.index(row) + shift for row in known],
                    xerr=whiskers(list(known.values())),
                    fmt=marker,
                    markersize=4.8,
                    color=color,
                    elinewidth=1.2,
                    label=str(i),
                )
            axis.axvline(0, color=INK, linewidth=0.9)
            rows(axis, labels)
            few_ticks(axis)
            axis.set_xlabel(xlabel)
            axis.set_title(title)
            if len(groups) > 1:
                legend(axis, [group.label for group in groups], legend_title)
    return chart if chart.panels else None
