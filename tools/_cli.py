"""Commands of a checkout: finds the package, and what commands share."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for _path in (ROOT / 'projects/synthetic_people', ROOT):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

from mmpose_occlusion.cli.arguments import *  # noqa: E402, F403
from mmpose_occlusion.cli.run import run  # noqa: E402, F401


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


def add_drawing(parser: argparse.ArgumentParser, what: str, each: str) -> None:
    """The arguments of drawn images.

    Args:
        parser: Modified.
        what: Help of ``--show-dir``.
        each: What is drawn, in the singular: sample or crop.
    """
    parser.add_argument('--show-dir', metavar='DIR', help=what)
    parser.add_argument(
        '--show', action='store_true', help='the same in a window'
    )
    parser.add_argument(
        '--interval',
        type=int,
        default=1,
        metavar='N',
        help=f'draw every N-th {each}',
    )
    parser.add_argument(
        '--wait-time',
        type=float,
        default=1,
        metavar='S',
        help='seconds that a window stays open',
    )


def add_options(
    parser: argparse.ArgumentParser, *rows: tuple[str, str, str]
) -> None:
    """Options of a name, a metavar ('' for a flag) and a help."""
    for name, metavar, text in rows:
        if metavar:
            parser.add_argument(name, metavar=metavar, help=text)
        else:
            parser.add_argument(name, action='store_true', help=text)
