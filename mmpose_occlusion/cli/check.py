"""Check a data set's files before they cost a run.

    occlusion-check people.json
    occlusion-check people.json images --detections boxes.json
    occlusion-check people.json --config CONFIG

says every kind of fault once, with the JSON paths of the first ones, and what
all commands do about it: repair, leave out, or use as it is. The exit status
is 1 if something cannot be used. With IMAGES every image is decoded, and with
--config the keypoints are compared with those of the config's test data.
"""

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmpose_occlusion.errors import UsageError

from . import arguments
from .run import run

if TYPE_CHECKING:
    from mmpose_occlusion.benchmark.annotation_fields import Faults


@dataclass(frozen=True)
class CheckOptions:
    """The command's options, see its help."""

    annotations: str
    images: str | None
    detections: str | None
    config: str | None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-check')
    parser.add_argument(
        'annotations', metavar='ANN', help='COCO-style file of people'
    )
    parser.add_argument(
        'images',
        nargs='?',
        metavar='IMAGES',
        help='folder that the file names in it are below',
    )
    parser.add_argument(
        '--detections', metavar='FILE', help="a detector's COCO results"
    )
    parser.add_argument(
        '--config', metavar='FILE', help='config of MMPose for these data'
    )
    return parser.parse_args(argv)


def check(options: CheckOptions) -> None:
    """Read the files and print what was found."""
    from mmpose_occlusion.benchmark.annotation_file import read_annotations
    from mmpose_occlusion.benchmark.detections_file import (
        check_images,
        read_detections,
    )

    found = read_annotations(options.annotations)
    if options.config:
        from mmpose.registry import DATASETS

        from mmpose_occlusion.engine import data_files
        from mmpose_occlusion.engine.config import (
            class_of,
            dataloader,
            load_config,
        )

        loader = dataloader(load_config(options.config), 'test')
        dataset = dict(loader['dataset'], ann_file=options.annotations)
        dataset['data_root'] = None
        if data_files.reads_plainly(dataset):
            data_files.check_joints(found, dataset)
        elif class_of(dataset, DATASETS) is None:
            raise UsageError(
                f'{options.config}: there is no data set "{dataset["type"]}"; '
                'custom_imports of the config names the module of an own one'
            )
        else:
            print(f'{options.config}: {data_files.unchecked(dataset)}')
    if options.images:
        check_images(found, options.images, decode=True)
    print(
        f'{options.annotations}: {len(found.people):,} people with '
        f'{len(found.joints)} keypoints in {len(found.images):,} images'
    )
    _show(found.faults)
    losses = found.faults.losses
    if options.detections:
        boxes = read_detections(options.detections, found)
        print(f'{options.detections}: {len(boxes.boxes):,} boxes')
        _show(boxes.faults)
        losses += boxes.faults.losses
    if losses:
        from mmpose_occlusion.errors import DataError

        raise DataError(
            f'{sum(f.count for f in losses):,} entries cannot be used and '
            'are left out: the lines above name them'
        )


def _show(faults: 'Faults') -> None:
    for fault in faults:
        print(f'  {fault.sentence()}')
    if not len(faults):
        print('  no faults')


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = arguments.options_of(CheckOptions, parse_args(argv))
    return run(check, options, mmpose=options.config is not None)


if __name__ == '__main__':
    sys.exit(main())
