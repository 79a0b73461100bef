"""Running pip and the compilers: logged, with signs of life, stoppable."""

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from .setup_error import SetupError

BEAT_SECONDS = 20
_NEWS = re.compile(r'\s*(Downloading|Collecting|Building|Installing)\b')
_NINJA = re.compile(r'\[(\d+)/(\d+)\]')


def say(text: str) -> None:
    """Print a line of progress; stdout belongs to what a command returns."""
    print(text, file=sys.stderr, flush=True)


def run(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    keep: int | None = None,
    cwd: Path | None = None,
) -> list[str]:
    """Run a command to its end.

    Its output goes to the log; a line of progress appears every
    ``BEAT_SECONDS``. Interrupted, it takes all of its processes with it.

    Args:
        keep: a file descriptor that the command inherits: with the cache's
            lock in it, the lock holds for as long as any of the processes
            that write there lives, even when this one is killed.

    Returns:
        The last 200 lines of output.

    Raises:
        CommandError: the command's exit status is not zero.
    """
    tail: deque[str] = deque(maxlen=200)
    with log.open('a') as sink:
        sink.write(f'\n$ {" ".join(map(str, command))}\n')
        sink.flush()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            text=True,
            errors='replace',
            start_new_session=True,
            pass_fds=() if keep is None else (keep,),
        )
        try:
            _follow(process, sink, tail.append)
        except BaseException:
            _stop(process)
            raise
    if process.returncode:
        raise CommandError(list(tail), log)
    return list(tail)


class CommandError(SetupError):
    """A command's exit status was not zero; ``lines`` is its last output."""

    def __init__(self, lines: list[str], log: Path) -> None:
        self.lines = lines
        self.log = log
        super().__init__(
            f'It stopped with "{reason(lines)}": see the end of {log}, and '
            'run the same command again to go on from there.'
        )


def reason(lines: Sequence[str]) -> str:
    """The line of an output that says best why it ended."""
    for pattern in (r'^\s*(\w*Error|Exception|fatal error)\b', r'\berror\b'):
        for line in reversed(lines):
            if re.search(pattern, line, re.IGNORECASE):
                return line.strip()
    return lines[-1].strip() if lines else 'no output'


def _follow(
    process: subprocess.Popen[str],
    sink: TextIO,
    remember: Callable[[str], object],
) -> None:
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    start = beat = time.monotonic()
    news = ''
    first: tuple[int, float] | None = None
    while True:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=1)
            if line is None:
                break
            sink.write(line)
            sink.flush()
            remember(line)
            now = time.monotonic()
            compiled = _NINJA.search(line)
            if compiled:
                done, total = int(compiled[1]), int(compiled[2])
                first = first or (done, now)
                news = compile_progress(done, total, first, now)
            elif _NEWS.match(line):
                news = ' '.join(line.split())[:60]
        now = time.monotonic()
        if now - beat >= BEAT_SECONDS:
            beat = now
            say(f'      {duration(now - start)}: {news or "at work"}')
    process.wait()


def _read(
    process: subprocess.Popen[str], lines: queue.Queue[str | None]
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def compile_progress(
    done: int, total: int, first: tuple[int, float], now: float
) -> str:
    """How far a compilation is and when it will end.

    Args:
        done: files compiled so far of ``total``.
        first: the count and the time (s) of the first report.
        now: the time (s) of this one.
    """
    text = f'{done} of {total} files compiled'
    if done > first[0]:
        left = (now - first[1]) / (done - first[0]) * (total - done)
        text += f', about {duration(left)} left'
    return text


def duration(seconds: float) -> str:
    """Seconds as people say them: ``45 s``, ``3 min 20 s``."""
    whole = round(seconds)
    if whole < 60:
        return f'{whole} s'
    return f'{whole // 60} min {whole % 60:02} s'


def _stop(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
            return
