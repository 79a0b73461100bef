"""How does a pose model degrade under occlusion, and where?

    occlusion-benchmark model.onnx --annotations FILE --images DIR \\
        --suite occlusion-1.0 --out DIR
    occlusion-benchmark CONFIG CHECKPOINT --suite paper --out DIR
    occlusion-benchmark CONFIG CHECKPOINT \\
        --attack 'keypoint:*:black:24' --max-images 200 --out DIR

A model is model.onnx, model.tflite, torchvision:NAME, yolo:FILE,
mmpose:CONFIG,CHECKPOINT or my_module:function, which get whole images and need
--annotations and --images; or a config and a checkpoint of MMPose, which get
crops.

Each crop is made once, attacked, and predicted for each attack that changes
it. Predictions are kept in DIR: an interrupted run is resumed, and a run with
more attacks computes only those.

The report names the model after its config's file, or by the config's key
model_name: --cfg-options model_name=ours.

In several processes, on GPUs or on the CPU:
bash tools/dist_benchmark.sh CONFIG CHECKPOINT N --suite paper --out DIR

Without an installation: python -m mmpose_occlusion.cli.benchmark
"""

import argparse
import sys

from . import arguments
from .run import run


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-benchmark')
    arguments.add_config(parser, 'model')
    arguments.add_checkpoint(parser, optional=True)
    arguments.add_images(parser)
    arguments.add_people(parser)
    parser.add_argument(
        '--suite',
        dest='suites',
        action='append',
        default=[],
        metavar='NAME',
        help='a list of attacks: its name (paper, ...), or a .json file of '
        'your own; several, each with its own --suite (default: '
        'occlusion-1.0, without --attack)',
    )
    parser.add_argument(
        '--attack',
        dest='attacks',
        action='append',
        default=[],
        metavar='SPEC',
        help='a further attack as KIND:NAME[:FILL[:SIZE][:PLACE]], for '
        "example 'keypoint:*:black:24', which is each joint by itself; "
        'several, each with its own --attack',
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the results'
    )
    arguments.add_seed(parser)
    arguments.add_max_images(parser)
    arguments.add_stored_run(parser)
    arguments.add_gt_boxes(parser)
    parser.add_argument(
        '--threads',
        type=arguments.whole_number(1),
        metavar='N',
        help="forward passes at a time (default: the number of PyTorch's "
        'threads on a CPU, 1 elsewhere)',
    )
    arguments.add_launcher(parser)
    return parser.parse_args(argv)


_IMAGES = ('annotations', 'images', 'detections')
_CROPS = ('gt_boxes', 'threads', 'cfg_options', 'trust_checkpoint', 'launcher')
"""Options for models of whole images alone, and for those of crops."""


def benchmark(args: argparse.Namespace) -> None:
    """Predict whole images, or crops of MMPose, and report once."""
    from mmpose_occlusion.benchmark.api import run_benchmark

    values = dict(vars(args))
    crops = values.pop('config') is not None
    data = {k: v for k in _IMAGES if (v := values.pop(k)) is not None}
    options = values.pop('predictor_options')
    for name in ('traceback', 'local_rank'):
        del values[name]
    for name in ('people', 'timeout') if crops else _CROPS:
        del values[name]
    if not crops:
        values.update(data=data, options=options)
    found = run_benchmark(**values)
    if found is None:
        return
    if crops:
        from mmengine.dist import is_main_process

        if not is_main_process():
            return
    from mmpose_occlusion.benchmark.report import show_steps

    path = found.report(progress=show_steps(found.steps))
    print(f'Wrote {path}, report.json, table.md and CSV files')


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    args = parse_args(argv)
    from mmpose_occlusion.benchmark.api import is_config

    crops = is_config(args.model, args.checkpoint)
    args.config = args.model if crops else None
    return run(benchmark, args, mmpose=crops)


if __name__ == '__main__':
    sys.exit(main())
