"""Attack images for any program, and read its predictions.

    occlusion-export ANNOTATIONS IMAGES --suite occlusion-1.0 --out DIR
    occlusion-import DIR RESULTS... --out REPORT --name my-model

occlusion-export writes PNG files and manifest.json, which lists them with
their ids, attacks and boxes. Any program predicts them and writes one COCO
results file (image_id, keypoints, score) for each attack, named after the
attack's folder. occlusion-import checks that nothing is missing, and writes
the report.
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial

from . import arguments
from .run import run


@dataclass(frozen=True)
class ExportOptions:
    """The options of occlusion-export, see its help."""

    annotations: str
    images: str
    suites: list[str]
    attacks: list[str]
    out: str
    people: str
    names: str | None
    seed: int
    max_images: int | None
    tar: bool


@dataclass(frozen=True)
class ImportOptions:
    """The options of occlusion-import, see its help."""

    folder: str
    results: list[str]
    out: str
    name: str


def parse_export(argv: list[str] | None = None) -> argparse.Namespace:
    """The arguments of occlusion-export."""
    parser = arguments.parser_of(__doc__, 'occlusion-export')
    parser.add_argument(
        'annotations', help='COCO-style file of people with keypoints'
    )
    parser.add_argument(
        'images', help='folder that the file names in it are below'
    )
    parser.add_argument(
        '--suite',
        dest='suites',
        action='append',
        default=[],
        metavar='NAME',
        help='a list of attacks: its name, or a .json file',
    )
    parser.add_argument(
        '--attack',
        dest='attacks',
        action='append',
        default=[],
        metavar='SPEC',
        help='a further attack, for example keypoint:nose:black:10%%',
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the images'
    )
    parser.add_argument(
        '--people',
        choices=['one', 'all'],
        default='one',
        help='one attacked person an image, whose box is given (the default), '
        'or all at once, for models that find people by themselves',
    )
    parser.add_argument(
        '--names',
        metavar='NAME',
        help='joints of the predictions: coco, mpii, blazepose, ... (default: '
        'those of the annotations)',
    )
    arguments.add_seed(parser)
    arguments.add_max_images(parser)
    parser.add_argument(
        '--tar',
        action='store_true',
        help='write the images into DIR/images.tar instead of PNG files',
    )
    return parser.parse_args(argv)


def parse_import(argv: list[str] | None = None) -> argparse.Namespace:
    """The arguments of occlusion-import."""
    parser = arguments.parser_of(__doc__, 'occlusion-import')
    parser.add_argument(
        'folder', metavar='DIR', help='folder of occlusion-export'
    )
    parser.add_argument(
        'results', nargs='+', help='results files, or folders of them'
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the report'
    )
    parser.add_argument(
        '--name',
        default='imported',
        help="the model's (default: %(default)s)",
    )
    return parser.parse_args(argv)


def _export(options: ExportOptions) -> None:
    from rich.progress import track

    from mmpose_occlusion.benchmark.file_exchange import export_images

    values = dict(vars(options))
    path = export_images(
        folder=values.pop('out'),
        progress=partial(track, description='exporting'),
        **values,
    )
    print(f'Wrote {path}')


def _import(options: ImportOptions) -> None:
    from mmpose_occlusion.benchmark.api import load_benchmark
    from mmpose_occlusion.benchmark.file_exchange import import_results
    from mmpose_occlusion.benchmark.report import show_steps

    made = import_results(**vars(options))
    path = load_benchmark(options.out).report(
        progress=show_steps(len(made.attacks))
    )
    print(f'Wrote {path}, report.json, table.md and CSV files')


def main_export(argv: list[str] | None = None) -> int:
    """Run occlusion-export; returns the exit status."""
    options = arguments.options_of(ExportOptions, parse_export(argv))
    return run(_export, options, mmpose=False)


def main_import(argv: list[str] | None = None) -> int:
    """Run occlusion-import; returns the exit status."""
    options = arguments.options_of(ImportOptions, parse_import(argv))
    return run(_import, options, mmpose=False)


if __name__ == '__main__':
    sys.exit(main_export())
