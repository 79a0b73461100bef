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
from .figures import LOOKS, Chart, Group, Line, forest_chart, line_chart, looks
from .formatting import NAMES, PLACES, number, place_name, pooled_name

SHOWN_JOINTS = 5
"""On a page's first figure of a sensitivity map."""

MOST_ROWS = 24
"""Of a chart of controls."""


def model_charts(
    analysis: Analysis, plain: Sequence[AttackCost]
) -> dict[str, Chart | None]:
    """Name -> chart, None where there are no data; ``plain`` are the attacks
    on one named joint or part."""
    return dict(
        body=_body(analysis, plain),
        costs=_costs(analysis, plain),
        severity=_severity(analysis),
        controls=_controls(analysis),
        paints=_paints(analysis),
    )


def _paints_of(costs: Iterable[AttackCost]) -> list[str]:
    return list(dict.fromkeys(cost.label for cost in costs))


def _layout(analysis: Analysis) -> BodyLayout:
    run = analysis.run
    return body_layout(
        run.joints.names,
        run.joints.links,
        run.boxes.truth,
        run.boxes.person_boxes,
    )


def map_charts(
    analysis: Analysis, found: SensitivityMap
) -> tuple[Chart | None, Chart | None]:
    """Two charts of bodies: the mean over joints and the
    :data:`SHOWN_JOINTS` that a place hurts most; the other joints."""

    def values(joint: str) -> list[tuple[PlaceEffect, float | None]]:
        out = []
        for place in found.places:
            rise = [
                e.value
                for name, e in place.rise.items()
                if joint in (name, '') and e.value is not None
            ]
            mean = 100 * sum(rise) / len(rise) if rise else None
            out.append((place, mean))
        return out

    known = [j for j in found.joints if j.place]
    known.sort(key=lambda joint: -(joint.maximum.value or 0.0))
    panels = {'mean of all joints': values('')}
    panels.update((j.joint, values(j.joint)) for j in known)
    titles, layout = list(panels), _layout(analysis)
    label = 'rise of EPE, % of the box'
    alt = (
        'Mean rise of the error of each joint by the place of the occluder, '
        'drawn on a body; the numbers are in maps.csv.'
    )
    first, others = (
        place_chart({t: panels[t] for t in some}, layout, label, alt)
        for some in (titles[: 1 + SHOWN_JOINTS], titles[1 + SHOWN_JOINTS :])
    )
    return first, others


def _body(analysis: Analysis, plain: Sequence[AttackCost]) -> Chart | None:
    main, layout = analysis.main, _layout(analysis)
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
        f'Loss of {NAMES[main]} by the joint that is hidden, drawn on a body; '
        'the numbers are in the table of every attack.',
    )


def _costs(analysis: Analysis, plain: Sequence[AttackCost]) -> Chart | None:
    main, paints = analysis.main, _paints_of(plain)
    by_paint = looks(paints)
    panels = {
        f'One {kind} hidden': [
            Group(
                paint,
                by_paint[paint],
                {
                    c.target: c.change[main]
                    for c in plain
                    if (c.kind, c.label) == (kind, paint)
                },
            )
            for paint in paints
        ]
        for kind in (KEYPOINT, PART)
    }
    return forest_chart(
        panels,
        f'change of {NAMES[main]}',
        f'Change of {NAMES[main]} with its 95 % interval for every joint and '
        'part that is hidden, by paint.',
        'painted',
    )


def _severity(analysis: Analysis) -> Chart | None:
    curves, name = analysis.curves, NAMES[analysis.main]
    main = [c for c in curves if c.target in (MEAN, RANDOM)] or curves
    single = [c for c in curves if c not in main]
    by_paint = looks(dict.fromkeys(c.paint for c in main))
    order = sorted(single, key=lambda c: c.area.value or 0)
    named = order[:3] + (order[-1:] if len(order) > 3 else [])

    def line(curve: SeverityCurve, label: str, look: tuple[str, str]) -> Line:
        x = [100 * size for size in curve.severity]
        return Line(label, look, x, curve.points)

    panels = {
        'Larger discs': [
            line(c, curve_name(c), by_paint[c.paint]) for c in main
        ]
    }
    if single:
        panels['The three largest losses and the smallest'] = [
            *(line(c, '', LOOKS[0]) for c in single),
            *(
                line(c, curve_name(c), look)
                for c, look in zip(named, LOOKS, strict=False)
            ),
        ]
    return line_chart(
        panels,
        "diameter, % of the height of the person's bbox",
        name,
        f'{name} by the size of the disc, with 95 % bands; the numbers are '
        'in the table below.',
    )


