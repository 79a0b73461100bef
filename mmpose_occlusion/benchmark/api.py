"""The benchmark in Python: run it, load it, read it as a table, report it."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors import Predictor, load_predictor
from mmpose_occlusion.predictors.protocol import library

from .analysis import analyse
from .analysis.sensitivity_map import finer_cells, split_cells
from .data import BenchmarkRun, load_runs
from .image_run import case_images, run_predictor
from .suite import DEFAULT
from .work import Log

if TYPE_CHECKING:
    import pandas

_COLUMNS = dict(attack='name', fill='paint', size='severity')
_COLUMNS |= {name: name for name in ('suite', 'kind', 'target', 'place')}
"""Columns of a table -> what they are of an attack's cost."""


@dataclass(frozen=True)
class Benchmark:
    """One model on one data set under attacks, or several to compare.

    Args:
        folder: Folder of the benchmark.
        runs: The runs; others are compared with the first.
        trusted: Whether this process made the runs: classes and files that
            their configs name are then used again for images of cases.
    """

    folder: Path
    runs: list[BenchmarkRun] = field(repr=False)
    trusted: bool = field(default=False, repr=False)

    @property
    def steps(self) -> int:
        """Steps of the analysis: attacks, and all cells of maps as one."""
        split = [split_cells(run.attacks) for run in self.runs]
        return sum(len(others) + bool(cells) for others, cells in split)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Scores per attack, role and joint, for the people whose crop the
        attack changed.

        Each is a dict with ``model``, ``data``, ``attack``, ``suite``; the
        attack's ``kind``, ``target``, ``fill``, ``size`` (diameter as a
        fraction of the bbox height, or None) and ``place``; ``role``:
        'target' (joints that the attack asks for, under paint), 'bystander'
        (others under paint) or 'visible'; ``joint``, its name or 'all'; ``n``,
        the number of labelled joints, at least 1; and ``epe_clean``,
        ``epe_attacked`` and so on for ``epe_px``, ``pck``, ``oks50``, ``ap``.
        """
        for analysis in analyse(self.runs, draws=0)[0]:
            model = dict(model=analysis.run.model, data=analysis.run.data)
            for cost in analysis.costs:
                attack = {name: cost[key] for name, key in _COLUMNS.items()}
                for joint in cost.joints:
                    if joint.number:
                        row = dict(model, **attack, role=joint.group)
                        row.update(joint=joint.joint, n=joint.number)
                        for name, value in joint.clean.items():
                            row[f'{name}_clean'] = value
                            row[f'{name}_attacked'] = joint.attacked[name]
                        yield row

    def to_pandas(self) -> 'pandas.DataFrame':
        """The table of :meth:`rows`; a UsageError without pandas."""
        pandas = library('pandas', 'to_pandas()', 'pandas')
        return pandas.DataFrame(list(self.rows()))

    def report(self, path: str | Path | None = None, **options: Any) -> Path:
        """Write the report: page, JSON and CSV, into a folder, by default the
        benchmark's.

        Options are those of :func:`.report.write_report`, such as ``draws``
        (number of bootstrap samples), ``cases``, ``measure`` (AP, AR, PCKh,
        PCK or OKS50), ``formats`` and ``latex``. Returns the page, or without
        one the folder; a UsageError if the data lacks the measure.
        """
        from .report import write_report

        return write_report(
            self.runs,
            self.folder if path is None else path,
            case_images=partial(_case_images, trusted=self.trusted),
            **options,
        )


def load_benchmark(
    folder: str | Path, *others: str | Path, names: Sequence[str] = ()
) -> Benchmark:
    """Read the complete runs of a benchmark's folder, the ``out`` of
    :func:`run_benchmark`, and of others that are compared with it; no model
    is needed. ``names`` are of the models, one for each run, by default their
    own, with the folder where several are equal.

    Raises:
        UsageError: No run is complete, a file is damaged, or there is not one
            name for each run.
    """
    found = [(Path(f), run) for f in (folder, *others) for run in load_runs(f)]
    own = [run.model for _, run in found]
    if names and len(names) != len(own):
        raise UsageError(
            f'{len(names)} names for {len(own)} models ({", ".join(own)}): '
            'give one for each, in this order'
        )
    shown = names or [
        f'{run.model} ({path.resolve().name})'
        if own.count(run.model) > 1
        else run.model
        for path, run in found
    ]
    pairs = zip(found, shown, strict=True)
    runs = [replace(run, model=name) for (_, run), name in pairs]
    return Benchmark(Path(folder), runs)


def run_benchmark(
    model: str | Path | Predictor,
    checkpoint: str | Path | None = None,
    *,
    out: str | Path,
    data: Mapping[str, Any] | None = None,
    suites: Sequence[str] = (),
    attacks: Sequence[str] = (),
    refine: float | None = None,
    log: Log = print,
    **settings: Any,
) -> Benchmark | None:
    """Predict a data set clean and under attacks, into a folder.

    Predictions that the folder holds already are not computed again, and an
    interrupted run is resumed.

    Args:
        model: Config of a top-down model of MMPose: a file, or one of a
            package as ``mmpose::PATH``. Or any model of images: a text that
            :func:`mmpose_occlusion.predictors.load_predictor` understands,
            such as ``model.onnx``, or an object of its protocol.
        checkpoint: Of a config, a file or URL.
        out: Folder of the benchmark.
        data: With a config, settings that replace those of its
            ``test_dataloader.dataset``, for example ``data_root``. With any
            other model, the files ``annotations`` and, if wanted,
            ``detections``, and the folder ``images``.
        suites: Names of suites, or ``.json`` files; without any, and without
            attacks, :data:`.suite.DEFAULT`.
        attacks: Short forms of further attacks, for example
            ``'keypoint:*:black:24'``.
        refine: After a map of suite ``map-coarse``, also predict the cells of
            the fine grid beside those under which the error of a joint rises
            by more than this, see :func:`.sensitivity_map.finer_cells`.
        log: Called with lines of progress of a model of images.
        settings: Of every model ``seed`` (of the attacks' random draws),
            ``max_images`` (the first ones), ``resume`` (False deletes this
            run's predictions), ``dry_run`` (only print how many predictions
            are missing), ``skip_unreadable`` (leave out and count images that
            cannot be read), ``batch_size`` (crops of a forward pass, 32 on a
            CPU and 64 elsewhere; or images of a call, 16) and ``num_workers``
            (processes that make crops, by default the config's; or that
            predict images, by default this one).

            With a config ``gt_boxes`` (annotated bboxes instead of a
            detector's), ``cfg_options`` (dotted keys of the config ->
            values), ``trust_checkpoint`` (unpickle one with more than
            weights, which runs any code in it) and ``launcher`` ('none', or
            what started the processes: 'pytorch', 'slurm' or 'mpi').

            With a model of images ``people`` (whom an attack acts on in an
            image of a model that finds people by itself: 'all' at once, or
            'one', with an image pass each), ``timeout`` (seconds that a call
            of the model may take, which then runs in a process of its own),
            ``options`` (of the model's adapter, such as ``padding``) and
            ``search`` (instead of attacks, a
            :class:`.image_worst_case.WorstCaseSearch`).

    Returns:
        The benchmark with the requested attacks; None for a dry run, and in
        all processes but the first of several.

    Raises:
        UsageError: A file does not exist, an attack does not fit the data
            set, or another run works in the folder.
    """
    if not (suites or attacks):
        suites = (DEFAULT,)
    settings.update(out=str(out), suites=suites, attacks=attacks)
    run = partial(_run, model, checkpoint, dict(data or {}), log)
    found = run(**settings)
    if refine is not None:
        if found is None:
            log(
                'The finer cells are chosen from these predictions: at most '
                'three times as many more.'
            )
            return None
        finer = finer_cells(found, refine)
        if _is_main_process():
            log(
                f'{len(finer)} finer cells, beside which the error of a joint '
                f'may rise by more than {refine:g} of the bbox: at most '
                f'{len(finer) * len(found.boxes):,} predictions more.'
            )
        settings.update(attacks=[*attacks, *finer], resume=True)
        found = run(**settings)
    if found is None or not _is_main_process():
        return None
    return Benchmark(Path(out), [found], trusted=True)


def _is_main_process() -> bool:
    dist = sys.modules.get('mmengine.dist')
    return dist is None or dist.is_main_process()


def _run(
    model: Any,
    checkpoint: str | Path | None,
    data: dict[str, Any],
    log: Log,
    **settings: Any,
) -> BenchmarkRun | None:
    if is_config(model, checkpoint):
        return _run_config(str(model), checkpoint, data, settings)
    needed = {'annotations', 'images'}
    if not needed <= set(data) <= {*needed, 'detections'}:
        raise UsageError(
            f'data has {", ".join(data) or "no keys"}: a model of images has '
            'annotations (--annotations FILE), images (--images FOLDER) and, '
            'if wanted, detections'
        )
    load, options = None, settings.pop('options', None)
    if isinstance(model, str | Path):
        load = partial(load_predictor, str(model), options)
        model = load()
    return run_predictor(model, **data, load=load, log=log, **settings)


def _run_config(
    model: str,
    checkpoint: str | Path | None,
    data: dict[str, Any],
    settings: dict[str, Any],
) -> BenchmarkRun | None:
    config = f'"{model}" is a config of MMPose: '
    if 'search' in settings:
        raise UsageError(
            f'{config}the worst place is searched on whole images, so write '
            'mmpose:CONFIG,CHECKPOINT'
        )
    if checkpoint is None:
        raise UsageError(f'{config}give its checkpoint, too')
    try:
        from mmpose_occlusion.predictors.mmpose_loop import run_mmpose
    except ModuleNotFoundError as error:
        raise UsageError(
            f'{config}install MMPose 1.3 with MMEngine and mmcv (there is no '
            f'module "{error.name}")'
        ) from error
    return run_mmpose(model, str(checkpoint), data, **settings)


def is_config(model: Any, checkpoint: Any = None) -> bool:
    """Whether a model is a config of MMPose, not a predictor of images."""
    if checkpoint is not None:
        return True
    text = str(model) if isinstance(model, str | Path) else ''
    if re.match(r'\w\w+:(?!:)', text):  # mmpose:CONFIG,CHECKPOINT
        return False
    return text.endswith('.py') or '::' in text


def _case_images(
    run: BenchmarkRun, people: Sequence[tuple[str, int]], trusted: bool
) -> Any:
    """The images of attacks and people again."""
    if run.dataset.get('kind') == 'images':
        return case_images(run, people)
    try:
        from mmpose_occlusion.predictors.mmpose_crops import case_crops
    except ModuleNotFoundError as error:
        words = 'this report was made without MMPose'
        raise LookupError(words) from error
    return case_crops(run, people, trusted)
