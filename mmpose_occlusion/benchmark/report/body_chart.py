"""Values of joints and of places, drawn on a body."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.patches import Polygon

from mmpose_occlusion.benchmark.analysis import Record
from mmpose_occlusion.benchmark.analysis.sensitivity_map import (
    ALONG,
    is_right,
)

from .figures import (
    FAINT,
    HEAT,
    INK,
    LEADER,
    LIMB,
    STYLE,
    WARM,
    Chart,
    new_panel,
)
from .formatting import NAMES, number

_BESIDE = dict(
    eye=(0.59, 9.22), ear=(1.26, 8.84), shoulder=(1.1, 6.9), elbow=(1.7, 5.3),
    wrist=(2.0, 3.8), hip=(0.7, 4.1), knee=(0.85, 2.1), ankle=(0.95, 0.2),
)  # fmt: skip
_MIDDLE = dict(
    nose=(0, 8.55), head_top=(0, 10.45), top_head=(0, 10.45),
    upper_neck=(0, 7.4), neck=(0, 7.2), thorax=(0, 6.9), pelvis=(0, 4.1),
)  # fmt: skip
STANDING = {
    **_MIDDLE,
    **{f'left_{joint}': spot for joint, spot in _BESIDE.items()},
    **{f'right_{joint}': (-x, y) for joint, (x, y) in _BESIDE.items()},
}
"""A standing person who faces the reader, with an enlarged head; the left
side is at x > 0."""

Spot = tuple[float, float]


class BodyLayout(NamedTuple):
    """Where the joints are drawn, and whether this is the standing person,
    whose sides are known, or the median of the data."""

    spots: dict[str, Spot]
    links: list[tuple[str, str]]
    is_standing: bool


def body_layout(
    names: Sequence[str],
    links: Sequence[tuple[int, int]],
    joints: np.ndarray,
    boxes: np.ndarray,
) -> BodyLayout:
    """Place joints on a standing person if all names are known, else at the
    median place of the annotated joints ``(N, K, 2)`` in the people's bboxes
    ``(N, 4)``, pixels. Links are pairs of indices."""
    pairs = [(names[a], names[b]) for a, b in links]
    if STANDING.keys() >= {*names}:
        return BodyLayout({n: STANDING[n] for n in names}, pairs, True)
    low, high = np.split(boxes, 2, axis=1)
    inside = (joints - low[:, None]) / (high - low)[:, None]
    spots: dict[str, Spot] = {}
    for k, joint in enumerate(names):
        seen = inside[np.isfinite(inside[:, k]).all(axis=1), k]
        if len(seen):
            x, y = np.median(seen, axis=0)
            spots[joint] = (6 * float(x) - 3, 9 - 9 * float(y))
    return BodyLayout(spots, pairs, False)


def _scale_of(values: Iterable[float]) -> PowerNorm:
    """From values to the scale of colours that a chart's panels share."""
    return PowerNorm(0.5, vmin=0, vmax=max(*values, 0.005))


def _new_body(chart: Chart, title: str, width: float, height: float) -> Axes:
    """Axes of a new panel for a body."""
    axis = new_panel(chart, width, height)
    axis.set_title(title, loc='center')
    axis.set_aspect('equal')
    axis.axis('off')
    return axis


def _add_scale(chart: Chart, scale: PowerNorm, label: str) -> None:
    axis = new_panel(chart, 0.75, 3.2)
    axis.figure.colorbar(ScalarMappable(scale, HEAT), cax=axis, label=label)


@matplotlib.rc_context(STYLE)
def body_chart(
    losses: Mapping[str, Mapping[str, float]],
    layout: BodyLayout,
    measure: str,
) -> Chart:
    """One body for each paint (paint -> joint -> loss of a measure): the
    larger and darker a joint, the more; beside it the change."""
    chart: Chart = []
    spots = layout.spots
    values = [loss for found in losses.values() for loss in found.values()]
    if not values or not spots:
        return chart
    scale = _scale_of(values)
    for paint, found in losses.items():
        axis = _new_body(chart, f'painted: {paint}', 2.9, 4.7)
        for a, b in layout.links:
            if a in spots and b in spots:
                x, y = np.array([spots[a], spots[b]]).T
                axis.plot(x, y, color=LIMB, linewidth=7, zorder=1)
        shown = {joint: found[joint] for joint in spots if joint in found}
        axis.scatter(
            [spots[joint][0] for joint in shown],
            [spots[joint][1] for joint in shown],
            [70 + 260 * float(scale(max(0.0, x))) for x in shown.values()],
            list(shown.values()),
            cmap=HEAT,
            norm=scale,
            edgecolors=INK,
            linewidths=0.9,
            zorder=3,
        )
        words = {j: number(-x, measure, sign=True) for j, x in shown.items()}
        _write_beside(axis, layout, words)
    _add_scale(chart, scale, f'{NAMES[measure]} lost')
    return chart


