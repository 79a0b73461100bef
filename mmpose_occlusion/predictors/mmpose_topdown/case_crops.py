"""Crops of a report's cases, made again through MMPose's data set."""

import contextlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmpose_occlusion.benchmark.analysis import transform_configs
from mmpose_occlusion.benchmark.blocks import order_by_image
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.report.cases import Case, CaseImages
from mmpose_occlusion.datasets import match_detections
from mmpose_occlusion.engine.crops import to_crop
from mmpose_occlusion.engine.pipelines import split_pipeline

from .crop_maker import Attack, CropMaker
from .ground_truth import infos_of


def crops_from(
    *folders: str | Path,
) -> Callable[[BenchmarkRun, Sequence[Case]], dict[Case, CaseImages]]:
    """A function that makes crops with the configs in benchmarks' folders.

    Args:
        folders: The ``--out`` of benchmarks.
    """

    def make(
        run: BenchmarkRun, cases: Sequence[Case]
    ) -> dict[Case, CaseImages]:
        for folder in folders:
            config = find_config(folder, run)
            if config:
                return case_crops(run, cases, config)
        raise LookupError(
            'the config of this run is not in its folder, so its crops cannot '
            'be made again'
        )

    return make


def find_config(folder: str | Path, run: BenchmarkRun) -> Path | None:
    """The config that a benchmark left in its folder.

    Args:
        folder: The benchmark's.
        run: One of its runs.
    """
    folder = Path(folder)
    stored = folder / 'store' / str(run.run.get('key')) / 'config.py'
    return next(
        (p for p in (stored, folder / 'config.py') if p.is_file()), None
    )


def case_crops(
    run: BenchmarkRun, cases: Sequence[Case], config: str | Path | Config
) -> dict[Case, CaseImages]:
    """Make the crops of some cases, clean and attacked.

    Args:
        run: The run.
        cases: Of the run.
        config: That the run was made with.

    Raises:
        LookupError: The data set is missing or has changed, or an attack
            cannot be applied; the message names it.
    """
    crop_of = _crops(run, config)
    attacks = {attack.name: attack for attack in run.attacks}
    out = {}
    for case in cases:
        crop = crop_of(case.row)
        try:
            painted = Attack(
                transform_configs(attacks[case.attack]), run.seed
            )(crop)
        except Exception as error:
            raise LookupError(
                f'the attack "{case.attack}" cannot be painted again '
                f'({_first_line(error)})'
            ) from error
        origin, x, y = to_crop(np.array([[0, 0], [1, 0], [0, 1]]), crop)
        matrix = np.stack([x - origin, y - origin, origin], axis=1)
        out[case] = CaseImages(crop['img'], painted['img'], matrix)
    return out


def _crops(
    run: BenchmarkRun, config: str | Path | Config
) -> Callable[[int], dict[str, Any]]:
    """Row of the boxes -> ``results`` of its crop."""
    try:
        cfg = (
            config
            if isinstance(config, Config)
            else Config.fromfile(str(config))
        )
        init_default_scope(cfg.get('default_scope') or 'mmpose')
        built = match_detections(cfg.test_dataloader.dataset.to_dict())
        source = built.get('dataset', built)
        before, after = split_pipeline(source['pipeline'])
        source['pipeline'] = before
        with contextlib.redirect_stdout(io.StringIO()):
            dataset = DATASETS.build(built)
        ids = np.array([info['img_id'] for info in infos_of(dataset)])
    except Exception as error:
        raise LookupError(
            f'the data set cannot be read again ({_first_line(error)})'
        ) from error
    order = order_by_image(ids)
    count = len(run.boxes)
    if not np.array_equal(ids[order][:count], run.boxes.image_ids):
        raise LookupError('the data set has changed since the predictions')
    joints = {name: i for i, name in enumerate(run.joints.names)}
    maker = CropMaker(dataset, after, (), joints, order)

    def crop_of(row: int) -> dict[str, Any]:
        try:
            return next(maker.crops(row, row + 1))
        except Exception as error:
            raise LookupError(
                f'image {run.boxes.image_ids[row]} cannot be read again '
                f'({_first_line(error)})'
            ) from error

    return crop_of


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
