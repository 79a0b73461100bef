"""Figures as SVG; colours come with a shape, a hatch or a number."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..analysis import Analysis, Estimate
from ..analysis.attacks import HERE, JOINT, PART
from ..analysis.compare import CLEAN, Comparison
from ..analysis.controls import Control
from ..analysis.costs import Cost
from ..analysis.curves import MEAN, Curve
from ..analysis.failures import KINDS as FAILURES
from ..analysis.matrix import Matrix
from ..data import BenchmarkRun
from ..plots import place
from .words import NAMES, PLACES, name, number

INK, FAINT, LINE = '#22262e', '#667080', '#d9dcd6'

# Okabe and Ito's colours, darkened where white paper asks for it
_LOOKS = [
    ('#0b3c5d', 'o', ''),
    ('#d98200', 's', '//'),
    ('#1b8a6b', '^', '..'),
    ('#b5408a', 'D', 'xx'),
    ('#4d9fd6', 'v', '\\\\'),
    ('#c24a1a', 'P', '++'),
    ('#6d7680', 'X', '--'),
    ('#a08a00', '<', 'oo'),
    ('#5b4b9e', '>', '**'),
]
_KNOWN = {'black': 0, 'blur': 1, 'mean': 2}

_HEAT = LinearSegmentedColormap.from_list(
    'heat', ['#ffffff', '#d6e4ec', '#86b3cc', '#2f7298', '#0b3c5d', '#04121d']
)

_KIND_COLORS = {
    'good': ('#e8ece4', ''),
    'jitter': ('#a9c9dd', '..'),
    'swap': ('#d98200', '//'),
    'drift': ('#b5408a', 'xx'),
    'miss': ('#0b3c5d', ''),
}
_KIND_WORDS = {
    'good': 'good',
    'jitter': 'jitter',
    'swap': 'left-right swap',
    'drift': 'drift to another person',
    'miss': 'miss',
}

_STYLE = {
    'font.size': 9,
    'text.color': INK,
    'axes.labelcolor': INK,
    'axes.edgecolor': '#9aa2a8',
    'axes.titlesize': 10,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'xtick.color': INK,
    'ytick.color': INK,
    'grid.color': LINE,
    'hatch.linewidth': 0.7,
    'legend.frameon': False,
    'svg.hashsalt': 'mmpose_occlusion',
    'svg.fonttype': 'path',
}


@dataclass(frozen=True)
class Picture:
    """A figure with the words that stand for it.

    Args:
        svg: The drawing.
        words: What is to be seen, for those who cannot.
    """

    svg: str
    words: str


def _draw(figure: Figure, words: str) -> Picture:
    out = io.StringIO()
    figure.savefig(
        out,
        format='svg',
        metadata={'Date': None},
        bbox_inches='tight',
        transparent=True,
    )
    return Picture(out.getvalue(), words)


def looks(paints: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Colour, marker and hatch of each paint, the same in all figures."""
    out: dict[str, tuple[str, str, str]] = {}
    free = [i for i in range(len(_LOOKS)) if i not in _KNOWN.values()]
    for paint in paints:
        index = _KNOWN.get(paint.split(' ')[0])
        if index is None or _LOOKS[index] in out.values():
            index = free.pop(0) if free else len(_LOOKS) - 1
        out[paint] = _LOOKS[index]
    return out


def _paints(costs: Sequence[Cost]) -> list[str]:
    return list(dict.fromkeys(cost.paint for cost in costs))


def costs_figure(analysis: Analysis) -> Picture | None:
    """What hiding each joint and each part costs, with intervals."""
    plain = [
        c
        for c in analysis.costs
        if c.plain and c.change[analysis.main].value is not None
    ]
    panels = [
        (kind, [c for c in plain if c.kind == kind])
        for kind in (JOINT, PART)
        if any(c.kind == kind for c in plain)
    ]
    if not panels:
        return None
    style = looks(_paints(plain))
    rows = max(len({c.target for c in costs}) for _, costs in panels)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(5.2 * len(panels), 1.3 + 0.32 * rows),
            layout='constrained',
        )
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, (kind, costs) in zip(axes, panels, strict=True):
            _forest(axis, costs, analysis.main, style)
            axis.set_title(f'One {kind} hidden')
        axes[0].legend(title='painted', loc='best')
        words = (
            f'Change of {NAMES[analysis.main]} with its 95 % interval for '
            'every joint and part that was hidden, by paint.'
        )
        return _draw(figure, words)


