"""The tables of a page."""

from collections.abc import Sequence

from mmpose_occlusion.benchmark.analysis import Analysis
from mmpose_occlusion.benchmark.analysis.attacks import JOINT
from mmpose_occlusion.benchmark.analysis.costs import Cost

from .formatting import (
    NAMES,
    both,
    interval,
    name,
    number,
    percent,
)
from .markup import esc, table_of


def attack_table(analysis: Analysis) -> str:
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
        + _excluded(cost)
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


def _excluded(cost: Cost) -> str:
    if not cost.excluded:
        return ''
    return f'<br><small>{cost.excluded:,} had no place</small>'


def joint_table(analysis: Analysis, paint: str | None) -> str:
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
                        arrow(row.clean.epe, row.attacked.epe, 'EPE'),
                        arrow(row.clean.pck, row.attacked.pck),
                        arrow(row.clean.ks, row.attacked.ks),
                        arrow(row.clean.ap, row.attacked.ap),
                    ]
                )
    if not rows:
        return ''
    head = ['hidden joint', 'people', NAMES['EPE'], NAMES['PCK']]
    head += [NAMES['KS'], 'AP of this joint']
    return (
        '<details open><summary>every joint where it is hidden itself '
        f'({esc(str(paint))}), clean → attacked</summary>'
        f'{table_of(head, rows)}<p class="note">PCK@0.2 allows a fifth of the '
        'box and says little of small joints; KS≥0.5 and EPE do.</p>'
        '</details>'
    )


def arrow(
    before: float | None, after: float | None, measure: str = 'AP'
) -> str:
    return f'{number(before, measure)} → {number(after, measure)}'
