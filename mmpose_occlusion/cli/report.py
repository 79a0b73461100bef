"""Write the report of stored benchmarks; no model is needed.

    occlusion-report DIR
    occlusion-report DIR OTHER_DIR --out compared

reads the predictions that occlusion-benchmark stored in DIR, its --out, and
writes index.html, report.json, table.md and CSV files to --out, by default to
the first folder. Several models are compared with the first. Images of cases
need MMPose and the data set.
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
    return parser.parse_args(argv)


def report(options: ReportOptions) -> None:
    """Read the runs, analyse them, write the files."""
    from mmpose_occlusion.benchmark.api import load_benchmark
    from mmpose_occlusion.benchmark.report import show_steps

    found = load_benchmark(*options.folders)
    path = found.report(
        options.out,
        draws=options.draws,
        seed=options.seed,
        cases=options.cases,
        measure=options.measure,
        threshold=options.threshold,
        progress=show_steps(sum(len(run.attacks) for run in found.runs)),
    )
    print(f'Wrote {path}, report.json, table.md and CSV files')


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = arguments.options_of(ReportOptions, parse_args(argv))
    return run(report, options, mmpose=None)


if __name__ == '__main__':
    sys.exit(main())