def _forest(
    axis: Axes,
    costs: Sequence[Cost],
    measure: str,
    style: dict[str, tuple[str, str, str]],
) -> None:
    targets = list(dict.fromkeys(c.target for c in costs))
    paints = _paints(costs)
    for i, paint in enumerate(paints):
        color, marker, _ = style[paint]
        shift = (i - (len(paints) - 1) / 2) * 0.8 / max(len(paints), 1)
        mine = [c for c in costs if c.paint == paint]
        axis.errorbar(
            [c.change[measure].value or 0 for c in mine],
            [targets.index(c.target) + shift for c in mine],
            xerr=_whiskers([c.change[measure] for c in mine]),
            fmt=marker,
            markersize=4.5,
            color=color,
            elinewidth=1.2,
            label=paint,
        )
    for y in range(0, len(targets), 2):
        axis.axhspan(y - 0.5, y + 0.5, color='#f3f4f0', zorder=0)
    axis.axvline(0, color=INK, linewidth=0.9)
    axis.set_yticks(range(len(targets)), [name(t) for t in targets])
    axis.set_ylim(len(targets) - 0.5, -0.5)
    axis.tick_params(axis='y', length=0)
    axis.grid(axis='x')
    axis.set_axisbelow(True)
    axis.spines['left'].set_visible(False)
    axis.set_xlabel(f'change of {NAMES[measure]}')


def _whiskers(estimates: Sequence[Estimate]) -> np.ndarray:
    """Lengths to both sides, for matplotlib."""
    ends = [
        (0.0, 0.0)
        if e.value is None or e.low is None or e.high is None
        else (max(0.0, e.value - e.low), max(0.0, e.high - e.value))
        for e in estimates
    ]
    return np.array(ends).reshape(-1, 2).T


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
        for paint in _paints(costs)
        if sum(c.paint == paint for c in costs) > 1
    ][:4]
    if not paints or not spots:
        return None
    losses = [-(c.change[measure].value or 0) for c in costs]
    top = max(*losses, 0.005)
    with matplotlib.rc_context(_STYLE):
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
        return _draw(figure, words)


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
        s=[70 + 280 * max(0.0, loss) / top for loss in losses],
        c=losses,
        cmap=_HEAT,
        vmin=0,
        vmax=top,
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


def curves_figure(curves: Sequence[Curve]) -> Picture | None:
    """Severity curves with bands; single targets thin, their mean thick."""
    if not curves:
        return None
    main = [c for c in curves if c.target in (MEAN, 'random')] or list(curves)
    single = [c for c in curves if c not in main]
    panels = 1 + bool(single)
    style = looks(list(dict.fromkeys(c.paint for c in main)))
    with matplotlib.rc_context(_STYLE):
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
        return _draw(figure, words)


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
    for curve, dash, look in zip(named, dashes, _LOOKS, strict=False):
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


