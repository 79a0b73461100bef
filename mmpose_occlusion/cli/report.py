"""Reports of stored benchmarks, and a table over several."""

import sys
from dataclasses import dataclass
from typing import Any, Literal

from .arguments import File, Folder, command, option, position


@dataclass(frozen=True)
class ReportOptions:
    folders: list[str] = position('folder of a benchmark', 'DIR', nargs='+')
    out: Folder | None = option('folder of the report (default: DIR)')
    draws: int = option('bootstrap samples of the intervals', default=1000)
    seed: int = option('seed of the bootstrap (default: 0)', default=0)
    cases: int = option('worst and typical cases to show', default=6)
    measure: str | None = option(
        'what leads the report (default: AP, or another where AP says little)',
        choices=['AP', 'AR', 'PCKh', 'PCK', 'OKS50'],
    )
    threshold: float = option('score of a confident prediction', default=0.3)
    latex: File | None = option("write a paper's table, with intervals")
    names: list[str] = option(
        'name of a model on the page, one for each', '--name', metavar='NAME'
    )
    pdf: bool = option('let figures be saved as PDF, too, not only as SVG')
    csv: bool = option('write the CSV files alone, without the page')
    json: bool = option('write the JSON files alone, without the page')


@command(ReportOptions, 'occlusion-report', None)
def main(options: ReportOptions) -> None:
    """Write the report of stored benchmarks; no model is needed.

        occlusion-report DIR
        occlusion-report DIR OTHER_DIR --out compared
        occlusion-report DIR --latex table.tex --csv --json

    reads what occlusion-benchmark stored in DIR, its --out, and writes
    index.html, report.json, table.md and CSV files; with --csv or --json these
    alone. Several models are compared with the first. Images of cases need the
    data set, and for models of crops MMPose.
    """
    from mmpose_occlusion.benchmark.api import load_benchmark

    values = dict(vars(options))
    found = load_benchmark(*values.pop('folders'), names=values.pop('names'))
    formats = tuple(name for name in ('csv', 'json') if values.pop(name))
    if formats:
        values['formats'] = formats
    write(found, values.pop('out'), **values)
    if options.latex:
        print(f'Wrote {options.latex}')


def write(found: Any, folder: str | None = None, **options: Any) -> None:
    """Write the report of a benchmark, with its progress, and say where."""
    from rich.progress import track

    steps = iter(track(range(found.steps), 'analysing'))
    path = found.report(
        folder, progress=lambda step: next(steps, None), **options
    )
    formats = options.get('formats', ('page', 'csv', 'json'))
    files = dict(page='table.md', csv='CSV files', json='report.json')
    print(f'Wrote {path}:', ', '.join(files[name] for name in formats))


@dataclass(frozen=True)
class TableOptions:
    reports: list[str] = position(
        'folder of a report, its report.json, or a results file',
        'REPORT',
        nargs='+',
    )
    format: Literal['markdown', 'latex', 'csv'] = option(
        'of the table', default='markdown'
    )
    results: File | None = option('write a results file, too')


@command(TableOptions, 'occlusion-table')
def main_table(options: TableOptions) -> None:
    """A table of models: clean score, mPC and rPC with 95 % intervals.

        occlusion-table REPORT... --format latex
        occlusion-table REPORT... --results results.json
        occlusion-table results.json

    A results file holds the same numbers to be passed on.
    """
    from mmpose_occlusion.benchmark.report import results_file as file
    from mmpose_occlusion.benchmark.report.formatting import csv_text
    from mmpose_occlusion.files import check_output, write_json

    if options.results:
        check_output(options.results, b'{\n "format": 1,', '--results')
    found = [r for path in options.reports for r in file.read_results(path)]
    if options.results:
        numbers = dict(format=file.FORMAT, results=found)
        write_json(options.results, numbers)
    makers: dict[str, Any] = dict(
        markdown=file.markdown, latex=file.latex, csv=csv_text
    )
    print(makers[options.format](found), end='')


if __name__ == '__main__':
    sys.exit(main())
