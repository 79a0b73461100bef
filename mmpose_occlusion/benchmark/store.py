"""Predictions on disk, written as they are computed.

See docs/benchmark_store.md. ``FOLDER/store/KEY/`` holds one model on one data
set:

- ``run.json``: what its predictions have in common, and the blocks;
- ``people-DIGEST.npz``: bboxes and annotations;
- ``attacks.json``: all attacks requested so far, in order;
- ``last.json``: facts about the last command that finished;
- ``shards/BLOCK-DIGEST.npz``: predictions for one block of crops, clean or
  under some attacks.

The name of an array file contains the SHA-256 of its bytes, and run.json and
attacks.json one of their content, so that damaged files are recognised.
"""

import hashlib
import io
import json
import logging
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import TEMPORARY, plain, write_bytes, write_json

FORMAT = 2
"""Version of the files; other versions are not read."""

CLEAN = 'clean'
"""Key of the predictions without an attack."""

_SHARD = re.compile(r'(\d+)-([0-9a-f]{16})\.npz')
_DIGITS = 16
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Block:
    """Consecutive crops that are computed together, the same in every run.

    Args:
        number: Index of the block.
        start: Index of its first crop.
        stop: Index after its last crop.
    """

    number: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class BlockResult:
    """Predictions for the n crops of a block, clean or under one attack.

    Args:
        changed: ``(n,)`` bool, the m crops that were predicted: all of them
            without an attack.
        excluded: ``(n,)`` bool, see :class:`.data.Attacked`.
        targets: ``(n, K)`` bool, likewise.
        bystanders: ``(n, K)`` bool, likewise.
        pixels: ``(n,)`` int32, likewise.
        keypoints: ``(m, K, 2)`` float32, image pixels.
        scores: ``(m, K)`` float32.
        person_scores: ``(m,)`` float32, see :class:`.data.Predictions`.
        visibility: ``(m, K)`` float32, likewise.
        centres: ``(m, 2)`` float32, see :class:`.data.Attacked`.
    """

    changed: np.ndarray
    excluded: np.ndarray
    targets: np.ndarray
    bystanders: np.ndarray
    pixels: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    person_scores: np.ndarray | None = None
    visibility: np.ndarray | None = None
    centres: np.ndarray | None = None


PER_CROP = ('changed', 'excluded', 'targets', 'bystanders', 'pixels')
_PER_PREDICTION = ('keypoints', 'scores')
_OPTIONAL = ('person_scores', 'visibility', 'centres')


