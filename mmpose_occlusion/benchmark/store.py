"""Predictions on disk, written as they come; see docs/benchmark_store.md.

``FOLDER/store/KEY/`` holds one model on one data set:

- ``run.json`` what the predictions have in common, and the blocks;
- ``people-DIGEST.npz`` boxes and annotations;
- ``attacks.json`` the attacks that were asked for so far, in order;
- ``last.json`` and ``config.py`` the last command that finished;
- ``shards/BLOCK-DIGEST.npz`` predictions of one block of crops, clean or
  under some attacks.

A file's name holds the SHA-256 of what is in it: one that was cut short is
noticed. Files are written under another name and then renamed.
"""

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmpose_occlusion.errors import UsageError

from .blocks import Block

FORMAT = 1
"""Version of the files; others are not read."""

CLEAN = 'clean'
"""Key of the predictions without attack."""

_SHARD = re.compile(r'(\d+)-([0-9a-f]{16})\.npz')
_DIGITS = 16


@dataclass(frozen=True)
class BlockResult:
    """Predictions for the n crops of a block under one attack, or clean.

    Args:
        changed: ``(n,)`` bool, the m crops with a prediction of their own:
            all of them without attack.
        excluded: ``(n,)`` bool, see :class:`.data.Attacked`.
        hidden: ``(n, K)`` bool, the joints under paint.
        pixels: ``(n,)`` int32, painted pixels.
        keypoints: ``(m, K, 2)`` float32, image pixels.
        scores: ``(m, K)`` float32.
    """

    changed: np.ndarray
    excluded: np.ndarray
    hidden: np.ndarray
    pixels: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray


_PER_ATTACK = ('changed', 'excluded', 'hidden', 'pixels')
_PER_PREDICTION = ('keypoints', 'scores')


@dataclass
class RunStore:
    """The stored predictions of one run.

    Args:
        path: Its folder.
        info: What ``run.json`` holds.
    """

    path: Path
    info: dict[str, Any]
    blocks: list[Block] = field(init=False)

    def __post_init__(self) -> None:
        edges = self.info['edges']
        self.blocks = [
            Block(i, edges[i], edges[i + 1]) for i in range(len(edges) - 1)
        ]

    @classmethod
    def create(
        cls,
        folder: str | Path,
        key: str,
        info: Mapping[str, Any],
        blocks: Sequence[Block],
        arrays: Mapping[str, np.ndarray],
    ) -> 'RunStore':
        """Open a run's part of a folder, made if it is not there yet.

        Args:
            folder: The benchmark's folder.
            key: Of the run.
            info: What to write to ``run.json``.
            blocks: All blocks.
            arrays: Boxes and annotations.
        """
        path = Path(folder) / 'store' / key
        (path / 'shards').mkdir(parents=True, exist_ok=True)
        edges = [0, *(block.stop for block in blocks)]
        info = dict(info, format=FORMAT, key=key, edges=edges)
        name = _write_digested(path, 'people', arrays)
        write_json(path / 'run.json', dict(info, people=name))
        return cls(path, info)

    @classmethod
    def open(cls, path: str | Path) -> 'RunStore':
        """Open what :meth:`create` made.

        Raises:
            UsageError: It is damaged, or of another version.
        """
        path = Path(path)
        info = _read_json(path / 'run.json')
        if info.get('format') != FORMAT:
            raise UsageError(
                f'"{path / "run.json"}" is of format {info.get("format")}, '
                f'and this version reads format {FORMAT}: run the benchmark '
                'again into another folder'
            )
        return cls(path, info)

    def people(self) -> dict[str, np.ndarray]:
        """Boxes and annotations.

        Raises:
            UsageError: The file is damaged.
        """
        path = self.path / self.info['people']
        found = _read_digested(path)
        if found is None:
            raise UsageError(
                f'"{path}" is damaged: run the benchmark again, which '
                'writes it anew and keeps the predictions'
            )
        return found

    def write(self, block: Block, results: Mapping[str, BlockResult]) -> None:
        """Store results of one block, all at once or not at all.

        Args:
            block: Of this run.
            results: By the attack's key, or :data:`CLEAN`.
        """
        arrays = {
            name: np.stack([getattr(r, name) for r in results.values()])
            for name in _PER_ATTACK
        } | {
            name: np.concatenate([getattr(r, name) for r in results.values()])
            for name in _PER_PREDICTION
        }
        arrays['attack'] = np.array(list(results), str)
        _write_digested(self.path / 'shards', f'{block.number:06d}', arrays)

    def read(
        self, keys: Iterable[str] | None = None
    ) -> dict[int, dict[str, BlockResult]]:
        """All that is stored and whole.

        Args:
            keys: Of the attacks that are wanted; all by default.

        Returns:
            Number of the block -> key of the attack -> result.
        """
        found: dict[int, dict[str, BlockResult]] = {}
        wanted = None if keys is None else set(keys)
        for path, number in self._shards():
            shard = _read_digested(path)
            if shard is not None:
                results = found.setdefault(number, {})
                results.update(_results(shard, wanted))
        return found

    def stored(self, repair: bool = False) -> dict[int, set[str]]:
        """Which attacks each block has.

        Args:
            repair: Whether to delete what is damaged or was left by a run
                that was killed: for the one run that writes here.
        """
        found: dict[int, set[str]] = {b.number: set() for b in self.blocks}
        for path, number in self._shards():
            shard = _read_digested(path)
            if shard is not None:
                found[number] |= set(shard['attack'].tolist())
            elif repair:
                print_log(
                    f'"{path}" was cut short or is damaged: its predictions '
                    'are computed again.',
                    'current',
                )
                path.unlink(missing_ok=True)
        if repair:
            for left in self.path.rglob('.*'):
                left.unlink(missing_ok=True)
        return found

    def complete(self) -> set[str]:
        """Keys of the attacks that all blocks have."""
        return set.intersection(*self.stored().values())

    def forget(self) -> None:
        """Delete all predictions."""
        for path, _ in self._shards():
            path.unlink(missing_ok=True)

    def _shards(self) -> list[tuple[Path, int]]:
        """Files of predictions and their blocks, in a fixed order."""
        return [
            (path, int(match[1]))
            for path in sorted((self.path / 'shards').iterdir())
            if (match := _SHARD.fullmatch(path.name))
            and int(match[1]) < len(self.blocks)
        ]

    @property
    def attacks(self) -> list[dict]:
        """All attacks that were asked for so far: ``key``, ``name``,
        ``suite``, ``configs``, ``details``."""
        path = self.path / 'attacks.json'
        return _read_json(path)['attacks'] if path.is_file() else []

    def ask_for(self, attacks: Sequence[Mapping]) -> None:
        """Note attacks, those of a known name in its place."""
        known = {attack['name']: attack for attack in self.attacks}
        known.update({attack['name']: dict(attack) for attack in attacks})
        write_json(
            self.path / 'attacks.json', dict(attacks=list(known.values()))
        )

    @property
    def last(self) -> dict:
        """What the last command that finished noted: its words, versions,
        times."""
        path = self.path / 'last.json'
        return _read_json(path) if path.is_file() else {}

    def note(self, facts: Mapping[str, Any]) -> None:
        """Note these for :attr:`last`."""
        write_json(self.path / 'last.json', dict(facts))


