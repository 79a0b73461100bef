"""Frozen processes and workers end a run."""

import contextlib
import functools
import math
import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from time import monotonic

from mmengine.dist import get_dist_info
from torch.distributed import TCPStore

from mmpose_occlusion.errors import report_error

FINISHED = 2**40
"""Added to the beats of a process that ends."""


FROZEN: list[int] = []
"""Process ids of stopped workers that :func:`watch_workers` has ended."""


@functools.cache
def watch_workers(timeout: float) -> None:
    """Start a thread that kills child processes which have been stopped for a
    time (Linux), so that what waits for them fails: a data loader's time-out
    does not cover the transfer of a tensor from a worker."""
    if sys.platform == 'linux':
        work = functools.partial(_watch_workers, timeout)
        threading.Thread(target=work, daemon=True).start()


def _watch_workers(timeout: float) -> None:
    since: dict[int, float] = {}
    pause = threading.Event()
    while not pause.wait(min(timeout / 10, 5)):
        now = monotonic()
        since = {pid: since.get(pid, now) for pid in _stopped_children()}
        for pid, start in since.items():
            if now - start > timeout:
                FROZEN.append(pid)
                os.kill(pid, signal.SIGKILL)


def _stopped_children() -> list[int]:
    stopped = []
    for file in Path('/proc/self/task').glob('*/children'):
        with contextlib.suppress(OSError):  # a thread or child that has ended
            for pid in file.read_text().split():
                state = Path(f'/proc/{pid}/stat').read_text()
                if state.rpartition(')')[2].split()[0] == 'T':
                    stopped.append(int(pid))
    return stopped


class RankWatch:
    """Two threads of each process: one counts beats in the run's store and
    reads those of the others, one ends this process with a sentence when a
    process has not beaten for too long.

    A stopped process, one whose machine is gone, and one that holds Python's
    lock do not beat. The store is torchrun's, or else process 0's.

    Args:
        timeout: Seconds without a beat after which a process is frozen.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._interval = min(timeout / 10, 5)
        self._rank, count = get_dist_info()
        self._heard = [monotonic()] * count
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._beat, self._watch)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell the other processes that this one ends."""
        self._end.set()
        for thread in self._threads:
            thread.join(2 * self._interval)

    def _beat(self) -> None:
        keys = [f'mmpose_occlusion/{i}' for i in range(len(self._heard))]
        seen = [0] * len(keys)
        try:
            store = TCPStore(
                os.environ['MASTER_ADDR'],
                int(os.environ['MASTER_PORT']),
                is_master=False,
                wait_for_workers=False,
                timeout=timedelta(seconds=self._timeout),
            )
            ends = False
            while not ends:
                ends = self._end.wait(self._interval)
                store.add(keys[self._rank], FINISHED if ends else 1)
                for rank, key in enumerate(keys):
                    beats = store.add(key, 0)
                    if beats != seen[rank]:
                        seen[rank], self._heard[rank] = beats, monotonic()
                    if beats >= FINISHED:
                        self._heard[rank] = math.inf
        except Exception:  # the store's process has ended, which gloo reports
            self._heard = [math.inf] * len(keys)

    def _watch(self) -> None:
        last = monotonic()
        while not self._end.wait(self._interval):
            now = monotonic()
            if now - last > self._timeout / 2:  # this process was stopped
                self._heard = [max(now, heard) for heard in self._heard]
            last = now
            silent = [now - heard > self._timeout for heard in self._heard]
            if any(silent):
                self._fail(silent.index(True), silent[self._rank])

    def _fail(self, rank: int, no_store: bool) -> None:
        who = f'process {rank} of this run'
        if no_store:
            agent = os.environ.get('TORCHELASTIC_USE_AGENT_STORE')
            who = 'torchrun' if agent == 'True' else 'process 0 of this run'
        report_error(
            f'{who} has not answered for {self._timeout:g} s, so it is frozen '
            'or its machine cannot be reached: what is finished is stored, '
            'run the same command again (--cfg-options freeze_timeout=S sets '
            'another time)',
            1,
        )
        os._exit(1)
