"""What the template of the page shows, taken from analyses.

The page is one HTML file that loads nothing: style sheet, charts and crops
are inside. Sentences and tables are in ``report*.html.j2``.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from mmpose_occlusion.benchmark.analysis import (
    ALL_JOINTS,
    Analysis,
    AttackCost,
    JointChange,
    ModelComparison,
)
from mmpose_occlusion.benchmark.analysis.attack_costs import ERROR_TYPES
from mmpose_occlusion.benchmark.analysis.run_measures import LOWER_IS_BETTER
from mmpose_occlusion.benchmark.suite import COMMAND_LINE
from mmpose_occlusion.metrics.pck import GROUPS, TARGET, VISIBLE
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART

from . import charts, figures, formatting
from .cases import TYPICAL, WORST, MakeImages, case_cards, pick_cases
from .formatting import NAMES, both, percent
from .numbers import conditions
from .sections import (
    leak_rows,
    map_values,
    nature_values,
    score_values,
    severity_sentence,
)

Values = dict[str, Any]

KIND_NAMES = {
    'good': 'good',
    'jitter': 'jitter',
    'swap': 'left-right swap',
    'drift': 'drift to another person',
    'miss': 'miss',
}

FILTERS = (
    *(formatting.arrow, formatting.both, formatting.describe),
    *(formatting.interval, formatting.number, formatting.percent),
    *(formatting.star, formatting.place_name),
)


def render_page(
    analyses: Sequence[Analysis],
    comparison: ModelComparison | None,
    numbers: Mapping[str, Any],
    case_images: MakeImages | None,
    cases: int,
    title: str | None,
    notes: Sequence[str],
    pdf: bool = False,
) -> str:
    """The page as HTML; ``numbers`` are of :func:`.numbers.report_numbers`,
    the rest as of :func:`.write.write_report`."""
    names = [analysis.run.model for analysis in analyses]
    return (
        page_environment()
        .get_template('report.html.j2')
        .render(
            title=title or 'What occlusion costs',
            names=', '.join(names),
            data=', '.join(dict.fromkeys(a.run.data for a in analyses)),
            notes=notes,
            pdf=pdf,
            measures=NAMES,
            kinds=ERROR_TYPES,
            kind_names=KIND_NAMES,
            curve_name=charts.curve_name,
            overall=_overall,
            own_joints=_own_joints,
            models=[_model(each, case_images, cases) for each in analyses],
            comparison=comparison,
            comparison_chart=comparison
            and charts.comparison_chart(comparison, analyses[0]),
            sizes_chart=comparison and charts.sizes_chart(analyses),
            bootstrap=numbers['bootstrap'],
            made=[
                *zip(
                    names,
                    map(readable_facts, numbers['run']['models']),
                    strict=True,
                ),
                ('This report', readable_facts(numbers['run'])),
            ],
        )
    )


def page_environment() -> Environment:
    """The templates of this folder, with the filters of pages."""
    environment = Environment(
        loader=PackageLoader(__package__, ''),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({each.__name__: each for each in FILTERS})
    environment.filters['svg_uri'] = lambda text: _uri(
        'image/svg+xml', text.encode()
    )
    environment.filters['pdf_uri'] = lambda figure: _uri(
        'application/pdf', figures.pdf(figure)
    )
    return environment


def _uri(kind: str, data: bytes) -> str:
    return f'data:{kind};base64,{base64.b64encode(data).decode()}'


def readable_facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys and values; short nested ones in one line."""
    out = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            texts = {
                k: v if isinstance(v, str) else json.dumps(v)
                for k, v in value.items()
            }
            value = ', '.join(
                f'{k} {text}' for k, text in texts.items() if len(text) < 200
            )
        if not isinstance(value, list):
            out.append((key, str(value)))
    return out


