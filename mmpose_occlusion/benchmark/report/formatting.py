"""Numbers and names as the page writes them; CSV and LaTeX."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mmpose_occlusion.benchmark.analysis import Estimate, Record
from mmpose_occlusion.benchmark.analysis.attack_description import (
    AT_TARGET,
    OTHER,
    RANDOM,
)

NOTHING = '–'
MINUS = '\u2212'

NAMES = dict(
    AP='AP',
    AR='AR',
    PCKh='PCKh@0.5',
    PCK='PCK@0.2',
    OKS50='OKS≥0.5',
    EPE='EPE, % of bbox',
    EPE_px='EPE, px',
)
"""Measures as headings."""

PLACES = {
    AT_TARGET: 'the joint itself',
    'on_person': 'elsewhere on the person',
    'off_person': 'off the person',
    'decoy': 'beside the joint',
}


def number(
    value: float | None, measure: str = 'AP', sign: bool = False
) -> str:
    """A measure's value, EPE in per cent of the bbox.

    >>> number(0.0312, 'EPE')
    '3.1'
    """
    if value is None:
        return NOTHING
    digits = 1 if measure in ('EPE', 'EPE_px') else 3
    value *= 100 if measure == 'EPE' else 1
    text = f'{value:{"+" if sign else ""}.{digits}f}'
    if float(text) == 0:
        text = text.lstrip('+-')
    return text.replace('-', MINUS)


def interval(
    estimate: Estimate, measure: str = 'AP', sign: bool = False
) -> str:
    """The interval in brackets; empty where it is undefined."""
    if estimate.low is None or estimate.high is None:
        return ''
    ends = (estimate.low, estimate.high)
    return f'[{", ".join(number(end, measure, sign) for end in ends)}]'


def both(estimate: Estimate, measure: str = 'AP', sign: bool = False) -> str:
    """Value and interval."""
    value = number(estimate.value, measure, sign)
    return f'{value} {interval(estimate, measure, sign)}'.strip()


def percent(fraction: float | None, digits: int = 0) -> str:
    """A fraction in per cent.

    >>> percent(0.256)
    '26 %'
    """
    return NOTHING if fraction is None else f'{100 * fraction:.{digits}f} %'


def describe(cost: Record) -> str:
    """Target, size, place and paint of an attack."""
    if cost.kind == OTHER:
        return cost.target
    text = f'one {cost.kind}' if cost.target == RANDOM else cost.target
    if cost.severity is not None:
        text += f', {100 * cost.severity:g} % of the height'
    if cost.place != AT_TARGET:
        text += f', painted {PLACES[cost.place]}'
    return f'{text} ({cost.paint})'


def paint_and_size(found: Record) -> str:
    """Paint and size of one or more attacks."""
    if found.severity is None:
        return found.paint
    return f'{found.paint} {100 * found.severity:g} %'


def pooled_name(pooled: Record) -> str:
    """Kind, paint and size of the attacks whose targets are pooled."""
    return f'{pooled.kind}, {paint_and_size(pooled)}'


def csv_text(rows: Iterable[Mapping[str, Any]], end: str = '\r\n') -> str:
    """A CSV file of rows of plain values, which may lack columns; empty
    without rows. A dict, such as an estimate, is a column for each of its
    keys."""
    lines = [
        {
            name if key in ('', 'value') else f'{name}_{key}': cell
            for name, value in row.items()
            for key, cell in (
                value.items() if isinstance(value, Mapping) else [('', value)]
            )
        }
        for row in rows
    ]
    out = io.StringIO(newline='')
    if lines:
        names = dict.fromkeys(key for line in lines for key in line)
        writer = csv.DictWriter(out, list(names), lineterminator=end)
        writer.writeheader()
        writer.writerows(lines)
    return out.getvalue()


_TEX = {MINUS: '$-$', '≥': r'$\geq$', 'Δ': r'$\Delta$', '–': '--'}


def latex_text(text: str) -> str:
    r"""Text as LaTeX prints it.

    >>> latex_text('a_b & 5 %')
    'a\\_b \\& 5 \\%'
    """
    text = re.sub(r'[\\{}]', '', text)
    text = re.sub(r'([&%$#_])', r'\\\1', text)
    text = re.sub(r'[~^]', ' ', text)
    return ''.join(_TEX.get(letter, letter) for letter in text)


def latex_row(cells: Iterable[str]) -> str:
    """A row of a table."""
    return ' & '.join(map(latex_text, cells)) + r' \\'
