"""The work of a run: its blocks, what is missing, and writing results."""

import platform
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from filelock import FileLock, Timeout

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.version import __version__

from .identity import key_of
from .store import CLEAN, Block, BlockResult, RunStore
from .suite import SuiteAttack

FLUSH_SECONDS = 10.0
"""Finished batches are written after this time at the latest."""

LOG_SECONDS = 15.0
"""Minimum time between two lines of progress."""

LEAST_DONE = 0.01
"""Fraction of the work from which on the rest can be estimated."""

LOCK = '.benchmark.lock'
IMAGE_DIGESTS = 'image-digests.json'


@dataclass(frozen=True)
class Work:
    """What is to be computed for a block.

    Args:
        block: The block.
        clean: Whether to predict its crops without an attack.
        attacks: Indices of the attacks to compute.
    """

    block: Block
    clean: bool
    attacks: tuple[int, ...]

    @property
    def batches(self) -> int:
        """Number of results that it has."""
        return int(self.clean) + len(self.attacks)

    @property
    def units(self) -> int:
        """Crops times attacks, for the progress."""
        return len(self.block) * self.batches


def order_by_image(image_ids: np.ndarray) -> np.ndarray:
    """Stable order ``(N,)`` in which the crops of an image are consecutive;
    images are sorted by their first crop.
    """
    _, first, inverse = np.unique(
        image_ids, return_index=True, return_inverse=True
    )
    return np.argsort(first[inverse], kind='stable')


def image_ranges(image_ids: Sequence) -> list[tuple[int, int]]:
    """Start and stop index of each image's crops.

    >>> image_ranges([7, 7, 3])
    [(0, 2), (2, 3)]
    """
    lengths = [len(list(group)) for _, group in groupby(image_ids)]
    ends = np.cumsum([0, *lengths]).tolist()
    return list(pairwise(ends))


def cut(image_ids: Sequence, size: int) -> list[Block]:
    """Divide crops into blocks of whole images.

    All blocks but the last one stay the same when images are appended. An
    image with more crops than ``size`` is divided.
    """
    edges = [0]
    for start, stop in image_ranges(image_ids):
        if stop - edges[-1] > size and start > edges[-1]:
            edges.append(start)
        while stop - edges[-1] > size:
            edges.append(edges[-1] + size)
    if len(image_ids) > edges[-1]:
        edges.append(len(image_ids))
    return [Block(i, a, b) for i, (a, b) in enumerate(pairwise(edges))]


def hold(folder: str | Path) -> FileLock:
    """Make a benchmark's folder and lock it; the operating system releases
    the lock when the process ends, however it ends.

    Raises:
        UsageError: Another run holds it, or it cannot be written to.
    """
    lock = FileLock(Path(folder) / LOCK, blocking=False)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise UsageError(
            f'another run works in folder "{folder}": wait for its end, stop '
            'it, or give another folder'
        ) from None
    except OSError as error:
        raise UsageError(
            f'folder "{folder}" cannot be written to ({error.strerror}): '
            'give another'
        ) from error
    return lock


def open_run(
    folder: Path,
    info: Mapping[str, Any],
    blocks: Sequence[Block],
    arrays: Mapping[str, np.ndarray],
    attacks: Sequence[SuiteAttack],
    resume: bool,
    dry_run: bool,
    log: Callable[[str], object],
) -> tuple[Path, list[Work]]:
    """A run's part of a benchmark's folder, and the work that is missing.

    Args:
        folder: The benchmark's folder.
        info: For ``run.json``; ``depends_on`` decides the run's key.
        blocks: All blocks.
        arrays: Bboxes and annotations, see :func:`.data.to_arrays`.
        attacks: The attacks; those with equal keys are computed once.
        resume: Whether to keep what is stored.
        dry_run: Whether to write nothing.
        log: Called with lines on what is missing.
    """
    key = key_of(info['depends_on'])
    path = folder / 'store' / key
    if dry_run:
        known = resume and (path / 'run.json').is_file()
        stored = RunStore.open(path).stored() if known else {}
    else:
        store = RunStore.create(folder, key, info, blocks, arrays)
        store.request([attack.to_json() for attack in attacks])
        if not resume:
            store.forget()
        stored = store.stored(repair=True)
    keys = list(dict.fromkeys(attack.key for attack in attacks))
    work = plan(blocks, keys, stored)
    requested = (1 + len(keys)) * sum(map(len, blocks))
    missing = sum(w.units for w in work)
    if missing < requested:
        log(
            f'{1 - missing / requested:.0%} of the requested predictions '
            f'are in "{path}" already.'
        )
    if dry_run:
        log(
            f'At most {missing:,} predictions of a person are missing.'
            if missing
            else 'Nothing is to be computed, all is stored.'
        )
    return path, work


