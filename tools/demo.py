"""Draw people, train a small model, hide their joints, see what it costs.

    make demo

is this tool. It leaves in --work-dir:

    index.html           everything on one page
    table.md, table.csv  AP, ΔAP and PCK@0.2 of the hidden joints
    results.json         the same with all metrics
    *.png                the pictures of the page
    config.py            for the other tools, for example
    checkpoint.pth       python tools/test.py work_dirs/demo/config.py \\
                             work_dirs/demo/checkpoint.pth \\
                             --attack keypoint:nose:black

What an earlier run has finished is kept: the people, and every epoch of the
training.
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
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
    """The four steps, each with its time."""
    from mmpose_occlusion.benchmark.run import sweep_checkpoint
    from mmpose_occlusion.engine.config import load_config

    start = time.perf_counter()
    folder = Path(args.work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    _step(1, 'synthetic people', start)
    _draw_people(args)
    cfg = load_config(str(CONFIG), args.cfg_options)
    _point_to(cfg, args.data)
    cfg.dump(folder / 'config.py')
    _step(2, 'training', start)
    _train(folder, 2 * cfg.train_dataloader.batch_size)
    _step(3, 'attacks', start)
    crops, sweep = sweep_checkpoint(cfg, str(folder / 'checkpoint.pth'))
    _step(4, 'pictures and tables', start)
    _report(crops, sweep, folder, time.perf_counter() - start)


def _step(number: int, what: str, start: float) -> None:
    elapsed = time.perf_counter() - start
    print(f'\n[{number}/4] {what} ({elapsed:.0f} s so far)', flush=True)


def _draw_people(args: argparse.Namespace) -> None:
    from mmpose_occlusion.datasets.synthetic_people import generate
    from mmpose_occlusion.engine.errors import UsageError

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
    arguments.append('--resume')
    if get_device() != 'cpu':
        batch = f'train_dataloader.batch_size={batch_size}'
        arguments += ['--cfg-options', batch]
        train.train(train.parse_args(arguments))
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


def _report(crops, sweep, folder: Path, seconds: float) -> None:
    import mmcv

    from mmpose_occlusion.benchmark import examples
    from mmpose_occlusion.benchmark.plots import plot_cost
    from mmpose_occlusion.benchmark.table import (
        main_metric,
        print_table,
        rows,
        write_table,
    )
    from mmpose_occlusion.visualization import Style, sheet

    style = Style.from_metainfo(crops.crops.metainfo)
    table = rows(sweep)
    links = [(style.names[a], style.names[b]) for a, b in style.links]
    cost = folder / 'cost.png'
    plot_cost(table, links, main_metric(sweep), cost)
    pictures = [('What each hidden joint and part costs', cost)]
    harmed = examples.harm(sweep)
    for name, quantile, heading in (
        ('typical', 0.5, 'Typical cases'),
        ('worst', 1.0, 'The worst cases'),
    ):
        cases = examples.pick(harmed, 12, quantile)
        if cases:
            views = list(examples.views(crops, sweep, cases))
            picture = sheet(views, style, heading)
            path = folder / f'{name}.png'
            mmcv.imwrite(picture[..., ::-1], str(path))
            pictures.append((heading, path))
    write_table(table, sweep, folder)
    print_table(table, pictures[0][0])
    _write_page(table, pictures, len(sweep.sizes), folder)
    print(f'{folder / "index.html"}: ready after {seconds:.0f} s')


def _write_page(table, pictures, people: int, folder: Path) -> None:
    from mmpose_occlusion.benchmark.page import page

    files = f'{folder / "config.py"} {folder / "checkpoint.pth"}'
    commands = f"""\
# one attack, with a picture of every crop
python tools/test.py {files} \\
    --attack keypoint:left_wrist:black --show-dir pictures
# what occlusions look like
python tools/browse_occlusions.py {folder / 'config.py'} \\
    --attack part:random:blur --out gallery"""
    text = page(
        'Hide a joint, see what it costs',
        [
            f'A small network, trained on synthetic people and tested on '
            f'{people} others: clean, and with one joint or body part of '
            'each hidden.'
        ],
        pictures,
        table,
        commands,
    )
    (folder / 'index.html').write_text(text, encoding='utf-8')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(demo, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
