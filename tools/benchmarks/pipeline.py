"""How much slower does an occlusion make MMPose's training pipeline?

    python tools/benchmarks/pipeline.py
    OCCLUSION_REAL_DATA=FOLDER python tools/benchmarks/pipeline.py

The second takes the photographs in FOLDER/coco, the first synthetic people
in JPEGs of 640×480. The pipeline is that of MMPose's HRNet-w32 on COCO at
256×192, from the file of the sample to the packed tensors, as
tools/train.py runs it: with the records of the occlusions.

Every variant of the pipeline takes its turn on the same person with the same
seed, hence with the same flip, box and rotation. Per person and seed the
figure is the median difference to the plain pipeline over all rounds; then
comes the mean over people and seeds, in which samples that an occlusion with
prob 0.5 has drawn and those that it has not weigh half each. The interval is
a bootstrap over people and seeds. Time is that of the processor, one thread.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1]))

import _cli
import cv2
import numpy as np
from _pipeline_cases import (
    FAST_STEPS,
    PROB,
    PROFILED,
    WITH,
    Case,
    load_people,
    make_case,
    occlusions,
    options,
    train_pipeline,
)

SLOWER = 2.0
"""Per cent that an occlusion may cost."""


class Times(NamedTuple):
    """Microseconds (cases, cells, rounds), where a cell is a person with a
    seed, and whether an occlusion had drawn the sample (cases, cells)."""

    micro: np.ndarray
    drawn: np.ndarray


class Cost(NamedTuple):
    """What a case costs more than the first one, per sample."""

    micro: float
    percent: float
    low: float
    high: float


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """How long to measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    for name, default, what in (
        ('people', 12, 'people'),
        ('seeds', 24, 'seeds for each person'),
        ('rounds', 3, 'turns for each person and seed'),
    ):
        parser.add_argument(
            f'--{name}',
            type=int,
            default=default,
            metavar='N',
            help=f'{what} (default: %(default)s)',
        )
    parser.add_argument(
        '--only',
        metavar='TEXT',
        default='',
        help='occlusions and options with this in their name alone',
    )
    args = parser.parse_args(argv)
    if min(args.people, args.seeds, args.rounds) < 1:
        parser.error('--people, --seeds and --rounds must be at least 1')
    return args


# --- the clock --------------------------------------------------------------


def clock_cost() -> float:
    """Microseconds that looking at the clock takes."""
    looks = [time.thread_time_ns() for _ in range(1001)]
    return float(np.median(np.diff(looks))) / 1000


def in_turns(
    cases: list[Case], dataset, rows: list[int], seeds: int, rounds: int
) -> Times:
    """Run all cases on all cells, in another order each round."""
    order = np.random.default_rng(0)
    cells = [(row, seed) for row in rows for seed in range(seeds)]
    micro = np.zeros((len(cases), len(cells), rounds))
    drawn = np.zeros((len(cases), len(cells)), bool)
    for cell, (row, seed) in enumerate(cells):
        for turn in range(-1, rounds):  # one to warm up
            for number in order.permutation(len(cases)):
                results = sample(dataset, row, seed)
                start = time.thread_time_ns()
                packed = cases[number].run(results)
                taken = time.thread_time_ns() - start
                micro[number, cell, turn] = taken / 1000
                drawn[number, cell] = was_drawn(packed)
                del packed  # not while the clock runs
        gc.collect()
    return Times(micro, drawn)


def sample(dataset, row: int, seed: int) -> dict:
    """A sample, and the generator as it always is for this one."""
    np.random.seed(1000 * row + seed)  # noqa: NPY002
    return dict(dataset.get_data_info(row), dataset=dataset)


def was_drawn(packed: dict) -> bool:
    """Whether an occlusion was to act here (prob)."""
    records = packed['data_samples'].metainfo.get('occlusions', ())
    return any(
        not str(record['reason']).startswith('not drawn') for record in records
    )


