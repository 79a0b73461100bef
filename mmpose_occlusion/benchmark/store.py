"""Predictions on disk, written as they are computed: the files of
``FOLDER/store/KEY/``, one model on one data set (docs/benchmark_store.md). The
name of an array file contains the SHA-256 of its bytes, and run.json and
attacks.json one of their content, so that damaged files are recognised."""

import hashlib
import io
import json
import logging
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import TEMPORARY, plain, write_bytes, write_json

FORMAT = 2
"""Version of the files; other versions are not read."""

CLEAN = 'clean'
"""Key of the predictions without an attack."""

_SHARD = re.compile(r'(\d+)-[0-9a-f]{16}\.npz')
_LOG = logging.getLogger(__name__)


class Block(NamedTuple):
    """Consecutive crops that are computed together, the same in every run."""

    number: int
    start: int
    stop: int

    @property
    def people(self) -> int:
        """Number of crops."""
        return self.stop - self.start


PER_CROP = ('changed', 'excluded', 'targets', 'bystanders', 'pixels')
PREDICTED = ('keypoints', 'scores')
OPTIONAL = ('person_scores', 'visibility', 'centres')
"""Fields of a result; the last are not stored where all values are NaN."""

BlockResult = np.recarray
"""Predictions for the n crops of a block, clean or under one attack."""


def empty_result(people: int, joints: int) -> BlockResult:
    """The result of n people whom nothing changes, with K joints."""
    fields: Any = [
        ('changed', bool),  # predicted crops: all without an attack
        ('excluded', bool),  # this and what follows as in data.Attacked
        ('targets', bool, joints),
        ('bystanders', bool, joints),
        ('pixels', np.int32),
        ('keypoints', np.float32, (joints, 2)),  # image pixels
        ('scores', np.float32, joints),
        ('person_scores', np.float32),
        ('visibility', np.float32, joints),
        ('centres', np.float32, 2),
    ]
    out = np.zeros(people, fields).view(np.recarray)
    for name in ('keypoints', *OPTIONAL):
        out[name] = np.nan
    return out