def open_runs(folder: str | Path) -> list[RunStore]:
    """All runs in a benchmark's folder, in the order of their keys.

    Raises:
        UsageError: There is none, or one is of another version.
    """
    found = sorted((Path(folder) / 'store').glob('*/run.json'))
    if not found:
        raise UsageError(
            f'folder "{folder}" holds no benchmark (it has no '
            'store/*/run.json): give the --out of tools/'
            'occlusion_benchmark.py'
        )
    return [RunStore.open(path.parent) for path in found]


def write_json(path: Path, value: Any) -> None:
    """Write a file of plain values, whole or not at all."""
    _write(path, json.dumps(value, indent=1).encode())


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise UsageError(
            f'"{path}" cannot be read ({error}): run the benchmark again, '
            'which writes it anew'
        ) from error


def _write(path: Path, data: bytes) -> None:
    own = path.with_name(f'.{path.name}.{os.getpid()}')
    with open(own, 'wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    own.replace(path)


def _write_digested(
    folder: Path, stem: str, arrays: Mapping[str, np.ndarray]
) -> str:
    """Write arrays to a file that is named by them; returns its name."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    data = buffer.getvalue()
    name = f'{stem}-{_digest(data)}.npz'
    _write(folder / name, data)
    return name


def _read_digested(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a file, or None if they are not what was written."""
    try:
        data = path.read_bytes()
        if not path.stem.endswith(_digest(data)):
            return None
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def _results(
    shard: Mapping[str, np.ndarray], wanted: set[str] | None
) -> dict[str, BlockResult]:
    """A shard's results by attack."""
    out = {}
    start = 0
    for i, key in enumerate(shard['attack'].tolist()):
        stop = start + int(shard['changed'][i].sum())
        if wanted is None or key in wanted:
            out[key] = BlockResult(
                *(shard[name][i] for name in _PER_ATTACK),
                *(shard[name][start:stop] for name in _PER_PREDICTION),
            )
        start = stop
    return out
