"""Draw people, train a small model, hide their joints, see what it costs.

    make demo

is this tool. It leaves in --work-dir:

    index.html           everything on one page
    table.md             AP, ΔAP and PCK@0.2 of the hidden joints
    report.json, *.csv   all numbers
    output.log           what MMEngine and others printed
    config.py            for the other tools, for example
    checkpoint.pth       python tools/test.py work_dirs/demo/config.py \\
                             work_dirs/demo/checkpoint.pth \\
                             --attack keypoint:nose:black

What an earlier run has finished is kept: the people, every epoch of the
training, and predictions.
"""

import argparse
import contextlib
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import _cli

if TYPE_CHECKING:
    from mmpose_occlusion.benchmark.api import Benchmark

CONFIG = (
    _cli.ROOT / 'configs/synthetic_people/'
    'td-hm_res18d-w16_2xb16-24e_synthetic-128x96.py'
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Everything has a default."""
    parser = _cli.parser_of(__doc__)
    parser.add_argument('--work-dir', default='work_dirs/demo', metavar='DIR')
    parser.add_argument(
        '--data',
        default='data/synthetic_people',
        metavar='DIR',
        help='folder of the synthetic people (default: %(default)s)',
    )
    for name, default, what in (
        ('--train', 1500, 'training images'),
        ('--val', 200, 'validation images'),
        ('--workers', 2, 'processes that draw people'),
    ):
        parser.add_argument(
            name,
            type=int,
            default=default,
            metavar='N',
            help=f'{what} (default: %(default)s)',
        )
    _cli.add_fields(parser, _cli.CfgOptions)
    return parser.parse_args(argv)


def demo(args: argparse.Namespace) -> None:
    """The four phases."""
    from mmpose_occlusion.engine.config import load_config

    start = time.perf_counter()
    folder = Path(args.work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    print(f'[1/4] drawing people: {args.data}', flush=True)
    _draw_people(args)
    cfg = load_config(str(CONFIG), args.cfg_options)
    _point_to(cfg, args.data)
    cfg.model_name = CONFIG.stem  # in the report
    cfg.dump(folder / 'config.py')
    log = folder / 'output.log'
    epochs = cfg.train_cfg.max_epochs
    with Phase(f'[2/4] training, {epochs} epochs', log) as phase:
        phase.epochs = epochs
        _train(folder, 2 * cfg.train_dataloader.batch_size, phase)
    with Phase('[3/4] attacking', log) as phase:
        benchmark = _attack(folder)
    with Phase('[4/4] report', log, redirect=False) as phase:
        steps = len(benchmark.runs[0].attacks) + 1
        done = itertools.count()
        benchmark.report(progress=lambda _: phase.move(next(done) / steps))
    seconds = time.perf_counter() - start
    print(f'{folder / "index.html"}: ready after {seconds:.0f} s')


class Phase(io.TextIOBase):
    """A progress bar in place of the output of libraries.

    A stream that appends lines to a file; lines that say how far the work is
    move the bar. As a context it takes the process's output, too.
    """

    epochs = 0
    _width = 24
    _every = 20.0  # seconds between lines that are not on a terminal

    def __init__(self, title: str, log: Path, redirect: bool = True) -> None:
        self._log = log.open('a', encoding='utf-8', buffering=1)
        self._terminal = sys.stdout
        self._start = self._shown = time.monotonic()
        self._first: float | None = None
        self._redirect = redirect
        self._ended = False
        print(title, file=self._terminal, flush=True)

    def __enter__(self) -> 'Phase':
        self._stack = contextlib.ExitStack()
        self.move(0)
        if self._redirect:
            self._stack.enter_context(contextlib.redirect_stdout(self))
            self._stack.enter_context(contextlib.redirect_stderr(self))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stack.close()
        self._ended = kind is None
        if self._ended:
            self.move(1)
        self._log.close()

    def write(self, text: str) -> int:
        self._log.write(text)
        if found := re.search(r'(\d+)% done', text):
            self.move(int(found[1]) / 100)
        elif found := re.search(r'\(train\) +\[(\d+)\]\[ *(\d+)/(\d+)', text):
            epoch, step, steps = map(int, found.groups())
            if self._first is None:  # a resumed run does not begin at 0
                self._first = (epoch - 1) / self.epochs
            self.move((epoch - 1 + step / steps) / self.epochs)
        return len(text)

    def move(self, part: float) -> None:
        """Show which part is done, and when the whole will be."""
        part = 1 if self._ended else min(part, 0.99)
        now = time.monotonic()
        made = part - (self._first or 0.0)
        end = ''
        if made > 0 and part < 1:
            left = (now - self._start) * (1 - part) / made
            clock = time.strftime('%H:%M', time.localtime(time.time() + left))
            end = f', {left:.0f} s left, until {clock}'
        elif part == 1:
            end = f', {now - self._start:.0f} s'
        filled = round(self._width * part)
        bar = '#' * filled + '.' * (self._width - filled)
        text = f'      {bar} {part:4.0%}{end}'
        if self._terminal.isatty():
            line_end = '\n' if part == 1 else ''
            print(
                f'\r{text:78}', end=line_end, file=self._terminal, flush=True
            )
        elif part == 1 or now - self._shown > self._every:
            print(text, file=self._terminal, flush=True)
            self._shown = now


def _draw_people(args: argparse.Namespace) -> None:
    from synthetic_people import generate

    from mmpose_occlusion.errors import UsageError

    try:
        generate(
            args.data,
            train=args.train,
            val=args.val,
            seed=0,
            workers=args.workers,
            progress=True,
        )
    except FileExistsError as error:
        raise UsageError(f'--data: {error}') from error


def _point_to(cfg, data: str) -> None:
    """Have every data set of a config read this folder."""
    from mmpose_occlusion.engine.config import SPLITS, walk_split

    for split in SPLITS:
        for _, dataset in walk_split(cfg, split):
            if 'data_root' in dataset:
                dataset['data_root'] = data


def _train(folder: Path, batch_size: int, phase: Phase) -> None:
    """In one process on a GPU, else in two of one thread each: its
    convolutions are too small for two threads to share."""
    from mmengine.device import get_device

    from mmpose_occlusion.errors import DataError

    runs = folder / 'training'
    arguments = ['--work-dir', str(runs), '--resume', '--exact-resume']
    tools, config = _cli.ROOT / 'tools', str(folder / 'config.py')
    environment = dict(os.environ, PYTHON=sys.executable)
    if get_device() != 'cpu':
        command = [sys.executable, str(tools / 'train.py'), config, *arguments]
        batch = f'train_dataloader.batch_size={batch_size}'
        command += ['--cfg-options', batch]
    else:
        command = ['bash', str(tools / 'dist_train.sh'), config, '2']
        command += arguments
        environment['OMP_NUM_THREADS'] = '1'
    error = ''
    with subprocess.Popen(
        command,
        env=environment,
        text=True,
        errors='replace',
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout or ():
            phase.write(line)
            if line.startswith('error: '):
                error = line.removeprefix('error: ').strip()
    if process.returncode:
        raise DataError(
            f'the training failed: {error or "its output tells why"}: see '
            f'{folder / "output.log"}'
        )
    last = Path((runs / 'last_checkpoint').read_text().strip())
    shutil.copyfile(last, folder / 'checkpoint.pth')


def _attack(folder: Path) -> 'Benchmark':
    """In one process with one worker."""
    from mmpose_occlusion.benchmark.api import run_benchmark

    benchmark = run_benchmark(
        folder / 'config.py',
        folder / 'checkpoint.pth',
        suites=['demo'],
        out=folder,
        num_workers=1,
    )
    assert benchmark is not None  # it is no dry run
    return benchmark


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(demo, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
