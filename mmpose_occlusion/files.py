"""Files that are written whole or not at all, JSON of plain values, and
digests of what predictions depend on."""

import contextlib
import hashlib
import json
import math
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import DataError, UsageError

TEMPORARY = '.mmpose-occlusion-'
"""Prefix of the names of temporary files, which a killed process leaves."""

MARK = '<meta name="generator" content="mmpose_occlusion">'
"""In the head of every page of this package."""

_SOURCES = (
    'skeleton.py',
    'occlusion/**/*.py',
    'transforms/**/*.py',
    'predictors/**/*.py',
    'engine/crop_frame.py',
    'benchmark/effects.py',
    'benchmark/image_*.py',
    'metrics/annotations.py',
)
"""Modules of this package that paint, crop and predict."""


def check_replaceable(folder: str | Path, names: Iterable[str]) -> None:
    """Check that files to be written replace only files of this package.

    Raises:
        UsageError: One exists, and the folder holds neither a store nor a
            page or numbers of this package.
    """
    folder = Path(folder)
    there = [folder / name for name in names if (folder / name).exists()]
    # the last is the end of the header of every table in CSV
    marks = MARK.encode(), b'"mmpose_occlusion":', b',conditions\n'
    ours = 'index.html', 'gallery.html', 'report.json', 'attacks.csv'
    if (
        there
        and not any(folder.glob('store/*/run.json'))
        and not any(_has(folder / name, *marks) for name in ours)
    ):
        raise UsageError(
            f'"{there[0]}" exists and is not of this package: give another '
            'folder, or move it'
        )


def check_config_file(path: str) -> None:
    """Refuse a config file that does not exist; ``PACKAGE::PATH`` is not
    checked."""
    if '::' not in path and not Path(path).is_file():
        raise UsageError(
            f'config file "{path}" does not exist: give the path of one, or '
            'PACKAGE::PATH for one of a package'
        )


def check_output(path: str | Path, mark: bytes, option: str) -> None:
    """Check that a file to be written replaces only one of this package.

    Raises:
        UsageError: It exists and lacks the mark that all of its kind hold;
            the message names the option.
    """
    if Path(path).exists() and not _has(Path(path), mark):
        raise UsageError(
            f'{option} "{path}" exists and is not of this package: give '
            'another name, or move it'
        )


def _has(path: Path, *marks: bytes) -> bool:
    """Whether a file exists and holds one of some texts."""
    content = path.read_bytes().replace(b'\r', b'') if path.is_file() else b''
    return any(mark in content for mark in marks)


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write a file atomically, see :func:`replaced`; returns its path."""
    with replaced(path) as temporary:
        temporary.write_bytes(data)
    return Path(path)


@contextlib.contextmanager
def replaced(path: str | Path, ending: str = '') -> Iterator[Path]:
    """Name of a hidden temporary file in the same folder, with this ending; at
    the end it is flushed to the disk and renamed to ``path``, so that readers
    see the old content or the new one, and after an error it is removed."""
    path = Path(path)
    owner = f'{os.getpid()}-{threading.get_ident()}'
    temporary = path.with_name(f'{TEMPORARY}{path.name}.{owner}{ending}')
    try:
        yield temporary
        with open(temporary, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            error.filename = str(path)  # not the temporary one, nor None
        raise


def write_text(path: str | Path, text: str) -> Path:
    """Write text in UTF-8, see :func:`write_bytes`."""
    return write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> Path:
    """Write a value as JSON, see :func:`plain` and :func:`write_bytes`."""
    text = json.dumps(
        plain(value), indent=1, allow_nan=False, ensure_ascii=False
    )
    return write_text(path, text + '\n')


def read_json(path: str | Path, what: str) -> Any:
    """The content of a JSON file.

    Raises:
        UsageError: It cannot be read.
        DataError: It is no JSON.
    """
    try:
        return json.loads(Path(path).read_bytes().decode())
    except OSError as error:
        why = f'cannot be read ({error.strerror})'
        raise UsageError(f'{what} "{path}" {why}') from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f'{what} "{path}" is not JSON ({error}): export or download it '
            'again'
        ) from error


def plain(value: Any, digits: int | None = None) -> Any:
    """A value made of dicts, lists, strings, numbers, booleans and None.

    Args:
        value: Dataclasses become dicts, arrays and tuples become lists, sets
            sorted lists, numbers that are not finite None, classes and
            functions their name, and objects of other types their ``str``.
        digits: Decimals to which floats are rounded; None keeps all.

    >>> plain(dict(a=(1, float('nan'), 0.123)), digits=2)
    {'a': [1, None, 0.12]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(v, digits) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry, digits) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(entry, digits) for entry in value)
    if hasattr(value, '__qualname__'):
        return f'{value.__module__}.{value.__qualname__}'
    if hasattr(value, 'tolist'):
        return plain(value.tolist(), digits)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else round(value, digits) + 0.0
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


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
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def digests_of_files(value: Any) -> dict[str, str]:
    """The files that the texts in plain values name -> their SHA-256, for
    example an ONNX file in a model's config."""
    if isinstance(value, Mapping | list | tuple):
        parts = value.values() if isinstance(value, Mapping) else value
        return {
            k: v for part in parts for k, v in digests_of_files(part).items()
        }
    with contextlib.suppress(OSError, ValueError):  # no name of a file
        if isinstance(value, str) and os.path.isfile(value):
            return {value: digest_of_file(value)}
    return {}


def digest_of_sources() -> str:
    """SHA-256 of the modules that paint, crop and predict."""
    root = Path(__file__).parent
    paths = sorted({p for pattern in _SOURCES for p in root.glob(pattern)})
    return digest(
        [[str(p.relative_to(root)), digest_of_file(p)] for p in paths]
    )


def digest_of_images(
    paths: Iterable[str], cache: str | Path, save: bool = True
) -> str:
    """SHA-256 of the names and contents of images; of images that are not on
    a local disk, the names count, and repeated ones count once.

    The cache is a JSON file of digests that were computed before. An image is
    read again if its path, size, time of modification or inode has changed.
    """
    known: dict[str, list] = {}
    with contextlib.suppress(OSError, TypeError, ValueError):
        known = dict(json.loads(Path(cache).read_bytes()))

    def entry(name: str) -> list | None:
        try:
            stat = os.stat(name)
            state = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
            if known.get(name, [None])[0] == state:
                return known[name]
            content = Path(name).read_bytes()
        except OSError:
            return None
        return [state, hashlib.blake2b(content, digest_size=16).hexdigest()]

    names = [os.path.abspath(path) for path in dict.fromkeys(map(str, paths))]
    with ThreadPoolExecutor() as pool:
        found = dict(zip(names, pool.map(entry, names), strict=True))
    local = {name: each for name, each in found.items() if each is not None}
    if save and known | local != known:
        Path(cache).parent.mkdir(parents=True, exist_ok=True)
        write_json(cache, known | local)
    return digest(
        [[os.path.basename(n), each and each[1]] for n, each in found.items()]
    )
