"""Commands that write occluded images: for users, and for other programs."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import arguments
from .arguments import option, position


@dataclass(frozen=True)
class ImageFileOptions(arguments.PredictorOptions):
    """Of occlusion-image, see its help."""

    path: str = position('an image, a folder or a video', 'PHOTO')
    keypoints: str | None = option(
        'COCO-style file, or lists [[x, y, v], ...] of 17 (COCO) or 16 (MPII) '
        'joints; of people, and of frames, around them',
        metavar='JSON',
    )
    predictor: str | None = option(
        'model.onnx, model.tflite, torchvision:NAME, yolo:FILE, '
        'mmpose:CONFIG,CHECKPOINT or my_module:function',
        metavar='MODEL',
    )
    attacks: list[str] = option(
        arguments.ATTACK_HELP, '--attack', required=True, metavar='SPEC'
    )
    out: str = option('file, or folder', required=True, metavar='FILE')
    overwrite: bool = option('replace existing files')
    seed: int = option('of random draws (default: 0)', default=0)
    threshold: float = option(
        'score of a person below which the person is left out', default=0.3
    )


@arguments.command(ImageFileOptions, 'occlusion-image')
def main_image(options: ImageFileOptions) -> None:
    """Occlude an image, a folder of images or a video.

        occlusion-image PHOTO --keypoints JSON \\
            --attack keypoint:left_wrist:black:10% --out x.png
        occlusion-image PHOTO --predictor yolo:yolo11n-pose.pt \\
            --attack part:head:blur --out x.png

    With a predictor the image is shown before and after, with what it finds
    and the scores of the hidden joints; without --keypoints it says where they
    are. A predictor that needs boxes (model.onnx, model.tflite) then takes the
    image for one person. In a video the occluder follows its joint.
    """
    from rich.progress import track

    from mmpose_occlusion.benchmark.annotation_file import read_annotations
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.files import read_json
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
            options.predictor, dict(options.predictor_options)
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


@dataclass(frozen=True)
class ExportOptions(arguments.SampleOptions, arguments.SuiteOptions):
    """Of occlusion-export, see its help."""

    annotations: str = position(
        'COCO-style file of people with keypoints', 'annotations'
    )
    images: str = position(
        'folder that the file names in it are below', 'images'
    )
    out: str = option('folder of the images', required=True, metavar='DIR')
    people: str = option(
        'one attacked person an image, whose box is given (the default), or '
        'all at once, for models that find people by themselves',
        choices=['one', 'all'],
        default='one',
    )
    names: str | None = option(
        'joints of the predictions: coco, mpii, blazepose, ... (default: '
        'those of the annotations)',
        metavar='NAME',
    )
    tar: bool = option(
        'write the images into DIR/images.tar instead of PNG files'
    )


@arguments.command(ExportOptions, 'occlusion-export')
def main_export(options: ExportOptions) -> None:
    """Attack images for any program.

        occlusion-export ANNOTATIONS IMAGES --suite occlusion-1.0 --out DIR

    Writes PNG files and manifest.json, which lists them with their ids,
    attacks and boxes. Any program predicts them and writes one COCO results
    file (image_id, keypoints, score) for each attack, named after the attack's
    folder, for occlusion-import.
    """
    from rich.progress import track

    from mmpose_occlusion.benchmark.file_exchange import export_images

    values = dict(vars(options))
    path = export_images(
        folder=values.pop('out'),
        progress=partial(track, description='exporting'),
        **values,
    )
    print(f'Wrote {path}')


@dataclass(frozen=True)
class ImportOptions:
    """Of occlusion-import, see its help."""

    folder: str = position('folder of occlusion-export', 'DIR')
    results: list[str] = position(
        'results files, or folders of them', 'results', nargs='+'
    )
    out: str = option('folder of the report', required=True, metavar='DIR')
    name: str = option("the model's", default='imported')


@arguments.command(ImportOptions, 'occlusion-import')
def main_import(options: ImportOptions) -> None:
    """Read another program's predictions of the images of occlusion-export.

        occlusion-import DIR RESULTS... --out REPORT --name my-model

    Checks that nothing is missing, and writes the report.
    """
    from mmpose_occlusion.benchmark.api import load_benchmark
    from mmpose_occlusion.benchmark.file_exchange import import_results
    from mmpose_occlusion.benchmark.report import show_steps

    made = import_results(**vars(options))
    path = load_benchmark(options.out).report(
        progress=show_steps(len(made.attacks))
    )
    print(f'Wrote {path}, report.json, table.md and CSV files')
