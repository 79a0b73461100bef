"""What each hidden joint costs, drawn on a body."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from mmpose_occlusion.benchmark.analysis import Analysis
from mmpose_occlusion.benchmark.analysis.attacks import JOINT
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.report.formatting import NAMES, number

from .base import (
    FAINT,
    HEAT,
    INK,
    STYLE,
    Picture,
    draw,
    paints_of,
)
from .body_layout import place


def body_figure(analysis: Analysis) -> Picture | None:
    """Each hidden joint's cost, drawn on a body; one body for each paint."""
    measure = analysis.main
    costs = [
        c
        for c in analysis.costs
        if c.plain and c.kind == JOINT and c.change[measure].value is not None
    ]
    spots = stick_figure(analysis.run)
    paints = [
        paint
        for paint in paints_of(costs)
        if sum(c.paint == paint for c in costs) > 1
    ][:4]
    if not paints or not spots:
        return None
    losses = [-(c.change[measure].value or 0) for c in costs]
    top = max(*losses, 0.005)
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(3.5 * len(paints) + 0.8, 5.2), layout='constrained'
        )
        axes = figure.subplots(1, len(paints), squeeze=False)[0]
        for axis, paint in zip(axes, paints, strict=True):
            mine = {
                c.target: c.change[measure].value or 0.0
                for c in costs
                if c.paint == paint
            }
            dots = _body(axis, analysis.run, spots, mine, measure, top)
            axis.set_title(f'painted: {paint}', loc='center')
        bar = figure.colorbar(
            dots, ax=list(axes), shrink=0.55, pad=0.01, aspect=24
        )
        bar.set_label(f'{NAMES[measure]} lost')
        words = (
            f'Loss of {NAMES[measure]} by the joint that is hidden, on a '
            'body; the numbers are in the table below.'
        )
        return draw(figure, words)


def _body(
    axis: Axes,
    run: BenchmarkRun,
    spots: dict[str, tuple[float, float]],
    changes: dict[str, float],
    measure: str,
    top: float,
) -> PathCollection:
    xs = [x for x, _ in spots.values()]
    ys = [y for _, y in spots.values()]
    middle = (min(xs) + max(xs)) / 2
    for a, b in run.joints.links:
        ends = [spots.get(run.joints.names[i]) for i in (a, b)]
        if ends[0] and ends[1]:
            axis.plot(
                [ends[0][0], ends[1][0]],
                [ends[0][1], ends[1][1]],
                color='#d5dad5',
                linewidth=7,
                solid_capstyle='round',
                zorder=1,
            )
    shown = [joint for joint in spots if joint in changes]
    losses = [-changes[joint] for joint in shown]
    dots = axis.scatter(
        [spots[j][0] for j in shown],
        [spots[j][1] for j in shown],
        s=[70 + 260 * (max(0.0, loss) / top) ** 0.5 for loss in losses],
        c=losses,
        cmap=HEAT,
        norm=PowerNorm(0.5, vmin=0, vmax=top),
        edgecolors=INK,
        linewidths=0.9,
        zorder=3,
    )
    edge = (max(xs) - min(xs)) * 0.72
    for side in (-1, 1):
        mine = [j for j in shown if (spots[j][0] < middle) == (side < 0)]
        mine.sort(key=lambda j: spots[j][1])
        heights = _apart([spots[j][1] for j in mine], (max(ys)) / 18)
        for joint, height in zip(mine, heights, strict=True):
            x = middle + side * edge
            axis.plot(
                [spots[joint][0], x - 0.06 * side],
                [spots[joint][1], height],
                color='#b4bbbf',
                linewidth=0.7,
                zorder=2,
            )
            axis.text(
                x,
                height,
                number(changes[joint], measure, sign=True),
                ha='left' if side > 0 else 'right',
                va='center',
                fontsize=8,
            )
    if any(joint.startswith('left_') for joint in shown):
        for side, word in ((-1, "person's right"), (1, "person's left")):
            axis.text(
                middle + side * 0.3 * edge,
                min(ys) - 0.11 * (max(ys) - min(ys)),
                word,
                ha='left' if side > 0 else 'right',
                color=FAINT,
                fontsize=8,
            )
    axis.set_aspect('equal')
    axis.set_xlim(middle - 1.45 * edge, middle + 1.45 * edge)
    axis.axis('off')
    return dots


def _apart(values: Sequence[float], least: float) -> list[float]:
    """Rising values, moved so that there is room between them."""
    out = list(values)
    for _ in range(200):
        moved = False
        for i in range(len(out) - 1):
            lack = least - (out[i + 1] - out[i])
            if lack > 1e-6:
                out[i] -= lack / 2
                out[i + 1] += lack / 2
                moved = True
        if not moved:
            break
    return out


def stick_figure(run: BenchmarkRun) -> dict[str, tuple[float, float]]:
    """Where to draw each joint: on a standing person where all joints are a
    person's, else where they are in the data's boxes on average."""
    places = {joint: place(joint) for joint in run.joints.names}
    if all(places.values()):
        return {j: _larger_head(*xy) for j, xy in places.items() if xy}
    low, high = np.split(run.boxes.person_boxes, 2, axis=1)
    inside = (run.boxes.truth - low[:, None]) / (high - low)[:, None]
    out = {}
    for k, joint in enumerate(run.joints.names):
        known = inside[np.isfinite(inside[:, k]).all(axis=1), k]
        if len(known):
            x, y = np.median(known, axis=0)
            out[joint] = (6 * float(x) - 3, 9 - 9 * float(y))
    return out


def _larger_head(x: float, y: float) -> tuple[float, float]:
    """Room for the joints of the face."""
    low = 7.6  # between shoulders and face
    return (2.1 * x, low + 1.9 * (y - low)) if y > low else (x, y)