def curve_name(curve: SeverityCurve) -> str:
    """Target and paint of a curve."""
    words = {
        MEAN: f'mean of all {curve.kind}s',
        RANDOM: f'one random {curve.kind} per person',
    }
    return f'{words.get(curve.target, curve.target)}, {curve.paint}'


def risk_chart(
    clean: Sequence[float], pooled: Sequence[PooledScores]
) -> Chart | None:
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
        'Fraction of wrong keypoints among those with the highest scores, by '
        'how many are kept; the numbers are in the table above.',
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


def _controls(analysis: Analysis) -> Chart | None:
    name = NAMES[analysis.main]
    known, _ = shown_controls(analysis)
    found = list(dict.fromkeys(place for c in known for place in c.change))
    order = [*PLACES, *found]
    groups = [
        Group(
            place_name(place),
            look,
            {
                f'{c.target}, {c.paint}': c.change[place]
                for c in known
                if place in c.change
            },
        )
        for place, look in zip(
            sorted(found, key=order.index), LOOKS, strict=False
        )
    ]
    return forest_chart(
        {'': groups},
        f'change of {name}',
        f'Change of {name} by the place of the paint, with 95 % intervals; '
        'the numbers are in the table below.',
        'the same area painted on',
    )


def _paints(analysis: Analysis) -> Chart | None:
    main = analysis.main
    costs = [
        c
        for c in analysis.costs
        if c.target == RANDOM and c.place == AT_TARGET and c.severity is None
    ]
    costs.sort(key=lambda c: c.change[main].value or 0)
    values = {c.paint: c.change[main] for c in costs}
    if len(values) < 2:
        return None
    return forest_chart(
        {'': [Group('', LOOKS[0], values)]},
        f'change of {NAMES[main]}',
        f'Change of {NAMES[main]} by the paint on the same joint of each '
        'person, with 95 % intervals.',
    )


def sizes_chart(analyses: Sequence[Analysis]) -> Chart | None:
    """The means over targets of each model, one panel for each paint; of at
    most as many models as there are looks."""
    panels: dict[str, list[Line]] = {}
    for look, one in zip(LOOKS, analyses, strict=False):
        means = [c for c in one.curves if c.target in (MEAN, RANDOM)]
        for curve in means or one.curves[:1]:
            x = [100 * size for size in curve.severity]
            line = Line(one.run.model, look, x, curve.points)
            panels.setdefault(curve_name(curve), []).append(line)
    return line_chart(
        panels,
        "diameter, % of the height of the person's bbox",
        NAMES[analyses[0].main],
        'The models by the size of the disc, with 95 % bands.',
    )


def comparison_chart(
    comparison: ModelComparison, first: Analysis
) -> Chart | None:
    """How much better or worse other models are than the first."""
    main = first.main
    plain = [c for c in first.costs if c.plain]
    found = [d for d in comparison.differences if main in d.score]
    by_model = dict(
        zip(dict.fromkeys(d.model for d in found), LOOKS * 9, strict=False)
    )
    panels = {}
    for paint in _paints_of(plain):
        shown = {CLEAN, *(c.name for c in plain if c.label == paint)}
        panels[f'painted: {paint}'] = [
            Group(
                model,
                look,
                {
                    d.attack: d.score[main]
                    for d in found
                    if d.model == model and d.attack in shown
                },
            )
            for model, look in by_model.items()
        ]
    return forest_chart(
        panels,
        f'{NAMES[main]} minus that of {comparison.baseline}',
        f'{NAMES[main]} of the models minus that of {comparison.baseline}, '
        'on the same people, clean and attacked.',
        'model',
    )
