"""Hide i: how far does j move?"""

import matplotlib
import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmpose_occlusion.benchmark.analysis.matrix import Matrix
from mmpose_occlusion.benchmark.data import Joints
from mmpose_occlusion.benchmark.report.formatting import name

from .base import (
    HEAT,
    INK,
    STYLE,
    Picture,
    draw,
)


def matrix_figure(
    matrix: Matrix, parts: Matrix | None, joints: Joints, top: float
) -> Picture:
    """Hide i (rows), how far does j move (columns).

    Args:
        matrix: Of hidden joints.
        parts: Of hidden parts in the same paint.
        joints: Of the data set.
        top: End of the scale, in parts of the box.
    """
    rows = [
        (name(t), v)
        for t, v in zip(matrix.targets, matrix.values, strict=True)
    ]
    targets = list(matrix.targets)
    gap = None
    if parts is not None:
        gap = len(rows)
        targets += parts.targets
        rows += [
            (name(t), v)
            for t, v in zip(parts.targets, parts.values, strict=True)
        ]
    values = 100 * np.array(
        [[np.nan if x is None else x for x in row] for _, row in rows]
    )
    count = len(matrix.joints)
    norm = PowerNorm(0.6, vmin=0, vmax=100 * top)
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(1.9 + 0.48 * count, 1.6 + 0.3 * len(rows)),
            layout='constrained',
        )
        axis = figure.subplots()
        image = axis.imshow(
            values,
            cmap=HEAT,
            norm=norm,
            aspect='auto',
        )
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                if np.isfinite(value) and value >= 0.05:
                    dark = norm(value) > 0.5
                    axis.text(
                        j,
                        i,
                        f'{value:.1f}' if value < 9.95 else f'{value:.0f}',
                        ha='center',
                        va='center',
                        fontsize=7,
                        color='white' if dark else INK,
                    )
        for i, target in enumerate(targets):
            for j in _hidden_by(joints, target):
                axis.add_patch(
                    Rectangle(
                        (j - 0.46, i - 0.46),
                        0.92,
                        0.92,
                        fill=False,
                        edgecolor='#d98200',
                        linewidth=1.4,
                    )
                )
        if gap is not None:
            axis.axhline(gap - 0.5, color=INK, linewidth=1)
        axis.set_xticks(
            range(count),
            [name(j) for j in matrix.joints],
            rotation=40,
            ha='left',
            rotation_mode='anchor',
        )
        axis.xaxis.tick_top()
        axis.set_yticks(range(len(rows)), [label for label, _ in rows])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set_ylabel(f'hidden ({matrix.paint})')
        bar = figure.colorbar(image, ax=axis, shrink=0.6, pad=0.01, aspect=26)
        bar.set_label("moves by, % of the box's longer side")
        words = (
            'How far each joint (column) moves when a joint or part (row) is '
            f"hidden, in per cent of the box's longer side; {matrix.paint}."
        )
        return draw(figure, words)


def _hidden_by(joints: Joints, target: str) -> list[int]:
    """The joints that a target is made of."""
    if target in joints.names:
        return [joints.names.index(target)]
    return list(joints.parts.get(target, ()))
