"""Benchmarks of one model and of a list, and the worst places of one."""

import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from mmpose_occlusion.errors import UsageError, printable

from . import arguments, report
from .arguments import Count, File, Folder, command, option, position
from .run import explain

ZOO = Path(__file__).with_name('zoo.yml')
DATA = [each.name for each in fields(arguments.DataOptions)]


@dataclass(frozen=True)
class CropOptions(arguments.CheckpointOptions, arguments.CfgOptions):
    """For a config of MMPose alone."""

    gt_boxes: bool = option(arguments.BOX_HELP)


@dataclass(frozen=True)
class ImageOptions(arguments.ImageModelOptions):
    """For a model of whole images alone."""

    people: Literal['all', 'one'] = option(
        'whom an attack acts on in an image of a model that finds people by '
        'itself: all at once, or one, with an image pass for each',
        default='all',
    )


@dataclass(frozen=True)
class BenchmarkOptions(
    CropOptions,
    ImageOptions,
    arguments.StoredRunOptions,
    arguments.SuiteOptions,
):
    model: str = position(arguments.CONFIG_HELP)
    checkpoint: str | None = position('checkpoint file or URL', nargs='?')
    refine: float | None = option(
        'then add the fine cells beside those of --suite map-coarse under '
        "which a joint's error rises by more than this fraction of the bbox",
        metavar='RISE',
    )

    @property
    def config(self) -> str | None:
        """The config of a model of crops."""
        from mmpose_occlusion.benchmark.api import is_config

        crops = is_config(self.model, self.checkpoint)
        return self.model if crops else None


@command(BenchmarkOptions, 'occlusion-benchmark')
def main(options: BenchmarkOptions) -> None:
    """How does a pose model degrade under occlusion, and where?

        occlusion-benchmark model.onnx --annotations FILE --images DIR \\
            --suite occlusion-1.0 --out DIR
        occlusion-benchmark CONFIG CHECKPOINT \\
            --attack 'keypoint:*:black:24' --max-images 200 --out DIR

    A model is model.onnx, model.tflite, torchvision:NAME, yolo:FILE,
    mmpose:CONFIG,CHECKPOINT or my_module:function, which get whole images and
    need --annotations and --images; or a config and a checkpoint of MMPose,
    which get crops. Predictions are kept in DIR: an interrupted run is
    resumed, and a run with more attacks computes only those.

    In several processes, on GPUs or on the CPU:
    bash tools/dist_benchmark.sh CONFIG CHECKPOINT N --suite paper --out DIR
    """
    from mmpose_occlusion.benchmark.api import run_benchmark

    if options.config:
        values = _without(ImageOptions, options, 'is a config of MMPose')
        del values['local_rank']
    else:
        values = _without(CropOptions, options, 'is no config of MMPose')
        values = _for_images(values)
    found = run_benchmark(**values)
    if found is not None:
        report.write(found)


def _without(
    others: Any, options: BenchmarkOptions, why: str
) -> dict[str, Any]:
    """The options by name, without those of the other kind of models, of which
    none may be given."""
    values = dict(vars(options))
    for each in fields(others):
        value = values.pop(each.name)
        if value and value != each.metadata.get('default'):
            flag = arguments.flags_of(each)[0]
            raise UsageError(
                f'{flag} does not work for "{options.model}", which {why}: '
                'leave it out'
            )
    return values


def _for_images(values: dict[str, Any]) -> dict[str, Any]:
    """Options as ``run_benchmark`` takes them for a model of whole images."""
    data = {name: values.pop(name) for name in DATA}
    values['data'] = {name: path for name, path in data.items() if path}
    return dict(values, options=values.pop('predictor_options'))


@dataclass(frozen=True)
class ZooOptions(
    arguments.SuiteOptions, arguments.DataOptions, arguments.RunOptions
):
    zoo: File = option(
        'list of models (default: the released ones of MMPose)',
        default=str(ZOO),
    )
    only: list[str] = option('this model', metavar='NAME')


@command(ZooOptions, 'occlusion-zoo', None)
def main_zoo(options: ZooOptions) -> None:
    """Benchmark a list of models, and write one report over all.

        occlusion-zoo --annotations person_keypoints_val2017.json \\
            --images val2017 --out DIR

    The list, by default MMPose's released COCO checkpoints, which are
    downloaded, has for each model a "name", "model" and, for a config,
    "checkpoint". Predictions are kept in DIR/NAME: the same command resumes an
    interrupted run. After a model that fails the next one follows.
    """
    from mmpose_occlusion.benchmark.api import Benchmark

    if not (options.annotations and options.images):
        raise UsageError('give --annotations FILE and --images DIR')
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
        found = Benchmark(Path(options.out), runs, trusted=True)
        report.write(found)
    if failed:
        raise UsageError(
            f'{len(failed)} of {len(models)} models failed, see above: '
            f'{", ".join(failed)}; the same command tries them again'
        )