class RunStore:
    """The stored predictions of one run: its folder, and what ``run.json``
    says."""

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path, self.info = path, info
        edges = enumerate(pairwise(info['edges']))
        self.blocks = [Block(i, *both) for i, both in edges]

    @classmethod
    def create(
        cls,
        path: Path,
        info: Mapping[str, Any],
        blocks: Sequence[Block],
        arrays: Mapping[str, np.ndarray],
    ) -> 'RunStore':
        """Open a run's folder, named after its key; create it if necessary.
        ``info`` is for ``run.json``, ``arrays`` are of
        :func:`.data.to_arrays`."""
        (path / 'shards').mkdir(parents=True, exist_ok=True)
        edges = [0, *(block.stop for block in blocks)]
        info = dict(info, format=FORMAT, key=path.name, edges=edges)
        name = _write_arrays(path, 'people', arrays)
        _write_signed(path / 'run.json', dict(info, people=name))
        return cls(path, info)

    @classmethod
    def open(cls, path: str | Path) -> 'RunStore':
        """Open an existing run of this format."""
        path = Path(path) / 'run.json'
        info = _read_json(path)
        known = info.get('format') if isinstance(info, dict) else None
        if known != FORMAT:
            raise UsageError(
                f'"{path}" has format {known}, and this version reads format '
                f'{FORMAT}: run the benchmark again with another output folder'
            )
        return cls(path.parent, _signed(info, path))

    def people(self) -> dict[str, np.ndarray]:
        """Bboxes and annotations, see :func:`.data.from_arrays`."""
        path = self.path / self.info['people']
        if found := _read_arrays(path):
            return found
        raise _damaged(path)

    def write(
        self,
        block: Block,
        results: Mapping[str, BlockResult],
        passes: Sequence[int] = (),
    ) -> None:
        """Write one block's results, by key of the attack, to one file, and
        the forward passes that each took."""
        found = list(results.values())
        arrays = {
            name: np.concatenate([r[name][r.changed] for r in found])
            for name in (*PREDICTED, *OPTIONAL)
        }
        for name in OPTIONAL:
            if np.isnan(arrays[name]).all():
                del arrays[name]
        arrays |= {n: np.stack([r[n] for r in found]) for n in PER_CROP}
        arrays['attack'] = np.array(list(results), str)
        arrays['passes'] = np.array(passes, np.int32)
        (shards := self.path / 'shards').mkdir(exist_ok=True)
        _write_arrays(shards, f'{block.number:06d}', arrays)

    def read(self, keys: Collection[str]) -> dict[str, np.ndarray]:
        """Results of all crops under those of the attacks that are complete,
        by key."""
        found: dict[str, dict[int, BlockResult]] = {key: {} for key in keys}
        for number, shard in self._shards():
            for key, result in _results(shard):
                if key in found:
                    found[key][number] = result
        return {
            key: np.concatenate([parts[block.number] for block in self.blocks])
            for key, parts in found.items()
            if len(parts) == len(self.blocks)
        }

    def stored(self, repair: bool = False) -> dict[int, set[str]]:
        """Keys of the attacks that are stored, by number of the block;
        ``repair``, for the run that holds the folder, deletes damaged files
        and the unfinished ones of a killed run."""
        found: dict[int, set[str]] = {b.number: set() for b in self.blocks}
        for path, number in self._files():
            if shard := _read_arrays(path):
                found[number] |= set(shard['attack'].tolist())
            elif repair:
                words = 'is damaged: its predictions are computed again.'
                _LOG.warning('"%s" %s', path, words)
                path.unlink(missing_ok=True)
        for unfinished in self.path.rglob(f'{TEMPORARY}*') if repair else ():
            unfinished.unlink(missing_ok=True)
        return found

    def complete(self) -> set[str]:
        """Keys of the attacks that are stored for all blocks."""
        return set.intersection(*self.stored().values())

    def passes(self) -> int:
        """Number of forward passes of all stored predictions."""
        found = (shard.get('passes', 0) for _, shard in self._shards())
        return sum(int(np.sum(passes)) for passes in found)

    def forget(self) -> None:
        """Delete all predictions."""
        for path, _ in self._files():
            path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[Path, int]]:
        """Files of predictions, sorted, and the numbers of their blocks."""
        for path in sorted((self.path / 'shards').glob('*.npz')):
            match = _SHARD.fullmatch(path.name)
            if match and int(match[1]) < len(self.blocks):
                yield path, int(match[1])

    def _shards(self) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """Numbers of blocks and arrays of the files that are not damaged."""
        for path, number in self._files():
            if shard := _read_arrays(path):
                yield number, shard

    @property
    def attacks(self) -> list[dict]:
        """All attacks requested so far, see :meth:`.SuiteAttack.to_json`."""
        path = self.path / 'attacks.json'
        if not path.is_file():
            return []
        return _signed(_read_json(path), path)['attacks']

    def request(self, attacks: Sequence[Mapping]) -> None:
        """Add attacks to :attr:`attacks`; one of a known name replaces it."""
        try:
            known = self.attacks
        except UsageError:
            _LOG.warning('"%s/attacks.json" is damaged, and new.', self.path)
            known = []
        named = {attack['name']: dict(attack) for attack in [*known, *attacks]}
        listed = dict(attacks=list(named.values()))
        _write_signed(self.path / 'attacks.json', listed)

    @property
    def last(self) -> dict:
        """Facts about the last command that finished; may be empty."""
        path = self.path / 'last.json'
        try:
            return dict(_read_json(path)) if path.is_file() else {}
        except (ValueError, TypeError):  # facts alone
            _LOG.warning('"%s" is damaged, and not read.', path)
            return {}

    def note(self, facts: Mapping[str, Any]) -> None:
        """Write facts for :attr:`last`."""
        write_json(self.path / 'last.json', facts)


def _results(
    shard: Mapping[str, np.ndarray],
) -> Iterator[tuple[str, BlockResult]]:
    """Keys of attacks and results in the arrays of a file of predictions."""
    start = 0
    for i, key in enumerate(shard['attack'].tolist()):
        result = empty_result(*shard['targets'][i].shape)
        for name in PER_CROP:
            result[name] = shard[name][i]
        stop = start + int(result.changed.sum())
        for name in shard.keys() & {*PREDICTED, *OPTIONAL}:
            result[name][result.changed] = shard[name][start:stop]
        yield key, result
        start = stop


def _damaged(path: Path, why: object = '') -> UsageError:
    return UsageError(
        f'"{path}" is damaged{why}: run the benchmark again, which writes it '
        'again and keeps the predictions'
    )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise _damaged(path, f' ({error})') from error


def _write_signed(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON with a digest of its content."""
    value = plain(value)
    write_json(path, dict(value, digest=_digest_of(value)))


def _signed(value: Any, path: Path) -> dict[str, Any]:
    """The content of a file that was written with its digest."""
    digest = value.pop('digest', None) if isinstance(value, dict) else None
    if digest is None or digest != _digest_of(value):
        raise _damaged(path)
    return value


def _digest_of(value: Mapping[str, Any]) -> str:
    return _digest(json.dumps(value, sort_keys=True).encode())


def _write_arrays(
    folder: Path, stem: str, arrays: Mapping[str, np.ndarray]
) -> str:
    """Write arrays to a file named after their digest; returns the name."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    data = buffer.getvalue()
    name = f'{stem}-{_digest(data)}.npz'
    return write_bytes(folder / name, data).name


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; none if it is damaged."""
    try:
        data = path.read_bytes()
        if path.stem.endswith(_digest(data)):
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                return dict(file)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        pass
    return {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
