"""The one pass over all crops: predictions from the model to the store."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import DataLoader

from mmpose_occlusion.benchmark.blocks import Block, runs_of_images
from mmpose_occlusion.benchmark.clock import NO_CLOCK, Clock
from mmpose_occlusion.benchmark.profile import (
    BATCH,
    COLLECT,
    STORE,
    WAIT_CROPS,
    WAIT_NETWORK,
    Profile,
)
from mmpose_occlusion.benchmark.store import CLEAN, BlockResult, RunStore

from .batch import Batch, load
from .crop_maker import Crop, CropMaker, Made, Task, TaskDataset
from .predict import Predictor

FLUSH_SECONDS = 10.0
"""Predictions are written at the latest so long after they were made."""


@dataclass(frozen=True)
class Work:
    """A block, and what it lacks.

    Args:
        block: The block.
        clean: Whether its crops are to be predicted without attack.
        attacks: Indices of the attacks that are to be computed.
    """

    block: Block
    clean: bool
    attacks: tuple[int, ...]

    @property
    def units(self) -> int:
        """Crops times attacks, for showing progress."""
        return len(self.block) * (int(self.clean) + len(self.attacks))


def plan(
    blocks: Sequence[Block],
    keys: Sequence[str],
    stored: Mapping[int, set[str]],
) -> list[Work]:
    """What is not stored yet.

    Args:
        blocks: All blocks.
        keys: Of the attacks that are wanted, no two alike.
        stored: Number of a block -> keys that it has.
    """
    out = []
    for block in blocks:
        has = stored.get(block.number, set())
        missing = tuple(i for i, key in enumerate(keys) if key not in has)
        clean = CLEAN not in has
        if clean or missing:
            out.append(Work(block, clean, missing))
    return out


def tasks_of(work: Iterable[Work], image_ids: np.ndarray) -> list[Task]:
    """The tasks of workers, one for each image of a block, in order."""
    return [
        Task(
            w.block.number,
            w.block.start + start,
            w.block.start + stop,
            w.attacks,
        )
        for w in work
        for start, stop in runs_of_images(
            image_ids[w.block.start : w.block.stop].tolist()
        )
    ]


def block_crops(
    maker: CropMaker,
    work: Sequence[Work],
    image_ids: np.ndarray,
    num_workers: int,
    profile: Profile | None = None,
) -> Iterator[tuple[Work, list[Crop]]]:
    """The crops of each block; workers make the next one meanwhile."""
    clock = profile.main if profile and num_workers else NO_CLOCK
    tasks = tasks_of(work, image_ids)
    loader = iter(
        DataLoader(
            TaskDataset(maker.make, tasks, timed=profile is not None),
            batch_size=None,
            num_workers=num_workers,
            prefetch_factor=_ahead(tasks, num_workers),
            collate_fn=_as_it_is,
        )
    )
    for w in work:
        crops: list[Crop] = []
        while len(crops) < len(w.block):
            with clock.step(WAIT_CROPS):
                made: Made = next(loader)
            crops += made.crops
            if profile is not None:
                profile.add(made.steps)
        yield w, crops


def _ahead(tasks: Sequence[Task], num_workers: int) -> int | None:
    """Tasks that each worker is to have done for the largest block."""
    if not num_workers or not tasks:
        return None
    largest = max(Counter(task.block for task in tasks).values())
    return max(2, math.ceil(largest / num_workers))


def _as_it_is(made: Made) -> Made:
    return made


@dataclass
class _Pending:
    """A batch on its way."""

    work: Work
    key: str
    clean: torch.Tensor
    crops: list[Crop]
    attack: int | None


@dataclass
class Recorder:
    """Writes finished batches: a block's when it is complete, and those of
    slow blocks every few seconds.

    Args:
        store: Where to.
        seconds: How long batches are kept back at most.
    """

    store: RunStore
    seconds: float = FLUSH_SECONDS
    _kept: dict[int, dict[str, BlockResult]] = field(default_factory=dict)
    _left: dict[int, int] = field(default_factory=dict)
    _written: float = field(default_factory=time.monotonic)

    def add(self, work: Work, key: str, result: BlockResult) -> None:
        """Take a batch."""
        number = work.block.number
        self._kept.setdefault(number, {})[key] = result
        all_ = int(work.clean) + len(work.attacks)
        self._left[number] = self._left.get(number, all_) - 1
        if not self._left[number]:
            self._write(number)
        elif time.monotonic() - self._written > self.seconds:
            self.flush()

    def flush(self) -> None:
        """Write all that is there."""
        for number in list(self._kept):
            self._write(number)

    def _write(self, number: int) -> None:
        self.store.write(self.store.blocks[number], self._kept.pop(number))
        self._written = time.monotonic()


def compute(
    batches: Iterable[tuple[Work, list[Crop]]],
    keys: Sequence[str],
    predictor: Predictor,
    recorder: Recorder,
    joints: int,
    tell: Callable[[int, int], object] = lambda units, passes: None,
    clock: Clock = NO_CLOCK,
) -> int:
    """Predict all crops, clean and where attacks change them.

    A block's crops under one attack are one batch, so that its predictions
    depend neither on other attacks nor on anything else that goes on.

    Args:
        batches: See :func:`block_crops`.
        keys: Of the attacks.
        predictor: Entered as a context.
        recorder: Takes the results; what it holds is written at the end, also
            after an error.
        joints: K.
        tell: Called with crops times attacks and with forward passes so far.
        clock: Of this thread.

    Returns:
        How many crops went through the network.
    """
    passes = units = 0
    running: dict[Future, _Pending] = {}
    limit = predictor.threads + 1

    def take(futures: Iterable[Future]) -> None:
        nonlocal passes, units
        for future in futures:
            pending = running.pop(future)
            found = future.result()
            with clock.step(COLLECT):
                result = _result(pending, joints, *found)
            with clock.step(STORE):
                recorder.add(pending.work, pending.key, result)
            passes += len(result.keypoints)
            units += len(pending.crops)
            tell(units, passes)

    try:
        for pending in _pending(batches, keys, predictor.device, clock):
            rows = np.flatnonzero(_changed(pending)).tolist()
            if not rows:
                with clock.step(STORE):
                    recorder.add(
                        pending.work, pending.key, _result(pending, joints)
                    )
                units += len(pending.crops)
                continue
            while len(running) >= limit:
                with clock.step(WAIT_NETWORK):
                    done = wait(running, return_when=FIRST_COMPLETED).done
                take(done)
            batch = Batch(pending.clean, pending.crops, rows, pending.attack)
            running[predictor.submit(batch)] = pending
            take([future for future in running if future.done()])
        while running:
            with clock.step(WAIT_NETWORK):
                done = wait(running, return_when=FIRST_COMPLETED).done
            take(done)
    finally:
        with clock.step(STORE):
            recorder.flush()
    return passes


def _pending(
    batches: Iterable[tuple[Work, list[Crop]]],
    keys: Sequence[str],
    device: torch.device,
    clock: Clock,
) -> Iterator[_Pending]:
    for work, crops in batches:
        with clock.step(BATCH):
            clean = load(crops, device)
        if work.clean:
            yield _Pending(work, CLEAN, clean, crops, None)
        for attack in work.attacks:
            yield _Pending(work, keys[attack], clean, crops, attack)


def _changed(pending: _Pending) -> np.ndarray:
    if pending.attack is None:
        return np.ones(len(pending.crops), bool)
    return np.array(
        [c.outcomes[pending.attack].change is not None for c in pending.crops]
    )


def _result(
    pending: _Pending,
    joints: int,
    keypoints: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> BlockResult:
    n = len(pending.crops)
    hidden = np.zeros((n, joints), bool)
    pixels = np.zeros(n, np.int32)
    excluded = np.zeros(n, bool)
    if pending.attack is not None:
        for i, crop in enumerate(pending.crops):
            outcome = crop.outcomes[pending.attack]
            hidden[i, list(outcome.hidden)] = True
            pixels[i] = outcome.pixels
            excluded[i] = outcome.excluded
    if keypoints is None or scores is None:
        keypoints = np.zeros((0, joints, 2), np.float32)
        scores = np.zeros((0, joints), np.float32)
    return BlockResult(
        _changed(pending), excluded, hidden, pixels, keypoints, scores
    )