def cost(taken: np.ndarray, plain: np.ndarray, drawn: np.ndarray) -> Cost:
    """Mean over cells of the median paired difference.

    Args:
        taken, plain: (cells, rounds) microseconds of two cases.
        drawn: (cells,) bool; where some are and some are not, each kind
            weighs as much as PROB says, whatever the lot was.

    Returns:
        The difference in microseconds and in per cent of ``plain``, with
        the 95 % interval of the latter over cells.
    """
    more = np.median(taken - plain, axis=1)
    least = np.median(plain, axis=1)
    kinds = [np.flatnonzero(drawn), np.flatnonzero(~drawn)]
    shares = [PROB, 1 - PROB]
    if not all(map(len, kinds)):
        kinds, shares = [np.arange(len(more))], [1.0]

    def mean(values: np.ndarray, cells: list[np.ndarray]) -> float:
        means = [values[kind].mean() for kind in cells]
        return float(np.dot(shares, means))

    def percent(cells: list[np.ndarray]) -> float:
        return 100 * mean(more, cells) / mean(least, cells)

    rng = np.random.default_rng(0)
    again = [
        percent([rng.choice(kind, len(kind)) for kind in kinds])
        for _ in range(1000)
    ]
    low, high = np.percentile(again, [2.5, 97.5]).tolist()
    return Cost(mean(more, kinds), percent(kinds), low, high)


def step_times(
    cases: list[Case], dataset, rows: list[int], seeds: int
) -> list[dict[str, float]]:
    """Mean microseconds of each step of each case, in turn, per sample."""
    look = clock_cost()
    names = [_names(case.steps) for case in cases]
    taken: list[list] = [[] for _ in cases]
    for row in rows:
        for seed in range(seeds):
            for number, case in enumerate(cases):
                results: Any = sample(dataset, row, seed)
                each = []
                for step in case.steps:
                    start = time.thread_time_ns()
                    results = step(results)
                    each.append((time.thread_time_ns() - start) / 1000 - look)
                taken[number].append(each)
    return [
        dict(zip(names[i], _trimmed(np.array(taken[i])), strict=True))
        for i in range(len(cases))
    ]


