"""What each attack costs, in a table for a terminal and for a README."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .analysis import Analysis
from .analysis.costs import Cost
from .analysis.joints import ALL, JointScores


@dataclass(frozen=True)
class Row:
    """One attack's cost to the people whom it attacks.

    Args:
        attack: Its name, or ``clean`` for everybody without any.
        people: Their number.
        score: The main measure, under attack.
        drop: The same minus that of the same people without the attack.
        pck_clean: PCK@0.2 of the joints it hides, before.
        pck_attacked: PCK@0.2 of the same joints, after.
        ks_clean: KS of the same joints, before: the part whose own term of
            OKS is at least 0.5.
        ks_attacked: KS of the same joints, after.

    What cannot be said, such as the PCK of no joints, is None.
    """

    attack: str
    people: int
    score: float | None
    drop: float | None
    pck_clean: float | None
    pck_attacked: float | None
    ks_clean: float | None
    ks_attacked: float | None


CAPTION = (
    'people: whose crop the attack really changed, and whose scores these '
    'are; PCK: PCK@0.2 of the hidden joints; KS: part of them within the '
    'tolerance of OKS; before → under the attack'
)


def rows(analysis: Analysis) -> list[Row]:
    """The clean row, and one for each attack in the run's order."""
    clean = analysis.clean
    first = Row(
        'clean',
        analysis.people,
        clean[analysis.main].value,
        None,
        clean['PCK'].value,
        None,
        clean['KS'].value,
        None,
    )
    return [first, *(_row(cost, analysis.main) for cost in analysis.costs)]


def _row(cost: Cost, main: str) -> Row:
    nothing = JointScores(None, None, None, None)
    clean = attacked = nothing
    for change in cost.joints:
        if change.joint == ALL and change.hidden:
            clean, attacked = change.clean, change.attacked
    return Row(
        cost.name,
        cost.people,
        cost.attacked[main].value,
        cost.change[main].value,
        clean.pck,
        attacked.pck,
        clean.ks,
        attacked.ks,
    )


def header(main: str) -> list[str]:
    """Names of the columns."""
    return ['attack', 'people', main, f'Δ{main}', 'PCK', 'KS']


def cells(row: Row) -> list[str]:
    """A row's texts, under :func:`header`."""
    return [
        row.attack,
        str(row.people),
        _number(row.score),
        _number(row.drop, '+.3f'),
        _change(row.pck_clean, row.pck_attacked),
        _change(row.ks_clean, row.ks_attacked),
    ]


def _number(value: float | None, form: str = '.3f') -> str:
    return '–' if value is None else format(value, form)


def _change(before: float | None, after: float | None) -> str:
    if after is None:
        return _number(before, '.2f')
    return f'{_number(before, ".2f")} → {_number(after, ".2f")}'


def markdown(table: Sequence[Row], main: str) -> str:
    """A Markdown table, numbers to three digits."""
    names = header(main)
    lines = [names, ['---', *['---:'] * (len(names) - 1)]]
    lines += [cells(row) for row in table]
    table_lines = [f'| {" | ".join(line)} |' for line in lines]
    return '\n'.join([*table_lines, '', CAPTION]) + '\n'


def print_table(table: Sequence[Row], main: str, title: str) -> None:
    """Print the table to the terminal."""
    # without frames it fits a terminal of 80 columns
    out = Table(title=title, caption=CAPTION, box=None, pad_edge=False)
    first, *others = header(main)
    out.add_column(first, overflow='fold')
    for name in others:
        out.add_column(name, justify='right', no_wrap=True)
    for row in table:
        out.add_row(*cells(row))
    Console(emoji=False, markup=False).print(out)


def show_tables(analyses: Sequence[Analysis], folder: Path) -> None:
    """Print each model's table, and write them to ``table.md``."""
    texts = []
    for analysis in analyses:
        table = rows(analysis)
        title = f'{analysis.run.model} on {analysis.run.data}'
        print_table(table, analysis.main, title)
        texts.append(f'## {title}\n\n{markdown(table, analysis.main)}')
    (folder / 'table.md').write_text('\n'.join(texts), encoding='utf-8')
