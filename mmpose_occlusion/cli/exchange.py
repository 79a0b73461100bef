"""Attacked images for other programs, and their predictions."""

from dataclasses import dataclass
from functools import partial

from . import arguments
from .arguments import option, position


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
