"""What the template of the page shows, taken from analyses.

The page is one HTML file that loads nothing: style sheet, charts and crops
are inside. Sentences and tables are in ``report*.html.j2``.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jinja2 import Environment

from mmpose_occlusion.benchmark.analysis import ALL_JOINTS, Record
from mmpose_occlusion.benchmark.analysis.attack_costs import ERROR_TYPES
from mmpose_occlusion.benchmark.suite import COMMAND_LINE
from mmpose_occlusion.metrics.oks_pck import GROUPS
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART
from mmpose_occlusion.visualization.gallery import environment

from . import charts, formatting
from .body_chart import body_layout
from .cases import MakeImages, case_cards
from .figures import pdf_uri, svg_uri
from .numbers import conditions, conditions_line

Values = dict[str, Any]


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
        pdf,
        names=', '.join(names),
        data=', '.join(dict.fromkeys(a.run.data for a in analyses)),
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


def render(template: str, pdf: bool = False, **values: Any) -> str:
    """The text of a template of this folder; ``pdf`` offers its figures as
    PDF files, too."""
    return _templates().get_template(template).render(pdf=pdf, **values)


@functools.cache
def _templates() -> Environment:
    out = environment(__package__)
    out.globals |= dict(measures=formatting.NAMES, places=formatting.PLACES)
    for each in (
        formatting.both, formatting.describe, formatting.interval,
        formatting.latex_row, formatting.latex_text, formatting.number,
        formatting.paint_and_size, formatting.percent, formatting.pooled_name,
        conditions_line, pdf_uri, svg_uri,
    ):  # fmt: skip
        out.filters[each.__name__] = each
    return out


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
    analysis: Record, case_images: MakeImages | None, number: int
) -> Values:
    """One model: its analysis, and what is derived from it."""
    main, run = analysis.main, analysis.run
    names, boxes = run.joints.names, run.boxes

    def change(cost: Record) -> Any:
        return cost.change[main].value

    plain = [c for c in analysis.costs if c.label and change(c) is not None]
    most_harmful = {}
    for kind in (KEYPOINT, PART):
        mine = [cost for cost in plain if cost.kind == kind]
        if mine:
            most_harmful[kind] = min(mine, key=change)
    by_paint: dict[str, list[Record]] = {}
    for cost in plain:
        by_paint.setdefault(cost.label, []).append(cost)

    def rank(paint: str) -> tuple:
        """Paints of the command line are first, then those with most targets,
        of these the most harmful."""
        mine = by_paint[paint]
        asked = any(cost.suite == COMMAND_LINE for cost in mine)
        return not asked, -len(mine), np.mean([*map(change, mine)])

    layout = body_layout(
        names, run.joints.links, boxes.truth, boxes.person_boxes
    )
    cards, no_crops = case_cards(analysis, number, case_images)
    changes = [change(cost) or 0 for cost in analysis.costs]
    moved = [x or 0 for cost in plain for x in cost.moved.values()]
    rises = [
        rise.value or 0
        for found in analysis.maps
        for region in found.regions
        for rise in region.rise.values()
    ]
    return dict(
        analysis=analysis,
        plain=plain,
        shown={cost.name: cost for cost in plain},
        most_harmful=most_harmful,
        near={group: _turned(plain, group) for group in GROUPS},
        members={name: [name] for name in names}
        | {p: [names[k] for k in ks] for p, ks in run.joints.parts.items()},
        paints=sorted(by_paint, key=rank),
        conditions=conditions(analysis),
        matches=[
            match
            for match in analysis.natural.equivalents
            if match.natural.value is not None
        ],
        map_charts=[charts.map_chart(m, layout) for m in analysis.maps],
        largest_move=max([*moved, 0.005]),
        largest_rise=max([*rises, 0.005]),
        largest_change=max([1e-9, *map(abs, changes)]),
        failures=_failures(by_paint),
        charts=charts.model_charts(analysis, plain, layout),
        is_standing=layout.is_standing,
        cards=cards,
        no_crops=no_crops,
    )


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
