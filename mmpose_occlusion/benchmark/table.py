"""What each attack costs, as a table for the terminal and in Markdown."""

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from mmpose_occlusion.metrics.joint_groups import TARGET

from .analysis import ALL_JOINTS, Analysis, AttackCost, JointScores

CAPTION = (
    'people: whose crop the attack changed, and whose scores these are; PCK: '
    'PCK@0.2 of the targets, the joints that the attack names and hides; '
    'OKS≥.5: fraction of the targets whose per-keypoint OKS is at least 0.5; '
    'clean → attacked'
)
_NUMBERS = 49
"""Columns that the numbers take in the terminal, with their gaps."""

_FOUND = 14
"""Further columns of models that find people by themselves."""


def header(main: str, found: bool = False) -> list[str]:
    """Names of the columns.

    Args:
        main: The main measure.
        found: Whether the model finds people by itself.
    """
    names = ['attack', 'people', main, f'Δ{main}', 'PCK', 'OKS≥.5']
    return [*names, 'found', 'extra'] if found else names


def rows(analysis: Analysis) -> list[list[str]]:
    """The clean row, and one for each attack in the run's order."""
    clean, main = analysis.clean, analysis.main
    first = ['clean', str(analysis.people), _number(clean[main].value), '–']
    first += [_number(clean[name].value, '.2f') for name in ('PCK', 'OKS50')]
    out = [first, *(_row(cost, main) for cost in analysis.costs)]
    known = {each['attack']: each for each in people_found(analysis)}
    for row in out if known else ():
        one = known.get(row[0])
        row += [str(one['found']), str(one['extra'])] if one else ['–'] * 2
    return out


def people_found(analysis: Analysis) -> list[dict[str, Any]]:
    """Of models that find people by themselves, see
    :func:`.image_people.count_found`; else empty."""
    return analysis.run.run.get('people_found', [])


def _row(cost: AttackCost, main: str) -> list[str]:
    before = after = JointScores(None, None, None, None)
    for row in cost.joints:
        if row.joint == ALL_JOINTS and row.group == TARGET:
            before, after = row.clean, row.attacked
    return [
        cost.name,
        str(cost.people),
        _number(cost.attacked[main].value),
        _number(cost.change[main].value, '+.3f'),
        _change(before.pck, after.pck),
        _change(before.oks50, after.oks50),
    ]


def _number(value: float | None, form: str = '.3f') -> str:
    return '–' if value is None else format(value, form)


def _change(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return '–'
    return f'{before:.2f} → {after:.2f}'


def markdown_tables(analyses: Sequence[Analysis]) -> str:
    """The table of each model in Markdown."""
    texts = []
    for analysis in analyses:
        names = header(analysis.main, bool(people_found(analysis)))
        lines = [names, ['---', *['---:'] * (len(names) - 1)]]
        lines += [
            [cell.replace('|', r'\|') for cell in row]
            for row in rows(analysis)
        ]
        table = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
        texts.append(f'## {_title(analysis)}\n\n{table}\n\n{CAPTION}\n')
    return '\n'.join(texts)


def print_tables(analyses: Sequence[Analysis]) -> None:
    """Print the table of each model; names break after a colon only."""
    console = Console(emoji=False, markup=False, highlight=False)
    for analysis in analyses:
        found = bool(people_found(analysis))
        room = max(console.width - _NUMBERS - _FOUND * found, 20)
        # without frames it fits a terminal of 80 columns
        table = Table(
            title=_title(analysis), caption=CAPTION, box=None, pad_edge=False
        )
        first, *others = header(analysis.main, found)
        table.add_column(first, overflow='fold')
        for name in others:
            table.add_column(name, justify='right', no_wrap=True)
        for name, *numbers in rows(analysis):
            table.add_row(broken(name, room), *numbers)
        console.print(table)


def broken(name: str, width: int) -> str:
    """An attack's name in lines of at most ``width``, where words allow it.

    >>> broken('keypoint:left_wrist:black', 12).split()
    ['keypoint:', 'left_wrist:', 'black']
    """
    lines = ['']
    for word in re.findall(r'[^:,]*[:,]?', name):
        if lines[-1] and len(lines[-1] + word) > width:
            lines.append(' ')
        lines[-1] += word
    return '\n'.join(lines)


def _title(analysis: Analysis) -> str:
    return f'{analysis.run.model} on {analysis.run.data}'
