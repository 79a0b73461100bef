"""Progress of a long computation, with the remaining time."""

import time
from collections.abc import Callable


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(4), duration(100), duration(7500), duration(200_000)
    ('4 s', '2 min', '2 h 5 min', '2 d 7 h')
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


class PassesProgress:
    """Logs every few seconds what is done and how long the rest takes.

    Args:
        total: Units of work.
        log: Called with a line.
        seconds: Minimum time between two lines.
    """

    def __init__(
        self,
        total: int,
        log: Callable[[str], object],
        seconds: float = 15.0,
    ) -> None:
        self._total = total
        self._log = log
        self._seconds = seconds
        self._start = self._logged = time.monotonic()

    def __call__(self, units: int, passes: int) -> None:
        """Log a line if the last one is old enough.

        Args:
            units: Units done so far.
            passes: Forward passes so far.
        """
        now = time.monotonic()
        if now - self._logged < self._seconds or not units:
            return
        self._logged = now
        elapsed = now - self._start
        remaining = elapsed * (self._total - units) / units
        self._log(
            f'{100 * units / self._total:.0f} % done: {passes:,} forward '
            f'passes in {duration(elapsed)} ({passes / elapsed:.1f}/s), '
            f'{duration(remaining)} left'
        )
