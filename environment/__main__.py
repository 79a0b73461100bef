"""``build`` sets the environment up, ``python`` prints its interpreter."""

import argparse
import fcntl
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TextIO

from .layout import Layout, layout
from .run_command import say
from .setup_error import SetupError
from .steps import Builder

CHECKOUT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog='environment/run.sh')
    parser.add_argument(
        'command',
        choices=('build', 'python'),
        help='build: set the environment up if it is not; '
        'python: the same, and print its interpreter',
    )
    command = parser.parse_args().command
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    folders = layout(CHECKOUT)
    try:
        if not folders.complete:
            build(folders)
    except SetupError as problem:
        say(f'{problem}')
        return 1
    except KeyboardInterrupt:
        say('Interrupted; the same command goes on from here.')
        return 130
    if command == 'python':
        print(folders.python)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def build(folders: Layout) -> None:
    """Build the environment, one process at a time."""
    try:
        folders.cache.mkdir(parents=True, exist_ok=True)
        lock = folders.lock.open('w')
    except OSError as error:
        raise SetupError(
            f'The cache folder {folders.cache} cannot be written '
            f'({error.strerror}): name another with XDG_CACHE_HOME.'
        ) from error
    with lock:
        wait_for(lock, folders)
        if not folders.complete:
            Builder(
                folders,
                CHECKOUT / 'requirements.lock',
                os.environ,
                lock.fileno(),
            ).build()


def wait_for(lock: TextIO, folders: Layout) -> None:
    """Take the cache's lock, which the system frees when its holder dies."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f'Another set-up is at work in {folders.cache}: waiting for it.')
        fcntl.flock(lock, fcntl.LOCK_EX)


if __name__ == '__main__':
    sys.exit(main())
