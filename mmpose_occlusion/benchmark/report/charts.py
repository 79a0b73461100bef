"""The charts of the page, from analyses."""

from collections.abc import Sequence

from mmpose_occlusion.benchmark.analysis import Estimate, Record
from mmpose_occlusion.benchmark.analysis.attack_description import (
    AT_TARGET,
    RANDOM,
)
from mmpose_occlusion.benchmark.analysis.comparisons import CLEAN, MEAN
from mmpose_occlusion.benchmark.analysis.score_quality import COVERAGES
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART

from .body_chart import BodyLayout, body_chart, body_layout, place_chart
from .figures import LOOKS, Chart, Line, Look, forest_chart, line_chart, looks
from .formatting import NAMES, PLACES, number, place_name, pooled_name

SHOWN_JOINTS = 5  # on a page's first figure of a sensitivity map
MOST_ROWS = 24  # of a chart of controls
DIAMETER = "diameter, % of the height of the person's bbox"


def model_charts(
    analysis: Record, plain: Sequence[Record], pooled: Sequence[Record]
) -> dict[str, Chart]:
    """Name -> chart, empty where there are no data; ``plain`` are the attacks
    on one named joint or part."""
    main = analysis.main
    change = f'change of {NAMES[main]}'
    joints = [c for c in plain if c.kind == KEYPOINT]
    losses = {
        paint: {
            c.target: -(c.change[main].value or 0.0)
            for c in joints
            if c.label == paint
        }
        for paint in dict.fromkeys(c.label for c in plain)
    }
    random = [
        c
        for c in analysis.costs
        if c.target == RANDOM and c.place == AT_TARGET and c.severity is None
    ]
    random.sort(key=lambda c: c.change[main].value or 0)
    several = len({c.paint for c in random}) > 1
    controls, _ = shown_controls(analysis)
    order = [*PLACES, *(place for c in controls for place in c.change)]
    return dict(
        body=body_chart(
            {paint: each for paint, each in losses.items() if len(each) > 1},
            layout_of(analysis),
            lambda loss: number(-loss, main, sign=True),
            f'{NAMES[main]} lost',
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
                ('', place_name(p), f'{c.target}, {c.paint}', c.change[p])
                for p in dict.fromkeys(order)
                for c in controls
                if p in c.change
            ),
            change,
            'the same area painted on',
        ),
        paints=forest_chart(
            (('', '', c.paint, c.change[main]) for c in random if several),
            change,
        ),
        risks=_risks(analysis.scores.risks, pooled),
    )


def layout_of(analysis: Record) -> BodyLayout:
    """Where the joints of a run are drawn."""
    joints, boxes = analysis.run.joints, analysis.run.boxes
    return body_layout(
        joints.names, joints.links, boxes.truth, boxes.person_boxes
    )


def map_charts(analysis: Record, found: Record) -> tuple[Chart, Chart]:
    """Two charts of bodies: the mean over joints, the :data:`SHOWN_JOINTS`
    that a place hurts most, and people; the other joints."""
    known = [j for j in found.joints if j.place]
    known.sort(key=lambda joint: -(joint.maximum.value or 0.0))
    joints = ['', *(j.joint for j in known)]
    layout, cut = layout_of(analysis), 1 + SHOWN_JOINTS
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
        for some in (joints[:cut], joints[cut:])
    )
    people = [(p, p.people or None) for p in found.places if p.limb]
    return first + place_chart({'people': people}, layout, 'people'), others


def _rise(place: Record, joint: str) -> float | None:
    """Rise of the EPE of a joint, or mean over all, in per cent."""
    known = [
        e.value
        for name, e in place.rise.items()
        if joint in (name, '') and e.value is not None
    ]
    return 100 * sum(known) / len(known) if known else None


def _overall(curves: Sequence[Record]) -> list[Record]:
    """The curves that are not of single targets."""
    return [c for c in curves if c.target in (MEAN, RANDOM)]


def _severity(analysis: Record) -> Chart:
    main = _overall(analysis.curves) or analysis.curves
    single = [c for c in analysis.curves if c not in main]
    paints = looks(dict.fromkeys(c.paint for c in main))
    order = sorted(single, key=lambda c: c.area.value or 0)
    named = order[:3] + (order[-1:] if len(order) > 3 else [])
    title = 'The three largest losses and the smallest'
    shown = [('Larger discs', curve_name(c), paints[c.paint], c) for c in main]
    shown += [(title, '', LOOKS[0], c) for c in single]
    shown += [
        (title, curve_name(c), look, c)
        for c, look in zip(named, LOOKS, strict=False)
    ]
    lines = [_line(*each) for each in shown]
    return line_chart(lines, DIAMETER, NAMES[analysis.main])


def _line(panel: str, label: str, look: Look, curve: Record) -> Line:
    x = [100 * size for size in curve.severity]
    return Line(panel, label, look, x, curve.points)


def curve_name(curve: Record) -> str:
    """Target and paint of a curve."""
    words = {
        MEAN: f'mean of all {curve.kind}s',
        RANDOM: f'one random {curve.kind} per person',
    }
    return f'{words.get(curve.target, curve.target)}, {curve.paint}'


def _risks(clean: Sequence[float], pooled: Sequence[Record]) -> Chart:
    """Fraction of wrong keypoints by how many are kept, clean and of the
    targets of some attacks."""
    found = {'no attack, all joints': clean}
    found.update((pooled_name(p), p.risks) for p in pooled)
    x = [100 * c for c in COVERAGES]
    lines = [
        Line('', label, look, x, [Estimate(100 * r, None, None) for r in each])
        for (label, each), look in zip(found.items(), LOOKS, strict=False)
        if each
    ]
    return line_chart(
        lines,
        'coverage: keypoints with the highest scores, %',
        'risk: wrong ones among them, %',
        low=0,
    )


def shown_controls(analysis: Record) -> tuple[list[Record], str]:
    """Controls of a chart, and a sentence on what it leaves out: of many
    those of the first paint are shown, black if there is any."""
    known = [c for c in analysis.controls if c.people]
    if len(known) <= MOST_ROWS:
        return known, ''
    paints = [c.paint for c in known]
    first = 'black' if 'black' in paints else paints[0]
    note = f' Shown: {first}; the numbers below are of all paints.'
    return [c for c in known if c.paint == first], note


def sizes_chart(analyses: Sequence[Record]) -> Chart:
    """The means over targets of each model, one panel for each paint; of at
    most as many models as there are looks."""
    lines = [
        _line(curve_name(curve), one.run.model, look, curve)
        for look, one in zip(LOOKS, analyses, strict=False)
        for curve in _overall(one.curves) or one.curves[:1]
    ]
    return line_chart(lines, DIAMETER, NAMES[analyses[0].main])


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
