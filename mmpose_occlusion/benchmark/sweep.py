"""Run a model over clean and attacked crops in one pass."""

import contextlib
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.utils import ProgressBar
from torch.utils.data import DataLoader

from mmpose_occlusion.evaluation.functional import box_size

from .crops import ATTACK_KEY, CLEAN, AttackedCrops


@dataclass(frozen=True)
class Sweep:
    """A model's predictions for N people, clean and under A attacks.

    Where an attack did not change somebody's crop, the clean prediction
    stands in its place.

    Args:
        attacks: Short forms, length A.
        joints: Names, length K.
        clean: ``(N, K, 2)`` predicted joints in image pixels.
        attacked: ``(A, N, K, 2)`` the same under attack.
        truth: ``(N, K, 2)`` annotated joints in image pixels.
        labelled: ``(N, K)`` bool; none in a detector's box of nobody.
        sizes: ``(N,)`` longer side of the person's annotated box in pixels.
        changed: ``(A, N)`` bool, the crops that really changed.
        hidden: ``(A, N, K)`` bool, the joints under painted pixels.
        clean_metrics: What the config's evaluator says.
        attacked_metrics: The same under each attack.
    """

    attacks: list[str]
    joints: list[str]
    clean: np.ndarray
    attacked: np.ndarray
    truth: np.ndarray
    labelled: np.ndarray
    sizes: np.ndarray
    changed: np.ndarray
    hidden: np.ndarray
    clean_metrics: dict[str, float]
    attacked_metrics: list[dict[str, float]]


def run_sweep(
    cfg: Config,
    model: torch.nn.Module,
    crops: AttackedCrops,
    batch_size: int = 64,
    num_workers: int = 0,
) -> Sweep:
    """Test a model clean and under every attack.

    Args:
        cfg: An MMPose top-down config; its ``test_evaluator`` is used.
        model: The pose estimator with its weights, on its device.
        crops: Its crops under attacks, see :func:`.crops.build_crops`.
        batch_size: Crops in one forward pass.
        num_workers: Processes that make crops.
    """
    names = crops.names
    metainfo = crops.crops.metainfo
    evaluators = [_evaluator(cfg, metainfo) for _ in range(1 + len(names))]
    people: list[dict[str, Any]] = []
    model.eval()
    bar = ProgressBar(len(crops))
    for crop, samples in _predict(model, crops, batch_size, num_workers):
        clean = samples[CLEAN]
        views = [samples.get(a, clean) for a in range(len(names))]
        for evaluator, sample in zip(evaluators, [clean, *views], strict=True):
            evaluator.process([sample])
        people.append(
            dict(
                clean=clean.pred_instances.keypoints[0],
                attacked=[v.pred_instances.keypoints[0] for v in views],
                changed=[a in samples for a in range(len(names))],
                hidden=[_hidden(r, metainfo) for r in crop['records']],
                **crop['person'],
            )
        )
        bar.update()
    print()
    metrics = [_evaluate(evaluator, len(people)) for evaluator in evaluators]
    return Sweep(
        attacks=names,
        joints=list(metainfo['keypoint_id2name'].values()),
        clean=np.stack([p['clean'] for p in people]),
        attacked=np.stack([p['attacked'] for p in people], axis=1),
        truth=np.stack([p['joints'] for p in people]),
        labelled=np.stack([p['labelled'] for p in people]),
        sizes=box_size(np.stack([p['box'] for p in people])),
        changed=np.array([p['changed'] for p in people]).T,
        hidden=np.stack([p['hidden'] for p in people], axis=1),
        clean_metrics=metrics[0],
        attacked_metrics=metrics[1:],
    )


def _predict(
    model: torch.nn.Module,
    crops: AttackedCrops,
    batch_size: int,
    num_workers: int,
) -> Iterator[tuple[dict, dict[int, Any]]]:
    """Each crop without its views, and attack index -> data sample."""
    loader = DataLoader(
        crops, batch_size=None, num_workers=num_workers, collate_fn=None
    )
    queue: deque = deque()

    def views() -> Iterator[tuple[int, dict]]:
        for index, crop in enumerate(loader):
            views_of_crop = crop.pop('views')
            queue.append(crop)
            for view in views_of_crop:
                yield index, view

    def samples() -> Iterator[tuple[int, Any]]:
        stream = views()
        while batch := list(islice(stream, batch_size)):
            data = pseudo_collate([view for _, view in batch])
            with torch.no_grad():
                out = model.test_step(data)
            yield from zip([index for index, _ in batch], out, strict=True)

    for _, group in groupby(samples(), key=lambda pair: pair[0]):
        found = {s.metainfo[ATTACK_KEY]: s for _, s in group}
        yield queue.popleft(), found


def _evaluator(cfg: Config, metainfo: dict) -> Evaluator:
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator = Evaluator(cfg.test_evaluator)
    evaluator.dataset_meta = metainfo
    return evaluator


def _evaluate(evaluator: Evaluator, size: int) -> dict[str, float]:
    """The metrics, without the tables that COCOeval prints."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return evaluator.evaluate(size)
    finally:
        logger.setLevel(level)


def _hidden(records: list[dict], metainfo: dict) -> np.ndarray:
    """``(K,)`` bool: the joints of the crop's person under the paint."""
    index = metainfo['keypoint_name2id']
    mask = np.zeros(metainfo['num_keypoints'], bool)
    for record in records:
        mask[[index[joint] for _, joint in record['hidden']]] = True
    return mask
