"""The benchmark in Python: run it, load it, read it as a table, report it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmpose_occlusion.errors import UsageError

from .analysis import Record, analyse
from .analysis.sensitivity_map import finer_cells, split_cells
from .data import BenchmarkRun, load_runs
from .suite import DEFAULT

if TYPE_CHECKING:
    import pandas

    from mmpose_occlusion.predictors import Predictor


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

    def analyse(self, draws: int = 0, seed: int = 0) -> list[Record]:
        """The analysis of each run, with intervals of a number of bootstrap
        samples."""
        return analyse(self.runs, draws, seed)[0]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Scores per attack, role and joint, for the people whose crop the
        attack changed.

        Each is a dict with

        - ``model``, ``data``, ``attack``, ``suite``;
        - ``kind``, ``target``, ``fill``, ``size`` (diameter as a fraction
          of the bbox height, or None) and ``place`` of the attack;
        - ``role``: 'target' (joints that the attack asks for, under
          paint), 'bystander' (others under paint) or 'visible';
        - ``joint``: its name, or 'all';
        - ``n``: number of labelled joints; rows without any are left
          out;
        - ``epe_clean`` and ``epe_attacked``, and so on for ``epe_px``,
          ``pck``, ``oks50`` and ``ap``.
        """
        for analysis in self.analyse():
            for cost in analysis.costs:
                about = dict(
                    model=analysis.run.model,
                    data=analysis.run.data,
                    attack=cost.name,
                    suite=cost.suite,
                    kind=cost.kind,
                    target=cost.target,
                    fill=cost.paint,
                    size=cost.severity,
                    place=cost.place,
                )
                for joint in cost.joints:
                    if not joint.number:
                        continue
                    row = dict(about, role=joint.group, joint=joint.joint)
                    row['n'] = joint.number
                    for name, value in joint.clean.items():
                        row[f'{name}_clean'] = value
                        row[f'{name}_attacked'] = joint.attacked[name]
                    yield row

    def to_pandas(self) -> 'pandas.DataFrame':
        """The table of :meth:`rows`.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                'to_pandas() needs pandas: install it with "pip install '
                'pandas", or use rows(), which does not'
            ) from error
        return pandas.DataFrame(list(self.rows()))

    def report(self, path: str | Path | None = None, **options: Any) -> Path:
        """Write the report: page, JSON and CSV.

        Args:
            path: Folder of the report; by default the benchmark's.
            options: Of :func:`.report.write_report`, such as ``draws`` (number
                of bootstrap samples), ``cases``, ``measure`` (AP, AR, PCKh,
                PCK or OKS50), ``formats`` and ``latex``.

        Returns:
            The page, ``index.html``, or without one the folder.

        Raises:
            UsageError: A number is negative, or the data lacks the measure.
        """
        from .report import write_report

        for name in ('draws', 'seed', 'cases'):
            if options.get(name, 0) < 0:
                raise UsageError(f'{name} is {options[name]}: give 0 or more')
        return write_report(
            self.runs,
            self.folder if path is None else path,
            case_images=partial(_case_images, trusted=self.trusted),
            **options,
        )


def load_benchmark(
    folder: str | Path, *others: str | Path, names: Sequence[str] = ()
) -> Benchmark:
    """Read the complete runs of a benchmark's folder; no model is needed.

    Args:
        folder: The ``out`` of :func:`run_benchmark`.
        others: Folders of further benchmarks, to be compared with the first.
        names: Of the models, one for each run; by default their own, with
            the folder where several are equal.

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
    model: 'str | Path | Predictor',
    checkpoint: str | Path | None = None,
    *,
    out: str | Path,
    data: Mapping[str, Any] | None = None,
    suites: Sequence[str] = (),
    attacks: Sequence[str] = (),
    refine: float | None = None,
    log: Callable[[str], object] = print,
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
            ``test_dataloader.dataset``, for example ``data_root`` and
            ``ann_file``; by default the data set is the config's. With any
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
        settings: Of every model

            - ``seed``: of the attacks' random draws (0);
            - ``max_images``: use the first images only;
            - ``resume``: False deletes this run's predictions;
            - ``batch_size``: maximum number of crops in a forward pass; by
              default 32 on a CPU and 64 elsewhere. Of a model of images, the
              images of one call; 16 by default;
            - ``num_workers``: with a config, processes that make crops; by
              default the config's. Of a model of images, processes that
              predict; by default this one;
            - ``dry_run``: only print how many predictions are missing;
            - ``skip_unreadable``: leave out and count images that cannot be
              read;

            with a config

            - ``gt_boxes``: use annotated bboxes instead of a detector's;
            - ``threads``: forward passes at a time; by default the number of
              PyTorch's threads on a CPU and 1 elsewhere;
            - ``cfg_options``: dotted keys of the config -> values;
            - ``trust_checkpoint``: whether to unpickle a checkpoint that
              contains more than weights, which runs any code in it;
            - ``launcher``: 'none', or what started the processes: 'pytorch',
              'slurm' or 'mpi';

            with a model of images

            - ``people``: whom an attack on an image of a model that finds
              people by itself acts on: 'all' at once, or 'one', with an image
              pass each;
            - ``timeout``: seconds that a call of the model may take, which
              then runs in a process of its own;
            - ``options``: of the model's adapter, such as ``padding``;
            - ``search``: instead of attacks, a
              :class:`.image_worst_case.WorstCaseSearch`.

    Returns:
        The benchmark with the requested attacks; None for a dry run.

    Raises:
        UsageError: A file does not exist, an attack does not fit the data
            set, or another run works in the folder.
    """
    if not (suites or attacks):
        suites = (DEFAULT,)
    settings.update(out=str(out), suites=suites, attacks=attacks)
    run = _run(model, checkpoint, dict(data or {}), log, settings)
    if run is None and refine is not None:
        log(
            'The finer cells are chosen from these predictions: at most three '
            'times as many more.'
        )
    elif run is not None and refine is not None:
        finer = finer_cells(run, refine)
        log(
            f'{len(finer)} finer cells, beside which the error of a joint may '
            f'rise by more than {refine:g} of the bbox: at most '
            f'{len(finer) * len(run.boxes):,} predictions more.'
        )
        settings.update(attacks=[*attacks, *finer], resume=True)
        run = _run(model, checkpoint, dict(data or {}), log, settings)
    return None if run is None else Benchmark(Path(out), [run], trusted=True)


def _run(
    model: Any,
    checkpoint: str | Path | None,
    data: dict[str, Any],
    log: Callable[[str], object],
    settings: dict[str, Any],
) -> BenchmarkRun | None:
    if is_config(model, checkpoint):
        config = f'model "{model}" is a config of MMPose: '
        if 'search' in settings:
            raise UsageError(
                f'{config}the worst place is searched on whole images, so '
                'write mmpose:CONFIG,CHECKPOINT'
            )
        if checkpoint is None:
            raise UsageError(f'{config}give its checkpoint, too')
        try:
            from mmpose_occlusion.predictors.mmpose_loop import run_mmpose
        except ModuleNotFoundError as error:
            raise UsageError(
                f'"{model}" is a config of MMPose, and the module '
                f'"{error.name}" is not installed: install MMPose 1.3 with '
                'MMEngine and mmcv'
            ) from error
        return run_mmpose(str(model), str(checkpoint), data, **settings)
    return _run_images(model, data, log=log, **settings)


def is_config(model: Any, checkpoint: Any = None) -> bool:
    """Whether a model is a config of MMPose, not a predictor of images."""
    if checkpoint is not None:
        return True
    text = str(model) if isinstance(model, str | Path) else ''
    if re.match(r'\w\w+:(?!:)', text):  # mmpose:CONFIG,CHECKPOINT
        return False
    return text.endswith('.py') or '::' in text


def _run_images(
    model: Any,
    data: dict[str, Any],
    options: Mapping[str, Any] | None = None,
    **others: Any,
) -> BenchmarkRun | None:
    from mmpose_occlusion.predictors import Predictor, load_predictor

    from .image_run import run_predictor

    needed = {'annotations', 'images'}
    if not needed <= set(data) <= {*needed, 'detections'}:
        raise UsageError(
            f'data has {", ".join(data) or "no keys"}: a model of images has '
            'annotations (--annotations FILE), images (--images FOLDER) and, '
            'if wanted, detections'
        )
    if isinstance(model, str | Path):
        load = partial(load_predictor, str(model), options)
        return run_predictor(load(), **data, load=load, **others)
    if not isinstance(model, Predictor):
        raise UsageError(
            f'a {type(model).__name__} is no model: give a text, or an '
            'object with the attributes of mmpose_occlusion.predictors.'
            'Predictor'
        )
    return run_predictor(model, **data, **others)


def _case_images(
    run: BenchmarkRun, cases: Sequence[Any], trusted: bool
) -> Any:
    """The images of cases again."""
    if run.dataset.get('kind') == 'images':
        from .image_run import case_images

        return case_images(run, cases)
    try:
        from mmpose_occlusion.predictors.mmpose_crops import case_crops
    except ModuleNotFoundError as error:
        words = 'this report was made without MMPose'
        raise LookupError(words) from error
    return case_crops(run, cases, trusted)
