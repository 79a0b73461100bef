"""The work of a run: its blocks, what is missing, and computing that."""

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
from typing import Any, NamedTuple

import cv2
import numpy as np
from filelock import FileLock, Timeout

from mmpose_occlusion import __version__, files
from mmpose_occlusion.errors import UsageError

from .store import CLEAN, FORMAT, Block, BlockResult, RunStore

FLUSH_SECONDS = 10.0  # until finished batches are written, at most
LOG_SECONDS = 15.0  # between two lines of progress, at least
LEAST_DONE = 0.01  # fraction of the work from which the rest is estimated
LOCK = '.benchmark.lock'
FINISHED = (
    'blocks that are finished are stored, and the same command resumes the run'
)

Log = Callable[[str], object]


@dataclass
class RunOptions:
    """What any model is asked for, see :func:`.api.run_benchmark`."""

    out: str | Path
    suites: Sequence[str] = ()
    attacks: Sequence[str] = ()
    seed: int = 0
    max_images: int | None = None
    resume: bool = True
    batch_size: int | None = None
    dry_run: bool = False


class Work(NamedTuple):
    """A block, and the keys of what is to be computed for it."""

    block: Block
    keys: tuple[str, ...]

    @property
    def units(self) -> int:
        """Crops times attacks, for the progress."""
        return self.block.people * len(self.keys)


def order_by_image(image_ids: np.ndarray) -> np.ndarray:
    """Stable order ``(N,)`` of crops by image, of images by first crop."""
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
    return list(pairwise(np.cumsum([0, *lengths]).tolist()))


def cut(image_ids: Sequence, size: int) -> list[Block]:
    """Divide crops into blocks of whole images; all but the last stay the same
    when images are appended. An image with more than ``size`` is divided."""
    edges = [0]
    for start, stop in image_ranges(image_ids):
        if stop - edges[-1] > size and start > edges[-1]:
            edges.append(start)
        edges += range(edges[-1] + size, stop, size)
    if len(image_ids) > edges[-1]:
        edges.append(len(image_ids))
    return [Block(i, a, b) for i, (a, b) in enumerate(pairwise(edges))]


def plan(
    blocks: Sequence[Block], keys: Sequence[str], stored: Mapping[int, set]
) -> list[Work]:
    """The work of blocks for which not all keys are stored."""
    out = []
    for block in blocks:
        known = stored.get(block.number, ())
        missing = tuple(k for k in (CLEAN, *keys) if k not in known)
        if missing:
            out.append(Work(block, missing))
    return out


