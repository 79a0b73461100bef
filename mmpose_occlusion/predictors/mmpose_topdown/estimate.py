"""How much there is to do, from a few crops and one batch."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .batch import Batch
from .compute import Work
from .crop_maker import Crop, CropMaker, Task
from .predict import Predictor

CROPS = 48
"""Crops that are made, spread over the data."""

BATCH = 16
"""Crops that go through the network, at most."""


@dataclass(frozen=True)
class Estimate:
    """What a run would compute.

    Args:
        clean: Forward passes of crops without attack.
        attacked: Forward passes of crops that an attack changes.
        exact: Whether all crops were looked at.
        seconds: What that takes, the start and the report left out.
        per_pass: Seconds of one pass of one crop.
    """

    clean: int
    attacked: int
    exact: bool
    seconds: float
    per_pass: float

    def sentence(self, crops: int, attacks: int) -> str:
        """The estimate in words.

        Args:
            crops: Of the data set.
            attacks: That are asked for.
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


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(4), duration(100), duration(7500), duration(200_000)
    ('4 s', '2 min', '2 h 5 min', '2 d 8 h')
    """
    if seconds < 90:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60)
    if minutes < 60:
        return f'{minutes} min'
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f'{hours} h {minutes} min'
    return f'{hours // 24} d {hours % 24} h'


def estimate(
    maker: CropMaker,
    predictor: Predictor,
    work: Sequence[Work],
    num_workers: int = 0,
    processes: int = 1,
) -> Estimate:
    """Look at some crops of what is to be done.

    Args:
        maker: Makes them.
        predictor: Entered as a context.
        work: What is to be done.
        num_workers: That would make crops, in each process.
        processes: That would share the work.
    """
    if not work:
        return Estimate(0, 0, True, 0, 0)
    rows = [(w, r) for w in work for r in range(w.block.start, w.block.stop)]
    picks = np.unique(
        np.linspace(0, len(rows) - 1, min(CROPS, len(rows))).astype(int)
    )
    start = time.perf_counter()
    crops = []
    tried: dict[int, list[bool]] = {}
    for w, row in (rows[i] for i in picks):
        task = Task(w.block.number, row, row + 1, w.attacks)
        crops += maker.make(task)
        for attack, outcome in crops[-1].outcomes.items():
            tried.setdefault(attack, []).append(outcome.change is not None)
    making = (time.perf_counter() - start) / len(picks) * len(rows)
    everything = {
        attack: sum(len(w.block) for w in work if attack in w.attacks)
        for attack in tried
    }
    clean = sum(len(w.block) for w in work if w.clean)
    attacked = round(
        sum(np.mean(tried[a]) * everything[a] for a in everything)
    )
    per_pass = _time_pass(predictor, crops) if clean + attacked else 0.0
    passing = per_pass * (clean + attacked)
    seconds = (
        max(passing, making / num_workers) if num_workers else passing + making
    )
    return Estimate(
        clean,
        attacked,
        len(picks) == len(rows),
        seconds / processes,
        per_pass,
    )


def _time_pass(predictor: Predictor, crops: Sequence[Crop]) -> float:
    """Seconds per crop while all threads are at work."""
    first, batch = (
        Batch.of(crops[:count], device=predictor.device)
        for count in (1, BATCH)
    )
    predictor.predict(first)  # it is slower
    start = time.perf_counter()
    running = [predictor.submit(batch) for _ in range(predictor.threads)]
    for future in running:
        future.result()
    elapsed = time.perf_counter() - start
    return elapsed / len(batch) / predictor.threads
