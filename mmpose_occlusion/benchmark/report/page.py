"""What the template of the page shows, taken from analyses.

The page is one HTML file that loads nothing: style sheet, charts and crops
are inside. Sentences and tables are in ``report*.html.j2``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.analysis import ALL_JOINTS, Record
from mmpose_occlusion.benchmark.analysis.attack_costs import ERROR_TYPES
from mmpose_occlusion.benchmark.analysis.attack_description import USUAL_SIZE
from mmpose_occlusion.benchmark.suite import COMMAND_LINE
from mmpose_occlusion.metrics.oks_pck import GROUPS
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART
from mmpose_occlusion.visualization.gallery import environment

from . import charts, figures, formatting
from .cases import MakeImages, case_cards, pick_cases
from .formatting import NAMES
from .numbers import conditions, conditions_line

Values = dict[str, Any]

FILTERS = (
    *(formatting.both, formatting.describe, formatting.interval),
    *(formatting.latex_row, formatting.latex_text, conditions_line),
    *(formatting.number, formatting.percent, formatting.place_name),
    *(formatting.pooled_name, figures.pdf_uri, figures.svg_uri),
)


def render_page(
    analyses: Sequence[Record],
    comparison: Record | None,
    numbers: Mapping[str, Any],
    case_images: MakeImages | None,
    cases: int,
    pdf: bool,
) -> str:
    """The page as HTML; ``numbers`` are of :func:`.numbers.report_numbers`,
    the rest as of :func:`.write.write_report`."""
    names = [analysis.run.model for analysis in analyses]
    runs = zip(names, numbers['run']['models'], strict=True)
    return render(
        'report.html.j2',
        names=', '.join(names),
        data=', '.join(dict.fromkeys(a.run.data for a in analyses)),
        pdf=pdf,
        curve_name=charts.curve_name,
        overall=_overall,
        models=[_model(each, case_images, cases) for each in analyses],
        comparison=comparison,
        comparison_chart=comparison
        and charts.comparison_chart(comparison, analyses[0]),
        sizes_chart=comparison and charts.sizes_chart(analyses),
        bootstrap=numbers['bootstrap'],
        made=[
            (name, readable_facts(facts))
            for name, facts in (*runs, ('This report', numbers['run']))
        ],
    )


def render(template: str, **values: Any) -> str:
    """A page of a template of this folder, with the filters of pages."""
    pages = environment(__package__)
    pages.autoescape = '.html' in template
    pages.filters.update({each.__name__: each for each in FILTERS})
    return pages.get_template(template).render(measures=NAMES, **values)


def readable_facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys and values; short nested ones in one line."""
    out = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            texts = (
                (k, v if isinstance(v, str) else json.dumps(v))
                for k, v in value.items()
            )
            value = ', '.join(f'{k} {v}' for k, v in texts if len(v) < 200)
        if not isinstance(value, list):
            out.append((key, str(value)))
    return out


def _model(
    analysis: Record, case_images: MakeImages | None, count: int
) -> Values:
    """One model: its analysis, and what is derived from it."""
    main, run, names = analysis.main, analysis.run, analysis.run.joints.names
    change = {c.name: c.change[main].value for c in analysis.costs}
    labelled = [c for c in analysis.costs if c.label]
    plain = [c for c in labelled if change[c.name] is not None]
    by_kind = {k: [c for c in plain if c.kind == k] for k in (KEYPOINT, PART)}
    paints = dict.fromkeys(c.label for c in plain)
    by_paint = {p: [c for c in plain if c.label == p] for p in paints}
    # of the command line first, then those with most targets, of these the
    # most harmful
    ranks = {
        paint: (
            all(c.suite != COMMAND_LINE for c in mine),
            -len(mine),
            np.mean([change[c.name] for c in mine]),
        )
        for paint, mine in by_paint.items()
    }
    cases = {
        'Worst cases': pick_cases(run, 1.0, count),
        'Typical cases': pick_cases(run, 0.5, count),
    }
    cards, reason = case_cards(analysis, cases, case_images)
    rises = [
        e.value or 0
        for found in analysis.maps
        for region in found.regions
        for e in region.rise.values()
    ]
    moved = [x or 0 for c in plain for x in c.moved.values()]
    parts = run.joints.parts.items()
    return dict(
        analysis=analysis,
        plain=plain,
        shown={c.name: c for c in labelled},
        changes=[change[c.name] for c in plain],
        most_harmful={
            kind: min(mine, key=lambda cost: change[cost.name])
            for kind, mine in by_kind.items()
            if mine
        },
        near={group: _turned(plain, group) for group in GROUPS},
        members={name: [name] for name in names}
        | {part: [names[k] for k in joints] for part, joints in parts},
        paints=sorted(ranks, key=lambda paint: ranks[paint]),
        conditions=conditions(analysis),
        matches=[
            match
            for match in analysis.natural.equivalents
            if match.natural.value is not None
        ],
        map_charts=[charts.map_charts(analysis, m) for m in analysis.maps],
        controls_note=charts.shown_controls(analysis)[1],
        largest_move=max([*moved, 0.005]),
        largest_rise=max([*rises, 0.005]),
        largest_change=max([1e-9, *(abs(x or 0) for x in change.values())]),
        failures=_failures(by_paint),
        charts=charts.model_charts(
            analysis, plain, _usual(analysis.scores.pooled)
        ),
        is_standing=charts.layout_of(analysis).is_standing,
        worst=cases['Worst cases'],
        cards=cards,
        no_crops=reason,
    )


def _usual(found: Sequence[Record]) -> list[Record]:
    """Of each kind and paint the size nearest to the usual one."""
    out: dict[tuple[str, str], Record] = {}
    usual = USUAL_SIZE
    for one in sorted(found, key=lambda p: abs((p.severity or usual) - usual)):
        out.setdefault((one.kind, one.paint), one)
    return [p for p in found if p in out.values()][:8]


def _overall(cost: Record, group: str) -> Record:
    """All joints of a group."""
    wanted = ALL_JOINTS, group
    return next(r for r in cost.joints if (r.joint, r.group) == wanted)


def _turned(costs: Sequence[Record], group: str) -> Values | None:
    """Fractions of the joints of all attacks that are right, clean and
    attacked, lost and gained; None where there are no joints."""
    rows = [_overall(c, group) for c in costs]
    total = sum(row.number for row in rows)
    if not total:
        return None
    clean, attacked = (
        sum(r.number * (r[view].oks50 or 0) for r in rows) / total
        for view in ('clean', 'attacked')
    )
    lost, gained = np.sum([c.turned[group] for c in costs], axis=0) / total
    return dict(clean=clean, attacked=attacked, lost=lost, gained=gained)


def _failures(by_paint: Mapping[str, list[Record]]) -> list[Values]:
    """Fractions of the kinds of failures, clean and under each paint."""
    bars = []
    every = [cost for costs in by_paint.values() for cost in costs]
    for group in GROUPS:
        for paint, costs in {'clean': every, **by_paint}.items():
            view = 'clean' if paint == 'clean' else 'attacked'
            counts = [[*c.failures[group][view].values()] for c in costs]
            found = np.sum(counts, axis=0)
            if found.sum():
                shares = (100 * found / found.sum()).tolist()
                kinds = dict(zip(ERROR_TYPES, shares, strict=True))
                bars.append(dict(group=group, paint=paint, kinds=kinds))
    return bars
