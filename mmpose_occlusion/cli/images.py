"""Commands that write occluded images: for users, and for other programs."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import arguments, report
from .arguments import command, option, position


@dataclass(frozen=True)
class BrowseOptions(arguments.AttackOptions, arguments.ConfigOptions):
    """Of occlusion-browse, see its help."""

    out: str = option('folder of the images', required=True, metavar='DIR')
    split: str = option(
        'data and pipeline to use',
        choices=['train', 'val', 'test'],
        default='train',
    )
    num: int = option('number of crops', least=1, default=24)
    seed: int = option(
        'of the selection and all random draws (default: 0)', default=0
    )

    def command(self) -> str:
        """The command line that makes the same images."""
        words = ['occlusion-browse', self.config, '--out', self.out]
        for spec in self.attack:
            words += ['--attack', spec]
        words += ['--split', self.split, '--num', str(self.num)]
        words += ['--seed', str(self.seed)]
        if self.gt_boxes:
            words.append('--gt-boxes')
        if self.cfg_options:
            words.append('--cfg-options')
            words += [f'{k}={v}' for k, v in self.cfg_options.items()]
        return shlex.join(words)


@command(BrowseOptions, 'occlusion-browse', True)
def main(options: BrowseOptions) -> None:
    """Look at the occlusions of the crops of any MMPose config.

        occlusion-browse CONFIG --out images
        occlusion-browse CONFIG --out images --split val --gt-boxes \\
            --attack part:random:blur

    Without --attack the pipeline's own occlusions are shown. Writes
    gallery.html, a page with every record.
    """
    from mmpose_occlusion.engine import crops, insertion
    from mmpose_occlusion.engine.config import load_config, metainfo_of
    from mmpose_occlusion.engine.data_files import check_data_files
    from mmpose_occlusion.engine.pipelines import attack_name
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.files import check_replaceable, write_text
    from mmpose_occlusion.hooks.attacked_crops import outcomes, summarize
    from mmpose_occlusion.visualization import PoseStyle, gallery

    check_replaceable(options.out, ['gallery.html'])
    split = options.split
    cfg = load_config(options.config, options.cfg_options)
    attacks = insertion.read_attacks(cfg, options.attack)
    if options.gt_boxes:
        insertion.use_gt_boxes(cfg, split)
    cfg.work_dir = options.out
    check_data_files(cfg, split, False, options.skip_unreadable)
    dataset = crops.crop_dataset(cfg, split, attacks, options.seed)
    if not len(dataset):
        raise UsageError(f'the {split} data of "{options.config}" is empty')
    views = list(crops.views(dataset, options.num, options.seed))
    views.sort(  # changed crops first, unmatched boxes last
        key=lambda view: (not view.is_changed, not view.labelled.any())
    )
    names = [attack_name(each) for each in attacks]
    counts = summarize(
        [outcomes(view.records) for view in views],
        names or _own_names([view.records for view in views]),
        'Attack ' if names else '',
    )
    own = "the pipeline's own occlusions"
    page = gallery(
        views,
        PoseStyle.from_metainfo(
            metainfo_of(cfg[f'{split}_dataloader']['dataset'])
        ),
        f'{" + ".join(names) or own}, {split} data',
        [Path(options.config).name, *counts],
        options.command(),
    )
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / 'gallery.html', page)
    print(*counts, f'Wrote {out / "gallery.html"}', sep='\n')


def _own_names(crops: Sequence[Sequence[Mapping]]) -> list[str]:
    """Classes of the occlusions of a pipeline."""
    found = {r['call']: r['transform'] for crop in crops for r in crop}
    calls = range(1 + max(found, default=-1))
    return [found.get(call, 'occlusion') for call in calls]


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


@command(ImageFileOptions, 'occlusion-image')
def main_image(options: ImageFileOptions) -> None:
    """Occlude an image, a folder of images or a video.

        occlusion-image PHOTO --keypoints JSON \\
            --attack keypoint:left_wrist:black:10% --out x.png
        occlusion-image PHOTO --predictor yolo:yolo11n-pose.pt \\
            --attack part:head:blur --out x.png

    With a predictor the image is shown before and after, with what it finds
    and the scores of the hidden joints; without --keypoints it says where they
    are. A predictor that needs boxes (model.onnx, model.tflite) then takes the
    image for one person. In a video the occluder follows its joint. After an
    interruption the same command goes on: it keeps the PNG files that it has
    written.
    """
    from rich.progress import track

    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.occlusion import parse_attack
    from mmpose_occlusion.predictors import load_predictor
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
        keypoints, occluder.names = read_keypoints(options.keypoints)
    try:
        number = occlude_file(
            path,
            out,
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
class ExportOptions(arguments.SuiteOptions):
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


@command(ExportOptions, 'occlusion-export')
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

    values = dict(vars(options), folder=options.out)
    del values['out']
    progress = partial(track, description='exporting')
    print(f'Wrote {export_images(progress=progress, **values)}')


@dataclass(frozen=True)
class ImportOptions:
    """Of occlusion-import, see its help."""

    folder: str = position('folder of occlusion-export', 'DIR')
    results: list[str] = position(
        'results files, or folders of them', 'results', nargs='+'
    )
    out: str = option('folder of the report', required=True, metavar='DIR')
    name: str = option("the model's", default='imported')


@command(ImportOptions, 'occlusion-import')
def main_import(options: ImportOptions) -> None:
    """Read another program's predictions of the images of occlusion-export.

        occlusion-import DIR RESULTS... --out REPORT --name my-model

    Checks that nothing is missing, and writes the report.
    """
    from mmpose_occlusion.benchmark.api import load_benchmark
    from mmpose_occlusion.benchmark.file_exchange import import_results

    import_results(**vars(options))
    path = report.write(load_benchmark(options.out))
    print(f'Wrote {path}, report.json, table.md and CSV files')


if __name__ == '__main__':
    sys.exit(main())
