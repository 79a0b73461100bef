"""The page: one HTML file with its figures and pictures inside."""

import base64
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..analysis import Analysis
from ..analysis.attacks import JOINT, PART
from ..analysis.compare import Comparison
from ..analysis.costs import Cost
from ..analysis.curves import MEAN
from ..analysis.failures import KINDS as FAILURES
from ..analysis.matrix import Matrix
from . import figures
from .cases import Case, Shown
from .crops import crop_pair
from .figures import Picture
from .style import CSS
from .words import (
    NAMES,
    NOTHING,
    PLACES,
    both,
    findings,
    interval,
    name,
    number,
    percent,
    what,
)

esc = html.escape


@dataclass(frozen=True)
class ModelPage:
    """What a page shows of one model.

    Args:
        analysis: Its numbers.
        shown: Heading -> cases with pictures.
        reason: Why there are no pictures, if there are none.
        listed: The worst cases, in words.
    """

    analysis: Analysis
    shown: dict[str, list[Shown]]
    reason: str | None
    listed: list[Case]


def page(
    models: Sequence[ModelPage],
    comparison: Comparison | None,
    numbers: Mapping[str, Any],
    title: str | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The page's HTML.

    Args:
        models: At least one.
        comparison: Of several.
        numbers: Of :func:`.numbers.report_numbers`.
        title: Heading; by default it names the models.
        notes: Lines below it.
    """
    names = ', '.join(m.analysis.run.model for m in models)
    title = title or 'What occlusion costs'
    many = len(models) > 1
    body = [_header(title, names, models, notes)]
    if comparison is not None:
        body.append(_comparison(comparison, models[0].analysis))
    for index, model in enumerate(models):
        mark = f'm{index}-' if many else ''
        parts = _sections(model, mark)
        inside = '\n'.join(text for _, _, text in parts)
        if many:
            head = f'<h2 class="model">{esc(model.analysis.run.model)}</h2>'
            inside = f'<div class="one" id="m{index}">{head}{inside}</div>'
        else:
            links = ''.join(
                f'<a href="#{esc(key)}">{esc(text)}</a>'
                for key, text, inner in parts
                if inner
            )
            body.append(
                f'<nav>{links}<a href="#made">how it was made</a></nav>'
            )
        body.append(inside)
    body.append(_made(numbers))
    text = '\n'.join(body)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{esc(title)}: {esc(names)}</title>
<style>{CSS}</style>
<main>
{text}
</main>
</html>
"""


def _header(
    title: str,
    names: str,
    models: Sequence[ModelPage],
    notes: Sequence[str],
) -> str:
    lines = ''.join(f'<p class="note">{esc(note)}</p>' for note in notes)
    data = ', '.join(dict.fromkeys(m.analysis.run.data for m in models))
    return (
        f'<header><p class="over">mmpose_occlusion benchmark</p>'
        f'<h1>{esc(title)}</h1>'
        f'<p class="who"><b>{esc(names)}</b> on {esc(data)}</p>{lines}'
        '</header>'
    )


def _sections(model: ModelPage, mark: str) -> list[tuple[str, str, str]]:
    """Anchor, word for the list of contents, and HTML of each section."""
    analysis = model.analysis
    parts = [
        ('summary', 'summary', _summary(analysis)),
        ('costs', 'costs', _costs(analysis)),
        ('curves', 'severity', _curves(analysis)),
        ('places', 'controls', _controls(analysis)),
        ('paints', 'paints', _paints(analysis)),
        ('spill', 'spill-over', _spill(analysis)),
        ('failures', 'failures', _failures(analysis)),
        ('cases', 'cases', _cases(model)),
        ('table', 'every attack', _table(analysis)),
    ]
    return [
        (mark + key, word, f'<section id="{mark}{key}">{text}</section>')
        for key, word, text in parts
        if text
    ]


def _summary(analysis: Analysis) -> str:
    main = analysis.main
    clean = analysis.clean[main]
    tiles = [
        (
            f'{NAMES[main]}, nothing hidden',
            number(clean.value, main),
            interval(clean, main),
        )
    ]
    plain = [
        c
        for c in analysis.costs
        if c.plain and c.change[main].value is not None
    ]
    for kind, words in ((JOINT, 'one joint hidden'), (PART, 'a part hidden')):
        mine = [c for c in plain if c.kind == kind]
        if mine:
            worst = min(mine, key=lambda c: c.change[main].value or 0)
            tiles.append(
                (
                    f'Δ{NAMES[main]} at worst, {words}',
                    number(worst.change[main].value, main, sign=True),
                    what(worst),
                )
            )
    for curve in analysis.curves[:1]:
        tiles.append(
            (
                f'mean over severities 0–{100 * curve.severity[-1]:g} %',
                number(curve.area.value, main),
                interval(curve.area, main),
            )
        )
    tiles.append(
        (
            'tested on',
            f'{analysis.people:,}',
            f'people in {analysis.images:,} images',
        )
    )
    cells = ''.join(
        f'<div><p>{esc(label)}</p><b>{esc(value)}</b>'
        f'<small>{esc(more)}</small></div>'
        for label, value, more in tiles
    )
    said = ''.join(f'<li>{esc(text)}</li>' for text in findings(analysis))
    return f'<div class="tiles">{cells}</div><ul class="said">{said}</ul>'


def _costs(analysis: Analysis) -> str:
    body = figures.body_figure(analysis)
    bars = figures.costs_figure(analysis)
    if not body and not bars:
        return ''
    title = NAMES[analysis.main]
    return (
        '<h2>What each hidden joint and part costs</h2>'
        + _figure(
            body,
            f'{title} lost over the people whose joint is hidden: the '
            'larger and darker, the more. The largest losses are written '
            'beside.',
        )
        + _figure(
            bars,
            f'Change of {title} over the attacked people alone; lines are '
            '95 % intervals, paired over images.',
        )
    )


def _curves(analysis: Analysis) -> str:
    picture = figures.curves_figure(analysis.curves)
    if not picture:
        return ''
    measure = analysis.main
    shown = [c for c in analysis.curves if c.target in (MEAN, 'random')]
    tables = ''.join(
        _rows(
            [
                f'{NAMES[measure]}, {c.paint}',
                *(f'{100 * s:g} %' for s in c.severity),
                'area',
            ],
            [
                [
                    'all' if c.target == MEAN else 'drawn joint',
                    *(both(p, measure) for p in c.points),
                    both(c.area, measure),
                ]
            ],
        )
        for c in (shown or analysis.curves[:1])
    )
    return (
        '<h2>Severity</h2>'
        + _figure(
            picture,
            'The same people at every step; the band is the 95 % interval. '
            'Area: the mean of the measure over the severities.',
        )
        + f'<details><summary>numbers</summary>{tables}</details>'
    )


def _controls(analysis: Analysis) -> str:
    picture = figures.controls_figure(analysis.controls)
    if not picture:
        return ''
    measure = analysis.main
    rows = [
        [
            f'{name(c.target)} ({c.paint})',
            f'{c.people:,}',
            PLACES.get(where, name(where)),
            both(c.change[where], measure, sign=True),
            both(c.excess[where], measure, sign=True)
            if where in c.excess
            else NOTHING,
        ]
        for c in analysis.controls
        for where in c.change
    ]
    head = ['target', 'people', 'painted on', f'Δ{NAMES[measure]}']
    head.append('the target costs more by')
    return (
        '<h2>Is it the joint, or the paint?</h2>'
        + _figure(
            picture,
            'The same area in the same paint at other places of the same '
            'people. What hiding the joint costs beyond that is due to the '
            'joint.',
        )
        + f'<details><summary>numbers</summary>{_rows(head, rows)}</details>'
    )


def _paints(analysis: Analysis) -> str:
    picture = figures.paints_figure(analysis)
    if not picture:
        return ''
    return '<h2>What is painted</h2>' + _figure(
        picture, 'The same joint of each person under the same disc.'
    )


def _spill(analysis: Analysis) -> str:
    first = [m for m in analysis.matrices if m.kind == JOINT]
    parts = {m.paint: m for m in analysis.matrices if m.kind == PART}
    best = figures.strongest_paint(analysis)
    out = []
    if first:
        top = _largest([*first, *parts.values()])
        first.sort(key=lambda m: m.paint != best)
        drawn = [
            _figure(
                figures.matrix_figure(m, parts.get(m.paint), top),
                'Mean distance between a joint with and without the attack; '
                'no labels are needed. Frames mark the hidden joint itself: '
                'colour outside of them is spill-over.'
                if m is first[0]
                else '',
            )
            for m in first
        ]
        out.append(drawn[0])
        if len(drawn) > 1:
            others = ', '.join(m.paint for m in first[1:])
            out.append(
                f'<details><summary>the same for {esc(others)}</summary>'
                f'{"".join(drawn[1:])}</details>'
            )
    seen = figures.hidden_figure(analysis)
    out.append(
        _figure(
            seen,
            f"Painted: {best}. KS≥0.5: the joint's own OKS term is at least "
            '0.5, a measure that is as strict for an eye as for a hip. Open '
            'marks are clean, filled ones attacked.',
        )
    )
    if not any(out):
        return ''
    return (
        '<h2>Hide one, who moves?</h2>'
        + ''.join(out)
        + _joint_table(analysis, best)
    )


def _largest(matrices: Iterable[Matrix]) -> float:
    values = [
        x for m in matrices for row in m.values for x in row if x is not None
    ]
    return max([*values, 0.005])


def _joint_table(analysis: Analysis, paint: str | None) -> str:
    """Every joint where it is hidden itself."""
    rows = []
    for cost in analysis.costs:
        if not (cost.plain and cost.kind == JOINT and cost.paint == paint):
            continue
        for row in cost.joints:
            if row.hidden and row.joint == cost.target and row.number:
                rows.append(
                    [
                        name(row.joint),
                        f'{row.number:,}',
                        _arrow(row.clean.epe, row.attacked.epe, 'EPE'),
                        _arrow(row.clean.pck, row.attacked.pck),
                        _arrow(row.clean.ks, row.attacked.ks),
                        _arrow(row.clean.ap, row.attacked.ap),
                    ]
                )
    if not rows:
        return ''
    head = ['hidden joint', 'people', NAMES['EPE'], NAMES['PCK']]
    head += [NAMES['KS'], 'AP of this joint']
    return (
        '<details open><summary>every joint where it is hidden itself '
        f'({esc(str(paint))}), clean → attacked</summary>'
        f'{_rows(head, rows)}<p class="note">PCK@0.2 allows a fifth of the '
        'box and says little of small joints; KS≥0.5 and EPE do.</p>'
        '</details>'
    )


def _arrow(
    before: float | None, after: float | None, measure: str = 'AP'
) -> str:
    return f'{number(before, measure)} → {number(after, measure)}'


def _failures(analysis: Analysis) -> str:
    picture = figures.failures_figure(analysis)
    if not picture:
        return ''
    rows = [
        [
            what(cost),
            group,
            *(
                f'{found["clean"][kind]:,} → {found["attacked"][kind]:,}'
                for kind in FAILURES
            ),
        ]
        for cost in analysis.costs
        if cost.plain
        for group, found in cost.failures.items()
        if sum(found['clean'].values())
    ]
    head = ['attack', 'joints', *FAILURES]
    return (
        '<h2>What kind of mistakes</h2>'
        + _figure(
            picture,
            'All attacks on one joint or part together. Good: own OKS term '
            'at least 0.85; jitter: at least 0.5; else swap or drift, if it '
            'is that near to the own joint of the other side or to another '
            "person's; else a miss.",
        )
        + f'<details><summary>numbers, clean → attacked</summary>'
        f'{_rows(head, rows)}</details>'
    )


def _cases(model: ModelPage) -> str:
    if model.shown:
        out = []
        for heading, cases in model.shown.items():
            cards = ''.join(_card(shown, model.analysis) for shown in cases)
            out.append(
                f'<h3>{esc(heading)}</h3><div class="cards">{cards}</div>'
            )
        return (
            '<h2>Cases</h2><p class="note">Left: without the attack; right: '
            'under it. White rings are the true places of hidden joints, '
            'pink lines lead from there to the prediction. Blue is the '
            "person's left, orange with dashes the right.</p>" + ''.join(out)
        )
    if not model.listed:
        return ''
    rows = [
        [
            c.attack,
            str(c.image_id),
            str(c.instance_id),
            name(c.joint),
            _arrow(c.before, c.after, 'EPE'),
        ]
        for c in model.listed
    ]
    head = ['attack', 'image', 'person', 'joint', NAMES['EPE']]
    reason = model.reason or ''
    return (
        f'<h2>Worst cases</h2><p class="note">No pictures: {esc(reason)}.'
        f'</p>{_rows(head, rows)}'
    )


def _card(shown: Shown, analysis: Analysis) -> str:
    case = shown.case
    known = {cost.name: cost for cost in analysis.costs}
    return (
        f'<article>{crop_pair(shown, analysis.run.joints)}'
        f'<p><b>{esc(what(known[case.attack]))}</b><br>'
        f'image {case.image_id}, person {case.instance_id}<br>'
        f'{esc(name(case.joint))} off by '
        f'{_arrow(case.before, case.after, "EPE")} % of the box</p></article>'
    )


def _table(analysis: Analysis) -> str:
    main = analysis.main
    more = [m for m in ('PCK', 'KS', 'EPE') if m != main]
    head = [
        'attack',
        'people',
        'crops changed',
        'painted',
        f'{NAMES[main]} clean',
        'attacked',
        f'Δ{NAMES[main]} [95 %]',
        *(f'Δ{NAMES[m]}' for m in more),
    ]
    top = max(
        [abs(c.change[main].value or 0) for c in analysis.costs] + [1e-9]
    )
    out = []
    for suite in dict.fromkeys(c.suite for c in analysis.costs):
        out.append(
            f'<tr class="suite"><th colspan="{len(head)}">suite '
            f'{esc(suite)}</th></tr>'
        )
        for cost in analysis.costs:
            if cost.suite == suite:
                out.append(_table_row(cost, main, more, top))
    words = ''.join(f'<th>{esc(text)}</th>' for text in head)
    clean = ', '.join(
        f'{NAMES[m]} {both(e, m)}' for m, e in analysis.clean.items()
    )
    return (
        '<h2>Every attack</h2>'
        f'<p class="note">Nothing hidden, everybody: {esc(clean)}.</p>'
        '<p class="note">Clean and attacked are of the same attacked people; '
        'the others are left out. * the interval leaves out 0. Also in '
        'attacks.csv, joints.csv, movement.csv and report.json.</p>'
        f'<div class="wide"><table class="all"><thead><tr>{words}</tr></thead>'
        f'<tbody>{"".join(out)}</tbody></table></div>'
    )


def _table_row(cost: Cost, main: str, more: Sequence[str], top: float) -> str:
    found = cost.change[main]
    width = 100 * abs(found.value or 0) / top
    side = 'loss' if (found.value or 0) < 0 else 'gain'
    star = ' *' if found.is_real else ''
    cells = [
        f'<td><code>{esc(cost.name)}</code></td>',
        f'<td>{cost.people:,}</td>',
        f'<td>{percent(cost.changed / cost.crops if cost.crops else None)}'
        + (f' ({cost.excluded:,} had no place)' if cost.excluded else '')
        + '</td>',
        f'<td>{percent(cost.painted, 1)}</td>',
        f'<td>{number(cost.clean[main].value, main)}</td>',
        f'<td>{number(cost.attacked[main].value, main)}</td>',
        f'<td class="delta"><i class="{side}" style="width:{width:.0f}%"></i>'
        f'<b>{number(found.value, main, sign=True)}{star}</b> '
        f'<small>{interval(found, main, sign=True)}</small></td>',
    ]
    for measure in more:
        value = cost.change[measure]
        star = ' *' if value.is_real else ''
        text = number(value.value, measure, sign=True)
        cells.append(f'<td>{text}{star}</td>')
    return f'<tr>{"".join(cells)}</tr>'


def _comparison(comparison: Comparison, first: Analysis) -> str:
    main = first.main
    out = [
        '<section id="models"><h2>Models side by side</h2>',
        *(
            f'<p class="note">{esc(reason)}.</p>'
            for reason in comparison.reasons.values()
        ),
    ]
    picture = figures.comparison_figure(comparison, first.costs, main)
    out.append(
        _figure(
            picture,
            f'{NAMES[main]} minus that of {comparison.baseline}, on the same '
            'people and resampled together; lines are 95 % intervals. Right '
            'of the line is better.',
        )
    )
    rows = [
        [
            d.model,
            d.attack,
            f'{d.people:,}',
            both(d.score[main], main, sign=True)
            + (' *' if d.score[main].is_real else ''),
            both(d.loss[main], main, sign=True)
            + (' *' if d.loss[main].is_real else '')
            if d.loss
            else NOTHING,
        ]
        for d in comparison.differences
    ]
    if rows:
        head = ['model', 'attack', 'boxes']
        head += [f'{NAMES[main]} minus that of {comparison.baseline}']
        head += ['its loss is smaller by']
        out.append(
            f'<details><summary>numbers</summary>{_rows(head, rows)}</details>'
        )
    return ''.join([*out, '</section>'])


def _made(numbers: Mapping[str, Any]) -> str:
    run = numbers['run']
    bootstrap = numbers['bootstrap']
    lines = []
    for model, facts in zip(numbers['models'], run['models'], strict=True):
        lines.append(f'<h3>{esc(model["model"])}</h3>{_facts(facts)}')
    own = {key: run[key] for key in ('command', 'time', 'versions')}
    return (
        '<section id="made"><h2>How it was made</h2>'
        f'{"".join(lines)}<h3>This report</h3>{_facts(own)}'
        f'<p class="note">Intervals: {bootstrap["draws"]:,} paired draws of '
        f'images with seed {bootstrap["seed"]}, 2.5 and 97.5 per cent '
        'quantiles. All measures are defined in '
        'docs/benchmark_analysis.md.</p></section>'
    )


def _facts(facts: Mapping[str, Any]) -> str:
    rows = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            value = ', '.join(
                f'{k} {v if isinstance(v, str) else json.dumps(v)}'
                for k, v in value.items()
                if len(json.dumps(v)) < 200
            )
        rows.append(
            f'<dt>{esc(name(str(key)))}</dt><dd><code>{esc(str(value))}</code>'
            '</dd>'
        )
    return f'<dl>{"".join(rows)}</dl>'


def _figure(picture: Picture | None, caption: str) -> str:
    if picture is None:
        return ''
    data = base64.b64encode(picture.svg.encode()).decode()
    words = f'<figcaption>{esc(caption)}</figcaption>' if caption else ''
    return (
        f'<figure><img alt="{esc(picture.words)}" '
        f'src="data:image/svg+xml;base64,{data}">{words}</figure>'
    )


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    words = ''.join(f'<th>{esc(text)}</th>' for text in head)
    lines = ''.join(
        '<tr>' + ''.join(f'<td>{esc(cell)}</td>' for cell in row) + '</tr>'
        for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{words}</tr></thead>'
        f'<tbody>{lines}</tbody></table></div>'
    )
