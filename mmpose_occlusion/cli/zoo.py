"""Benchmark a list of models, and write one report over all.

    occlusion-zoo --annotations person_keypoints_val2017.json \\
        --images val2017 --out DIR
    occlusion-zoo --zoo my_zoo.yml --only rtmo-s ... --out DIR

The list, by default zoo.yml of this package (MMPose's released COCO
checkpoints, which are downloaded), has for each model the arguments of
occlusion-benchmark,
"model" and "checkpoint" if it has one, and a "name". Predictions are kept in
DIR/NAME: the same command resumes an interrupted run. A model that fails costs
one sentence, and the next one follows.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmpose_occlusion.errors import UsageError, printable

from . import arguments
from .run import explain, run

ZOO = Path(__file__).with_name('zoo.yml')


@dataclass(frozen=True)
class ZooOptions:
    """The command's options, see its help."""

    zoo: str
    only: list[str]
    annotations: str
    images: str
    detections: str | None
    suites: list[str]
    attacks: list[str]
    max_images: int | None
    num_workers: int | None
    out: str


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-zoo')
    for option, metavar, help_ in (
        ('annotations', 'FILE', 'COCO-style file of people with keypoints'),
        ('images', 'DIR', 'folder that the file names in it are below'),
        ('out', 'DIR', 'folder of the models and of the report'),
    ):
        parser.add_argument(
            f'--{option}', required=True, metavar=metavar, help=help_
        )
    parser.add_argument(
        '--detections',
        metavar='FILE',
        help="a detector's COCO results, whose bboxes top-down models get in "
        'place of the annotated ones',
    )
    parser.add_argument(
        '--zoo',
        default=str(ZOO),
        metavar='FILE',
        help='list of models (default: the released ones of MMPose)',
    )
    for option, dest, metavar, help_ in (
        ('only', 'only', 'NAME', 'this model'),
        ('suite', 'suites', 'NAME', 'suite (default: occlusion-1.0)'),
        ('attack', 'attacks', 'SPEC', 'attack, in place of the suite'),
    ):
        parser.add_argument(
            f'--{option}',
            dest=dest,
            action='append',
            default=[],
            metavar=metavar,
            help=f'{help_}; several, each with its own --{option}',
        )
    arguments.add_max_images(parser)
    parser.add_argument(
        '--workers',
        dest='num_workers',
        type=arguments.whole_number(0),
        metavar='N',
        help="processes that make crops (default: the config's)",
    )
    return parser.parse_args(argv)


def read_zoo(path: str, only: list[str]) -> list[dict[str, str]]:
    """The models of a list.

    Raises:
        UsageError: It cannot be read, or lacks a name of ``only``.
    """
    from mmpose_occlusion.predictors.protocol import library

    yaml = library('yaml', 'occlusion-zoo', 'PyYAML')

    if not Path(path).is_file():
        raise UsageError(
            f'list of models "{path}" does not exist: give a file with --zoo'
        )
    try:
        found = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
        names = [entry['name'] for entry in found if entry['model']]
        odd = {key for entry in found for key in entry} - {
            *('name', 'model', 'checkpoint')
        }
        if odd or not names or len(set(names)) < len(names):
            raise ValueError(odd)
    except (
        *(KeyError, RecursionError, TypeError, ValueError),
        yaml.YAMLError,
    ) as error:
        raise UsageError(
            f'"{path}" is not a list of models, each with "model", a "name" '
            'of its own and, for a config, "checkpoint"'
        ) from error
    for name in only:
        if name not in names:
            raise UsageError(
                f'"{path}" has no model "{name}": it has {", ".join(names)}'
            )
    return [entry for entry in found if not only or entry['name'] in only]


def zoo(options: ZooOptions) -> None:
    """Run the models, then report.

    Raises:
        UsageError: A model failed; the others are in the report.
    """
    from mmpose_occlusion.benchmark.api import Benchmark
    from mmpose_occlusion.benchmark.report import show_steps

    models = read_zoo(options.zoo, options.only)
    runs, failed = [], []
    for number, entry in enumerate(models, 1):
        print(f'{entry["name"]} ({number} of {len(models)})', flush=True)
        try:
            runs.append(_run(entry, options))
        except Exception as error:
            failed.append(entry['name'])
            sentence = printable(f'{entry["name"]}: {explain(error)[1]}')
            print(sentence, file=sys.stderr, flush=True)
    if runs:
        steps = sum(len(run.attacks) for run in runs)
        found = Benchmark(Path(options.out), runs, trusted=True)
        print(f'Wrote {found.report(progress=show_steps(steps))}')
    if failed:
        raise UsageError(
            f'{len(failed)} of {len(models)} models failed, see above: '
            f'{", ".join(failed)}; the same command tries them again'
        )


def _run(entry: dict[str, str], options: ZooOptions) -> Any:
    """Benchmark one model."""
    from mmpose_occlusion.benchmark.api import is_config, run_benchmark
    from mmpose_occlusion.predictors import load_predictor

    annotations = str(Path(options.annotations).resolve())
    images = str(Path(options.images).resolve())
    boxes = options.detections and str(Path(options.detections).resolve())
    model: Any = entry['model']
    checkpoint = entry.get('checkpoint')
    others: dict[str, Any] = {}
    if is_config(model, checkpoint):
        data: dict[str, Any] = dict(
            data_root='',
            ann_file=annotations,
            data_prefix=dict(img=images),
            bbox_file=boxes,
        )
        others = dict(
            num_workers=options.num_workers,
            gt_boxes=not boxes,
            cfg_options={'test_evaluator.ann_file': annotations},
        )
    else:
        model = load_predictor(model)
        data = dict(annotations=annotations, images=images)
        if boxes and model.needs_boxes:
            data['detections'] = boxes
    found = run_benchmark(
        model,
        checkpoint,
        out=Path(options.out) / entry['name'],
        data=data,
        suites=options.suites,
        attacks=options.attacks,
        max_images=options.max_images,
        **others,
    )
    assert found is not None
    return replace(found.runs[0], model=entry['name'])


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = arguments.options_of(ZooOptions, parse_args(argv))
    return run(zoo, options, mmpose=None)


if __name__ == '__main__':
    sys.exit(main())
