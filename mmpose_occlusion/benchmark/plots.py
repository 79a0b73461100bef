"""Figures of a sweep: what each attack cost, as bars and on a body."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmpose_occlusion.attacks import parse_attack

from .report.figures.standing import place
from .table import Row

PAINTS = {'black': ('#0b3c5d', ''), 'mean': ('#7b8a8b', '..')}
PAINTS['blur'] = ('#e08e0b', '//')
"""Colour and hatch by fill: told apart without colour, too."""


def plot_cost(
    table: Sequence[Row],
    links: Sequence[tuple[str, str]],
    metric: str,
    path: Path,
) -> None:
    """Draw the figure of a sweep: bars of what each target cost, and the
    loss of each hidden joint on a standing figure.

    Args:
        table: Rows of :func:`.table.rows`, the clean one first.
        links: Names of the joints at the ends of each limb.
        metric: Name of the rows' score.
        path: File to write, PNG or SVG.
    """
    groups = _by_kind(table[1:])
    kinds = [kind for kind in ('keypoint', 'part') if groups.get(kind)]
    with matplotlib.rc_context({'font.size': 9, 'hatch.linewidth': 0.6}):
        figure = Figure(figsize=(4.3 * (len(kinds) + 1), 5.6))
        axes = figure.subplots(1, len(kinds) + 1, squeeze=False)[0]
        for axis, kind in zip(axes, kinds, strict=False):
            _bars(axis, groups[kind], kind, metric.split('/')[-1])
        _body(axes[-1], groups.get('keypoint', {}), links)
        score = table[0].score
        if score is not None:
            figure.suptitle(
                f'{metric.split("/")[-1]} {score:.3f} with nothing hidden',
                fontsize=11,
            )
        figure.tight_layout()
        figure.savefig(path, dpi=130)


def _by_kind(table: Sequence[Row]) -> dict[str, dict[str, dict[str, Row]]]:
    """Rows by kind, target and fill."""
    groups: dict[str, dict[str, dict[str, Row]]] = {}
    for row in table:
        kind, target, *_ = row.attack.split(':')
        fill = parse_attack(row.attack).get('fill', 'blur')
        groups.setdefault(kind, {}).setdefault(target, {})[fill] = row
    return groups


def _bars(
    axis: Axes, targets: dict[str, dict[str, Row]], kind: str, metric: str
) -> None:
    fills = [f for f in PAINTS if any(f in rows for rows in targets.values())]
    height = 0.8 / max(len(fills), 1)
    y = np.arange(len(targets))
    for i, fill in enumerate(fills):
        color, hatch = PAINTS[fill]
        drops = [
            rows[fill].drop if fill in rows else None
            for rows in targets.values()
        ]
        axis.barh(
            y + (i - (len(fills) - 1) / 2) * height,
            [np.nan if drop is None else drop for drop in drops],
            height,
            color=color,
            hatch=hatch,
            edgecolor='white',
            label=fill,
        )
    axis.set_yticks(y, [name.replace('_', ' ') for name in targets])
    axis.invert_yaxis()
    axis.axvline(0, color='black', linewidth=0.8)
    axis.set_xlabel(f'change of {metric}')
    axis.set_title(f'One hidden {kind}')
    axis.legend(title='painted', frameon=False, loc='best')
    axis.spines[['top', 'right', 'left']].set_visible(False)
    axis.tick_params(axis='y', length=0)
    axis.grid(axis='x', alpha=0.3)


def _body(
    axis: Axes,
    targets: dict[str, dict[str, Row]],
    links: Sequence[tuple[str, str]],
) -> None:
    """Loss of PCK of each joint where it is hidden, worst paint."""
    spots: list[tuple[tuple[float, float], float]] = []
    for joint, rows in targets.items():
        spot = place(joint)
        losses = [
            row.pck_clean - row.pck_attacked
            for row in rows.values()
            if row.pck_clean is not None and row.pck_attacked is not None
        ]
        if spot is not None and losses:
            spots.append((spot, max(losses)))
    for ends in links:
        a, b = (place(end) for end in ends)
        if a is not None and b is not None:
            axis.plot(
                *zip(a, b, strict=True),
                color='#b9c0c4',
                linewidth=5,
                solid_capstyle='round',
                zorder=1,
            )
    axis.set_aspect('equal')
    axis.axis('off')
    axis.set_title('PCK@0.2 lost by a joint\nwhen it is hidden')
    if not spots:
        return
    xy = np.array([spot for spot, _ in spots])
    worst = [loss for _, loss in spots]
    dots = axis.scatter(
        xy[:, 0],
        xy[:, 1],
        c=worst,
        cmap='cividis_r',
        s=170,
        zorder=2,
        edgecolors='black',
        linewidths=0.8,
        vmin=0,
        vmax=max(*worst, 0.01),
    )
    axis.text(-2.2, 2, 'right', ha='center', color='#555555')
    axis.text(2.2, 2, 'left', ha='center', color='#555555')
    axis.figure.colorbar(dots, ax=axis, shrink=0.6, pad=0.02)
