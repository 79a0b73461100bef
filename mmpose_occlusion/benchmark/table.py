"""What each attack costs, as a table for the terminal and in Markdown."""

import re
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from mmpose_occlusion.metrics.oks_pck import TARGET

from .analysis import ALL_JOINTS, Record

CAPTION = (
    'people: whose crop the attack changed, and whose scores these are; PCK: '
    'PCK@0.2 of the targets, the joints that the attack names and hides; '
    'OKS≥.5: fraction of the targets whose per-keypoint OKS is at least 0.5; '
    'clean → attacked'
)


def rows(analysis: Record) -> list[list[str]]:
    """Names of the columns, the clean row, and one for each attack in the
    run's order; two more columns where the model finds people by itself."""
    clean, main = analysis.clean, analysis.main
    out = [
        ['attack', 'people', main, f'Δ{main}', 'PCK', 'OKS≥.5'],
        ['clean', str(analysis.people), _number(clean[main].value), '–']
        + [_number(clean[name].value, '.2f') for name in ('PCK', 'OKS50')],
        *(_row(cost, main) for cost in analysis.costs),
    ]
    found = analysis.run.run.get('people_found')
    if found:
        known = {each['attack']: each for each in found}
        out[0] += ['found', 'extra']
        for row in out[1:]:
            one = known.get(row[0], {})
            row += [str(one.get(name, '–')) for name in ('found', 'extra')]
    return out


def _row(cost: Record, main: str) -> list[str]:
    changes = ['–', '–']
    for row in cost.joints:
        if (row.joint, row.group) == (ALL_JOINTS, TARGET):
            pairs = [(row.clean[m], row.attacked[m]) for m in ('pck', 'oks50')]
            changes = [
                '–' if None in pair else '{:.2f} → {:.2f}'.format(*pair)
                for pair in pairs
            ]
    return [
        cost.name,
        str(cost.people),
        _number(cost.attacked[main].value),
        _number(cost.change[main].value, '+.3f'),
        *changes,
    ]


def _number(value: float | None, form: str = '.3f') -> str:
    return '–' if value is None else format(value, form)


def markdown_tables(analyses: Sequence[Record]) -> str:
    """The table of each model in Markdown."""
    texts = []
    for analysis in analyses:
        names, *others = rows(analysis)
        lines = [names, ['---', *['---:'] * (len(names) - 1)]]
        lines += [[cell.replace('|', r'\|') for cell in r] for r in others]
        table = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
        texts.append(f'## {_title(analysis)}\n\n{table}\n\n{CAPTION}\n')
    return '\n'.join(texts)


def print_tables(analyses: Sequence[Record]) -> None:
    """Print the table of each model; names break after a colon only."""
    console = Console(emoji=False, markup=False, highlight=False)
    for analysis in analyses:
        names, *others = rows(analysis)
        columns = list(zip(names, *others, strict=True))[1:]
        width = console.width - sum(2 + max(map(len, c)) for c in columns)
        # without frames it fits a terminal of 80 columns
        table = Table(
            title=_title(analysis), caption=CAPTION, box=None, pad_edge=False
        )
        table.add_column(names[0], overflow='fold')
        for name in names[1:]:
            table.add_column(name, justify='right', no_wrap=True)
        for name, *numbers in others:
            table.add_row(broken(name, max(width, 16)), *numbers)
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


def _title(analysis: Record) -> str:
    return f'{analysis.run.model} on {analysis.run.data}'
