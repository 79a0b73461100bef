"""How far the analysis is, and how long it still takes."""

import sys
import time
from collections.abc import Callable

_EVERY = 10.0  # seconds between lines that are not on a terminal


def show_steps(total: int) -> Callable[[str], None]:
    """What prints each step with the time that is left.

    Args:
        total: Attacks to analyse.
    """
    start = last = time.monotonic()
    done = 0

    def show(what: str) -> None:
        nonlocal done, last
        now = time.monotonic()
        on_terminal = sys.stdout.isatty()
        text = f'analysing {min(done + 1, total)}/{total}: {what}'
        if 0 < done < total:
            left = (now - start) / done * (total - done)
            text += f', {left:.0f} s left'
        done += 1
        if on_terminal:
            print(f'\r{text[:78]:78}', end='', flush=True)
            if done > total:
                print()
        elif now - last > _EVERY or done == 1:
            print(text, flush=True)
            last = now

    return show
