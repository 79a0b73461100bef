"""Estimate of a run's forward passes and time, for ``--dry-run``."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.passes_progress import duration
from mmpose_occlusion.benchmark.work import Work

from .batch import Batch
from .crop_maker import Crop, CropMaker, Task
from .predict import BatchPredictor

CROPS = 48
"""Number of crops that are made, spread over the data."""

BATCH = 16
"""Maximum number of crops in the timed batch."""


@dataclass(frozen=True)
class RunEstimate:
    """What a run would compute.

    Args:
        clean: Forward passes of crops without an attack.
        attacked: Forward passes of crops that an attack changes.
        exact: Whether all crops were made, so that the numbers are exact.
        seconds: Estimated time without start and report.
        per_pass: Seconds of one forward pass of one crop.
    """

    clean: int
    attacked: int
    exact: bool
    seconds: float
    per_pass: float

    def sentence(self, crops: int, attacks: int) -> str:
        """The estimate in words.

        Args:
            crops: Number of crops of the data set.
            attacks: Number of attacks.
        """
        passes = self.clean + self.attacked
        about = '' if self.exact else 'about '
        text = f'{crops:,} crops under {attacks:,} attacks: '
        if not passes:
            return text + 'nothing is to be computed, all is stored.'
        return (
            f'{text}{about}{passes:,} forward passes ({self.clean:,} of '
            f'clean crops, {about}{self.attacked:,} of changed ones), '
            f'{1000 * self.per_pass:.1f} ms each: about '
            f'{duration(self.seconds)}.'
        )


def estimate(
    maker: CropMaker,
    predictor: BatchPredictor,
    work: Sequence[Work],
    num_workers: int = 0,
    processes: int = 1,
) -> RunEstimate:
    """Make some crops and time one batch.

    Args:
        maker: Makes the crops.
        predictor: Entered as a context.
        work: What is to be computed.
        num_workers: Workers that make crops in each process.
        processes: Processes that share the work.
    """
    if not work:
        return RunEstimate(0, 0, True, 0, 0)
    rows = [(w, r) for w in work for r in range(w.block.start, w.block.stop)]
    picks = np.unique(
        np.linspace(0, len(rows) - 1, min(CROPS, len(rows))).astype(int)
    )
    start = time.perf_counter()
    crops: list[Crop] = []
    changed: dict[int, list[bool]] = {}
    for w, row in (rows[i] for i in picks):
        crops += maker.make(Task(w.block.number, row, row + 1, w.attacks))
        for attack, outcome in crops[-1].outcomes.items():
            changed.setdefault(attack, []).append(outcome.diff is not None)
    making = (time.perf_counter() - start) / len(picks) * len(rows)
    clean = sum(len(w.block) for w in work if w.clean)
    attacked = round(
        sum(
            np.mean(found) * sum(len(w.block) for w in work if a in w.attacks)
            for a, found in changed.items()
        )
    )
    per_pass = _time_pass(predictor, crops) if clean + attacked else 0.0
    passing = per_pass * (clean + attacked)
    seconds = (
        max(passing, making / num_workers) if num_workers else passing + making
    )
    exact = len(picks) == len(rows)
    return RunEstimate(clean, attacked, exact, seconds / processes, per_pass)


def _time_pass(predictor: BatchPredictor, crops: Sequence[Crop]) -> float:
    """Seconds per crop while all threads are busy."""
    first, batch = (
        Batch.of(crops[:count], device=predictor.device)
        for count in (1, BATCH)
    )
    predictor.predict(first)  # the first pass is slower
    start = time.perf_counter()
    running = [predictor.submit(batch) for _ in range(predictor.threads)]
    for future in running:
        future.result()
    elapsed = time.perf_counter() - start
    return elapsed / len(batch) / predictor.threads
