"""What each attack cost: rows from a sweep, and their tables."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from mmpose_occlusion.evaluation.functional import joint_errors, pck

from .sweep import Sweep

HEADER = (
    'attack',
    'people',
    'AP',
    'ΔAP',
    'PCK clean',
    'PCK attacked',
)
CAPTION = (
    'people: whose crop the attack really changed; PCK: PCK@0.2 of the '
    'joints under the paint'
)


@dataclass(frozen=True)
class Row:
    """One attack's cost.

    Args:
        attack: Its short form, or ``clean``.
        people: People whose crop it really changed.
        score: The main metric under attack, for all people.
        drop: The same minus that of the clean run.
        pck_clean: PCK@0.2 of the joints it hides, before.
        pck_attacked: PCK@0.2 of the same joints, after.

    What cannot be said, such as the PCK of no joints, is None.
    """

    attack: str
    people: int
    score: float | None
    drop: float | None
    pck_clean: float | None
    pck_attacked: float | None


def main_metric(sweep: Sweep) -> str:
    """The evaluator's metric that the table shows: AP where it has one."""
    names = list(sweep.clean_metrics)
    return next((n for n in names if n.endswith('/AP')), names[0])


def rows(sweep: Sweep) -> list[Row]:
    """The clean row, and one for each attack in the sweep's order."""
    metric = main_metric(sweep)
    clean_score = _score(sweep.clean_metrics, metric)
    clean_errors = joint_errors(sweep.clean, sweep.truth)
    out = [
        Row(
            'clean',
            0,
            clean_score,
            None,
            pck(clean_errors, sweep.sizes, sweep.labelled),
            None,
        )
    ]
    for a, attack in enumerate(sweep.attacks):
        hidden = sweep.hidden[a] & sweep.labelled
        errors = joint_errors(sweep.attacked[a], sweep.truth)
        score = _score(sweep.attacked_metrics[a], metric)
        out.append(
            Row(
                attack,
                int(sweep.changed[a].sum()),
                score,
                _difference(score, clean_score),
                pck(clean_errors, sweep.sizes, hidden),
                pck(errors, sweep.sizes, hidden),
            )
        )
    return out


def _score(metrics: dict[str, float], name: str) -> float | None:
    """A metric's value; COCOeval's -1 means that it had nothing to judge."""
    return None if metrics[name] == -1 else float(metrics[name])


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def cells(row: Row) -> list[str]:
    """A row's texts, under :data:`HEADER`."""

    def number(value: float | None, form: str = '.3f') -> str:
        return '–' if value is None else format(value, form)

    return [
        row.attack,
        str(row.people) if row.attack != 'clean' else '–',
        number(row.score),
        number(row.drop, '+.3f'),
        number(row.pck_clean),
        number(row.pck_attacked),
    ]


def markdown(table: Iterable[Row]) -> str:
    """A Markdown table, numbers to three digits."""
    lines = [HEADER, ['---', *['---:'] * (len(HEADER) - 1)]]
    lines += [cells(row) for row in table]
    table_lines = [f'| {" | ".join(line)} |' for line in lines]
    return '\n'.join([*table_lines, '', CAPTION]) + '\n'


def print_table(table: Iterable[Row], title: str) -> None:
    """Print the table to the terminal."""
    out = Table(title=title, caption=CAPTION)
    for i, name in enumerate(HEADER):
        justify: Literal['left', 'right'] = 'right' if i else 'left'
        # in two lines, the table fits a terminal of 80 columns
        heading = name.replace(' ', '\n')
        out.add_column(heading, justify=justify, no_wrap=True)
    for row in table:
        out.add_row(*cells(row))
    Console(emoji=False, markup=False).print(out)


def write_table(table: list[Row], sweep: Sweep, folder: Path) -> None:
    """Write ``table.md``, ``table.csv`` and ``results.json``.

    The JSON holds the rows and every metric of the evaluator.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'table.md').write_text(markdown(table), encoding='utf-8')
    with open(folder / 'table.csv', 'w', newline='', encoding='utf-8') as f:
        writer = csv.DictWriter(f, list(asdict(table[0])))
        writer.writeheader()
        writer.writerows(asdict(row) for row in table)
    results = dict(
        metric=main_metric(sweep),
        people=len(sweep.sizes),
        rows=[asdict(row) for row in table],
        clean_metrics=sweep.clean_metrics,
        attacked_metrics=dict(
            zip(sweep.attacks, sweep.attacked_metrics, strict=True)
        ),
    )
    (folder / 'results.json').write_text(
        json.dumps(results, indent=1), encoding='utf-8'
    )
