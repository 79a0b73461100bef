"""The charts of the page, from analyses."""

from collections.abc import Iterable, Sequence

from mmpose_occlusion.benchmark.analysis import (
    Analysis,
    AttackCost,
    Estimate,
    ModelComparison,
)
from mmpose_occlusion.benchmark.analysis.attack_description import (
    AT_TARGET,
    RANDOM,
)
from mmpose_occlusion.benchmark.analysis.attack_groups import (
    MEAN,
    ControlComparison,
    SeverityCurve,
)
from mmpose_occlusion.benchmark.analysis.model_comparison import CLEAN
from mmpose_occlusion.benchmark.analysis.score_quality import (
    COVERAGES,
    PooledScores,
)
from mmpose_occlusion.benchmark.analysis.sensitivity_map import (
    PlaceEffect,
    SensitivityMap,
)
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART

from .body_chart import BodyLayout, body_chart, body_layout, place_chart
from .figures import (
    LOOKS,
    Chart,
    Line,
    Look,
    forest_chart,
    line_chart,
    looks,
)
from .formatting import NAMES, PLACES, number, place_name, pooled_name

SHOWN_JOINTS = 5
"""On a page's first figure of a sensitivity map."""

DIAMETER = "diameter, % of the height of the person's bbox"

MOST_ROWS = 24
"""Of a chart of controls."""


def model_charts(
    analysis: Analysis,
    plain: Sequence[AttackCost],
    pooled: Sequence[PooledScores],
) -> dict[str, Chart]:
    """Name -> chart, empty where there are no data; ``plain`` are the attacks
    on one named joint or part."""
    return dict(
        body=_body(analysis, plain),
        costs=_costs(analysis, plain),
        severity=_severity(analysis),
        controls=_controls(analysis),
        paints=_paints(analysis),
        risks=_risks(analysis.scores.risks, pooled),
    )


def _paints_of(costs: Iterable[AttackCost]) -> list[str]:
    return list(dict.fromkeys(cost.label for cost in costs))


def layout_of(analysis: Analysis) -> BodyLayout:
    """Where the joints of a run are drawn."""
    run = analysis.run
    return body_layout(
        run.joints.names,
        run.joints.links,
        run.boxes.truth,
        run.boxes.person_boxes,
    )


def map_charts(
    analysis: Analysis, found: SensitivityMap
) -> tuple[Chart, Chart]:
    """Two charts of bodies: the mean over joints, the :data:`SHOWN_JOINTS`
    that a place hurts most, and people; the other joints."""
    known = [j for j in found.joints if j.place]
    known.sort(key=lambda joint: -(joint.maximum.value or 0.0))
    joints = ['', *(j.joint for j in known)]
    layout = layout_of(analysis)
    first, others = (
        place_chart(
            {
                joint or 'mean of all joints': [
                    (place, _rise(place, joint)) for place in found.places
                ]
                for joint in some
            },
            layout,
            'rise of EPE, % of the box',
        )
        for some in (joints[: 1 + SHOWN_JOINTS], joints[1 + SHOWN_JOINTS :])
    )
    on = [p for p in found.places if p.limb]
    people = {'people': [(p, p.people or None) for p in on]}
    return first + place_chart(people, layout, 'people'), others


def _rise(place: PlaceEffect, joint: str) -> float | None:
    """Rise of the EPE of a joint, or mean over all, in per cent."""
    known = [
        e.value
        for name, e in place.rise.items()
        if joint in (name, '') and e.value is not None
    ]
    return 100 * sum(known) / len(known) if known else None


def _body(analysis: Analysis, plain: Sequence[AttackCost]) -> Chart:
    main, layout = analysis.main, layout_of(analysis)
    losses = {
        paint: {
            c.target: -(c.change[main].value or 0.0)
            for c in plain
            if c.kind == KEYPOINT and c.label == paint
        }
        for paint in _paints_of(plain)
    }
    return body_chart(
        {paint: found for paint, found in losses.items() if len(found) > 1},
        layout,
        lambda loss: number(-loss, main, sign=True),
        f'{NAMES[main]} lost',
    )


def _costs(analysis: Analysis, plain: Sequence[AttackCost]) -> Chart:
    main = analysis.main
    panels = {
        f'One {kind} hidden': {
            paint: {
                c.target: c.change[main]
                for c in plain
                if (c.kind, c.label) == (kind, paint)
            }
            for paint in _paints_of(plain)
        }
        for kind in (KEYPOINT, PART)
    }
    return forest_chart(panels, f'change of {NAMES[main]}', 'painted')