def _trimmed(times: np.ndarray) -> list[float]:
    """Means of columns without the slowest hundredth of each."""
    keep = max(1, len(times) - len(times) // 100)
    return np.sort(times, axis=0)[:keep].mean(axis=0).tolist()


def _names(steps: list) -> list[str]:
    return [type(step).__name__ for step in steps]


# --- the tables -------------------------------------------------------------


def agreement(
    plain: Case, case: Case, dataset, rows: list[int], seeds: int
) -> str:
    """How far the packed samples of two cases are from each other."""
    pixels, targets = [], []
    for row in rows:
        for seed in range(seeds):
            one, other = (
                each.run(sample(dataset, row, seed)) for each in (plain, case)
            )
            pixels.append(_difference(one['inputs'], other['inputs']))
            for part in (
                'gt_fields.heatmaps',
                'gt_instance_labels.keypoint_weights',
            ):
                field, name = part.split('.')
                both = [
                    getattr(getattr(each['data_samples'], field), name)
                    for each in (one, other)
                ]
                targets.append(_difference(*both))
    count = len(rows) * seeds
    if not np.any(pixels) and not np.any(targets):
        return f'same bits ({count} samples)'
    mean, most = np.mean(pixels, axis=0)[0], np.max(pixels, axis=0)[1]
    return (
        f'pixels differ by {mean:.1f} grey levels on average, {most:.0f} '
        f'at most; targets by {np.max(targets):.2g}'
    )


def _difference(one, other) -> tuple[float, float]:
    far = (one.float() - other.float()).abs()
    return float(far.mean()), float(far.max())


def occlusion_table(cases: list[Case], found: Times) -> None:
    """Print what each occlusion costs."""
    print(
        f'| occlusion, prob {PROB} | slower, aim {SLOWER:g} % | 95 % ', end=''
    )
    print('| µs per sample | if drawn | if not |')
    print('|---|--:|--:|--:|--:|--:|')
    plain = found.micro[0]
    for number, case in enumerate(cases):
        drawn = found.drawn[number]
        if number == 0:
            continue
        taken = found.micro[number]
        each = cost(taken, plain, drawn)
        met = 'met' if each.percent <= SLOWER else 'missed'
        kinds = ' | '.join(
            f'{cost(taken[k], plain[k], drawn[k]).micro:.0f}'
            if k.any()
            else ''
            for k in (drawn, ~drawn)
        )
        print(
            f'| {case.name} | {each.percent:+.1f} % ({met}) '
            f'| {each.low:+.1f} to {each.high:+.1f} '
            f'| {each.micro:.0f} | {kinds} |'
        )


def option_table(cases: list[Case], found: Times, agreed: list[str]) -> None:
    """Print what each option saves, and what it changes."""
    print('| option | time of a sample | 95 % | µs per sample | results |')
    print('|---|--:|--:|--:|---|')
    for number, case in enumerate(cases):
        if number == 0:
            continue
        each = cost(found.micro[number], found.micro[0], found.drawn[number])
        print(
            f'| {case.name} | {each.percent:+.1f} % '
            f'| {each.low:+.1f} to {each.high:+.1f} '
            f'| {each.micro:+.0f} | {agreed[number]} |'
        )


def step_table(cases: list[Case], taken: list[dict[str, float]]) -> None:
    """Print what each step takes."""
    rows: list[str] = []
    for case in cases:
        for number, name in enumerate(_names(case.steps)):
            name = name.removeprefix('Fast')
            if name not in rows:
                rows.insert(number, name)
    print(f'| step, µs | {" | ".join(case.name for case in cases)} |')
    print('|---|' + '--:|' * len(cases))
    columns = [
        {name.removeprefix('Fast'): value for name, value in each.items()}
        for each in taken
    ]
    for name in rows:
        values = (f'{c[name]:.0f}' if name in c else '' for c in columns)
        print(f'| `{name}` | {" | ".join(values)} |')
    sums = ' | '.join(f'{sum(c.values()):.0f}' for c in columns)
    print(f'| all | {sums} |')


def threads_line(case: Case, dataset, rows: list[int], seeds: int) -> str:
    """What a second thread of OpenCV does for the step that uses it."""
    names = _names(case.steps)
    crop = names.index('TopdownAffine')
    found: dict[int, list[float]] = {1: [], 2: []}
    for row in rows:
        for seed in range(seeds):
            results: Any = sample(dataset, row, seed)
            for step in case.steps[:crop]:
                results = step(results)
            for threads, taken in found.items():
                cv2.setNumThreads(threads)
                copied = dict(results)
                start = time.perf_counter_ns()
                case.steps[crop](copied)
                taken.append((time.perf_counter_ns() - start) / 1000)
    cv2.setNumThreads(1)
    one, two = (np.median(found[threads]) for threads in (1, 2))
    return (
        f"{case.name}, TopdownAffine by the wall's clock: {one:.0f} µs with "
        f'one thread of OpenCV, {two:.0f} with two'
    )


def measure(args: argparse.Namespace) -> None:
    """Print the tables."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    gc.disable()
    try:
        _measure(args)
    finally:
        gc.enable()
        cv2.setNumThreads(threads)


def _measure(args: argparse.Namespace) -> None:
    pipeline = train_pipeline()
    plain = make_case('plain', pipeline)
    with tempfile.TemporaryDirectory() as folder:
        dataset, rows, what = load_people(folder, args.people)
        print(
            f'{what}; {args.seeds} seeds each, {args.rounds} rounds, '
            'one thread, time of the processor\n'
        )
        times = (dataset, rows, args.seeds, args.rounds)
        if cases := occlusions(pipeline, folder, args.only):
            cases = [plain, *cases]
            found = in_turns(cases, *times)
            occlusion_table(cases, found)
            print()
        if cases := options(pipeline, folder, args.only):
            cases = [plain, *cases]
            few = (dataset, rows, min(args.seeds, 4))
            agreed = [
                '' if WITH in case.name else agreement(plain, case, *few)
                for case in cases
            ]
            option_table(cases, in_turns(cases, *times), agreed)
            print()
        cases = [plain, *occlusions(pipeline, folder, PROFILED)[:1]]
        cases += options(pipeline, folder, FAST_STEPS)
        step_table(cases, step_times(cases, *times[:3]))
        print(f'\n{threads_line(cases[2], *times[:3])}')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(measure, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
