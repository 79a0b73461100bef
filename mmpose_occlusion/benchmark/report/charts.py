"""The charts of the page, from analyses."""

from collections.abc import Sequence

from mmpose_occlusion.benchmark.analysis import Estimate, Record
from mmpose_occlusion.benchmark.analysis.attack_description import (
    AT_TARGET,
    RANDOM,
    USUAL_SIZE,
)
from mmpose_occlusion.benchmark.analysis.comparisons import CLEAN, MEAN
from mmpose_occlusion.benchmark.analysis.score_quality import COVERAGES
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART

from .body_chart import BodyLayout, body_chart, place_chart
from .figures import LOOKS, Chart, Line, Look, forest_chart, line_chart, looks
from .formatting import NAMES, PLACES, paint_and_size, pooled_name

DIAMETER = "diameter, % of the height of the person's bbox"


def model_charts(
    analysis: Record, plain: Sequence[Record], layout: BodyLayout
) -> dict[str, Chart]:
    """Name -> chart, empty where there are no data; ``plain`` are the attacks
    on one named joint or part."""
    main = analysis.main
    change = f'change of {NAMES[main]}'
    losses: dict[str, dict[str, float]] = {cost.label: {} for cost in plain}
    for cost in plain:
        if cost.kind == KEYPOINT:
            losses[cost.label][cost.target] = -cost.change[main].value
    random = [
        cost
        for cost in analysis.costs
        if cost.target == RANDOM
        and cost.place == AT_TARGET
        and cost.severity is None
    ]
    random.sort(key=lambda cost: cost.change[main].value or 0)
    if len({cost.paint for cost in random}) == 1:
        random = []
    return dict(
        body=body_chart(
            {paint: lost for paint, lost in losses.items() if len(lost) > 1},
            layout,
            main,
        ),
        costs=forest_chart(
            (
                (f'One {kind} hidden', c.label, c.target, c.change[main])
                for kind in (KEYPOINT, PART)
                for c in plain
                if c.kind == kind
            ),
            change,
            'painted',
        ),
        severity=_severity(analysis),
        controls=forest_chart(
            (
                (
                    f'painted: {paint_and_size(c)}',
                    words,
                    c.target,
                    c.change[place],
                )
                for place, words in PLACES.items()
                for c in analysis.controls
                if place in c.change
            ),
            change,
            'the same area painted on',
        ),
        paints=forest_chart(
            (('', '', c.paint, c.change[main]) for c in random), change
        ),
        risks=_risks(analysis.scores),
    )


def map_chart(found: Record, layout: BodyLayout) -> Chart:
    """Bodies: the mean over joints, the joints that a place hurts, the one
    with the greatest rise first, and people."""
    hurt = [joint for joint in found.joints if (joint.maximum.value or 0) > 0]
    hurt.sort(key=lambda joint: -joint.maximum.value)
    rises = {
        joint or 'mean of all joints': [
            (place, _rise(place, joint)) for place in found.places
        ]
        for joint in ('', *(joint.joint for joint in hurt))
    }
    people = [(p, p.people or None) for p in found.places if p.limb]
    return [
        *place_chart(rises, layout, 'rise of EPE, % of the box'),
        *place_chart({'people': people}, layout, 'people'),
    ]


def _rise(place: Record, joint: str) -> float | None:
    """Rise of the EPE of a joint, '' for the mean over all, in per cent."""
    known = [
        rise.value
        for name, rise in place.rise.items()
        if joint in (name, '') and rise.value is not None
    ]
    return 100 * sum(known) / len(known) if known else None


def _over_targets(curves: Sequence[Record]) -> list[Record]:
    """The curves that are not of single targets."""
    return [c for c in curves if c.target in (MEAN, RANDOM)]


def curve_name(curve: Record) -> str:
    """Target and paint of a curve."""
    words = {
        MEAN: f'mean of all {curve.kind}s',
        RANDOM: f'one random {curve.kind} per person',
    }
    return f'{words.get(curve.target, curve.target)}, {curve.paint}'


def _line(panel: str, label: str, look: Look, curve: Record) -> Line:
    x = [100 * size for size in curve.severity]
    return Line(panel, label, look, x, curve.points)


def _severity(analysis: Record) -> Chart:
    main = _over_targets(analysis.curves) or analysis.curves
    single = [c for c in analysis.curves if c not in main]
    paints = looks(c.paint for c in main)
    order = sorted(single, key=lambda c: c.area.value or 0)
    named = order[:3] + order[3:][-1:]
    title = 'The three largest losses and the smallest'
    shown = [('Larger discs', curve_name(c), paints[c.paint], c) for c in main]
    shown += [(title, '', LOOKS[0], c) for c in single]
    shown += [
        (title, curve_name(c), look, c)
        for c, look in zip(named, LOOKS, strict=False)
    ]
    lines = [_line(*each) for each in shown]
    return line_chart(lines, DIAMETER, NAMES[analysis.main])


def sizes_chart(analyses: Sequence[Record]) -> Chart:
    """The means over targets of each model, one panel for each paint; of at
    most as many models as there are looks."""
    lines = [
        _line(curve_name(curve), one.run.model, look, curve)
        for look, one in zip(LOOKS, analyses, strict=False)
        for curve in _over_targets(one.curves) or one.curves[:1]
    ]
    return line_chart(lines, DIAMETER, NAMES[analyses[0].main])


def _risks(scores: Record) -> Chart:
    """Fraction of wrong keypoints by how many are kept, clean and of the
    targets of some attacks: of each kind and paint those of the size nearest
    to the usual one."""
    nearest: dict[tuple[str, str], Record] = {}
    for pooled in sorted(
        scores.pooled,
        key=lambda p: abs((p.severity or USUAL_SIZE) - USUAL_SIZE),
    ):
        nearest.setdefault((pooled.kind, pooled.paint), pooled)
    shown = [p for p in scores.pooled if p in nearest.values()]
    found = {'no attack, all joints': scores.risks}
    found |= {pooled_name(p): p.risks for p in shown}
    x = [100 * coverage for coverage in COVERAGES]
    lines = [
        Line('', name, look, x, [Estimate(100 * r, None, None) for r in risks])
        for look, (name, risks) in zip(LOOKS, found.items(), strict=False)
        if risks
    ]
    return line_chart(
        lines,
        'coverage: keypoints with the highest scores, %',
        'risk: wrong ones among them, %',
        low=0,
    )


def comparison_chart(comparison: Record, first: Record) -> Chart:
    """How much better or worse other models are than the first."""
    main, marks = first.main, []
    plain = [c for c in first.costs if c.label]
    for paint in dict.fromkeys(c.label for c in plain):
        names = {CLEAN: CLEAN} | {
            c.name: c.target if c.kind == KEYPOINT else f'part {c.target}'
            for c in plain
            if c.label == paint
        }
        marks += [
            (f'painted: {paint}', d.model, names[d.attack], d.score[main])
            for d in comparison.differences
            if main in d.score and d.attack in names
        ]
    label = f'{NAMES[main]} minus that of {comparison.baseline}'
    return forest_chart(marks, label, 'model')
