"""Write the report of benchmarks anew, from their stored predictions.

    python tools/occlusion_report.py DIR
    python tools/occlusion_report.py DIR OTHER_DIR --out compared

reads what tools/occlusion_benchmark.py left in its --out and writes
index.html, report.json, attacks.csv, joints.csv and movement.csv to --out, by
default to the first folder. No model is needed; several models are set side
by side, the first being the one to compare with. Pictures of cases need the
data set.
"""

import argparse
import sys
from pathlib import Path

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The tool's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument(
        'folders', nargs='+', metavar='DIR', help='folder of a benchmark'
    )
    parser.add_argument(
        '--out', metavar='DIR', help='folder of the report (default: DIR)'
    )
    parser.add_argument(
        '--draws',
        type=int,
        default=1000,
        metavar='N',
        help='resampled sets for the intervals (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        metavar='N',
        help='of the resampling (default: %(default)s)',
    )
    parser.add_argument(
        '--cases',
        type=int,
        default=6,
        metavar='N',
        help='worst and typical cases to show (default: %(default)s)',
    )
    return parser.parse_args(argv)


def report(args: argparse.Namespace) -> None:
    """Read the runs, analyse them, write the files."""
    from mmpose_occlusion.benchmark.report import show_steps, write_report
    from mmpose_occlusion.benchmark.runs import load_runs
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.predictors.mmpose_topdown.case_crops import (
        crops_from,
    )

    for option in ('draws', 'cases', 'seed'):
        if getattr(args, option) < 0:
            raise UsageError(
                f'--{option} {getattr(args, option)} must be 0 or more'
            )
    runs = [run for folder in args.folders for run in load_runs(folder)]
    path = write_report(
        runs,
        Path(args.out or args.folders[0]),
        case_images=crops_from(*args.folders),
        draws=args.draws,
        seed=args.seed,
        cases=args.cases,
        progress=show_steps(sum(len(run.attacks) for run in runs)),
    )
    print(f'Wrote {path}, report.json, table.md and CSV files')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(report, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
