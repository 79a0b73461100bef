"""Where the time of one thread goes, step by step."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass


@dataclass
class Spent:
    """What a step took.

    Args:
        wall: Seconds between its beginnings and ends, other steps inside it
            left out.
        cpu: Seconds of processor time of its thread among them.
        calls: How often it was begun.
    """

    wall: float = 0.0
    cpu: float = 0.0
    calls: int = 0

    def add(self, other: 'Spent') -> None:
        """Count another's in."""
        self.wall += other.wall
        self.cpu += other.cpu
        self.calls += other.calls


Steps = dict[str, Spent]
"""Name of a step -> what it took."""


class Clock:
    """Times the steps of the thread that it is used in.

    Args:
        settle: Called where a step begins and ends, to wait for a device
            that works on by itself.
    """

    def __init__(self, settle: Callable[[], object] | None = None) -> None:
        self.steps: Steps = {}
        self._settle = settle
        self._inside = [Spent()]

    def step(self, name: str) -> AbstractContextManager[None]:
        """What happens inside is this step, but for steps in it."""
        return self._step(name)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._inside.append(Spent())
        start = self._now()
        try:
            yield
        finally:
            end = self._now()
            inner = self._inside.pop()
            wall, cpu = end[0] - start[0], end[1] - start[1]
            self.add(name, wall - inner.wall, cpu - inner.cpu)
            self._inside[-1].add(Spent(wall, cpu))

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Count in what was measured elsewhere, in seconds."""
        self.steps.setdefault(name, Spent()).add(Spent(wall, cpu, 1))

    def _now(self) -> tuple[float, float]:
        if self._settle is not None:
            self._settle()
        return time.perf_counter(), time.thread_time()


class NoClock(Clock):
    """Takes no time, and no notice."""

    _nothing = nullcontext()

    def step(self, name: str) -> AbstractContextManager[None]:
        """Nothing is measured."""
        return self._nothing

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Nothing is counted."""


NO_CLOCK = NoClock()


def merge(into: Steps, steps: Steps) -> None:
    """Count steps in with others."""
    for name, spent in steps.items():
        into.setdefault(name, Spent()).add(spent)