def matrix_figure(matrix: Matrix, parts: Matrix | None, top: float) -> Picture:
    """Hide i (rows), how far does j move (columns)."""
    rows = [
        (name(t), v)
        for t, v in zip(matrix.targets, matrix.values, strict=True)
    ]
    own = dict(enumerate(matrix.targets))
    gap = None
    if parts is not None:
        gap = len(rows)
        rows += [
            (name(t), v)
            for t, v in zip(parts.targets, parts.values, strict=True)
        ]
    values = 100 * np.array(
        [[np.nan if x is None else x for x in row] for _, row in rows]
    )
    count = len(matrix.joints)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(1.9 + 0.48 * count, 1.6 + 0.3 * len(rows)),
            layout='constrained',
        )
        axis = figure.subplots()
        image = axis.imshow(
            values,
            cmap=_HEAT,
            norm=PowerNorm(0.6, vmin=0, vmax=100 * top),
            aspect='auto',
        )
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                if np.isfinite(value) and value >= 0.05:
                    dark = value > 38 * top
                    axis.text(
                        j,
                        i,
                        f'{value:.1f}' if value < 9.95 else f'{value:.0f}',
                        ha='center',
                        va='center',
                        fontsize=7,
                        color='white' if dark else INK,
                    )
        for i, target in own.items():
            if target in matrix.joints:
                j = matrix.joints.index(target)
                axis.add_patch(
                    Rectangle(
                        (j - 0.5, i - 0.5),
                        1,
                        1,
                        fill=False,
                        edgecolor=INK,
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
        return _draw(figure, words)


def hidden_figure(analysis: Analysis) -> Picture | None:
    """Joints found before and after, hidden ones against visible ones."""
    best = strongest_paint(analysis)
    costs = [c for c in analysis.costs if c.plain and c.paint == best]
    lines = []
    for cost in costs:
        found = {row.hidden: row for row in cost.joints if row.joint == 'all'}
        if found[True].clean.ks is not None:
            lines.append((cost, found))
    if not lines:
        return None
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(9.5, 1.3 + 0.26 * len(lines)), layout='constrained'
        )
        axes = figure.subplots(1, 2, sharey=True, sharex=True)
        for axis, hidden, title in (
            (axes[0], True, 'The hidden joints'),
            (axes[1], False, 'The other joints of the same people'),
        ):
            color, marker = _LOOKS[0][0], 'o' if hidden else 's'
            for y, (_, found) in enumerate(lines):
                row = found[hidden]
                if row.clean.ks is None or row.attacked.ks is None:
                    continue
                a, b = 100 * row.clean.ks, 100 * row.attacked.ks
                axis.plot([a, b], [y, y], color='#9fb3c0', linewidth=2.2)
                axis.plot(a, y, marker, color='white', mec=color, ms=5.5)
                axis.plot(b, y, marker, color=color, ms=5.5)
            axis.set_title(title)
            axis.set_xlabel('joints near their place (KS≥0.5), %')
            axis.grid(axis='x')
            axis.set_axisbelow(True)
            axis.tick_params(axis='y', length=0)
            axis.plot([], [], 'o', color='white', mec=color, label='clean')
            axis.plot([], [], 'o', color=color, label='attacked')
        axes[0].set_yticks(
            range(len(lines)), [name(cost.target) for cost, _ in lines]
        )
        axes[0].set_ylim(len(lines) - 0.5, -0.5)
        axes[1].legend(loc='best')
        words = (
            'Part of the joints near their place, clean and attacked, for '
            'hidden and for visible joints; the numbers are in joints.csv.'
        )
        return _draw(figure, words)


def strongest_paint(analysis: Analysis) -> str | None:
    """The paint that costs most in the mean over joints and parts."""
    totals: dict[str, list[float]] = {}
    for cost in analysis.costs:
        value = cost.change[analysis.main].value
        if cost.plain and value is not None:
            totals.setdefault(cost.paint, []).append(value)
    if not totals:
        return None
    most = max(len(values) for values in totals.values())
    full = {p: v for p, v in totals.items() if len(v) == most}
    return min(full, key=lambda paint: float(np.mean(full[paint])))


def failures_figure(analysis: Analysis) -> Picture | None:
    """Kinds of failures, clean and under each paint."""
    costs = [c for c in analysis.costs if c.plain]
    paints = _paints(costs)
    bars: list[tuple[str, str, dict[str, int]]] = []
    for group in ('hidden', 'visible'):
        for view, paint in [
            ('clean', None),
            *(('attacked', p) for p in paints),
        ]:
            total = dict.fromkeys(FAILURES, 0)
            for cost in costs:
                if paint in (None, cost.paint):
                    for kind, count in cost.failures[group][view].items():
                        total[kind] += count
            bars.append((group, paint or 'clean', total))
    if not any(sum(total.values()) for _, _, total in bars):
        return None
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(9.5, 1.5 + 0.3 * len(bars)), layout='constrained'
        )
        axis = figure.subplots()
        labels, places = [], []
        y = 0.0
        for i, (group, label, total) in enumerate(bars):
            if i and group != bars[i - 1][0]:
                y += 0.6
            _stack(axis, y, total)
            labels.append(f'{group} joints, {label}')
            places.append(y)
            y += 1
        axis.set_yticks(places, labels)
        axis.set_ylim(y - 0.4, -0.6)
        axis.set_xlim(0, 100)
        axis.tick_params(axis='y', length=0)
        axis.set_xlabel('joints, %')
        axis.spines['left'].set_visible(False)
        figure.legend(
            handles=[
                Rectangle(
                    (0, 0),
                    1,
                    1,
                    facecolor=color,
                    hatch=hatch,
                    edgecolor='white' if kind == 'swap' else '#667080',
                    label=_KIND_WORDS[kind],
                    linewidth=0.4,
                )
                for kind, (color, hatch) in _KIND_COLORS.items()
            ],
            loc='outside upper center',
            ncols=5,
        )
        words = (
            'Part of the joints that are good, jitter, are swapped left and '
            'right, drift to another person or are missed, clean and under '
            'attack; the numbers are in the table below.'
        )
        return _draw(figure, words)


def _stack(axis: Axes, y: float, total: dict[str, int]) -> None:
    count = sum(total.values())
    left = 0.0
    for kind, (color, hatch) in _KIND_COLORS.items():
        part = 100 * total[kind] / count if count else 0.0
        axis.barh(
            y,
            part,
            left=left,
            height=0.8,
            color=color,
            hatch=hatch,
            edgecolor='white' if kind == 'swap' else '#667080',
            linewidth=0.4,
        )
        if part >= 4:
            dark = kind in ('miss',)
            axis.text(
                left + part / 2,
                y,
                f'{part:.0f}',
                ha='center',
                va='center',
                fontsize=8,
                color='white' if dark else INK,
                bbox=None
                if not hatch
                else dict(
                    facecolor='white', edgecolor='none', alpha=0.85, pad=0.8
                ),
            )
        left += part


