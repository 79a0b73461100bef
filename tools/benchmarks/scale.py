"""What the plug-in costs on data sets of COCO's size.

    python tools/benchmarks/scale.py donors
    python tools/benchmarks/scale.py loading --variants plain donors
    python tools/benchmarks/scale.py loading --variants boxes matched
    python tools/benchmarks/scale.py growth

donors    PartMix's index of 150,000 people: time to make it, memory, time of
          a draw, also for fewer and more people
loading   start-up of annotations of the size of COCO's (made up; no picture
          is needed) with MMPose alone and with the plug-in, and the unique
          set size of 4 workers that have made some samples: the memory that
          a further worker takes. Each in processes of its own, in turn
growth    time of a call with the people in the picture, the joints of a
          person (17 to COCO-WholeBody's 133), and the attacks on a crop in
          the benchmark; the exponent that fits it (1: linear)

One thread. Times are the least or the median of several rounds in turn.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
os.environ['NO_ALBUMENTATIONS_UPDATE'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli
from _annotations import TRAIN, VAL, Size, write_annotations, write_boxes
from _load_job import VARIANTS, unique_bytes

JOB = Path(__file__).with_name('_load_job.py')
BOXES = 104_125
"""That of MMPose's file of detections on val2017."""
MB = 1e6


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Which part, and how large."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument('part', choices=['donors', 'loading', 'growth'])
    parser.add_argument(
        '--variants',
        nargs='+',
        choices=list(VARIANTS),
        default=['plain', 'donors'],
        metavar='NAME',
        help=f'of loading: {", ".join(VARIANTS)}; the first is what the '
        'others are compared with (default: plain donors)',
    )
    parser.add_argument(
        '--rounds', type=int, metavar='N', help='default: 1 of loading, else 7'
    )
    parser.add_argument(
        '--samples',
        type=int,
        default=256,
        metavar='N',
        help='of loading: made by each worker before its memory is read '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--scale',
        type=float,
        default=1.0,
        metavar='X',
        help='part of the size of COCO, to try it out',
    )
    parser.add_argument(
        '--data',
        metavar='FOLDER',
        help='of loading: keep the annotations here, and use those that are '
        'there from an earlier run with the same --scale',
    )
    return parser.parse_args(argv)


# --- loading ----------------------------------------------------------------


def prepare(folder: Path, variants: list[str], scale: float) -> None:
    """Write the files that the variants need, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs: dict[str, Size] = {}
    for variant in variants:
        test = variant in ('boxes', 'matched')
        jobs['test' if test else 'train'] = VAL if test else TRAIN
    for split, size in jobs.items():
        file = folder / f'{split}.json'
        if not file.is_file():
            write_annotations(file, size.scaled(scale))
        boxes = folder / 'boxes.json'
        if split == 'test' and not boxes.is_file():
            write_boxes(boxes, file, round(BOXES * scale))


def load_in_turn(
    variants: list[str], folder: Path, rounds: int, samples: int
) -> dict[str, list[dict]]:
    """Rounds of all variants, each load in a process of its own."""
    found: dict[str, list[dict]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            done = subprocess.run(
                [sys.executable, '-W', 'ignore', JOB]
                + [variant, str(folder), str(samples)],
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            )
            found[variant].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def loading_table(found: dict[str, list[dict]]) -> str:
    """One row for each variant, compared with the first."""
    lines = [
        '| data set | load s | of processor time | / first | memory MB '
        '| peak MB | worker MB | / first |',
        '|---|--:|--:|--:|--:|--:|--:|--:|',
    ]
    first: tuple[float, float] | None = None
    for variant, runs in found.items():
        wall = min(run['load_s'] for run in runs)
        cpu = min(run['load_cpu_s'] for run in runs)
        workers = [memory for run in runs for memory in run['workers']]
        worker = statistics.mean(workers) if workers else 0.0
        first = first or (cpu, worker)
        lines.append(
            f'| {VARIANTS[variant]} | {wall:.1f} | {cpu:.1f} '
            f'| {cpu / first[0]:.2f} '
            f'| {_mb(runs, "resident")} | {_mb(runs, "peak")} '
            + (
                f'| {worker / MB:.0f} | {worker / first[1]:.2f} |'
                if workers
                else '| – | – |'
            )
        )
    return '\n'.join(lines)


def _mb(runs: list[dict], key: str) -> str:
    values = [run[key] for run in runs if run[key] is not None]
    return f'{min(values) / MB:.0f}' if values else '–'


def loading(args: argparse.Namespace) -> None:
    """Print the table of loading."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(args.data or made)
        prepare(folder, args.variants, args.scale)
        rounds = args.rounds or 1
        found = load_in_turn(args.variants, folder, rounds, args.samples)
    counts = {runs[0]['count'] for runs in found.values()}
    print(
        f'{", ".join(f"{count:,}" for count in sorted(counts))} samples in '
        f'the data set, {rounds} round(s); memory of one of 4 workers after '
        f'{args.samples} samples, full garbage collections among them\n'
    )
    print(loading_table(found))
    if unique_bytes() is None:
        print(
            '\nThis system has no /proc/PID/smaps_rollup (Linux has), so the '
            'memory of workers is not measured.'
        )


def in_this_process(args: argparse.Namespace) -> None:
    """Print the tables of a part that loads nothing large."""
    import _growth

    count = args.rounds or 7
    if args.part == 'donors':
        _growth.print_donors(count, args.scale)
    else:
        _growth.print_calls(count, args.scale)


def main(args: argparse.Namespace) -> int:
    """Measure one part; loading leaves the imports to its processes."""
    if args.part == 'loading':
        loading(args)
        return 0
    return _cli.run(in_this_process, args)


if __name__ == '__main__':
    sys.exit(main(parse_args()))
