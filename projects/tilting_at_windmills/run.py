"""Run one of the reference's experiments, from data check to table.

    python projects/tilting_at_windmills/run.py coco/resnet/cutmix_05
    python projects/tilting_at_windmills/run.py --list

links data in the reference's layout below data/ to MMPose's names, checks the
data, trains (or resumes, or takes --checkpoint), tests clean and with every
joint and part hidden, and writes the table below --work-dir.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tools'), str(Path(__file__).parent)]

import _cli  # noqa: E402
from experiments import EXPERIMENTS  # noqa: E402


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
    _cli.add_fields(parser, _cli.CfgOptions)
    args = parser.parse_args(argv)
    if not args.list and not args.experiment:
        parser.error('name an experiment, or --list them')
    return args


def experiment(args: argparse.Namespace) -> None:
    """Check, train, test, attack, write the table."""
    from data_layout import link

    from mmpose_occlusion.engine.config import SPLITS, load_config
    from mmpose_occlusion.engine.data_files import check_data_files
    from mmpose_occlusion.engine.insertion import use_gt_boxes
    from mmpose_occlusion.errors import UsageError

    configs = {e.reference: ROOT / e.config for e in EXPERIMENTS}
    if args.list:
        for name, config in configs.items():
            print(f'{name:48} {config.relative_to(ROOT)}')
        return
    if args.experiment not in configs:
        raise UsageError(
            f'there is no experiment "{args.experiment}"; they are '
            f'{", ".join(configs)}'
        )
    if Path('data').is_dir():
        for target, source in link('data', 'data').items():
            print(f'linked {target} -> {source}')
    config = configs[args.experiment]
    folder = Path(args.work_dir or f'work_dirs/{config.stem}')
    folder.mkdir(parents=True, exist_ok=True)
    cfg = load_config(str(config), args.cfg_options)
    use_gt_boxes(cfg)
    for split in SPLITS:
        check_data_files(cfg, split)
    cfg.model_name = args.experiment  # in the report
    cfg.dump(folder / 'experiment.py')
    started = [folder / 'experiment.py', args.processes]
    if not args.checkpoint:
        resume = ['--resume', '--exact-resume']
        _run('dist_train.sh', *started, '--work-dir', folder, *resume)
        args.checkpoint = (folder / 'last_checkpoint').read_text().strip()
    started.insert(1, args.checkpoint)
    suite = ['--suite', 'paper', '--out', folder / 'attacks']
    _run('dist_benchmark.sh', *started, *suite)


def _run(script: str, *arguments: object) -> None:
    """Run a script of the tools.

    Raises:
        UsageError: It failed; it has printed the reason.
    """
    from mmpose_occlusion.errors import UsageError

    command = ['bash', str(ROOT / 'tools' / script), *map(str, arguments)]
    environment = os.environ | dict(PYTHON=sys.executable)
    if subprocess.run(command, env=environment).returncode:
        raise UsageError(
            f'tools/{script} stopped: run the same command again to resume'
        )


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(experiment, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
