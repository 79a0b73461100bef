"""Draw a data set of synthetic people in the layout of COCO."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools'))

import _cli
from _cli import option


@dataclass(frozen=True)
class MakeOptions:
    """Which set."""

    out: str = option(
        'folder of the data set',
        default='data/synthetic_people',
        metavar='DIR',
    )
    train: int = option('number of training images', default=1500)
    val: int = option('number of validation images', default=200)
    seed: int = option('seed of all random numbers', default=0)
    workers: int = option('number of processes; 0: this one', default=2)


@_cli.command(MakeOptions, 'make.py')
def main(options: MakeOptions) -> None:
    """Draw a data set of synthetic people in the layout of COCO.

        python projects/synthetic_people/make.py

    draws 1,500 training and 200 validation images with 17-joint annotations.
    Equal settings give equal bytes, on any number of processes. A folder that
    already holds the set is left as it is; an interrupted run is resumed by
    the same command.
    """
    from synthetic_people import generate

    settings = dict(vars(options), progress=True)
    print(generate(settings.pop('out'), **settings))


if __name__ == '__main__':
    sys.exit(main())
