"""Worst places of an occluder."""

from dataclasses import dataclass

from . import arguments
from .arguments import option, position


@dataclass(frozen=True)
class WorstOptions(
    arguments.SkipOption,
    arguments.StoredRunOptions,
    arguments.DataOptions,
    arguments.PredictorOptions,
):
    """The command's options, see its help."""

    model: str = position('see above', 'model')
    size: str = option(
        "of the disc: its diameter by the height of the person's bbox",
        default='10%',
    )
    fill: str = option('its paint', default='black')
    candidates: int = option(
        'places on a grid on each person at most', least=1, default=64
    )
    rounds: int = option(
        'refinements around the worst place, 8 places each', default=3
    )
    draws: int = option('bootstrap samples of the intervals', default=1000)
    budget: int | None = option(
        'forward passes of the whole search at most; the grid becomes coarser '
        'where they do not suffice',
        least=1,
    )
    places: str | None = option(
        "another model's --out, whose worst places are tried, too",
        metavar='DIR',
    )
    seed: int = option(
        "of the grids' offsets and of random paints (default: 0)", default=0
    )


_SEARCH = ('size', 'fill', 'candidates', 'rounds', 'budget', 'places')


@arguments.command(WorstOptions, 'occlusion-worst')
def main(options: WorstOptions) -> None:
    """Where on each person does an occluder of a given size hurt most?

        occlusion-worst model.onnx --annotations FILE --images DIR \\
            --size 10% --fill black --candidates 64 --budget 20000 --out DIR
        occlusion-worst other.onnx --annotations FILE --images DIR \\
            --places DIR --out OTHER_DIR

    One disc is tried at places of a grid on the person and at the person's
    joints, and the worst place is refined. The loss is the fall of the
    person's OKS. The result stands beside the mean of random places, hiding a
    joint, and with --places the worst places of another model.

    A model is model.onnx, model.tflite, torchvision:NAME, yolo:FILE,
    mmpose:CONFIG,CHECKPOINT or my_module:function. Writes worst.html,
    worst.json and worst.csv; an interrupted run is resumed.
    """
    from mmpose_occlusion.benchmark.api import run_benchmark
    from mmpose_occlusion.benchmark.image_worst_case import (
        WorstCaseSearch,
        read_places,
    )
    from mmpose_occlusion.benchmark.report.worst_case_page import (
        write_worst_case,
    )
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.occlusion.regions import DiscSize

    values = dict(vars(options))
    draws = values.pop('draws')
    search = {name: values.pop(name) for name in _SEARCH}
    try:
        search['size'] = str(DiscSize.of(options.size))
    except ValueError as error:
        raise UsageError(f'--size: {error}') from error
    if options.places:
        search['places'] = read_places(
            options.places, search['size'], options.fill
        )
    names = ('annotations', 'images', 'detections')
    data = {k: v for k in names if (v := values.pop(k)) is not None}
    found = run_benchmark(
        data=data,
        search=WorstCaseSearch(**search),
        options=dict(values.pop('predictor_options')),
        **values,
    )
    if found is not None:
        path = write_worst_case(found.runs[0], options.out, draws)
        print(f'Wrote {path}, worst.json and worst.csv')