def hold(folder: str | Path) -> FileLock:
    """Make a benchmark's folder and lock it, until the process ends."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    lock = FileLock(Path(folder) / LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(
            f'another run works in folder "{folder}": wait for its end, stop '
            'it, or give another folder'
        ) from None
    return lock


def compute_run(
    source: Any,
    options: RunOptions,
    log: Log,
    rank: int = 0,
    processes: int = 1,
    on_main: Callable[[Callable[[], Any]], Any] = lambda call: call(),
    barrier: Callable[[], object] = lambda: None,
) -> tuple[RunStore | None, list[Work], int]:
    """Compute what a benchmark's folder lacks of a run.

    Args:
        source: A model on a data set: its ``attacks`` (those with equal keys
            are computed once), all ``blocks`` of its people, ``arrays`` (see
            :func:`.data.to_arrays`), ``paths`` of the images,
            ``batch_size``, ``info`` for ``run.json``, ``depends_on()``, what
            else predictions depend on, and ``compute(work, recorder)``.
        options, log: What is asked for; called with lines of progress.
        rank, processes: This one, and how many share the work.
        on_main, barrier: Calls a function in the first process, whose outcome
            is that of all; waits for all.

    Returns the store, or None for a dry run; what was missing; and the forward
    passes of this process.
    """
    held: list[FileLock] = []  # in the first process, for all of them
    passes = 0
    try:
        if not options.dry_run:
            on_main(lambda: held.append(hold(options.out)))
        path, work = on_main(lambda: _open(source, options, log))
        if options.dry_run:
            return None, work, 0
        store = RunStore.open(path)
        if mine := work[rank::processes]:
            with Recorder(store, mine, log) as recorder:
                source.compute(mine, recorder)
            passes = recorder.passes
        barrier()
        return store, work, passes
    finally:
        for lock in held:
            lock.release()


def _open(
    source: Any, options: RunOptions, log: Log
) -> tuple[Path, list[Work]]:
    """A run's part of a benchmark's folder, and the work that is missing."""
    folder, dry = Path(options.out) / 'store', options.dry_run
    digests = folder / 'image-digests.json'
    depends_on = dict(
        source.depends_on(),
        format=FORMAT,
        data=files.digest_of_arrays(source.arrays),
        images=files.digest_of_images(source.paths, digests, save=not dry),
        seed=options.seed,
        batch_size=source.batch_size,
        sources=files.digest_of_sources(),
    )
    path = folder / files.key_of(depends_on)
    stored: dict[int, set[str]] = {}
    if not dry:
        info = dict(source.info, seed=options.seed, depends_on=depends_on)
        store = RunStore.create(path, info, source.blocks, source.arrays)
        store.request([attack.to_json() for attack in source.attacks])
        if not options.resume:
            store.forget()
        stored = store.stored(repair=True)
    elif options.resume and (path / 'run.json').is_file():
        stored = RunStore.open(path).stored()
    keys = list(dict.fromkeys(attack.key for attack in source.attacks))
    work = plan(source.blocks, keys, stored)
    requested = (1 + len(keys)) * source.blocks[-1].stop
    missing = sum(w.units for w in work)
    if missing < requested:
        log(
            f'{1 - missing / requested:.0%} of the requested predictions '
            f'are in "{path}" already.'
        )
    if dry and missing:
        log(f'At most {missing:,} predictions of a person are missing.')
    elif dry:
        log('Nothing is to be computed, all is stored.')
    return path, work


class Recorder:
    """Writes the results of a block when all are there, and those of slow
    blocks every few seconds; logs the progress, and counts ``passes``. It is a
    context: what is finished is written at its end, also after an error, and
    Ctrl-C stops after the batch, a second one at once."""

    def __init__(
        self, store: RunStore, work: Sequence[Work], log: Log
    ) -> None:
        self.passes = 0
        self._store, self._log = store, log
        self._kept: dict[int, tuple[dict[str, BlockResult], list[int]]] = {}
        self._open = {w.block.number: len(w.keys) for w in work}
        self._units, self._total = 0, sum(w.units for w in work)
        self._start = self._written = self._logged = time.monotonic()
        self._interrupted = False
        self._handler: Any = None

    def __enter__(self) -> 'Recorder':
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
        self._write(*self._kept)
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)

    def add(
        self, block: Block, key: str, result: BlockResult, passes: int
    ) -> None:
        """Take the result of a block under the attack of a key, which took a
        number of forward passes; KeyboardInterrupt after Ctrl-C."""
        results, counts = self._kept.setdefault(block.number, ({}, []))
        results[key] = result
        counts.append(passes)
        self._open[block.number] -= 1
        self.passes += passes
        self._units += block.people
        now = time.monotonic()
        if not self._open[block.number]:
            self._write(block.number)
        elif now - self._written > FLUSH_SECONDS:
            self._write(*self._kept)
        if self._interrupted:
            raise KeyboardInterrupt
        done, elapsed = self._units / self._total, now - self._start
        if now - self._logged < LOG_SECONDS or done < LEAST_DONE:
            return
        self._logged = now
        passed = timedelta(seconds=round(elapsed))
        left = timedelta(seconds=round(elapsed / done - elapsed))
        self._log(
            f'{done:.0%} done: {self.passes:,} forward passes in {passed} '
            f'({self.passes / elapsed:.1f}/s), {left} left'
        )

    def _write(self, *numbers: int) -> None:
        for number in numbers:
            block = self._store.blocks[number]
            self._store.write(block, *self._kept.pop(number))
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
