"""Run one of the reference's experiments, from data check to table.

    python projects/tilting_at_windmills/run.py coco/resnet/cutmix_05
    python projects/tilting_at_windmills/run.py --list

checks the data, trains (or resumes, or takes --checkpoint), tests clean and
with every joint and part hidden, and writes the table below --work-dir.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tools'), str(Path(__file__).parent)]

import _cli  # noqa: E402
from experiments import EXPERIMENTS, find  # noqa: E402


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument('experiment', nargs='?', help="the reference's name")
    parser.add_argument(
        '--list', action='store_true', help='list the experiments'
    )
    parser.add_argument(
        '--checkpoint', metavar='FILE', help='test this one, do not train'
    )
    parser.add_argument('--work-dir', metavar='DIR')
    parser.add_argument(
        '--processes',
        type=int,
        default=1,
        metavar='N',
        help='train in N processes, one for each GPU (default: 1)',
    )
    _cli.add_cfg_options(parser)
    args = parser.parse_args(argv)
    if not args.list and not args.experiment:
        parser.error('name an experiment, or --list them')
    return args


def experiment(args: argparse.Namespace) -> None:
    """Check, train, test, attack, write the table."""
    from mmpose_occlusion.engine.errors import UsageError

    if args.list:
        for each in EXPERIMENTS:
            print(f'{each.reference:48} {each.config}')
        return
    try:
        chosen = find(args.experiment)
    except ValueError as error:
        raise UsageError(str(error)) from error
    config = ROOT / chosen.config
    folder = Path(args.work_dir or f'work_dirs/{config.stem}')
    cfg = _load(config, args.cfg_options)
    checkpoint = args.checkpoint or _train(cfg, folder, args.processes)
    _attack(cfg, checkpoint, folder / 'attacks')


def _load(config: Path, options: dict):
    from mmpose_occlusion.engine import checks
    from mmpose_occlusion.engine.attack import use_gt_boxes
    from mmpose_occlusion.engine.config import load_config

    cfg = load_config(str(config), options)
    use_gt_boxes(cfg)
    for split in ('train', 'val', 'test'):
        checks.check_data_files(cfg, split)
    return cfg


def _train(cfg, folder: Path, processes: int) -> str:
    """Train, or go on where an earlier run stopped; the last checkpoint."""
    from mmpose_occlusion.engine.errors import UsageError

    folder.mkdir(parents=True, exist_ok=True)
    config = folder / 'experiment.py'
    cfg.dump(config)
    script = str(ROOT / 'tools/dist_train.sh')
    command = ['bash', script, str(config), str(processes)]
    command += ['--work-dir', str(folder), '--resume', '--exact-resume']
    if subprocess.run(command, check=False).returncode:
        raise UsageError(
            f'the training stopped; run the same command again to go on '
            f'from the last checkpoint in {folder}'
        )
    return (folder / 'last_checkpoint').read_text().strip()


def _attack(cfg, checkpoint: str, folder: Path) -> None:
    from mmpose_occlusion.benchmark.run import sweep_checkpoint
    from mmpose_occlusion.benchmark.table import (
        print_table,
        rows,
        write_table,
    )

    _, sweep = sweep_checkpoint(cfg, checkpoint)
    table = rows(sweep)
    write_table(table, sweep, folder)
    print_table(table, f'{folder / "table.md"}')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(experiment, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
