"""Commands of a checkout: finds the package, and what commands share."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for _path in (ROOT / 'projects/synthetic_people', ROOT):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

from mmpose_occlusion.cli.arguments import *  # noqa: E402, F403
from mmpose_occlusion.cli.arguments import Count, Folder, option  # noqa: E402


def fraction(text: str) -> float:
    """A type of arguments: numbers from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(
            f'"{text}" is not a number from 0 to 1'
        )
    return value


@dataclass(frozen=True)
class DrawOptions:
    """Drawn images."""

    work_dir: Folder | None = option(
        'folder of logs and results (default: work_dirs/CONFIG)'
    )
    show_dir: Folder | None = option(
        'draw samples with their prediction and ground truth into this folder'
    )
    show: bool = option('the same in a window')
    interval: Count = option('draw every N-th sample', default=1)
    wait_time: float = option('seconds that a window stays open', default=1)
