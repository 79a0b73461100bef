"""Share of wrong keypoints by how many of them are kept."""

from collections.abc import Mapping, Sequence

from .chart_base import LOOKS, Chart, few_ticks, legend


def risk_chart(
    curves: Mapping[str, Sequence[float]],
    coverages: Sequence[float],
    alt: str,
) -> Chart | None:
    """Draw risk-coverage curves; None where there is none.

    Args:
        curves: Label -> risk at each coverage; empty ones are left out.
        coverages: Rising, up to 1.
        alt: Description.
    """
    known = {label: risks for label, risks in curves.items() if risks}
    if not known:
        return None
    chart = Chart(alt)
    x = [100 * c for c in coverages]
    with chart.panel(6.6, 4.3) as axis:
        for i, (risks, look) in enumerate(
            zip(known.values(), LOOKS, strict=False)
        ):
            color, marker = look
            axis.plot(
                x,
                [100 * risk for risk in risks],
                color=color,
                marker=marker,
                markersize=4.5,
                markevery=2,
                linewidth=1.8,
                label=str(i),
            )
        axis.set_xlim(0, 102)
        axis.set_ylim(bottom=0)
        axis.set_xlabel('coverage: keypoints with the highest scores, %')
        axis.set_ylabel('risk: wrong ones among them, %')
        few_ticks(axis)
        axis.grid(axis='y')
        legend(axis, list(known))
    return chart
