"""One line for each model: results that can be printed and submitted.

A results file is ``{"format": FORMAT, "results": [...]}``; an entry has the
keys of :data:`FIELDS`. Clean score, mPC and rPC are dicts of ``value``,
``low`` and ``high`` (95 % interval, bootstrap over images), see
:mod:`mmpose_occlusion.benchmark.analysis.run_measures`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from mmpose_occlusion.benchmark.analysis import Estimate
from mmpose_occlusion.benchmark.faults import is_number
from mmpose_occlusion.benchmark.suite import checksum, shipped
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import read_json

from .formatting import both
from .page import render

FORMAT = 1
ESTIMATES = ('clean', 'mpc', 'rpc')
_PARTS = ('value', 'low', 'high')
_TEXTS = ('model', 'data', 'suite', 'checksum', 'measure', 'protocol')
FIELDS: dict[str, type] = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(('curves', 'people', 'images'), int),
    **dict.fromkeys(ESTIMATES, dict),
}
"""Key of a result -> type."""


def read_results(path: str | Path) -> list[dict[str, Any]]:
    """Results from a report's folder, its ``report.json`` or a results file;
    UsageError where it is none of these, a result does not fit, or a report
    has no suite with several severities."""
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
    how = model['conditions'].items()
    protocol = '; '.join(f'{k}: {v}' for k, v in how if k != 'suites')
    return [
        {name: model[name] for name in ('model', 'data', 'people', 'images')}
        | dict(protocol=protocol)
        | dict(checksum=model['suites'].get(summary['suite'], ''))
        | {n: summary[n] for n in ('suite', 'measure', 'curves', *ESTIMATES)}
        for summary in model['summaries']
    ]


def check_result(result: Any, where: str = 'the result') -> None:
    """Refuse a result that others cannot be compared with: UsageError where a
    key is missing or of another type, an interval does not hold its value, or
    the checksum is not that of the suite."""
    if not isinstance(result, dict):
        raise UsageError(f'{where} is not a dict')
    for key, kind in FIELDS.items():
        if not isinstance(result.get(key), kind):
            raise UsageError(f'{where} has no "{key}" of type {kind.__name__}')
    for key in ESTIMATES:
        numbers = map(result[key].get, ('low', 'value', 'high'))
        ends = [x for x in numbers if x is not None]
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


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """A table for each data set, suite and measure, protocols below."""
    return render('results.md.j2', tables=_tables(results))


def latex(results: Sequence[Mapping[str, Any]]) -> str:
    """The same for LaTeX, with the package booktabs."""
    return render('results.tex.j2', tables=_tables(results))


def _tables(results: Sequence[Mapping[str, Any]]) -> Iterator[tuple]:
    """Title, names of the columns, rows and notes of a table for each data
    set, suite, checksum and measure."""
    shared = itemgetter('data', 'suite', 'checksum', 'measure')
    for (data, suite, digest, measure), some in groupby(
        sorted(results, key=shared), shared
    ):
        mine = list(some)
        notes = [f'{r["model"]}: {r["protocol"]}' for r in mine]
        if len({r['protocol'] for r in mine}) == 1:
            notes = [f'all: {mine[0]["protocol"]}']
        rows = [
            [r['model'], f'{r["people"]:,}']
            + [both(Estimate(*map(r[k].get, _PARTS))) for k in ESTIMATES]
            for r in mine
        ]
        title = f'{data}, suite {suite} ({digest or "no checksum"})'
        names = ['model', 'people', f'clean {measure}', 'mPC', 'rPC']
        yield title, names, rows, notes
