"""What does it save to keep freed memory?

    python tools/benchmarks/memory.py
    OCCLUSION_REAL_DATA=FOLDER python tools/benchmarks/memory.py

Two processes that differ in mmpose_occlusion.engine.memory alone take turns: a
sample of each of 12 people in MMPose's HRNet-w32 COCO training pipeline, the
same with this project's fast steps, and one training step of a ResNet-18 on
the CPU. Time is that of the processor, one thread; pages are those that the
system had to clear.
"""

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
os.environ['NO_ALBUMENTATIONS_UPDATE'] = '1'
sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1]))

import _cli

KEPT, GIVEN_BACK = 'kept', 'given back'
FAST, TRAINING = 'samples, fast steps', 'training step of a ResNet-18'
JOBS = ('samples, MMPose', FAST, TRAINING)

WARM_UP = 2
"""Rounds that do not count: the first ones fill the memory that is kept."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """How long to measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument(
        '--rounds', type=int, default=24, help='default: %(default)s'
    )
    parser.add_argument(
        '--people', type=int, default=12, help='default: %(default)s'
    )
    parser.add_argument(
        '--child', choices=[KEPT, GIVEN_BACK], help=argparse.SUPPRESS
    )
    parser.add_argument('--job', choices=JOBS, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


# --- one of the two processes -----------------------------------------------


def samples(folder: str, people: int, which: str) -> Callable[[int], None]:
    """One sample of everybody, in MMPose's pipeline or in the fast one."""
    _cli._import_quietly()
    import cv2
    import numpy as np
    from _pipeline_cases import (
        FAST_STEPS,
        load_people,
        make_case,
        options,
        train_pipeline,
    )

    cv2.setNumThreads(1)
    dataset, rows, _ = load_people(folder, people)
    case = make_case('plain', train_pipeline())
    if which == FAST:
        case = options(train_pipeline(), folder, FAST_STEPS)[0]

    def run(turn: int) -> None:
        for row in rows:
            np.random.seed(1000 * row + turn)  # noqa: NPY002
            case.run(dict(dataset.get_data_info(row), dataset=dataset))

    return run


def training_step() -> Callable[[int], None]:
    """A ResNet-18, 16 crops of 128×96."""
    import torch
    from torchvision.models import resnet18

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, crops = resnet18(), torch.rand(16, 3, 128, 96)

    def run(turn: int) -> None:
        net.zero_grad()
        net(crops).square().mean().backward()

    return run


def work(args: argparse.Namespace) -> None:
    """Be one of the two: a line with time, faults and peak for each asked."""
    from mmpose_occlusion.engine.memory import keep_freed_memory

    if args.child == KEPT and not keep_freed_memory():
        raise SystemExit('the C library is not glibc: nothing to measure')
    gc.disable()
    with tempfile.TemporaryDirectory() as folder:
        if args.job == TRAINING:
            job = training_step()
        else:
            job = samples(folder, args.people, args.job)
        print('[]', flush=True)
        for line in sys.stdin:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            start = time.thread_time()
            job(int(line))
            taken = time.thread_time() - start
            now = resource.getrusage(resource.RUSAGE_SELF)
            answer = [1000 * taken, now.ru_minflt - before, now.ru_maxrss]
            print(json.dumps(answer), flush=True)
            gc.collect()


# --- both in turn -----------------------------------------------------------


def start(args: argparse.Namespace, job: str, which: str) -> subprocess.Popen:
    """One process; ready when it has said so."""
    command = [sys.executable, __file__, '--child', which, '--job', job]
    command += ['--people', str(args.people)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    answer(process)
    return process


def answer(process: subprocess.Popen) -> list:
    """The next line of JSON."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith('['):
            return json.loads(line)
    raise SystemExit('error: one of the two processes stopped, see above')


def in_turns(args: argparse.Namespace, job: str) -> list[list[list]]:
    """The answers of both, round by round."""
    both = [start(args, job, which) for which in (GIVEN_BACK, KEPT)]
    found: list[list[list]] = [[], []]
    for turn in range(WARM_UP + args.rounds):
        for process, answers in zip(both, found, strict=True):
            assert process.stdin is not None
            process.stdin.write(f'{turn}\n')
            process.stdin.flush()
            answers.append(answer(process))
    for process in both:
        process.communicate()
    return [answers[WARM_UP:] for answers in found]


def measure(args: argparse.Namespace) -> None:
    """Print the table."""
    print('| | given back, ms | kept, ms | time | pages | peak, MB |')
    print('|---|--:|--:|--:|--:|--:|')
    for job in JOBS:
        one, other = in_turns(args, job)
        ratio = median(b[0] / a[0] for a, b in zip(one, other, strict=True))
        times, pages, peaks = (
            [median(each[k] for each in answers) for answers in (one, other)]
            for k in range(3)
        )
        print(
            f'| {job} | {times[0]:.1f} | {times[1]:.1f} '
            f'| {100 * (ratio - 1):+.1f} % '
            f'| {pages[0]:,.0f} → {pages[1]:,.0f} '
            f'| {peaks[0] / 1024:.0f} → {peaks[1] / 1024:.0f} |',
            flush=True,
        )


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    args = parse_args(argv)
    if not args.child:
        measure(args)
        return 0
    work(args)
    return 0


if __name__ == '__main__':
    sys.exit(main())