def _model(
    analysis: Analysis, case_images: MakeImages | None, count: int
) -> Values:
    """One model: its analysis, and what is derived from it."""
    main, joints = analysis.main, analysis.run.joints
    plain = [
        c
        for c in analysis.costs
        if c.plain and c.change[main].value is not None
    ]
    changes = [_value(c, main) for c in plain]
    moved = [x for c in plain for x in c.moved.values()]
    worst = pick_cases(analysis.run, WORST, count)
    typical = pick_cases(analysis.run, TYPICAL, count)
    cards, reason = case_cards(
        analysis, {'Worst cases': worst, 'Typical cases': typical}, case_images
    )
    parts = {p: [joints.names[i] for i in m] for p, m in joints.parts.items()}
    return dict(
        analysis=analysis,
        plain=plain,
        mean_change=float(np.mean(changes)) if changes else None,
        most_harmful={
            kind: _worst(mine, main)
            for kind in (KEYPOINT, PART)
            if (mine := [c for c in plain if c.kind == kind])
        },
        near_target=_turned(plain, TARGET),
        near_visible=_turned(plain, VISIBLE),
        parts={c.target: parts[c.target] for c in plain if c.target in parts},
        members={**{name: [name] for name in joints.names}, **parts},
        paints=_paints(plain, main),
        plain_size=_plain_size(plain),
        conditions=conditions(analysis),
        severity_sentence=severity_sentence(analysis),
        know=score_values(analysis),
        nature=nature_values(analysis),
        halves=_halves(analysis),
        leaks=leak_rows(analysis),
        maps=map_values(analysis),
        controls_note=charts.shown_controls(analysis)[1],
        largest_move=max([x or 0 for x in moved] + [0.005]),
        largest_change=max(
            [abs(_value(c, main)) for c in analysis.costs] + [1e-9]
        ),
        failures=_failures(plain),
        charts=charts.model_charts(analysis, plain),
        worst=worst,
        cards=cards,
        no_crops=reason,
    )


def _plain_size(plain: Sequence[AttackCost]) -> str:
    """A sentence on the size of discs; empty where it is in pixels."""
    sizes = sorted({c.severity for c in plain if c.severity is not None})
    if not sizes:
        return ''
    text = ' and '.join(f'{100 * size:g} %' for size in sizes)
    return f" Discs of {text} of the height of the person's bbox."


def _halves(analysis: Analysis) -> list[list[str]]:
    """Curve, clean measure, and S50 with its interval."""
    rows = []
    for curve in analysis.curves:
        low, value, high = (
            'never' if x is None else f'{100 * x:.1f}'
            for x in (curve.half.low, curve.half.value, curve.half.high)
        )
        clean = both(curve.points[0], curve.measure)
        rows.append([charts.curve_name(curve), clean])
        rows[-1].append(f'{value} [{low}, {high}]')
    return rows


def _value(cost: AttackCost, measure: str) -> float:
    return cost.change[measure].value or 0.0


def _worst(costs: Iterable[AttackCost], measure: str) -> AttackCost:
    sign = -1 if measure in LOWER_IS_BETTER else 1
    return min(costs, key=lambda c: sign * _value(c, measure))


def _paints(costs: Sequence[AttackCost], measure: str) -> list[str]:
    """Paints of attacks of the command line first, then those with most
    targets, of these the most harmful."""
    groups: dict[str, list[AttackCost]] = {}
    for cost in costs:
        groups.setdefault(cost.label, []).append(cost)

    def rank(paint: str) -> tuple[bool, int, float]:
        mine = groups[paint]
        asked = any(c.suite == COMMAND_LINE for c in mine)
        mean = float(np.mean([_value(c, measure) for c in mine]))
        return not asked, -len(mine), mean

    return sorted(groups, key=rank)


def _overall(cost: AttackCost, group: str) -> JointChange:
    """All joints of a group."""
    return next(
        row
        for row in cost.joints
        if row.joint == ALL_JOINTS and row.group == group
    )


def _own_joints(costs: Sequence[AttackCost]) -> list[JointChange]:
    """Every joint under the attack on itself."""
    return [
        row
        for cost in costs
        for row in cost.joints
        if row.group == TARGET and row.joint == cost.target and row.number
    ]


def _turned(costs: Sequence[AttackCost], group: str) -> Values | None:
    """Joints of all attacks that are right, clean and attacked, and those
    that are lost and gained; None where there are no joints."""
    rows = [row for c in costs if (row := _overall(c, group)).number]
    total = sum(row.number for row in rows)
    if not total:
        return None
    clean, attacked = (
        sum(r.number * (getattr(r, view).oks50 or 0) for r in rows) / total
        for view in ('clean', 'attacked')
    )
    lost, gained = np.sum([c.turned[group] for c in costs], axis=0) / total
    return dict(
        right=f'{percent(clean, 1)} → {percent(attacked, 1)}',
        lost=percent(float(lost), 1),
        gained=percent(float(gained), 1),
    )


def _failures(plain: Sequence[AttackCost]) -> list[Values]:
    """Fractions of the kinds of failures, clean and under each paint."""
    bars = []
    for group in GROUPS:
        for paint in ('clean', *dict.fromkeys(c.label for c in plain)):
            view = 'clean' if paint == 'clean' else 'attacked'
            counts = [
                cost.failures[group][view]
                for cost in plain
                if paint in ('clean', cost.label)
            ]
            found = {
                kind: sum(c[kind] for c in counts) for kind in ERROR_TYPES
            }
            total = sum(found.values())
            if total:
                kinds = {k: 100 * n / total for k, n in found.items()}
                bars.append(dict(group=group, paint=paint, kinds=kinds))
    return bars
