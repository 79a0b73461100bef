"""Draw people, train a small model, hide their joints, see what it costs."""

import contextlib
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import _cli
from _cli import option

CONFIG = (
    _cli.ROOT / 'configs/synthetic_people/'
    'td-hm_res18d-w16_2xb16-24e_synthetic-128x96.py'
)


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


class Phase(io.TextIOBase):
    """A progress bar in place of the output of libraries.

    A stream that appends lines to a file; lines that say how far the work is
    move the bar. As a context it takes the process's output, too.
    """

    epochs = 0

    def __init__(self, title: str, log: Path, redirect: bool = True) -> None:
        self._log = log.open('a', encoding='utf-8', buffering=1)
        self._terminal = sys.stdout
        self._start = self._shown = time.monotonic()
        self._first: float | None = None
        self._redirect = redirect
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
        if kind is None:
            self._show(1, f', {time.monotonic() - self._start:.0f} s')
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
        part, end = min(part, 0.99), ''
        if (made := part - (self._first or 0.0)) > 0:
            left = (time.monotonic() - self._start) * (1 - part) / made
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
    from mmpose_occlusion.engine.config import SPLITS, load_config, walk_split

    start = time.perf_counter()
    folder = Path(options.work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    print(f'[1/4] drawing people: {options.data}', flush=True)
    sizes = dict(train=options.train, val=options.val)
    generate(options.data, **sizes, workers=options.workers, progress=True)
    cfg = load_config(str(CONFIG), options.cfg_options)
    for split in SPLITS:
        for _, dataset in walk_split(cfg, split):
            if 'data_root' in dataset:
                dataset['data_root'] = options.data
    cfg.model_name = CONFIG.stem  # in the report
    cfg.dump(folder / 'config.py')
    log = folder / 'output.log'
    epochs = cfg.train_cfg.max_epochs
    with Phase(f'[2/4] training, {epochs} epochs', log) as phase:
        phase.epochs = epochs
        train(folder, 2 * cfg.train_dataloader.batch_size, phase)
    with Phase('[3/4] attacking', log):
        benchmark = run_benchmark(
            folder / 'config.py',
            folder / 'checkpoint.pth',
            suites=['demo'],
            out=folder,
            num_workers=1,
        )
    with Phase('[4/4] report', log, redirect=False) as phase:
        steps = len(benchmark.runs[0].attacks) + 1
        done = itertools.count()
        benchmark.report(progress=lambda _: phase.move(next(done) / steps))
    seconds = time.perf_counter() - start
    print(f'{folder / "index.html"}: ready after {seconds:.0f} s')


def train(folder: Path, batch_size: int, phase: Phase) -> None:
    """In one process on a GPU, else in two of one thread each: its
    convolutions are too small for two threads to share."""
    from mmengine.device import get_device

    from mmpose_occlusion.errors import DataError

    tools, config = _cli.ROOT / 'tools', folder / 'config.py'
    options = ['--work-dir', folder / 'training', '--resume', '--exact-resume']
    environment = dict(os.environ, PYTHON=sys.executable)
    if get_device() != 'cpu':
        batch = f'train_dataloader.batch_size={batch_size}'
        options += ['--cfg-options', batch]
        command = [sys.executable, tools / 'train.py', config, *options]
    else:
        command = ['bash', tools / 'dist_train.sh', config, '2', *options]
        environment['OMP_NUM_THREADS'] = '1'
    error = 'its output tells why'
    with subprocess.Popen(
        [str(word) for word in command],
        env=environment,
        text=True,
        errors='replace',
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout:
            phase.write(line)
            if line.startswith('error: '):
                error = line.removeprefix('error: ').strip()
    if process.returncode:
        raise DataError(
            f'the training failed: {error}: see {folder / "output.log"}'
        )
    last = (folder / 'training/last_checkpoint').read_text().strip()
    shutil.copyfile(last, folder / 'checkpoint.pth')


if __name__ == '__main__':
    sys.exit(main())
