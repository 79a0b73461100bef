"""Run one of the reference's experiments, from data check to table."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tools'), str(Path(__file__).parent)]

import _cli  # noqa: E402
from _cli import Count, option, position  # noqa: E402


def experiments() -> dict[str, Path]:
    """The reference's name of each experiment -> the config that says it."""
    found = {}
    for path in sorted((ROOT / 'configs/body_2d_keypoint').rglob('*.py')):
        name = re.search(
            r'The reference calls it (\S+)\.$', path.read_text(), re.M
        )
        if name:
            found[name[1]] = path
    return found


@dataclass(frozen=True)
class RunOptions(_cli.CfgOptions):
    """Which experiment."""

    experiment: str | None = position(
        "the reference's name", 'EXPERIMENT', nargs='?'
    )
    list: bool = option('list the experiments')
    checkpoint: str | None = option(
        'test this one, do not train', metavar='FILE'
    )
    work_dir: str | None = option('folder of the results', metavar='DIR')
    processes: Count = option(
        'train in N processes, one for each GPU', default=1
    )


@_cli.command(RunOptions, 'run.py', True)
def main(options: RunOptions) -> None:
    """Run one of the reference's experiments, from data check to table.

        python projects/tilting_at_windmills/run.py coco/resnet/cutmix_05
        python projects/tilting_at_windmills/run.py --list

    links data in the reference's layout below data/ to MMPose's names, checks
    the data, trains (or resumes, or takes --checkpoint), tests clean and with
    every joint and part hidden, and writes the table below --work-dir.
    """
    from prepare_data import link

    from mmpose_occlusion.engine.config import SPLITS, load_config
    from mmpose_occlusion.engine.data_files import check_data_files
    from mmpose_occlusion.engine.insertion import use_gt_boxes
    from mmpose_occlusion.errors import UsageError

    configs = experiments()
    if options.list:
        for name, config in configs.items():
            print(f'{name:48} {config.relative_to(ROOT)}')
        return
    if options.experiment not in configs:
        raise UsageError(
            f'there is no experiment "{options.experiment}"; they are '
            f'{", ".join(configs)}'
        )
    if Path('data').is_dir():
        for target, source in link('data', 'data').items():
            print(f'linked {target} -> {source}')
    config = configs[options.experiment]
    folder = Path(options.work_dir or f'work_dirs/{config.stem}')
    folder.mkdir(parents=True, exist_ok=True)
    cfg = load_config(str(config), options.cfg_options)
    use_gt_boxes(cfg)
    for split in SPLITS:
        check_data_files(cfg, split)
    cfg.model_name = options.experiment  # in the report
    cfg.dump(folder / 'experiment.py')
    started, count = folder / 'experiment.py', options.processes
    last = folder / f'epoch_{cfg.train_cfg.max_epochs}.pth'
    checkpoint = options.checkpoint or last
    if not options.checkpoint and not last.exists():
        resume = ['--work-dir', folder, '--resume', '--exact-resume']
        launch('train', started, count, *resume)
    suite = ['--suite', 'paper', '--out', folder / 'attacks']
    launch('benchmark', started, checkpoint, count, *suite)


def launch(name: str, *arguments: object) -> None:
    """Run one of the tools in several processes; it prints its errors."""
    from mmpose_occlusion.errors import UsageError

    script = f'tools/dist_{name}.sh'
    command = ['bash', str(ROOT / script), *map(str, arguments)]
    environment = os.environ | dict(PYTHON=sys.executable)
    if subprocess.run(command, env=environment).returncode:
        raise UsageError(
            f'{script} stopped: run the same command again to resume'
        )


if __name__ == '__main__':
    sys.exit(main())