def plan(
    blocks: Sequence[Block],
    keys: Sequence[str],
    stored: Mapping[int, set[str]],
) -> list[Work]:
    """The work of blocks for which not all keys are stored."""
    out = []
    for block in blocks:
        has = stored.get(block.number, set())
        missing = tuple(i for i, key in enumerate(keys) if key not in has)
        clean = CLEAN not in has
        if clean or missing:
            out.append(Work(block, clean, missing))
    return out


class Recorder:
    """Writes the results of a block when all are there, and those of slow
    blocks every few seconds; logs the progress. Use it as a context: what is
    finished is written at its end, also after an error. In the context, Ctrl-C
    stops after the batch, and a second one at once.

    Args:
        store: Where to write.
        work: All work, for the progress.
        log: Called with lines of progress.

    Attributes:
        passes: Forward passes so far.
    """

    def __init__(
        self,
        store: RunStore,
        work: Sequence[Work],
        log: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.passes = 0
        self._store, self._log = store, log
        self._kept: dict[int, dict[str, BlockResult]] = {}
        self._open = {w.block.number: w.batches for w in work}
        self._units, self._total = 0, sum(w.units for w in work)
        self._start = self._written = self._logged = time.monotonic()

    def __enter__(self) -> 'Recorder':
        self._interrupted = False
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def _interrupt(self, *_: object) -> None:
        self._interrupted = True
        signal.signal(signal.SIGINT, self._handler)
        print(
            'Stopping after this batch, whose result is stored; Ctrl-C again '
            'stops at once.',
            file=sys.stderr,
        )

    def __exit__(self, *error: object) -> None:
        self._flush()
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)

    def _flush(self) -> None:
        for number in list(self._kept):
            self._write(number)

    def add(
        self, block: Block, key: str, result: BlockResult, passes: int
    ) -> None:
        """Take the result of a block under the attack of a key, which took a
        number of forward passes.

        Raises:
            KeyboardInterrupt: After Ctrl-C.
        """
        self._kept.setdefault(block.number, {})[key] = result
        self._open[block.number] -= 1
        now = time.monotonic()
        if not self._open[block.number]:
            self._write(block.number)
        elif now - self._written > FLUSH_SECONDS:
            self._flush()
        self.passes += passes
        self._units += len(block)
        if self._interrupted:
            raise KeyboardInterrupt
        done = self._units / self._total
        if now - self._logged < LOG_SECONDS or done < LEAST_DONE:
            return
        self._logged, elapsed = now, now - self._start
        passed, left = (
            timedelta(seconds=round(seconds))
            for seconds in (elapsed, elapsed / done - elapsed)
        )
        self._log(
            f'{done:.0%} done: {self.passes:,} forward passes in {passed} '
            f'({self.passes / elapsed:.1f}/s), {left} left'
        )

    def _write(self, number: int) -> None:
        self._store.write(self._store.blocks[number], self._kept.pop(number))
        self._written = time.monotonic()


def command_facts(start: float, **versions: str) -> dict[str, Any]:
    """Facts about a command that began at a time since the epoch."""
    return dict(
        command=shlex.join(['python', *sys.argv]),
        started=time.strftime('%Y-%m-%dT%H:%M:%S%z', time.localtime(start)),
        seconds=round(time.time() - start, 1),
        versions=dict(
            mmpose_occlusion=__version__,
            **versions,
            opencv=cv2.__version__,
            numpy=np.__version__,
            python=platform.python_version(),
        ),
    )
