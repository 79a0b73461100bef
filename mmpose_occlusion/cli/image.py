"""Occlude an image, a folder of images or a video.

    occlusion-image PHOTO --keypoints JSON \\
        --attack keypoint:left_wrist:black:10% --out x.png
    occlusion-image PHOTO --predictor yolo:yolo11n-pose.pt \\
        --attack part:head:blur --out x.png

With a predictor the image is shown before and after, with what it finds and
the scores of the hidden joints; without --keypoints it says where they are. A
predictor that needs boxes (model.onnx, model.tflite) then takes the image for
one person. In a video the occluder follows its joint.
"""

import argparse
import sys
from dataclasses import dataclass

from . import arguments
from .run import run


@dataclass(frozen=True)
class ImageFileOptions:
    """The command's options, see its help."""

    path: str
    keypoints: str | None
    predictor: str | None
    predictor_options: dict[str, str]
    attacks: list[str]
    out: str
    overwrite: bool
    seed: int
    threshold: float


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-image')
    parser.add_argument(
        'path', metavar='PHOTO', help='an image, a folder or a video'
    )
    parser.add_argument(
        '--keypoints',
        metavar='JSON',
        help='COCO-style file, or lists [[x, y, v], ...] of 17 (COCO) or 16 '
        '(MPII) joints; of people, and of frames, around them',
    )
    parser.add_argument(
        '--predictor',
        metavar='MODEL',
        help='model.onnx, model.tflite, torchvision:NAME, yolo:FILE, '
        'mmpose:CONFIG,CHECKPOINT or my_module:function',
    )
    arguments.add_predictor_options(
        parser, 'an option of it, for example padding=1.1'
    )
    parser.add_argument(
        '--attack',
        dest='attacks',
        action='append',
        required=True,
        metavar='SPEC',
        help=arguments.ATTACK_HELP,
    )
    parser.add_argument(
        '--out', required=True, metavar='FILE', help='file, or folder'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace existing files'
    )
    arguments.add_seed(parser, 'random draws')
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.3,
        metavar='S',
        help='score of a person below which the person is left out (default: '
        '%(default)s)',
    )
    return parser.parse_args(argv)


def occlude(options: ImageFileOptions) -> None:
    """Occlude the files."""
    from pathlib import Path

    from rich.progress import track

    from mmpose_occlusion.benchmark.annotation_fields import read_json
    from mmpose_occlusion.benchmark.annotation_file import read_annotations
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.occlusion import parse_attack
    from mmpose_occlusion.predictors import load_predictor
    from mmpose_occlusion.visualization.occluded_image import (
        ImageOccluder,
        occlude_file,
        read_keypoints,
    )

    path = Path(options.path)
    if not path.exists():
        raise UsageError(f'"{path}" does not exist')
    out = Path(options.out)
    if out.exists() and out.samefile(path):
        raise UsageError(f'--out "{out}" is the input: give another name')
    occluder = ImageOccluder(
        [parse_attack(text) for text in options.attacks],
        seed=options.seed,
        threshold=options.threshold,
    )
    if options.predictor is not None:
        occluder.predictor = load_predictor(
            options.predictor, options.predictor_options
        )
    keypoints = None
    if options.keypoints is not None:
        raw = read_json(options.keypoints, 'keypoint file')
        if not isinstance(raw, list):
            raw = read_annotations(options.keypoints)
            for fault in raw.faults:
                print(fault.sentence())
        keypoints, occluder.names = read_keypoints(raw, options.keypoints)
    try:
        number = occlude_file(
            path,
            Path(options.out),
            occluder,
            keypoints,
            lambda steps, total: track(
                steps, 'occluding', total, disable=total == 1
            ),
            overwrite=options.overwrite,
        )
    except ValueError as error:  # of occlude(), in one sentence
        raise UsageError(str(error)) from error
    print(f'Wrote {options.out} ({number:,} images)')


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = arguments.options_of(ImageFileOptions, parse_args(argv))
    return run(occlude, options, mmpose=False)


if __name__ == '__main__':
    sys.exit(main())