def read_zoo(path: str, only: list[str]) -> list[dict[str, str]]:
    """The models of a list.

    Raises:
        UsageError: It cannot be read, or lacks a name of ``only``.
    """
    from mmpose_occlusion.predictors.protocol import library

    yaml = library('yaml', 'occlusion-zoo', 'PyYAML')
    try:
        found = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
        models = {entry['name']: entry for entry in found if entry['model']}
        keys = {key for entry in found for key in entry}
        wrong = keys - {'name', 'model', 'checkpoint'}
        if wrong or not len(models) == len(found) > 0:
            raise ValueError
    except Exception as error:  # of a file that is anything else
        raise UsageError(
            f'--zoo "{path}" does not exist, or is not a list of models, each '
            'with "model", a "name" of its own and, for a config, "checkpoint"'
        ) from error
    for name in set(only) - models.keys():
        raise UsageError(
            f'"{path}" has no model "{name}": it has {", ".join(models)}'
        )
    return [models[name] for name in models if not only or name in only]


def _run(entry: dict[str, str], options: ZooOptions) -> Any:
    """Benchmark one model."""
    from mmpose_occlusion.benchmark.api import is_config, run_benchmark
    from mmpose_occlusion.predictors import load_predictor

    given = {name: getattr(options, name) for name in DATA}
    data: dict[str, Any] = {
        name: str(Path(path).resolve()) for name, path in given.items() if path
    }
    names = 'suites', 'attacks', 'max_images', 'seed', 'num_workers'
    values = {name: getattr(options, name) for name in names}
    model, checkpoint = entry['model'], entry.get('checkpoint')
    if is_config(model, checkpoint):
        annotations = data['annotations']
        values['cfg_options'] = {'test_evaluator.ann_file': annotations}
        values['gt_boxes'] = 'detections' not in data
        data = dict(
            data_root='',
            ann_file=annotations,
            data_prefix=dict(img=data['images']),
            bbox_file=data.get('detections'),
        )
    elif 'detections' in data and not load_predictor(model).needs_boxes:
        del data['detections']
    out = Path(options.out) / entry['name']
    found = run_benchmark(model, checkpoint, out=out, data=data, **values)
    assert found is not None
    return replace(found.runs[0], model=entry['name'])


@dataclass(frozen=True)
class WorstOptions(arguments.ImageModelOptions, arguments.StoredRunOptions):
    model: str = position('as for occlusion-benchmark')
    size: str = option(
        'diameter of the disc by the height of the bbox', default='10%'
    )
    fill: str = option('its paint', default='black')
    candidates: Count = option('places on a grid on each person', default=64)
    rounds: int = option('refinements, of 8 places each', default=3)
    draws: int = option('bootstrap samples of the intervals', default=1000)
    budget: Count | None = option(
        'forward passes at most; the grid becomes coarser where needed'
    )
    places: Folder | None = option(
        "another model's --out, whose worst places are tried, too"
    )
    joint: str | None = option(
        'search the place that moves this joint most', metavar='NAME'
    )


@command(WorstOptions, 'occlusion-worst')
def main_worst(options: WorstOptions) -> None:
    """Where on each person does an occluder of a given size hurt most?

        occlusion-worst model.onnx --annotations FILE --images DIR \\
            --size 10% --fill black --candidates 64 --budget 20000 --out DIR

    One disc is tried at places of a grid on the person and at the person's
    joints, and the worst place is refined. The loss is the fall of the
    person's OKS, or of one joint's with --joint. Writes worst.html, worst.json
    and worst.csv; an interrupted run is resumed.
    """
    from mmpose_occlusion.benchmark.api import run_benchmark
    from mmpose_occlusion.benchmark.image_worst_case import (
        WorstCaseSearch,
        read_places,
    )
    from mmpose_occlusion.benchmark.report.write import write_worst_case
    from mmpose_occlusion.occlusion.regions import DiscSize

    values = _for_images(dict(vars(options)))
    draws, places = values.pop('draws'), values.pop('places')
    names = {f.name for f in fields(WorstCaseSearch)} - {'places'}
    search = {name: values.pop(name) for name in names}
    search['size'] = str(DiscSize.of(options.size))
    settings = WorstCaseSearch(**search)
    if places:
        known = read_places(places, settings)
        settings = replace(settings, places=known)
    found = run_benchmark(search=settings, **values)
    if found is not None:
        path = write_worst_case(found.runs[0], options.out, draws)
        print(f'Wrote {path}, worst.json and worst.csv')


if __name__ == '__main__':
    sys.exit(main())