class RunStore:
    """The stored predictions of one run.

    Args:
        path: Its folder.
        info: Contents of ``run.json``.

    Attributes:
        blocks: Of the run's crops.
    """

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path, self.info = path, info
        self.blocks = [
            Block(i, *edges) for i, edges in enumerate(pairwise(info['edges']))
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
        """Open a run's part of a benchmark's folder; create it if necessary.

        Args:
            folder: The benchmark's folder.
            key: Key of the run.
            info: Written to ``run.json``.
            blocks: All blocks.
            arrays: Bboxes and annotations, see :func:`.data.to_arrays`.
        """
        path = Path(folder) / 'store' / key
        (path / 'shards').mkdir(parents=True, exist_ok=True)
        edges = [0, *(block.stop for block in blocks)]
        info = dict(info, format=FORMAT, key=key, edges=edges)
        name = _write_digested(path, 'people', arrays)
        _write_signed(path / 'run.json', dict(info, people=name))
        return cls(path, info)

    @classmethod
    def open(cls, path: str | Path) -> 'RunStore':
        """Open an existing run.

        Raises:
            UsageError: It is damaged, or has another format.
        """
        path = Path(path)
        info = _read_json(path / 'run.json')
        known = info.get('format') if isinstance(info, dict) else None
        if known != FORMAT:
            raise UsageError(
                f'"{path / "run.json"}" has format {known}, and '
                f'this version reads format {FORMAT}: run the benchmark '
                'again with another output folder'
            )
        if not _is_signed(info) or not _is_complete(info):
            raise _damaged(path / 'run.json')
        return cls(path, info)

    def people(self) -> dict[str, np.ndarray]:
        """Bboxes and annotations, see :func:`.data.from_arrays`.

        Raises:
            UsageError: The file is damaged.
        """
        path = self.path / self.info['people']
        found = _read_digested(path)
        if found is None:
            raise _damaged(path)
        return found

    def write(self, block: Block, results: Mapping[str, BlockResult]) -> None:
        """Write one block's results, by key of the attack, to one file."""
        arrays = joined_predictions(list(results.values()))
        for name in PER_CROP:
            arrays[name] = np.stack(
                [getattr(r, name) for r in results.values()]
            )
        arrays['attack'] = np.array(list(results), str)
        (shards := self.path / 'shards').mkdir(exist_ok=True)
        _write_digested(shards, f'{block.number:06d}', arrays)

    def read(
        self, keys: Iterable[str] | None = None
    ) -> dict[int, dict[str, BlockResult]]:
        """Undamaged results, of some attacks or all: number of the block ->
        key of the attack -> result."""
        found: dict[int, dict[str, BlockResult]] = {}
        wanted = None if keys is None else set(keys)
        for path, number in self._shards():
            shard = _read_digested(path)
            if shard is not None:
                results = found.setdefault(number, {})
                results.update(_results(shard, wanted))
        return found

    def stored(self, repair: bool = False) -> dict[int, set[str]]:
        """Keys of the attacks that are stored, by number of the block.

        Args:
            repair: Whether to delete damaged shards and the unfinished files
                of a killed run; only for the run that holds the folder.
        """
        found: dict[int, set[str]] = {b.number: set() for b in self.blocks}
        for path, number in self._shards():
            shard = _read_digested(path)
            if shard is not None:
                found[number] |= set(shard['attack'].tolist())
            elif repair:
                _LOG.warning(
                    '"%s" is damaged: its predictions are computed again.',
                    path,
                )
                path.unlink(missing_ok=True)
        if repair:
            for unfinished in self.path.rglob(f'{TEMPORARY}*'):
                unfinished.unlink(missing_ok=True)
        return found

    def complete(self) -> set[str]:
        """Keys of the attacks that are stored for all blocks."""
        return set.intersection(*self.stored().values())

    def forget(self) -> None:
        """Delete all predictions."""
        for path, _ in self._shards():
            path.unlink(missing_ok=True)

    def _shards(self) -> list[tuple[Path, int]]:
        """Files of predictions and the numbers of their blocks, sorted."""
        return [
            (path, int(match[1]))
            for path in sorted((self.path / 'shards').glob('*.npz'))
            if (match := _SHARD.fullmatch(path.name))
            and int(match[1]) < len(self.blocks)
        ]

    @property
    def attacks(self) -> list[dict]:
        """All attacks requested so far, each with ``key``, ``name``,
        ``suite``, ``configs`` and ``details``."""
        path = self.path / 'attacks.json'
        found = _read_json(path) if path.is_file() else dict(attacks=[])
        if not _is_signed(found):
            raise _damaged(path)
        return found['attacks']

    def request(self, attacks: Sequence[Mapping]) -> None:
        """Add attacks to :attr:`attacks`; one of a known name replaces it."""
        try:
            known = {a['name']: dict(a) for a in self.attacks}
        except (UsageError, KeyError, TypeError):
            _LOG.warning('"%s/attacks.json" is damaged, and new.', self.path)
            known = {}
        known.update({attack['name']: dict(attack) for attack in attacks})
        _write_signed(
            self.path / 'attacks.json', dict(attacks=list(known.values()))
        )

    @property
    def last(self) -> dict:
        """Facts about the last command that finished; may be empty."""
        path = self.path / 'last.json'
        try:
            return dict(_read_json(path)) if path.is_file() else {}
        except (UsageError, ValueError, TypeError):  # facts alone
            _LOG.warning('"%s" is damaged, and not read.', path)
            return {}

    def note(self, facts: Mapping[str, Any]) -> None:
        """Write facts for :attr:`last`."""
        write_json(self.path / 'last.json', dict(facts))


def _is_complete(info: Mapping[str, Any]) -> bool:
    """Whether a ``run.json`` has what reading it needs."""
    edges, people = info.get('edges'), info.get('people')
    return (
        {'model', 'key'} <= set(info)
        and isinstance(edges, list)
        and len(edges) > 1
        and all(isinstance(edge, int) for edge in edges)
        and isinstance(people, str)
        and Path(people).name == people
    )


def open_runs(folder: str | Path) -> list[RunStore]:
    """All runs in a benchmark's folder, sorted by key.

    Raises:
        UsageError: There is none, or one has another format.
    """
    found = sorted((Path(folder) / 'store').glob('[!.]*/run.json'))
    if not found:
        raise UsageError(
            f'folder "{folder}" holds no benchmark (it has no '
            'store/*/run.json): give the --out of occlusion-benchmark'
        )
    return [RunStore.open(path.parent) for path in found]


def joined_predictions(
    results: Collection[BlockResult],
) -> dict[str, np.ndarray]:
    """The arrays of :class:`.data.Predictions`, and centres, joined; of
    optional ones NaN for results without, and none where all are without."""
    out = {}
    for name in (*_PER_PREDICTION, *_OPTIONAL):
        arrays = [getattr(r, name) for r in results]
        known = [a for a in arrays if a is not None and not np.isnan(a).all()]
        if name in _OPTIONAL and not known:
            continue
        for i, result in enumerate(results):
            if arrays[i] is None:
                shape = len(result.scores), *known[0].shape[1:]
                arrays[i] = np.full(shape, np.nan, np.float32)
        out[name] = np.concatenate(arrays)
    return out


def _damaged(path: Path) -> UsageError:
    return UsageError(
        f'"{path}" is damaged: run the benchmark again, which writes it again '
        'and keeps the predictions'
    )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise UsageError(
            f'"{path}" cannot be read ({error}): run the benchmark again, '
            'which writes it again'
        ) from error


def _write_signed(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON with a digest of its content."""
    value = plain(value)
    write_json(path, dict(value, digest=_digest_of(value)))


def _is_signed(value: Any) -> bool:
    """Whether JSON has its digest, which is removed; older files have none."""
    if not isinstance(value, dict):
        return True
    digest = value.pop('digest', None)
    return digest is None or digest == _digest_of(value)


def _digest_of(value: Mapping[str, Any]) -> str:
    return _digest(json.dumps(value, sort_keys=True).encode())


def _write_digested(
    folder: Path, stem: str, arrays: Mapping[str, np.ndarray]
) -> str:
    """Write arrays to a file named after their digest; returns the name."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    data = buffer.getvalue()
    name = f'{stem}-{_digest(data)}.npz'
    return write_bytes(folder / name, data).name


def _read_digested(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a file; None if it is damaged."""
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
    """Key of the attack -> result, from the arrays of a shard."""
    out = {}
    start = 0
    predicted = [n for n in (*_PER_PREDICTION, *_OPTIONAL) if n in shard]
    for i, key in enumerate(shard['attack'].tolist()):
        stop = start + int(shard['changed'][i].sum())
        if wanted is None or key in wanted:
            out[key] = BlockResult(
                **{name: shard[name][i] for name in PER_CROP},
                **{name: shard[name][start:stop] for name in predicted},
            )
        start = stop
    return out
