"""Worst and typical cases: which, and what they looked like."""

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmpose_occlusion.benchmark.analysis.attacks import transforms
from mmpose_occlusion.benchmark.blocks import order_by_image
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.datasets import match_detections
from mmpose_occlusion.engine.crops import to_crop
from mmpose_occlusion.engine.pipelines import RECORD_KEY, split_pipeline
from mmpose_occlusion.metrics.functional import box_size, joint_errors
from mmpose_occlusion.predictors.mmpose_topdown.crop_maker import (
    CropAttack,
    CropMaker,
)
from mmpose_occlusion.predictors.mmpose_topdown.ground_truth import infos_of
from mmpose_occlusion.skeleton import Skeleton

WORST, TYPICAL = 1.0, 0.5
"""Quantiles of the harm."""


@dataclass(frozen=True)
class Case:
    """One person under one attack.

    Args:
        attack: Name.
        row: Of the boxes.
        image_id: Of the image.
        instance_id: Of the person.
        before: Largest error of a hidden joint without the attack, in parts
            of the box's longer side.
        after: The same under it.
        joint: Which joint that is.
    """

    attack: str
    row: int
    image_id: int
    instance_id: int
    before: float
    after: float
    joint: str


@dataclass(frozen=True)
class Shown:
    """A case with its pictures.

    Args:
        case: The case.
        clean: (H, W, 3) uint8 BGR crop.
        attacked: The same under attack.
        truth: ``(K, 2)`` true joints in pixels of the crop, NaN where there
            is no label.
        before: ``(K, 2)`` predicted joints without the attack.
        after: ``(K, 2)`` the same under it.
        hidden: ``(K,)`` bool.
        records: What the attack says it did.
    """

    case: Case
    clean: np.ndarray
    attacked: np.ndarray
    truth: np.ndarray
    before: np.ndarray
    after: np.ndarray
    hidden: np.ndarray
    records: Sequence[Mapping]


def pick_cases(
    run: BenchmarkRun, quantile: float, number: int = 6
) -> list[Case]:
    """Cases by how much worse a hidden joint got; nobody and no attack
    twice.

    Args:
        run: The run.
        quantile: :data:`WORST` or :data:`TYPICAL`.
        number: How many at most.
    """
    labelled = (run.boxes.visible > 0) & np.isfinite(run.boxes.truth).all(-1)
    sizes = box_size(run.boxes.person_boxes)[:, None]
    before = joint_errors(run.clean.keypoints, run.boxes.truth) / sizes
    harmed = np.full((len(run.attacks), len(run.boxes)), -np.inf)
    for number_, attack in enumerate(run.attacks):
        after = _after(run, number_) / sizes
        judged = attack.hidden & labelled & attack.changed[:, None]
        harmed[number_] = np.where(judged, after - before, -np.inf).max(axis=1)
    out = []
    for index, row in pick(harmed, number, quantile):
        attack = run.attacks[index]
        after = _after(run, index)[row] / sizes[row]
        judged = attack.hidden[row] & labelled[row]
        joint = int(np.where(judged, after - before[row], -np.inf).argmax())
        out.append(
            Case(
                attack=attack.name,
                row=row,
                image_id=int(run.boxes.image_ids[row]),
                instance_id=int(run.boxes.instance_ids[row]),
                before=float(before[row, joint]),
                after=float(after[joint]),
                joint=run.joints.names[joint],
            )
        )
    return out


def pick(
    harmed: np.ndarray, num: int, quantile: float
) -> list[tuple[int, int]]:
    """Choose cases, nobody and no attack twice where that can be had.

    Args:
        harmed: ``(A, N)`` how much worse; -inf for no case.
        num: How many cases.
        quantile: 1 for the worst cases, 0.5 for typical ones.

    Returns:
        Index of the attack and of the person of each case.
    """
    attacks, people = np.nonzero(np.isfinite(harmed))
    if not len(attacks):
        return []
    values = harmed[attacks, people]
    middle = np.quantile(values, quantile)
    order = np.argsort(np.abs(values - middle), kind='stable')
    chosen: list[tuple[int, int]] = []
    for i in order:
        case = int(attacks[i]), int(people[i])
        if all(case[0] != a and case[1] != p for a, p in chosen):
            chosen.append(case)
            if len(chosen) == num:
                break
    return chosen


def _after(run: BenchmarkRun, index: int) -> np.ndarray:
    predicted = run.attacks[index].predictions.keypoints
    return joint_errors(predicted, run.boxes.truth)


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


def show(
    run: BenchmarkRun, cases: Sequence[Case], config: str | Path | Config
) -> list[Shown]:
    """Make the crops of some cases again.

    Args:
        run: The run.
        cases: Of the run.
        config: That the run was made with.

    Raises:
        LookupError: The data set is not there any more, or is another one;
            the message says which.
    """
    crop_of = _crops(run, config)
    attacks = {attack.name: attack for attack in run.attacks}
    out = []
    for case in cases:
        attack = attacks[case.attack]
        crop = crop_of(case.row)
        try:
            painted = CropAttack(transforms(attack), run.seed)(crop)
        except Exception as error:
            raise LookupError(
                f'the attack "{case.attack}" cannot be painted again '
                f'({_first_line(error)})'
            ) from error
        out.append(
            Shown(
                case=case,
                clean=crop['img'],
                attacked=painted['img'],
                truth=to_crop(run.boxes.truth[case.row], crop),
                before=to_crop(run.clean.keypoints[case.row], crop),
                after=to_crop(attack.predictions.keypoints[case.row], crop),
                hidden=attack.hidden[case.row],
                records=painted[RECORD_KEY],
            )
        )
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
    skeleton = Skeleton.from_names(tuple(run.joints.names))
    maker = CropMaker(dataset, after, (), skeleton, order)

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
