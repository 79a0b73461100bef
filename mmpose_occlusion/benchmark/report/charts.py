"""The charts of the page, from analyses."""

from collections.abc import Iterable, Sequence

from mmpose_occlusion.benchmark.analysis import (
    AT_TARGET,
    CLEAN,
    KEYPOINT,
    MEAN,
    PART,
    RANDOM,
    Analysis,
    AttackCost,
    ControlComparison,
    ModelComparison,
    SeverityCurve,
)

from .figures.body_chart import body_chart, body_layout
from .figures.chart_base import LOOKS, Chart, Look, looks
from .figures.forest_chart import Group, forest_chart
from .figures.severity_chart import Line, severity_chart
from .formatting import NAMES, PLACES, number, place_name

MOST_ROWS = 24
"""Of a chart of controls."""


def model_charts(
    analysis: Analysis, plain: Sequence[AttackCost]
) -> dict[str, Chart | None]:
    """Name -> chart, None where there are no data.

    Args:
        analysis: Of a model.
        plain: Its attacks on one named joint or part.
    """
    return dict(
        body=_body(analysis, plain),
        costs=_costs(analysis, plain),
        severity=_severity(analysis),
        controls=_controls(analysis),
        paints=_paints(analysis),
    )


def _paints_of(costs: Iterable[AttackCost]) -> list[str]:
    return list(dict.fromkeys(cost.label for cost in costs))


def _body(analysis: Analysis, plain: Sequence[AttackCost]) -> Chart | None:
    main, joints, boxes = (
        analysis.main,
        analysis.run.joints,
        analysis.run.boxes,
    )
    layout = body_layout(
        joints.names, joints.links, boxes.truth, boxes.person_boxes
    )
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

    def values(kind: str, paint: str) -> Group:
        mine = [c for c in plain if (c.kind, c.label) == (kind, paint)]
        found = {c.target: c.change[main] for c in mine}
        return Group(paint, by_paint[paint], found)

    return forest_chart(
        {
            f'One {kind} hidden': [values(kind, paint) for paint in paints]
            for kind in (KEYPOINT, PART)
        },
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

    def lines(
        found: Sequence[SeverityCurve], look: Sequence[Look]
    ) -> list[Line]:
        return [
            Line(curve_name(c), each, c.severity, c.points)
            for c, each in zip(found, look, strict=False)
        ]

    panels = {'Larger discs': lines(main, [by_paint[c.paint] for c in main])}
    if single:
        panels['The three largest losses and the smallest'] = [
            *(Line('', LOOKS[0], c.severity, c.points) for c in single),
            *lines(named, LOOKS),
        ]
    return severity_chart(
        panels,
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


def _shown_controls(analysis: Analysis) -> list[ControlComparison]:
    """Those of a chart: all, or of many those of the first paint, black if
    there is any."""
    known = [c for c in analysis.controls if c.people]
    if len(known) <= MOST_ROWS:
        return known
    paints = [c.paint for c in known]
    first = 'black' if 'black' in paints else paints[0]
    return [c for c in known if c.paint == first]


def controls_note(analysis: Analysis) -> str:
    """A sentence on the paint that the chart of controls is limited to."""
    shown = _shown_controls(analysis)
    if len(shown) == len([c for c in analysis.controls if c.people]):
        return ''
    return f' Shown: {shown[0].paint}; the numbers below are of all paints.'


def _controls(analysis: Analysis) -> Chart | None:
    name = NAMES[analysis.main]
    known = _shown_controls(analysis)
    found = dict.fromkeys(place for c in known for place in c.change)
    groups = []
    for place, look in zip(sorted(found, key=_rank), LOOKS, strict=False):
        values = {
            f'{c.target}, {c.paint}': c.change[place]
            for c in known
            if place in c.change
        }
        groups.append(Group(place_name(place), look, values))
    return forest_chart(
        {'': groups},
        f'change of {name}',
        f'Change of {name} by the place of the paint, with 95 % intervals; '
        'the numbers are in the table below.',
        'the same area painted on',
        width=6.6,
    )


def _rank(place: str) -> int:
    return list(PLACES).index(place) if place in PLACES else len(PLACES)


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
        width=6.6,
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
