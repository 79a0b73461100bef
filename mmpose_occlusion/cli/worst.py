"""Where on each person does an occluder of a given size hurt most?

    occlusion-worst model.onnx --annotations FILE --images DIR \\
        --size 10% --fill black --candidates 64 --budget 20000 --out DIR
    occlusion-worst other.onnx --annotations FILE --images DIR \\
        --places DIR --out OTHER_DIR

One disc is tried at places of a grid on the person and at the person's
joints, and the worst place is refined. The loss is the fall of the person's
OKS. The result stands beside the mean of random places, hiding a joint, and
with --places the worst places of another model.

A model is model.onnx, model.tflite, torchvision:NAME, yolo:FILE,
mmpose:CONFIG,CHECKPOINT or my_module:function. Writes worst.html, worst.json
and worst.csv; an interrupted run is resumed.
"""

import argparse
import sys

from . import arguments
from .run import run


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-worst')
    parser.add_argument('model', help='see above')
    arguments.add_images(parser)
    parser.add_argument(
        '--size',
        default='10%',
        help="of the disc: its diameter by the height of the person's bbox "
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--fill', default='black', help='its paint (default: %(default)s)'
    )
    for name, default, least, help_ in (
        ('--candidates', 64, 1, 'places on a grid on each person at most'),
        (
            '--rounds',
            3,
            0,
            'refinements around the worst place, 8 places each',
        ),
        ('--draws', 1000, 0, 'bootstrap samples of the intervals'),
    ):
        parser.add_argument(
            name,
            type=arguments.whole_number(least),
            default=default,
            metavar='N',
            help=f'{help_} (default: %(default)s)',
        )
    parser.add_argument(
        '--budget',
        type=arguments.whole_number(1),
        metavar='N',
        help='forward passes of the whole search at most; the grid becomes '
        'coarser where they do not suffice',
    )
    parser.add_argument(
        '--places',
        metavar='DIR',
        help="another model's --out, whose worst places are tried, too",
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the results'
    )
    arguments.add_seed(parser, "the grids' offsets and of random paints")
    arguments.add_max_images(parser)
    arguments.add_stored_run(parser)
    arguments.add_skip_unreadable(parser)
    return parser.parse_args(argv)


def worst(args: argparse.Namespace) -> None:
    """Search, and write the results."""
    from mmpose_occlusion.benchmark.api import run_benchmark
    from mmpose_occlusion.benchmark.image_worst_case import (
        WorstCaseSearch,
        read_places,
    )
    from mmpose_occlusion.benchmark.report.write import (
        write_worst_case,
    )
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.occlusion.regions import DiscSize

    try:
        size = str(DiscSize.of(args.size))
    except ValueError as error:
        raise UsageError(f'--size: {error}') from error
    places = args.places and read_places(args.places, size, args.fill)
    names = ('annotations', 'images', 'detections')
    data = {k: v for k in names if (v := getattr(args, k)) is not None}
    found = run_benchmark(
        args.model,
        data=data,
        search=WorstCaseSearch(
            size,
            args.fill,
            args.candidates,
            args.rounds,
            args.budget,
            places,
        ),
        out=args.out,
        seed=args.seed,
        max_images=args.max_images,
        resume=args.resume,
        dry_run=args.dry_run,
        batch_size=args.batch_size,
        num_workers=args.num_workers,
        timeout=args.timeout,
        skip_unreadable=args.skip_unreadable,
        options=args.predictor_options,
    )
    if found is not None:
        path = write_worst_case(found.runs[0], args.out, args.draws)
        print(f'Wrote {path}, worst.json and worst.csv')


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return run(worst, parse_args(argv), mmpose=False)


if __name__ == '__main__':
    sys.exit(main())
