"""The benchmark in Python: run it, load it, read it as a table, report it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.confidence import CONFIDENT
from mmpose_occlusion.metrics.pck import (
    PCK_THRESHOLD,
    box_size,
    joint_errors,
)

from .analysis import describe
from .data import BenchmarkRun
from .options import BenchmarkOptions
from .runs import load_runs
from .suite import DEFAULT

if TYPE_CHECKING:
    import pandas

ALL = 'all'
"""Name in place of a joint in the rows over all joints."""


@dataclass(frozen=True)
class Benchmark:
    """One model on one data set under attacks, or several to compare.

    Args:
        folder: Folder of the benchmark.
        runs: The runs; others are compared with the first.
    """

    folder: Path
    runs: list[BenchmarkRun] = field(repr=False)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Scores per attack, role and joint, for the people whose crop the
        attack changed.

        Yields:
            A dict with

            - ``model``, ``data``, ``attack``, ``suite``;
            - ``kind`` ('joint', 'part' or 'other'), ``target``, ``fill``,
              ``size`` (diameter as a fraction of the bbox height, or None)
              and ``place`` of the attack;
            - ``role``: 'target' (joints that the attack asks for, under
              paint), 'bystander' (others under paint) or 'visible';
            - ``joint``: its name, or 'all';
            - ``n``: number of labelled joints; rows without any are left
              out;
            - ``pck_clean``, ``pck_attacked``: fraction of them with an error
              below 0.2 of the bbox's longer side;
            - ``epe_clean``, ``epe_attacked``: mean error as a fraction of
              the bbox's longer side.
        """
        for run in self.runs:
            yield from _rows(run)

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

    def report(
        self,
        path: str | Path | None = None,
        *,
        draws: int = 1000,
        seed: int = 0,
        cases: int = 6,
        measure: str | None = None,
        threshold: float = CONFIDENT,
        progress: Callable[[str], None] = lambda text: None,
    ) -> Path:
        """Write the report: page, JSON and CSV.

        Args:
            path: Folder of the report; by default the benchmark's.
            draws: Number of bootstrap samples of the intervals.
            seed: Seed of the bootstrap.
            cases: Number of worst and of typical cases to show.
            measure: Main measure: AP, AR, PCKh, PCK or OKS50. By default AP
                where the data has it and it is at least .05 without
                occlusion.
            threshold: Score above which a prediction counts as confident.
            progress: Called with the name of each step.

        Returns:
            The page, ``index.html``.

        Raises:
            UsageError: A number is negative, or the data lacks the measure.
        """
        from .report import write_report

        for name, value in dict(draws=draws, seed=seed, cases=cases).items():
            if value < 0:
                raise UsageError(f'{name} is {value}: give 0 or more')
        return write_report(
            self.runs,
            self.folder if path is None else path,
            case_images=_case_images(),
            draws=draws,
            seed=seed,
            cases=cases,
            measure=measure,
            threshold=threshold,
            progress=progress,
        )


def load_benchmark(folder: str | Path, *others: str | Path) -> Benchmark:
    """Read the complete runs of a benchmark's folder; no model is needed.

    Args:
        folder: The ``out`` of :func:`run_benchmark`.
        others: Folders of further benchmarks, to be compared with the first.

    Raises:
        UsageError: A folder holds no complete run, or a file is damaged.
    """
    runs = [run for each in (folder, *others) for run in load_runs(each)]
    return Benchmark(Path(folder), runs)


