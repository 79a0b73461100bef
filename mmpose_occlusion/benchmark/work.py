"""The work of a run: what is missing, its folder's lock, writing results."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from mmpose_occlusion.errors import UsageError

from .blocks import Block
from .store import CLEAN, BlockResult, RunStore

FLUSH_SECONDS = 10.0
"""Finished batches are written after this time at the latest."""

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
    def units(self) -> int:
        """Crops times attacks, for the progress."""
        return len(self.block) * (int(self.clean) + len(self.attacks))


def plan(
    blocks: Sequence[Block],
    keys: Sequence[str],
    stored: Mapping[int, set[str]],
) -> list[Work]:
    """The work that is not stored yet.

    Args:
        blocks: All blocks.
        keys: Distinct keys of the attacks.
        stored: Number of a block -> keys that are stored for it.
    """
    out = []
    for block in blocks:
        has = stored.get(block.number, set())
        missing = tuple(i for i, key in enumerate(keys) if key not in has)
        clean = CLEAN not in has
        if clean or missing:
            out.append(Work(block, clean, missing))
    return out


@dataclass
class Recorder:
    """Writes the results of a block when all are there, and those of slow
    blocks every few seconds.

    Args:
        store: Where to write.
        seconds: Maximum time before results are written.
    """

    store: RunStore
    seconds: float = FLUSH_SECONDS
    _kept: dict[int, dict[str, BlockResult]] = field(default_factory=dict)
    _open: dict[int, int] = field(default_factory=dict)
    _written: float = field(default_factory=time.monotonic)

    def add(self, work: Work, key: str, result: BlockResult) -> None:
        """Take the result of a batch."""
        number = work.block.number
        self._kept.setdefault(number, {})[key] = result
        batches = int(work.clean) + len(work.attacks)
        self._open[number] = self._open.get(number, batches) - 1
        if not self._open[number]:
            self._write(number)
        elif time.monotonic() - self._written > self.seconds:
            self.flush()

    def flush(self) -> None:
        """Write all results taken so far."""
        for number in list(self._kept):
            self._write(number)

    def _write(self, number: int) -> None:
        self.store.write(self.store.blocks[number], self._kept.pop(number))
        self._written = time.monotonic()


def folder_lock(folder: str | Path) -> FileLock:
    """Of a benchmark's folder; the operating system releases it when the
    process ends, however it ends."""
    return FileLock(Path(folder) / LOCK, blocking=False)


def acquire(lock: FileLock, folder: str | Path) -> None:
    """Make a benchmark's folder and hold it.

    Raises:
        UsageError: Another run holds it, or it cannot be written to.
    """
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