def controls_figure(controls: Sequence[Control]) -> Picture | None:
    """Hiding the joint, painting elsewhere on the person, and off it."""
    known = [c for c in controls if c.people]
    if not known:
        return None
    order = list(dict.fromkeys(p for c in known for p in c.change))
    order.sort(key=lambda p: list(PLACES).index(p) if p in PLACES else 9)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(7.6, 1.4 + 0.42 * len(known)), layout='constrained'
        )
        axis = figure.subplots()
        for i, where in enumerate(order):
            color, marker, _ = _LOOKS[i]
            mine = [
                (y, c.change[where])
                for y, c in enumerate(known)
                if where in c.change and c.change[where].value is not None
            ]
            shift = (i - (len(order) - 1) / 2) * 0.8 / len(order)
            axis.errorbar(
                [e.value or 0 for _, e in mine],
                [y + shift for y, _ in mine],
                xerr=_whiskers([e for _, e in mine]),
                fmt=marker,
                markersize=5,
                elinewidth=1.2,
                color=color,
                label=PLACES.get(where, name(where)),
            )
        for y in range(0, len(known), 2):
            axis.axhspan(y - 0.5, y + 0.5, color='#f3f4f0', zorder=0)
        axis.axvline(0, color=INK, linewidth=0.9)
        axis.set_yticks(
            range(len(known)), [f'{name(c.target)}, {c.paint}' for c in known]
        )
        axis.set_ylim(len(known) - 0.5, -0.5)
        axis.tick_params(axis='y', length=0)
        axis.spines['left'].set_visible(False)
        axis.grid(axis='x')
        axis.set_axisbelow(True)
        axis.set_xlabel(f'change of {NAMES[known[0].measure]}')
        axis.legend(title='the same area painted on', loc='best')
        words = (
            'Change of the measure by the place of the paint, with 95 % '
            'intervals; the numbers are in the table below.'
        )
        return _draw(figure, words)


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
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(7.6, 1.1 + 0.34 * len(costs)), layout='constrained'
        )
        axis = figure.subplots()
        axis.errorbar(
            [c.change[measure].value or 0 for c in costs],
            range(len(costs)),
            xerr=_whiskers([c.change[measure] for c in costs]),
            fmt='o',
            color=_LOOKS[0][0],
            markersize=5.5,
        )
        axis.axvline(0, color=INK, linewidth=0.9)
        axis.set_yticks(range(len(costs)), [c.paint for c in costs])
        axis.set_ylim(len(costs) - 0.5, -0.5)
        axis.tick_params(axis='y', length=0)
        axis.spines['left'].set_visible(False)
        axis.grid(axis='x')
        axis.set_axisbelow(True)
        axis.set_xlabel(f'change of {NAMES[measure]}')
        words = (
            f'Change of {NAMES[measure]} by the paint on the same joint of '
            'each person, with 95 % intervals.'
        )
        return _draw(figure, words)


def comparison_figure(
    comparison: Comparison, costs: Sequence[Cost], measure: str
) -> Picture | None:
    """How much more or less other models lose than the first."""
    shown = {CLEAN, *(c.name for c in costs if c.plain)}
    found = [
        d
        for d in comparison.differences
        if d.attack in shown and d.score[measure].value is not None
    ]
    if not found:
        return None
    attacks = list(dict.fromkeys(d.attack for d in found))
    models = list(dict.fromkeys(d.model for d in found))
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(7.8, 1.4 + 0.3 * len(attacks)), layout='constrained'
        )
        axis = figure.subplots()
        for i, model in enumerate(models):
            color, marker, _ = _LOOKS[i % len(_LOOKS)]
            mine = [d for d in found if d.model == model]
            shift = (i - (len(models) - 1) / 2) * 0.7 / len(models)
            axis.errorbar(
                [d.score[measure].value or 0 for d in mine],
                [attacks.index(d.attack) + shift for d in mine],
                xerr=_whiskers([d.score[measure] for d in mine]),
                fmt=marker,
                color=color,
                markersize=5,
                elinewidth=1.2,
                label=model,
            )
        for y in range(0, len(attacks), 2):
            axis.axhspan(y - 0.5, y + 0.5, color='#f3f4f0', zorder=0)
        axis.axvline(0, color=INK, linewidth=0.9)
        axis.set_yticks(range(len(attacks)), attacks)
        axis.set_ylim(len(attacks) - 0.5, -0.5)
        axis.tick_params(axis='y', length=0)
        axis.spines['left'].set_visible(False)
        axis.grid(axis='x')
        axis.set_axisbelow(True)
        axis.set_xlabel(
            f'{NAMES[measure]} minus that of {comparison.baseline}'
        )
        axis.legend(loc='best')
        words = (
            f'{NAMES[measure]} of the models minus that of '
            f'{comparison.baseline}, on the same people, clean and under '
            'every attack.'
        )
        return _draw(figure, words)
