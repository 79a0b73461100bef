"""One line for each model: results that can be printed and submitted.

A results file is ``{"format": 1, "results": [...]}``; an entry has the keys
of :data:`FIELDS`. Clean score, mPC and rPC are dicts of ``value``, ``low`` and
``high`` (95 % interval, bootstrap over images), see
:mod:`mmpose_occlusion.metrics.robustness`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from mmpose_occlusion.benchmark.annotation_fields import is_number, read_json
from mmpose_occlusion.benchmark.suite import checksum, shipped
from mmpose_occlusion.errors import UsageError

FORMAT = 1
ESTIMATES = ('clean', 'mpc', 'rpc')
FIELDS: dict[str, type] = dict(
    model=str,
    data=str,
    suite=str,
    checksum=str,
    measure=str,
    curves=int,
    people=int,
    images=int,
    protocol=str,
    **dict.fromkeys(ESTIMATES, dict),
)
"""Key of a result -> type."""

_TABLE = ('data', 'suite', 'checksum', 'measure')
"""What the lines of a table have in common."""


def read_results(path: str | Path) -> list[dict[str, Any]]:
    """Results from a report's folder, its ``report.json`` or a results file.

    Raises:
        UsageError: It is none of these, a result does not fit, or a report
            has no suite with several severities.
    """
    path = Path(path)
    path = path / 'report.json' if path.is_dir() else path
    raw = read_json(path, 'report')
    if isinstance(raw, dict) and 'models' in raw:
        try:
            found = [r for model in raw['models'] for r in _of_model(model)]
        except (AttributeError, KeyError, TypeError) as error:
            raise UsageError(
                f'report "{path}" is damaged ({error!r}): write it again'
            ) from error
        if not found:
            raise UsageError(
                f'report "{path}" has no suite of attacks of several sizes, '
                'which mPC is a mean over: use --suite occlusion-1.0'
            )
    elif isinstance(raw, dict) and raw.get('format') == FORMAT:
        found = raw.get('results', [])
        if not isinstance(found, list) or not found:
            raise UsageError(f'results file "{path}" has no "results"')
    else:
        raise UsageError(
            f'"{path}" is neither a report nor a results file of format '
            f'{FORMAT}'
        )
    for i, result in enumerate(found):
        check_result(result, f'"{path}", result {i}')
    return found


def _of_model(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    conditions = model['conditions'].items()
    shared = dict(
        model=model['model'],
        data=model['data'],
        people=model['people'],
        images=model['images'],
        protocol='; '.join(
            f'{what}: {how}' for what, how in conditions if what != 'suites'
        ),
    )
    return [
        dict(
            shared,
            checksum=model['suites'].get(summary['suite'], ''),
            **{
                key: summary[key]
                for key in ('suite', 'measure', 'curves', *ESTIMATES)
            },
        )
        for summary in model['summaries']
    ]


def check_result(result: Any, where: str = 'the result') -> None:
    """Refuse a result that others cannot be compared with.

    Args:
        result: An entry of a results file.
        where: Its place, for the message.

    Raises:
        UsageError: A key is missing or of another type, an interval does not
            hold its value, or the checksum is not that of the suite.
    """
    if not isinstance(result, dict):
        raise UsageError(f'{where} is not a dict')
    for key, kind in FIELDS.items():
        if not isinstance(result.get(key), kind):
            raise UsageError(f'{where} has no "{key}" of type {kind.__name__}')
    for key in ESTIMATES:
        value, low, high = (
            result[key].get(k) for k in ('value', 'low', 'high')
        )
        ends = [x for x in (low, value, high) if x is not None]
        if not all(map(is_number, ends)) or ends != sorted(ends):
            raise UsageError(
                f'{where}: "{key}" should be numbers with low <= value <= '
                f'high, and is {result[key]}'
            )
    name, given = result['suite'], result['checksum']
    if name in shipped() and given != checksum(name):
        raise UsageError(
            f'{where} has checksum "{given}" for suite "{name}", and that of '
            f'this package is "{checksum(name)}": they are other attacks'
        )


def results_file(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The content of a results file."""
    return dict(format=FORMAT, results=list(results))


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """A table for each data set, suite and measure, protocols below."""
    out = []
    for title, names, rows, notes in _tables(results):
        lines = [names, ['---', *['---:'] * (len(names) - 1)], *rows]
        table = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
        notes = [f'- {note}' for note in notes]
        out.append('\n'.join([f'{title}\n', table, '', *notes, '']))
    return '\n'.join(out)


def latex(results: Sequence[Mapping[str, Any]]) -> str:
    """The same for LaTeX, with the package booktabs."""
    out = []
    for title, names, rows, notes in _tables(results):
        head, *body = (
            ' & '.join(map(_escaped, line)) + r' \\' for line in (names, *rows)
        )
        out += [
            *(f'% {line}' for line in (title, *notes)),
            rf'\begin{{tabular}}{{l{"r" * (len(names) - 1)}}}',
            r'\toprule',
            *(head, r'\midrule', *body, r'\bottomrule', r'\end{tabular}', ''),
        ]
    return '\n'.join(out)


def csv_table(results: Sequence[Mapping[str, Any]]) -> str:
    """One row for each result with all its numbers."""
    out = io.StringIO(newline='')
    rows = []
    for result in results:
        row = {k: v for k, v in result.items() if k not in ESTIMATES}
        for key in ESTIMATES:
            for part, value in result[key].items():
                row[key if part == 'value' else f'{key}_{part}'] = value
        rows.append(row)
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _tables(
    results: Sequence[Mapping[str, Any]],
) -> list[tuple[str, list[str], list[list[str]], list[str]]]:
    """Title, names of the columns, rows and notes of each table."""

    def key(result: Mapping[str, Any]) -> tuple:
        return tuple(result[name] for name in _TABLE)

    out = []
    for (data, suite, digest, measure), some in groupby(
        sorted(results, key=key), key
    ):
        mine = list(some)
        rows = [
            [
                r['model'],
                f'{r["people"]:,}',
                *(_both(r[name]) for name in ESTIMATES),
            ]
            for r in mine
        ]
        out.append(
            (
                f'{data}, suite {suite} ({digest or "no checksum"})',
                ['model', 'people', f'clean {measure}', 'mPC', 'rPC'],
                rows,
                _protocols(mine),
            )
        )
    return out


def _protocols(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line if they are the same, else one for each model."""
    if len({r['protocol'] for r in results}) == 1:
        return [f'all: {results[0]["protocol"]}']
    return [f'{r["model"]}: {r["protocol"]}' for r in results]


def _both(estimate: Mapping[str, float | None]) -> str:
    value, low, high = (estimate[k] for k in ('value', 'low', 'high'))
    if value is None:
        return '–'
    if low is None or high is None:
        return f'{value:.3f}'
    return f'{value:.3f} [{low:.3f}, {high:.3f}]'


def _escaped(text: str) -> str:
    for character in '&%$#_{}':
        text = text.replace(character, f'\\{character}')
    return text.replace('–', '--')