def _write_beside(
    axis: Axes, layout: BodyLayout, words: Mapping[str, str]
) -> None:
    """Words of joints in a column on each side of the body, with lines to the
    joints; names of the sides where they are known."""
    spots = layout.spots
    xs, ys = np.array(list(spots.values())).T
    middle, edge = (xs.min() + xs.max()) / 2, max(0.72 * np.ptp(xs), 0.5)
    for side, align in ((-1, 'right'), (1, 'left')):
        mine = [j for j in words if (spots[j][0] < middle) == (side < 0)]
        mine.sort(key=lambda joint: spots[joint][1])
        heights = _spread([spots[j][1] for j in mine], ys.max() / 18)
        x = middle + side * edge
        for joint, y in zip(mine, heights, strict=True):
            ends = np.array([spots[joint], (x - 0.06 * side, y)]).T
            axis.plot(*ends, color=LEADER, linewidth=0.7, zorder=2)
            axis.text(x, y, words[joint], ha=align, va='center', fontsize=8)
        if layout.is_standing:
            word, low = f"person's {align}", ys.min() - 0.11 * np.ptp(ys)
            x = middle + side * 0.3 * edge
            axis.text(x, low, word, ha=align, color=FAINT, fontsize=8)
    axis.set_xlim(middle - 1.45 * edge, middle + 1.45 * edge)


def _spread(values: Sequence[float], least: float) -> list[float]:
    """Rising values, moved so that neighbours are ``least`` apart."""
    out = list(values)
    for _ in range(200):
        for i in range(len(out) - 1):
            lack = max(0.0, least - (out[i + 1] - out[i]))
            out[i] -= lack / 2
            out[i + 1] += lack / 2
    return out


BIN_WIDTH = 0.46  # across a limb, on the standing person


@matplotlib.rc_context(STYLE)
def place_chart(
    bodies: Mapping[str, Sequence[tuple[Record, float | None]]],
    layout: BodyLayout,
    label: str,
) -> Chart:
    """One body for each title, which is perhaps a joint's name, with the
    values of places on limbs; None is masked, grey and hatched. The colours
    are of the same scale in all panels."""
    chart: Chart = []
    values = [x for found in bodies.values() for _, x in found if x]
    if not values or not layout.spots:
        return chart
    scale = _scale_of(values)
    for title, found in bodies.items():
        axis = _new_body(chart, title.replace('_', ' '), 2.1, 3.3)
        for place, value in found:
            if not place.limb or not set(place.limb) <= layout.spots.keys():
                continue
            look: Any = dict(facecolor='none', hatch='////', zorder=1)
            if value is not None:
                above = 3 - abs(place.across)  # on the limb, or beside it
                look = dict(facecolor=HEAT(scale(max(0, value))), zorder=above)
            axis.add_patch(
                Polygon(
                    _corners(layout, place),
                    edgecolor=LEADER,
                    linewidth=0.4,
                    **look,
                )
            )
        for joint, spot in layout.spots.items():
            look = dict(markersize=2.5, color=FAINT)
            if joint == title:
                look = dict(markersize=9, color=WARM, markerfacecolor='none')
            axis.plot(*spot, marker='o', markeredgewidth=2, zorder=4, **look)
        axis.autoscale_view()
    _add_scale(chart, scale, label)
    return chart


def _corners(layout: BodyLayout, place: Record) -> list[np.ndarray]:
    """Of a place beside or on its limb."""
    start, end = (np.array(layout.spots[joint]) for joint in place.limb)
    way = end - start
    length = float(np.hypot(*way)) or 1.0
    width = min(BIN_WIDTH, 0.3 * length) * (-1 if is_right(place.limb) else 1)
    side = np.array([-way[1], way[0]]) / length * width
    return [
        start + way * (place.along + i) / ALONG + side * (place.across + k)
        for i, k in ((0, -0.5), (1, -0.5), (1, 0.5), (0, 0.5))
    ]