def run_benchmark(
    model: str | Path,
    checkpoint: str | Path | None = None,
    *,
    out: str | Path,
    data: Mapping[str, Any] | None = None,
    suites: Sequence[str] = (),
    attacks: Sequence[str] = (),
    seed: int = 0,
    max_images: int | None = None,
    resume: bool = True,
    gt_boxes: bool = False,
    batch_size: int | None = None,
    num_workers: int | None = None,
    threads: int | None = None,
    dry_run: bool = False,
    cfg_options: Mapping[str, Any] | None = None,
    trust_checkpoint: bool = False,
    launcher: str = 'none',
) -> Benchmark | None:
    """Predict a data set clean and under attacks, into a folder.

    Predictions that the folder holds already are not computed again, and an
    interrupted run is resumed.

    Args:
        model: Config of a top-down model of MMPose: a file, or one of a
            package as ``mmpose::PATH``.
        checkpoint: Its checkpoint, a file or URL.
        out: Folder of the benchmark.
        data: Settings that replace those of the config's
            ``test_dataloader.dataset``, for example ``data_root`` and
            ``ann_file``; by default the data set is the config's.
        suites: Names of suites, or ``.json`` files; without any, and without
            attacks, :data:`.suite.DEFAULT`.
        attacks: Short forms of further attacks, for example
            ``'keypoint:*:black:24'``.
        seed: Seed of the attacks' random draws.
        max_images: Use the first images only.
        resume: False deletes this run's predictions and computes them again.
        gt_boxes: Use annotated bboxes instead of a detector's.
        batch_size: Maximum number of crops in a forward pass; by default 32
            on a CPU and 64 elsewhere.
        num_workers: Processes that make crops; by default the config's.
        threads: Forward passes at a time; by default the number of PyTorch's
            threads on a CPU and 1 elsewhere.
        dry_run: Only print how many forward passes are missing, and about how
            long they take.
        cfg_options: Dotted keys of the config -> values.
        trust_checkpoint: Whether to unpickle a checkpoint that contains more
            than weights, which runs any code in it.
        launcher: 'none', or what started the processes: 'pytorch', 'slurm'
            or 'mpi'.

    Returns:
        The benchmark with the requested attacks; None for a dry run.

    Raises:
        UsageError: A file does not exist, an attack does not fit the data
            set, or another run works in the folder.
    """
    if checkpoint is None:
        raise UsageError(
            f'model "{model}" is a config of MMPose: give its checkpoint, too'
        )
    options = BenchmarkOptions(
        model=str(model),
        checkpoint=str(checkpoint),
        out=str(out),
        data=data or {},
        suites=suites if suites or attacks else (DEFAULT,),
        attacks=attacks,
        seed=seed,
        max_images=max_images,
        resume=resume,
        gt_boxes=gt_boxes,
        batch_size=batch_size,
        num_workers=num_workers,
        threads=threads,
        dry_run=dry_run,
        cfg_options=cfg_options or {},
        trust_checkpoint=trust_checkpoint,
        launcher=launcher,
    )
    try:
        from mmpose_occlusion.predictors.mmpose_topdown.mmpose_run import (
            run_mmpose,
        )
    except ModuleNotFoundError as error:
        raise UsageError(
            f'"{model}" is a config of MMPose, and the module "{error.name}" '
            'is not installed: install MMPose 1.3 with MMEngine and mmcv'
        ) from error
    run = run_mmpose(options)
    return None if run is None else Benchmark(Path(out), [run])


def _rows(run: BenchmarkRun) -> Iterator[dict[str, Any]]:
    boxes = run.boxes
    labelled = (boxes.visible > 0) & np.isfinite(boxes.truth).all(axis=-1)
    sizes = box_size(boxes.person_boxes)[:, None]
    clean = joint_errors(run.clean.keypoints, boxes.truth) / sizes
    for attack in run.attacks:
        words = describe(attack)
        attacked = joint_errors(attack.predictions.keypoints, boxes.truth)
        attacked = attacked / sizes
        for role, joints in (
            ('target', attack.targets),
            ('bystander', attack.bystanders),
            ('visible', ~attack.hidden),
        ):
            counted = joints & labelled & attack.changed[:, None]
            for k, joint in [(None, ALL), *enumerate(run.joints.names)]:
                mask = counted if k is None else counted[:, [k]]
                columns = slice(None) if k is None else [k]
                before = clean[:, columns][mask]
                after = attacked[:, columns][mask]
                if not len(before):
                    continue
                yield dict(
                    model=run.model,
                    data=run.data,
                    attack=attack.name,
                    suite=attack.suite,
                    kind=words.kind,
                    target=words.target,
                    fill=words.paint,
                    size=words.severity,
                    place=words.place,
                    role=role,
                    joint=joint,
                    n=len(before),
                    pck_clean=float((before < PCK_THRESHOLD).mean()),
                    pck_attacked=float((after < PCK_THRESHOLD).mean()),
                    epe_clean=float(before.mean()),
                    epe_attacked=float(after.mean()),
                )


def _case_images() -> Any:
    """What makes the crops of cases; None without MMPose."""
    if find_spec('mmpose') is None:
        return None
    from mmpose_occlusion.predictors.mmpose_topdown.case_crops import (
        case_crops,
    )

    return case_crops
