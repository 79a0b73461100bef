"""Write the report of stored benchmarks; no model is needed.

    occlusion-report DIR
    occlusion-report DIR OTHER_DIR --out compared

    occlusion-report DIR --latex table.tex --csv --json

reads the predictions that occlusion-benchmark stored in DIR, its --out, and
writes index.html, report.json, table.md and CSV files to --out, by default to
the first folder; with --csv or --json these alone. Several models are compared
with the first. Images of cases need MMPose and the data set.
"""

import argparse
import sys
from dataclasses import dataclass

from . import arguments
from .run import run


@dataclass(frozen=True)
class ReportOptions:
    """The command's options, see its help."""

    folders: list[str]
    out: str | None
    draws: int
    seed: int
    cases: int
    measure: str | None
    threshold: float
    latex: str | None
    name: list[str]
    pdf: bool
    csv: bool
    json: bool


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-report')
    parser.add_argument(
        'folders', nargs='+', metavar='DIR', help='folder of a benchmark'
    )
    parser.add_argument(
        '--out', metavar='DIR', help='folder of the report (default: DIR)'
    )
    for name, default, help_ in (
        ('draws', 1000, 'bootstrap samples of the intervals'),
        ('seed', 0, 'seed of the bootstrap'),
        ('cases', 6, 'worst and typical cases to show'),
    ):
        parser.add_argument(
            f'--{name}',
            type=arguments.whole_number(0),
            default=default,
            metavar='N',
            help=f'{help_} (default: %(default)s)',
        )
    parser.add_argument(
        '--measure',
        choices=['AP', 'AR', 'PCKh', 'PCK', 'OKS50'],
        help='what the report is led by (default: AP, or PCKh or PCK where '
        'the data has no AP; OKS50 or PCK where AP is below .05 without '
        'occlusion)',
    )
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.3,
        metavar='S',
        help='score above which a prediction counts as confident (default: '
        '%(default)s)',
    )
    parser.add_argument(
        '--latex',
        metavar='FILE',
        help="write a paper's table, with intervals and the conditions",
    )
    parser.add_argument(
        '--name',
        action='append',
        default=[],
        metavar='NAME',
        help='name of a model on the page; several, one for each model in '
        'their order (default: their own, and the folder where they are '
        'equal)',
    )
    parser.add_argument(
        '--pdf',
        action='store_true',
        help='let the figures of the page be saved as PDF, not only as SVG',
    )
    for option in ('--csv', '--json'):
        parser.add_argument(
            option,
            action='store_true',
            help=f'write the {option[2:].upper()} files alone, without the '
            'page',
        )
    return parser.parse_args(argv)


def report(options: ReportOptions) -> None:
    """Read the runs, analyse them, write the files."""
    from mmpose_occlusion.benchmark.api import load_benchmark
    from mmpose_occlusion.benchmark.report import show_steps

    found = load_benchmark(*options.folders, names=options.name)
    chosen = [name for name in ('csv', 'json') if getattr(options, name)]
    path = found.report(
        options.out,
        draws=options.draws,
        seed=options.seed,
        cases=options.cases,
        measure=options.measure,
        threshold=options.threshold,
        formats=chosen or ('page', 'csv', 'json'),
        latex=options.latex,
        pdf=options.pdf,
        progress=show_steps(found.steps),
    )
    what = [str(path), 'report.json, table.md and CSV files']
    if chosen:
        what = [f'{" and ".join(map(str.upper, chosen))} files to {path}']
    if options.latex:
        what.append(options.latex)
    print('Wrote ' + ', '.join(what))


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = arguments.options_of(ReportOptions, parse_args(argv))
    return run(report, options, mmpose=None)


if __name__ == '__main__':
    sys.exit(main())
