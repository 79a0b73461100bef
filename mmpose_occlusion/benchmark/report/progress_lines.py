"""Progress of an analysis with the time that is left."""

import sys
import time
from collections.abc import Callable

_EVERY = 10.0  # seconds between lines that are not on a terminal


def show_steps(total: int) -> Callable[[str], None]:
    """A function that prints each step with the time that is left.

    Args:
        total: Attacks to analyse.
    """
    start = last = time.monotonic()
    done = 0

    def show(step: str) -> None:
        nonlocal done, last
        now = time.monotonic()
        text = f'analysing {min(done + 1, total)}/{total}: {step}'
        if 0 < done < total:
            left = (now - start) / done * (total - done)
            text += f', {left:.0f} s left'
        done += 1
        if sys.stdout.isatty():
            end = '\n' if done > total else ''
            print(f'\r{text[:78]:78}', end=end, flush=True)
        elif now - last > _EVERY or done == 1:
            print(text, flush=True)
            last = now

    return show
