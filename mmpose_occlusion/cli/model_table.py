"""A table of models: clean score, mPC and rPC with 95 % intervals.

    occlusion-table REPORT... --format latex
    occlusion-table REPORT... --results results.json
    occlusion-table results.json

REPORT is a folder of occlusion-benchmark or occlusion-report. A results file
holds the same numbers to be passed on; it is checked when it is read.
"""

import argparse
import sys
from dataclasses import dataclass

from . import arguments
from .run import run


@dataclass(frozen=True)
class TableOptions:
    """The command's options, see its help."""

    reports: list[str]
    format: str
    results: str | None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-table')
    parser.add_argument(
        'reports',
        nargs='+',
        metavar='REPORT',
        help='folder of a report, its report.json, or a results file',
    )
    parser.add_argument(
        '--format',
        choices=['markdown', 'latex', 'csv'],
        default='markdown',
        help='of the table (default: %(default)s)',
    )
    parser.add_argument(
        '--results', metavar='FILE', help='write a results file, too'
    )
    return parser.parse_args(argv)


def table(options: TableOptions) -> None:
    """Read the reports, print the table."""
    from mmpose_occlusion.benchmark.report import results_file
    from mmpose_occlusion.files import check_output, write_json

    if options.results:
        check_output(options.results, b'{\n "format": 1,', '--results')
    read = results_file.read_results
    found = [result for path in options.reports for result in read(path)]
    if options.results:
        write_json(
            options.results,
            dict(format=results_file.FORMAT, results=found),
        )
    make = dict(
        markdown=results_file.markdown,
        latex=results_file.latex,
        csv=results_file.csv_table,
    )[options.format]
    print(make(found), end='')


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = arguments.options_of(TableOptions, parse_args(argv))
    return run(table, options, mmpose=False)


if __name__ == '__main__':
    sys.exit(main())
