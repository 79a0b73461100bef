"""How long starting takes, step by step, with MMPose alone and with this.

    python tools/benchmarks/startup.py
    python tools/benchmarks/startup.py --modules

Each step includes those above it, and is taken in a fresh interpreter; the
least seconds of processor time and the median on the wall of several rounds,
in which all take turns. ``--modules`` says instead which packages importing
mmpose_occlusion and building a training pipeline load, in seconds of their
own modules (from ``python -X importtime``).
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
os.environ['NO_ALBUMENTATIONS_UPDATE'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli

ROOT = Path(__file__).resolve().parents[2]
NAME = 'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_'
BASE = f'mmpose::{NAME}8xb64-210e_coco-256x192.py'
OURS = str(
    ROOT / 'configs' / f'{NAME}keypoint-blur-8xb64-210e_coco-256x192.py'
)

CONFIG = """
from mmengine.hub import get_config
from mmengine.config import Config
name = {!r}
cfg = get_config(name) if '::' in name else Config.fromfile(name)
"""
PIPELINE = """
from mmengine.registry import init_default_scope
from mmpose.registry import TRANSFORMS
init_default_scope('mmpose')
for step in cfg.train_dataloader.dataset.pipeline:
    TRANSFORMS.build(step)
"""
MODEL = """
from mmpose.registry import HOOKS, LOOPS, METRICS, MODELS, VISUALIZERS
cfg.model.backbone.init_cfg = None
MODELS.build(cfg.model)
for registry in (HOOKS, LOOPS, METRICS, VISUALIZERS):
    registry.import_from_location()
"""

STEPS: dict[str, str | list[str]] = {
    'the interpreter': 'pass',
    'tools/test.py --help': [str(ROOT / 'tools' / 'test.py'), '--help'],
    'import torch': 'import torch',
    'import mmpose': 'import mmpose',
    "config of MMPose's": CONFIG.format(BASE),
    'config of ours': CONFIG.format(OURS),
    "MMPose's, training pipeline": CONFIG.format(BASE) + PIPELINE,
    'ours, training pipeline': CONFIG.format(OURS) + PIPELINE,
    "MMPose's, all of a training": CONFIG.format(BASE) + PIPELINE + MODEL,
    'ours, all of a training': CONFIG.format(OURS) + PIPELINE + MODEL,
}
"""Name -> Python, or arguments of the interpreter."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to print, and from how much."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument(
        '--rounds', type=int, default=3, help='default: %(default)s'
    )
    parser.add_argument(
        '--steps',
        nargs='+',
        choices=list(STEPS),
        default=list(STEPS),
        metavar='STEP',
        help='default: all of ' + '; '.join(STEPS),
    )
    parser.add_argument(
        '--modules', action='store_true', help='what is imported, instead'
    )
    return parser.parse_args(argv)


def _command(step: str | list[str], *options: str) -> list[str]:
    start = [sys.executable, '-W', 'ignore', *options]
    return start + (['-c', step] if isinstance(step, str) else step)


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.getenv('PYTHONPATH')]))
    return dict(os.environ, PYTHONPATH=path)


def take(step: str | list[str]) -> tuple[float, float]:
    """Seconds on the wall and of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        _command(step),
        check=True,
        env=_environment(),
        stdout=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, used


def print_steps(names: list[str], rounds: int) -> None:
    """The table of steps."""
    found = defaultdict(list)
    for _ in range(rounds):
        for name in names:
            found[name].append(take(STEPS[name]))
    print('| until then | wall s | of processor time |\n|---|--:|--:|')
    for name, taken in found.items():
        walls, used = zip(*taken, strict=True)
        print(f'| {name} | {statistics.median(walls):.2f} | {min(used):.2f} |')


def import_times(text: str) -> dict[str, float]:
    """Seconds that the modules of each package take themselves.

    Args:
        text: What ``python -X importtime`` wrote.
    """
    packages: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        match = re.match(r'import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)', line)
        if match:
            packages[match[2].split('.')[0]] += int(match[1]) / 1e6
    return dict(packages)


def print_modules() -> None:
    """The table of packages."""
    found: dict[str, Mapping[str, float]] = {}
    for name, code in (
        ('import', 'import mmpose_occlusion'),
        ("config of MMPose's", CONFIG.format(BASE)),
        ('config of ours', CONFIG.format(OURS)),
        ("pipeline of MMPose's", CONFIG.format(BASE) + PIPELINE),
        ('pipeline of ours', CONFIG.format(OURS) + PIPELINE),
    ):
        done = subprocess.run(
            _command(code, '-X', 'importtime'),
            check=True,
            capture_output=True,
            text=True,
            env=_environment(),
        )
        found[name] = import_times(done.stderr)
    last = found['pipeline of ours']
    print('| package | ' + ' | '.join(found) + ' |')
    print('|---|' + '--:|' * len(found))
    for package in sorted(last, key=last.__getitem__, reverse=True)[:24]:
        cells = [
            f'{times[package]:.2f}' if package in times else ''
            for times in found.values()
        ]
        print(f'| {package} | ' + ' | '.join(cells) + ' |')


def main(args: argparse.Namespace) -> None:
    """Print a table."""
    if args.modules:
        print_modules()
    else:
        print_steps(args.steps, args.rounds)


if __name__ == '__main__':
    main(parse_args())
