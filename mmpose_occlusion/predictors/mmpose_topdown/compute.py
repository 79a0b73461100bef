"""One pass over all crops, from the data set to the store."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader

from mmpose_occlusion.benchmark.blocks import image_ranges
from mmpose_occlusion.benchmark.store import CLEAN, BlockResult
from mmpose_occlusion.benchmark.work import Recorder, Work

from .batch import Batch, load
from .crop_maker import Crop, CropMaker, Task, TaskDataset
from .predict import BatchPredictor


def tasks_of(work: Iterable[Work], image_ids: np.ndarray) -> list[Task]:
    """One task for each image of each block, in order."""
    return [
        Task(
            w.block.number,
            w.block.start + start,
            w.block.start + stop,
            w.attacks,
        )
        for w in work
        for start, stop in image_ranges(
            image_ids[w.block.start : w.block.stop].tolist()
        )
    ]


def block_crops(
    maker: CropMaker,
    work: Sequence[Work],
    image_ids: np.ndarray,
    num_workers: int,
) -> Iterator[tuple[Work, list[Crop]]]:
    """The crops of each block; workers prepare the next ones meanwhile."""
    tasks = tasks_of(work, image_ids)
    loader = iter(
        DataLoader(
            TaskDataset(maker, tasks),
            batch_size=None,
            num_workers=num_workers,
            prefetch_factor=_prefetch(tasks, num_workers),
            collate_fn=_identity,
        )
    )
    for w in work:
        crops: list[Crop] = []
        while len(crops) < len(w.block):
            crops += next(loader)
        yield w, crops


def _prefetch(tasks: Sequence[Task], num_workers: int) -> int | None:
    """Tasks that each worker prepares, enough for the largest block."""
    if not num_workers or not tasks:
        return None
    largest = max(Counter(task.block for task in tasks).values())
    return max(2, math.ceil(largest / num_workers))


def _identity(crops: list[Crop]) -> list[Crop]:
    return crops


@dataclass
class _Pending:
    """A batch that is computed, or about to be."""

    work: Work
    key: str
    clean: torch.Tensor
    crops: list[Crop]
    attack: int | None

    @property
    def changed(self) -> np.ndarray:
        if self.attack is None:
            return np.ones(len(self.crops), bool)
        return np.array(
            [c.outcomes[self.attack].diff is not None for c in self.crops]
        )

    def result(
        self,
        keypoints: np.ndarray,
        scores: np.ndarray,
        visibility: np.ndarray | None = None,
    ) -> BlockResult:
        shape = len(self.crops), keypoints.shape[1]
        targets, bystanders = np.zeros(shape, bool), np.zeros(shape, bool)
        pixels = np.zeros(len(self.crops), np.int32)
        excluded = np.zeros(len(self.crops), bool)
        for i, crop in enumerate(self.crops):
            if self.attack is not None:
                outcome = crop.outcomes[self.attack]
                targets[i, list(outcome.targets)] = True
                bystanders[i, list(outcome.bystanders)] = True
                pixels[i] = outcome.pixels
                excluded[i] = outcome.excluded
        return BlockResult(
            self.changed,
            excluded,
            targets,
            bystanders,
            pixels,
            keypoints,
            scores,
            visibility=visibility,
        )


def compute(
    batches: Iterable[tuple[Work, list[Crop]]],
    keys: Sequence[str],
    predictor: BatchPredictor,
    recorder: Recorder,
    joints: int,
    progress: Callable[[int, int], object] = lambda units, passes: None,
) -> int:
    """Predict all crops, clean and where attacks change them.

    The crops of a block under one attack are one batch, so that predictions
    do not depend on other attacks or on the order of computation.

    Args:
        batches: See :func:`block_crops`.
        keys: Keys of the attacks.
        predictor: Entered as a context.
        recorder: Takes the results; flushed at the end, also after an error.
        joints: K.
        progress: Called with crops times attacks, and forward passes, so far.

    Returns:
        Number of forward passes of one crop.
    """
    passes = units = 0
    running: dict[Future, _Pending] = {}
    nothing = (
        np.zeros((0, joints, 2), np.float32),
        np.zeros((0, joints), np.float32),
    )

    def take(futures: Iterable[Future]) -> None:
        nonlocal passes, units
        for future in futures:
            pending = running.pop(future)
            result = pending.result(*future.result())
            recorder.add(pending.work, pending.key, result)
            passes += len(result.keypoints)
            units += len(pending.crops)
            progress(units, passes)

    try:
        for pending in _pending(batches, keys, predictor.device):
            rows = np.flatnonzero(pending.changed).tolist()
            if not rows:
                result = pending.result(*nothing)
                recorder.add(pending.work, pending.key, result)
                units += len(pending.crops)
                continue
            while len(running) > predictor.threads:
                take(wait(running, return_when=FIRST_COMPLETED).done)
            batch = Batch(pending.clean, pending.crops, rows, pending.attack)
            running[predictor.submit(batch)] = pending
            take([future for future in running if future.done()])
        while running:
            take(wait(running, return_when=FIRST_COMPLETED).done)
    finally:
        recorder.flush()
    return passes


def _pending(
    batches: Iterable[tuple[Work, list[Crop]]],
    keys: Sequence[str],
    device: torch.device,
) -> Iterator[_Pending]:
    for work, crops in batches:
        clean = load(crops, device)
        if work.clean:
            yield _Pending(work, CLEAN, clean, crops, None)
        for attack in work.attacks:
            yield _Pending(work, keys[attack], clean, crops, attack)
