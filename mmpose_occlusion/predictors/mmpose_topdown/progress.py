"""Saying how far a long run is."""

import time
from collections.abc import Callable

from .estimate import duration

SECONDS = 15.0
"""Between two lines."""


class Progress:
    """Says every few seconds how much is done and when the rest will be.

    Args:
        total: Units of work.
        say: Takes a line.
        seconds: Between two lines.
    """

    def __init__(
        self,
        total: int,
        say: Callable[[str], object],
        seconds: float = SECONDS,
    ) -> None:
        self._total = total
        self._say = say
        self._seconds = seconds
        self._start = self._said = time.monotonic()

    def __call__(self, units: int, passes: int) -> None:
        """Say it, if it is time to.

        Args:
            units: Done so far.
            passes: Forward passes so far.
        """
        now = time.monotonic()
        if now - self._said < self._seconds or not units:
            return
        self._said = now
        elapsed = now - self._start
        left = elapsed * (self._total - units) / units
        self._say(
            f'{100 * units / self._total:.0f} % done: {passes:,} forward '
            f'passes in {duration(elapsed)} ({passes / elapsed:.1f}/s), '
            f'{duration(left)} left'
        )
