"""Draw people, train a small model, hide their joints, see what it costs."""

import contextlib
import io
import itertools
import os
import re
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import _cli
from _cli import option

CONFIG = (
    _cli.ROOT / 'configs/synthetic_people/'
    'td-hm_res18d-w16_2xb16-24e_synthetic-128x96.py'
)
RANKS = 2
"""Processes of the training, of one thread each: its convolutions are too
small for two threads to share."""


@dataclass(frozen=True)
class DemoOptions(_cli.CfgOptions):
    """Everything has a default."""

    work_dir: str = option('folder', default='work_dirs/demo', metavar='DIR')
    data: str = option(
        'folder of the synthetic people',
        default='data/synthetic_people',
        metavar='DIR',
    )
    train: int = option('training images', default=1500)
    val: int = option('validation images', default=200)
    workers: int = option('processes that draw people', default=2)


class Progress(io.TextIOBase):
    """A progress bar on the terminal, and a stream that appends to a log:
    lines that say how far the work is move the bar."""

    def __init__(self, title: str, log: Path, epochs: int = 1) -> None:
        print(title, flush=True)
        self._terminal, self._epochs = sys.stdout, epochs
        self._log = log.open('a', encoding='utf-8', buffering=1)
        self._start = self._shown = time.monotonic()
        self._first: tuple[float, float] | None = None

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._show(1, f', {time.monotonic() - self._start:.0f} s')
        self._log.close()

    def write(self, text: str) -> int:
        self._log.write(text)
        if found := re.search(r'(\d+)% done', text):
            self.move(int(found[1]) / 100)
        elif found := re.search(r'\(train\) +\[(\d+)\]\[ *(\d+)/(\d+)', text):
            epoch, step, steps = map(int, found.groups())
            self.move((epoch - 1 + step / steps) / self._epochs)
        return len(text)

    def move(self, part: float) -> None:
        """Show which part is done and, from the second call, when the whole
        will be: a resumed phase does not begin at 0."""
        now, part, end = time.monotonic(), min(part, 0.99), ''
        begin, before = self._first = self._first or (now, part)
        if part > before:
            left = (now - begin) * (1 - part) / (part - before)
            clock = time.strftime('%H:%M', time.localtime(time.time() + left))
            end = f', {left:.0f} s left, until {clock}'
        self._show(part, end)

    def _show(self, part: float, end: str) -> None:
        """On a terminal one line, elsewhere one every 20 s."""
        text = f'      {"#" * round(24 * part):.<24} {part:4.0%}{end}'
        if self._terminal.isatty():
            text, last = f'\r{text:78}', '\n' if part == 1 else ''
            print(text, end=last, file=self._terminal, flush=True)
        elif part == 1 or time.monotonic() - self._shown > 20:
            print(text, file=self._terminal, flush=True)
            self._shown = time.monotonic()


@_cli.command(DemoOptions, 'tools/demo.py', True)
def main(options: DemoOptions) -> None:
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
    from synthetic_people import generate

    from mmpose_occlusion.benchmark.api import run_benchmark
    from mmpose_occlusion.engine.config import load_config

    start = time.perf_counter()
    folder = Path(options.work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    print(f'[1/4] drawing people: {options.data}', flush=True)
    sizes = dict(train=options.train, val=options.val)
    generate(options.data, **sizes, workers=options.workers, progress=True)
    cfg = load_config(str(CONFIG), options.cfg_options)
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = options.data
    cfg.model_name = CONFIG.stem  # in the report
    cfg.dump(folder / 'config.py')
    log, epochs = folder / 'output.log', cfg.train_cfg.max_epochs
    weights = folder / f'training/epoch_{epochs}.pth'
    with Progress(f'[2/4] training, {epochs} epochs', log, epochs) as progress:
        if not weights.exists():
            train_model(folder, progress)
    shutil.copyfile(weights, folder / 'checkpoint.pth')
    with (
        Progress('[3/4] attacking', log) as progress,
        contextlib.redirect_stdout(progress),
        contextlib.redirect_stderr(progress),
    ):
        benchmark = run_benchmark(
            folder / 'config.py',
            folder / 'checkpoint.pth',
            suites=['demo'],
            out=folder,
            num_workers=1,
        )
    with Progress('[4/4] report', log) as progress:
        steps = len(benchmark.runs[0].attacks) + 1
        done = itertools.count()
        benchmark.report(progress=lambda _: progress.move(next(done) / steps))
    seconds = time.perf_counter() - start
    print(f'{folder / "index.html"}: ready after {seconds:.0f} s')


def train_model(folder: Path, progress: Progress) -> None:
    """Train in ranks that are forked from this process, which has imported
    MMPose. They do not validate: the benchmark does."""
    from mmpose_occlusion.errors import DataError

    argv = [str(folder / 'config.py'), '--work-dir', str(folder / 'training')]
    argv += ['--resume', '--exact-resume', '--no-validate']
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
    source, sink = os.pipe()
    fork = get_context('fork').Process
    ranks = [
        fork(target=as_rank, args=(i, port, argv, sink)) for i in range(RANKS)
    ]
    for rank in ranks:
        rank.start()
    os.close(sink)
    error = 'its output tells why'
    with open(source, encoding='utf-8', errors='replace') as output:
        for line in output:
            progress.write(line)
            if line.startswith('error: '):
                error = line.removeprefix('error: ').strip()
    for rank in ranks:
        rank.join()
    if any(rank.exitcode for rank in ranks):
        raise DataError(
            f'the training failed: {error}: see {folder / "output.log"}'
        )


def as_rank(rank: int, port: int, argv: list[str], sink: int) -> None:
    """Train as one rank of a process group, its output going to a pipe."""
    import torch
    import train

    for descriptor in (1, 2):
        os.dup2(sink, descriptor)
    sys.stdout = sys.stderr = os.fdopen(sink, 'w', buffering=1)
    os.environ.update(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        WORLD_SIZE=str(RANKS),
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        OMP_NUM_THREADS='1',
    )
    torch.set_num_threads(1)
    sys.exit(train.main([*argv, '--launcher', 'pytorch']))


if __name__ == '__main__':
    os.environ['CUDA_VISIBLE_DEVICES'] = ''  # it is made for two CPU cores
    sys.exit(main())
