"""Commands that write occluded images: for users, and for other programs."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from . import arguments, report
from .arguments import Count, File, Folder, command, option, position


@dataclass(frozen=True)
class BrowseOptions(arguments.AttackOptions, arguments.ConfigOptions):
    out: Folder = option('folder of the images')
    split: Literal['train', 'val', 'test'] = option(
        'data and pipeline to use', default='train'
    )
    num: Count = option('number of crops', default=24)
    seed: int = option('of all random draws (default: 0)', default=0)


@command(BrowseOptions, 'occlusion-browse')
def main(options: BrowseOptions) -> None:
    """Look at the occlusions of the crops of any MMPose config.

        occlusion-browse CONFIG --out images
        occlusion-browse CONFIG --out images --split val --gt-boxes \\
            --attack part:random:blur

    Without --attack the pipeline's own occlusions are shown. Writes
    gallery.html, a page with every record.
    """
    from mmpose_occlusion.engine.crop_gallery import browse

    values = dict(vars(options))
    page, counts = browse(attacks=values.pop('attack'), **values)
    print(*counts, f'Wrote {page}', sep='\n')


@dataclass(frozen=True)
class ImageFileOptions(arguments.PredictorOptions):
    path: str = position('an image, a folder or a video', 'PHOTO')
    keypoints: File | None = option(
        'COCO-style file, or lists [[x, y, v], ...] of 17 (COCO) or 16 (MPII) '
        'joints; of people, and of frames, around them'
    )
    predictor: str | None = option(
        'model.onnx, model.tflite, torchvision:NAME, yolo:FILE, '
        'mmpose:CONFIG,CHECKPOINT or my_module:function',
        metavar='MODEL',
    )
    attacks: list[str] = option(
        arguments.ATTACK_HELP, '--attack', required=True, metavar='SPEC'
    )
    out: File = option('file, or folder')
    overwrite: bool = option('replace existing files')
    seed: int = option('of random draws (default: 0)', default=0)
    threshold: float = option('least score of a person', default=0.3)


@command(ImageFileOptions, 'occlusion-image')
def main_image(options: ImageFileOptions) -> None:
    """Occlude an image, a folder of images or a video.

        occlusion-image PHOTO --keypoints JSON \\
            --attack keypoint:left_wrist:black:10% --out x.png
        occlusion-image PHOTO --predictor yolo:yolo11n-pose.pt \\
            --attack part:head:blur --out x.png

    With a predictor the image is shown before and after, with what it finds
    and the scores of the hidden joints; without --keypoints it says where they
    are. In a video the occluder follows its joint. After an interruption the
    same command keeps the PNG files that it has written.
    """
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.occlusion import parse_attack
    from mmpose_occlusion.predictors import load_predictor
    from mmpose_occlusion.skeleton import COCO_JOINTS
    from mmpose_occlusion.visualization.occluded_image import (
        ImageOccluder,
        occlude_file,
        read_keypoints,
    )

    path, out = Path(options.path), Path(options.out)
    if not path.exists():
        raise UsageError(f'"{path}" does not exist')
    if out.exists() and out.samefile(path):
        raise UsageError(f'--out "{out}" is the input: give another name')
    attacks = [parse_attack(text) for text in options.attacks]
    keypoints, names, predictor = None, COCO_JOINTS, None
    if options.keypoints is not None:
        keypoints, names = read_keypoints(options.keypoints)
    if options.predictor is not None:
        predictor = load_predictor(
            options.predictor, options.predictor_options
        )
    occluder = ImageOccluder(
        attacks, predictor, names, options.seed, options.threshold
    )
    try:
        number = occlude_file(
            path, out, occluder, keypoints, options.overwrite
        )
    except ValueError as error:  # of a joint that is not there
        raise UsageError(str(error)) from error
    print(f'Wrote {options.out} ({number:,} images)')


@dataclass(frozen=True)
class ExportOptions(arguments.SuiteOptions):
    annotations: str = position(arguments.PEOPLE_HELP)
    images: str = position(arguments.IMAGES_HELP)
    folder: Folder = option('folder of the images', '--out')
    people: Literal['one', 'all'] = option(
        'one attacked person an image, whose box is given, or all at once, '
        'for models that find people by themselves',
        default='one',
    )
    names: str | None = option(
        'joints of the predictions, such as coco or mpii', metavar='NAME'
    )
    tar: bool = option('write DIR/images.tar instead of PNG files')


@command(ExportOptions, 'occlusion-export')
def main_export(options: ExportOptions) -> None:
    """Attack images for any program.

        occlusion-export ANNOTATIONS IMAGES --suite occlusion-1.0 --out DIR

    Writes PNG files and manifest.json, which lists them. Any program predicts
    them and writes one COCO results file (image_id, keypoints, score) for each
    attack, named after the attack's folder, for occlusion-import.
    """
    from rich.progress import track

    from mmpose_occlusion.benchmark.file_exchange import export_images

    bar = partial(track, description='exporting')
    print(f'Wrote {export_images(progress=bar, **vars(options))}')


@dataclass(frozen=True)
class ImportOptions:
    folder: str = position('folder of occlusion-export', 'DIR')
    results: list[str] = position('results files, or folders', nargs='+')
    out: Folder = option('folder of the report')
    name: str = option("the model's", default='imported')


@command(ImportOptions, 'occlusion-import')
def main_import(options: ImportOptions) -> None:
    """Read another program's predictions of the images of occlusion-export.

    occlusion-import DIR RESULTS... --out REPORT --name my-model
    """
    from mmpose_occlusion.benchmark.api import load_benchmark
    from mmpose_occlusion.benchmark.file_exchange import import_results

    import_results(**vars(options))
    report.write(load_benchmark(options.out))


if __name__ == '__main__':
    sys.exit(main())
