"""How many attacked crops a second does the benchmark make at most?

    python tools/benchmarks/benchmark_throughput.py
    python tools/benchmarks/benchmark_throughput.py --heatmaps
    OCCLUSION_REAL_DATA=FOLDER python tools/benchmarks/benchmark_throughput.py

The network is a stub that costs nothing, so that what is left is the
benchmark's own: its --profile is printed. With --heatmaps MMPose decodes
fixed heatmaps of 17x64x48, as it would those of a network, mirrored ones
included. The pipeline is that of MMPose's HRNet-w32 on COCO at 256x192; with
--size 24 32 there are next to no pixels, and what is left is Python's part.

The people are synthetic, or those of the photographs in FOLDER/coco, whose
images are read over and over.
"""

import argparse
import contextlib
import copy
import io
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli

REAL_DATA = 'OCCLUSION_REAL_DATA'
CONFIG = """
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
]
custom_imports = dict(imports=['mmpose_occlusion'])
model = dict(
    backbone=dict(_delete_=True, type='NoBackbone'),
    head={head},
    test_cfg=dict(flip_test={flip}),
)
test_dataloader = dict(
    dataset=dict(
        data_root={root!r},
        ann_file={annotations!r},
        bbox_file=None,
        pipeline=[
            *_base_.val_pipeline[:-2],
            dict(type='TopdownAffine', input_size={size}),
            dict(type='PackPoseInputs'),
        ],
        data_prefix=dict(img={images!r}),
    ),
)
test_evaluator = dict(ann_file=None)
"""
JOINTS = """dict(
        _delete_=True, type='FixedJoints', joints=17, input_size={size}
    )"""
HEATMAPS = "dict(type='FixedHeatmaps')"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument(
        '--heatmaps', action='store_true', help='decode heatmaps as well'
    )
    parser.add_argument(
        '--attack', action='append', default=[], metavar='SPEC'
    )
    parser.add_argument(
        '--suite',
        action='append',
        default=[],
        metavar='NAME',
        help='default: paper, where there is no --attack',
    )
    parser.add_argument(
        '--images', type=int, default=200, metavar='N', help='default: 200'
    )
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        default=(192, 256),
        metavar=('W', 'H'),
        help='of the crops (default: 192 256)',
    )
    parser.add_argument('--batch-size', type=int, metavar='N')
    parser.add_argument(
        '--num-workers', type=int, default=1, metavar='N', help='default: 1'
    )
    parser.add_argument('--threads', type=int, metavar='N')
    parser.add_argument(
        '--no-profile',
        dest='profile',
        action='store_false',
        help='measure the whole alone',
    )
    args = parser.parse_args(argv)
    if not args.attack and not args.suite:
        args.suite = ['paper']
    args.gt_boxes, args.seed, args.dry_run, args.resume = True, 0, False, True
    args.max_images = None
    args.autocast, args.channels_last, args.compile = None, False, False
    return args


def measure(args: argparse.Namespace) -> None:
    """Run the loop and say how fast it was."""
    from benchmark_loop import Clock

    with tempfile.TemporaryDirectory() as folder:
        args.out = f'{folder}/out'
        runner = _runner(args, Path(folder))
        loop = runner.build_test_loop(runner._test_loop)
        runner.call_hook('before_run')
        clock = Clock()
        with clock.running():
            passes = loop.run()['passes']
    if loop.profile is not None:
        from mmpose_occlusion.benchmark.profile import table

        print('\n' + table(loop.profile.result()) + '\n')
    attacked = passes - len(loop.boxes)
    print(
        f'{attacked:,} attacked crops (and {len(loop.boxes):,} clean ones) in '
        f'{clock.wall:.1f} s: {attacked / clock.wall:.0f} a second; '
        f'{attacked / clock.cpu:.0f} in a second of one processor.'
    )


def _runner(args: argparse.Namespace, folder: Path):
    import _stub  # noqa: F401
    from mmengine.runner import Runner

    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.predictors.mmpose_topdown import cli_config as start

    path, size = folder / 'stub.py', tuple(args.size)
    path.write_text(
        CONFIG.format(
            head=HEATMAPS if args.heatmaps else JOINTS.format(size=size),
            size=size,
            flip=args.heatmaps,
            **_people(folder, args.images),
        )
    )
    cfg = load_config(str(path), None)
    start.apply_arguments(cfg, args)
    with contextlib.redirect_stdout(io.StringIO()):
        return Runner.from_cfg(cfg)


def _people(folder: Path, images: int) -> dict[str, str]:
    """Where the data are, which lie outside of ``folder`` if they are real."""
    if real := os.environ.get(REAL_DATA):
        root = Path(real).resolve() / 'coco'
        annotations = folder / 'repeated.json'
        coco = json.loads((root / 'test_coco.json').read_text())
        annotations.write_text(json.dumps(_repeated(coco, images)))
        return dict(root=str(root), annotations=str(annotations), images='')
    from synthetic_people import generate

    root = generate(folder / 'people', train=0, val=images, workers=2)
    return dict(
        root=str(root),
        annotations='annotations/person_keypoints_val.json',
        images='val/',
    )


def _repeated(coco: dict, images: int) -> dict:
    """The same images again, under other ids."""
    people: dict[int, list[dict]] = {}
    for person in coco['annotations']:
        people.setdefault(person['image_id'], []).append(person)
    new = dict(coco, images=[], annotations=[])
    for number in range(images):
        image = coco['images'][number % len(coco['images'])]
        new['images'].append(dict(image, id=number + 1))
        for person in people.get(image['id'], []):
            person = copy.deepcopy(person)
            person['id'] = len(new['annotations']) + 1
            new['annotations'].append(dict(person, image_id=number + 1))
    return new


def main(argv: list[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    return _cli.run(measure, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
