"""Draw people, train a small model, hide their joints, see what it costs.

    make demo

is this tool. It leaves in --work-dir:

    index.html           everything on one page
    table.md             AP, ΔAP and PCK@0.2 of the hidden joints
    report.json, *.csv   all numbers
    config.py            for the other tools, for example
    checkpoint.pth       python tools/test.py work_dirs/demo/config.py \\
                             work_dirs/demo/checkpoint.pth \\
                             --attack keypoint:nose:black

What an earlier run has finished is kept: the people, every epoch of the
training, and predictions.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import _cli
import train

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
    _cli.add_people(parser)
    parser.add_argument(
        '--workers',
        type=int,
        default=2,
        metavar='N',
        help='processes that draw people (default: %(default)s)',
    )
    _cli.add_cfg_options(parser)
    return parser.parse_args(argv)


def demo(args: argparse.Namespace) -> None:
    """The three steps, each with its time."""
    from mmpose_occlusion.engine.config import load_config

    start = time.perf_counter()
    folder = Path(args.work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    _step(1, 'synthetic people', start)
    _draw_people(args)
    cfg = load_config(str(CONFIG), args.cfg_options)
    _point_to(cfg, args.data)
    cfg.model_name = CONFIG.stem  # in the report
    cfg.dump(folder / 'config.py')
    _step(2, 'training', start)
    _train(folder, 2 * cfg.train_dataloader.batch_size)
    _step(3, 'attacks and report', start)
    _attack(folder)
    seconds = time.perf_counter() - start
    print(f'{folder / "index.html"}: ready after {seconds:.0f} s')


def _step(number: int, what: str, start: float) -> None:
    elapsed = time.perf_counter() - start
    print(f'\n[{number}/3] {what} ({elapsed:.0f} s so far)', flush=True)


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
    from mmpose_occlusion.engine.config import (
        SPLITS,
        dataloader,
        walk_datasets,
    )

    for split in SPLITS:
        loader = dataloader(cfg, split)
        for _, dataset in walk_datasets(loader['dataset']):
            if 'data_root' in dataset:
                dataset['data_root'] = data
        cfg[f'{split}_dataloader'] = loader


def _train(folder: Path, batch_size: int) -> None:
    """In one process on a GPU, else in two of one thread each: its
    convolutions are too small for two threads to share."""
    from mmengine.device import get_device

    runs = folder / 'training'
    arguments = [str(folder / 'config.py'), '--work-dir', str(runs)]
    arguments += ['--resume', '--exact-resume']
    if get_device() != 'cpu':
        batch = f'train_dataloader.batch_size={batch_size}'
        arguments += ['--cfg-options', batch]
        if status := train.main(arguments):
            sys.exit(status)
    else:
        script = [str(_cli.ROOT / 'tools/dist_train.sh'), arguments[0], '2']
        environment = dict(PYTHON=sys.executable, OMP_NUM_THREADS='1')
        done = subprocess.run(
            ['bash', *script, *arguments[1:]], env=os.environ | environment
        )
        if done.returncode:
            sys.exit(done.returncode)
    last = Path((runs / 'last_checkpoint').read_text().strip())
    shutil.copyfile(last, folder / 'checkpoint.pth')


def _attack(folder: Path) -> None:
    """In one process with one worker."""
    from mmpose_occlusion.benchmark.api import run_benchmark
    from mmpose_occlusion.benchmark.report import show_steps

    benchmark = run_benchmark(
        folder / 'config.py',
        folder / 'checkpoint.pth',
        suites=['demo'],
        out=folder,
        num_workers=1,
    )
    attacks = len(benchmark.runs[0].attacks)
    benchmark.report(progress=show_steps(attacks))


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(demo, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
