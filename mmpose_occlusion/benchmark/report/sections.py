"""What a page says of one model."""

from collections.abc import Iterable
from dataclasses import dataclass

from mmpose_occlusion.benchmark.analysis import Analysis
from mmpose_occlusion.benchmark.analysis.attacks import JOINT, PART
from mmpose_occlusion.benchmark.analysis.curves import MEAN
from mmpose_occlusion.benchmark.analysis.failures import KINDS as FAILURES
from mmpose_occlusion.benchmark.analysis.matrix import Matrix

from . import figures
from .cases import Case, Shown
from .crops import crop_pair
from .formatting import (
    NAMES,
    NOTHING,
    PLACES,
    both,
    findings,
    interval,
    name,
    number,
    what,
)
from .markup import esc, figure_of, table_of
from .tables import arrow, attack_table, joint_table


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


def sections(model: ModelPage, mark: str) -> list[tuple[str, str, str]]:
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
        ('table', 'every attack', attack_table(analysis)),
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
                f'{NAMES[main]}, mean over discs of 0–'
                f'{100 * curve.severity[-1]:g} %',
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
        + figure_of(
            body,
            f'{title} lost over the people whose joint is hidden: the '
            'larger and darker, the more.',
        )
        + figure_of(
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
        table_of(
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
        + figure_of(
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
        + figure_of(
            picture,
            'The same area in the same paint at other places of the same '
            'people. What hiding the joint costs beyond that is due to the '
            'joint.',
        )
        + '<details><summary>numbers</summary>'
        + f'{table_of(head, rows)}</details>'
    )


def _paints(analysis: Analysis) -> str:
    picture = figures.paints_figure(analysis)
    if not picture:
        return ''
    return '<h2>What is painted</h2>' + figure_of(
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
            figure_of(
                figures.matrix_figure(
                    m, parts.get(m.paint), analysis.run.joints, top
                ),
                'Mean distance between a joint with and without the attack; '
                'no labels are needed. Frames mark the hidden joints: colour '
                'outside of them is spill-over.'
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
        figure_of(
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
        + joint_table(analysis, best)
    )


def _largest(matrices: Iterable[Matrix]) -> float:
    values = [
        x for m in matrices for row in m.values for x in row if x is not None
    ]
    return max([*values, 0.005])


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
        + figure_of(
            picture,
            'All attacks on one joint or part together. Good: own OKS term '
            'at least 0.85; jitter: at least 0.5; else swap or drift, if it '
            'is that near to the own joint of the other side or to another '
            "person's; else a miss.",
        )
        + f'<details><summary>numbers, clean → attacked</summary>'
        f'{table_of(head, rows)}</details>'
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
            arrow(c.before, c.after, 'EPE'),
        ]
        for c in model.listed
    ]
    head = ['attack', 'image', 'person', 'joint', NAMES['EPE']]
    reason = model.reason or ''
    return (
        f'<h2>Worst cases</h2><p class="note">No pictures: {esc(reason)}.'
        f'</p>{table_of(head, rows)}'
    )


def _card(shown: Shown, analysis: Analysis) -> str:
    case = shown.case
    known = {cost.name: cost for cost in analysis.costs}
    return (
        f'<article>{crop_pair(shown, analysis.run.joints)}'
        f'<p><b>{esc(what(known[case.attack]))}</b><br>'
        f'image {case.image_id}, person {case.instance_id}<br>'
        f'{esc(name(case.joint))} off by '
        f'{arrow(case.before, case.after, "EPE")} % of the box</p></article>'
    )
