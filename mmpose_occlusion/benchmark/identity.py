"""Digests of what predictions depend on: whether stored ones can be used."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import mmpose_occlusion
from mmpose_occlusion.files import plain, write_json

_SOURCES = (
    'skeleton.py',
    'occlusion/**/*.py',
    'transforms/**/*.py',
    'predictors/**/*.py',
    'benchmark/effects.py',
    'benchmark/image_*.py',
    'metrics/annotations.py',
)
"""Modules of this package that paint, crop and predict."""


def digest(value: Any) -> str:
    """SHA-256 of plain values, regardless of the order of a dict's keys and of
    whether a sequence is a list or a tuple."""
    text = json.dumps(plain(value), sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(value: Any) -> str:
    """The first 16 digits of :func:`digest`."""
    return digest(value)[:16]


def digest_of_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of named arrays: names, dtypes, shapes and values."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def digest_of_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    return _hash_file(path, hashlib.sha256())


def digests_of_files(value: Any) -> dict[str, str]:
    """The files that the texts in plain values name -> their SHA-256, for
    example an ONNX file in a model's config."""
    if isinstance(value, Mapping | list | tuple):
        parts = value.values() if isinstance(value, Mapping) else value
        return {
            k: v for part in parts for k, v in digests_of_files(part).items()
        }
    with suppress(OSError, ValueError):  # too long for a name, or a zero byte
        if isinstance(value, str) and os.path.isfile(value):
            return {value: digest_of_file(value)}
    return {}


def digest_of_sources() -> str:
    """SHA-256 of the modules that paint, crop and predict."""
    root = Path(mmpose_occlusion.__file__).parent
    paths = sorted({p for pattern in _SOURCES for p in root.glob(pattern)})
    return digest(
        [[str(p.relative_to(root)), digest_of_file(p)] for p in paths]
    )


def digest_of_images(
    paths: Iterable[str], cache: str | Path | None = None, save: bool = True
) -> str:
    """SHA-256 of the names and contents of images.

    Of images that are not on a local disk, the names count.

    Args:
        paths: Paths of the images; repeated ones count once.
        cache: JSON file of digests that were computed before. An image is
            read again if its path, size, time of modification or inode has
            changed.
        save: Whether to write new digests to the cache.
    """
    known: dict[str, list] = {}
    if cache:
        with suppress(OSError, TypeError, ValueError):
            known = dict(json.loads(Path(cache).read_bytes()))
    names = [os.path.abspath(path) for path in dict.fromkeys(map(str, paths))]

    def entry(name: str) -> list | None:
        try:
            stat = os.stat(name)
            state = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
            if known.get(name, [None])[0] == state:
                return known[name]
            hasher = hashlib.blake2b(digest_size=16)
            return [state, _hash_file(name, hasher)]
        except OSError:
            return None

    with ThreadPoolExecutor() as pool:
        found = dict(zip(names, pool.map(entry, names), strict=True))
    new = {name: each for name, each in found.items() if each is not None}
    if cache and save and any(known.get(name) != new[name] for name in new):
        Path(cache).parent.mkdir(parents=True, exist_ok=True)
        write_json(cache, {**known, **new})
    return digest(
        [[os.path.basename(n), each and each[1]] for n, each in found.items()]
    )


def _hash_file(path: str | Path, hasher: Any) -> str:
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()