def _severity(analysis: Analysis) -> Chart:
    curves, name = analysis.curves, NAMES[analysis.main]
    main = [c for c in curves if c.target in (MEAN, RANDOM)] or curves
    single = [c for c in curves if c not in main]
    by_paint = looks(dict.fromkeys(c.paint for c in main))
    order = sorted(single, key=lambda c: c.area.value or 0)
    named = order[:3] + (order[-1:] if len(order) > 3 else [])
    lines = [_line(curve_name(c), by_paint[c.paint], c) for c in main]
    panels = {'Larger discs': lines}
    if single:
        lines = [_line('', LOOKS[0], c) for c in single]
        for curve, look in zip(named, LOOKS, strict=False):
            lines.append(_line(curve_name(curve), look, curve))
        panels['The three largest losses and the smallest'] = lines
    return line_chart(panels, DIAMETER, name)


def _line(label: str, look: Look, curve: SeverityCurve) -> Line:
    x = [100 * size for size in curve.severity]
    return Line(label, look, x, curve.points)


def curve_name(curve: SeverityCurve) -> str:
    """Target and paint of a curve."""
    words = {
        MEAN: f'mean of all {curve.kind}s',
        RANDOM: f'one random {curve.kind} per person',
    }
    return f'{words.get(curve.target, curve.target)}, {curve.paint}'


def _risks(clean: Sequence[float], pooled: Sequence[PooledScores]) -> Chart:
    """Fraction of wrong keypoints by how many are kept, clean and of the
    targets of some attacks."""
    found = {'no attack, all joints': clean}
    found.update((pooled_name(p), p.risks) for p in pooled)
    x = [100 * c for c in COVERAGES]
    lines = [
        Line(label, look, x, [Estimate(100 * r, None, None) for r in risks])
        for (label, risks), look in zip(found.items(), LOOKS, strict=False)
        if risks
    ]
    return line_chart(
        {'': lines},
        'coverage: keypoints with the highest scores, %',
        'risk: wrong ones among them, %',
        low=0,
    )


def shown_controls(analysis: Analysis) -> tuple[list[ControlComparison], str]:
    """Controls of a chart, and a sentence on what it leaves out: of many
    those of the first paint are shown, black if there is any."""
    known = [c for c in analysis.controls if c.people]
    if len(known) <= MOST_ROWS:
        return known, ''
    paints = [c.paint for c in known]
    first = 'black' if 'black' in paints else paints[0]
    note = f' Shown: {first}; the numbers below are of all paints.'
    return [c for c in known if c.paint == first], note


def _controls(analysis: Analysis) -> Chart:
    name = NAMES[analysis.main]
    known, _ = shown_controls(analysis)
    found = list(dict.fromkeys(place for c in known for place in c.change))
    order = [*PLACES, *found]
    groups = {
        place_name(place): {
            f'{c.target}, {c.paint}': c.change[place]
            for c in known
            if place in c.change
        }
        for place in sorted(found, key=order.index)
    }
    title = 'the same area painted on'
    return forest_chart({'': groups}, f'change of {name}', title)


def _paints(analysis: Analysis) -> Chart:
    main = analysis.main
    costs = [
        c
        for c in analysis.costs
        if c.target == RANDOM and c.place == AT_TARGET and c.severity is None
    ]
    costs.sort(key=lambda c: c.change[main].value or 0)
    values = {c.paint: c.change[main] for c in costs}
    if len(values) < 2:
        return []
    return forest_chart({'': {'': values}}, f'change of {NAMES[main]}')


def sizes_chart(analyses: Sequence[Analysis]) -> Chart:
    """The means over targets of each model, one panel for each paint; of at
    most as many models as there are looks."""
    panels: dict[str, list[Line]] = {}
    for look, one in zip(LOOKS, analyses, strict=False):
        means = [c for c in one.curves if c.target in (MEAN, RANDOM)]
        for curve in means or one.curves[:1]:
            line = _line(one.run.model, look, curve)
            panels.setdefault(curve_name(curve), []).append(line)
    return line_chart(panels, DIAMETER, NAMES[analyses[0].main])


def comparison_chart(comparison: ModelComparison, first: Analysis) -> Chart:
    """How much better or worse other models are than the first."""
    main = first.main
    plain = [c for c in first.costs if c.plain]
    found = [d for d in comparison.differences if main in d.score]
    panels = {}
    for paint in _paints_of(plain):
        rows = {CLEAN: CLEAN} | {
            c.name: c.target if c.kind == KEYPOINT else f'part {c.target}'
            for c in plain
            if c.label == paint
        }
        panels[f'painted: {paint}'] = {
            model: {
                rows[d.attack]: d.score[main]
                for d in found
                if d.model == model and d.attack in rows
            }
            for model in dict.fromkeys(d.model for d in found)
        }
    label = f'{NAMES[main]} minus that of {comparison.baseline}'
    return forest_chart(panels, label, 'model')
