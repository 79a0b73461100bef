"""Images read out of a zip archive, through MMEngine's file backends.

``train2017.zip`` need not be unpacked. Once this module is imported, as it is
where MMPose is asked for a data set or transform, whatever reads through
``mmengine.fileio`` takes such paths, written in one of two ways:

- ``zip://data/coco/images/train2017.zip/000000000785.jpg``, without further
  arguments: ``data_root=None, data_prefix=dict(img='zip://data/coco/images/
  train2017.zip')`` in a data set's config is all it takes;
- ``data/coco/images/train2017.zip/000000000785.jpg``, or ``train2017.zip@/``
  with an at sign, with ``backend_args=dict(backend='zip')``, for example of
  ``LoadImage``.

Paths inside an archive begin in its folder of the archive's own name
(``train2017/`` in COCO's), or else at its top.
"""

import io
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.fileio import BaseStorageBackend, register_backend

SCHEME = 'zip://'

_archives: dict[str, 'Archive'] = {}
"""The archives this process has open, by absolute path. Those that were
open before a fork stay usable on both sides of it."""


class _Reader(io.RawIOBase):
    """A file that is read by position, so that processes can share it.

    A file that was open before a fork has one position for both processes,
    and each would move the other's. Here the position is a number of each
    process, and ``os.pread`` leaves the file's own alone.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._fd).st_size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        position = start.get(whence, 0) + offset
        if position < 0:
            raise OSError(f'cannot seek to {position}')
        self._position = position
        return self._position

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            size = max(0, self._size - self._position)
        data = os.pread(self._fd, size, self._position)
        self._position += len(data)
        return data

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


class Archive:
    """A zip archive that is open for reading.

    Args:
        path: The archive.

    Raises:
        FileNotFoundError: It does not exist.
        zipfile.BadZipFile: It is no zip archive, or not a complete one.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._reader = _Reader(path)
            self._zip = zipfile.ZipFile(self._reader)
        except FileNotFoundError:
            raise FileNotFoundError(
                f'zip archive "{path}" does not exist: put it there, or set '
                'data_prefix to the folder of its files'
            ) from None
        except (zipfile.BadZipFile, IsADirectoryError) as error:
            raise zipfile.BadZipFile(
                f'"{path}" is not a complete zip archive ({error}): fetch '
                'it again, or unpack what there is and set data_prefix to '
                'that folder'
            ) from error

        own = f'{Path(path).stem}/'
        names = self._zip.namelist()
        self._top = own if any(n.startswith(own) for n in names) else ''

    def find(self, name: str) -> zipfile.ZipInfo | None:
        """The entry of a file, or None; see the module."""
        for candidate in (self._top + name, name):
            try:
                return self._zip.getinfo(candidate)
            except KeyError:
                pass
        return None

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: The archive does not have it.
            zipfile.BadZipFile: What it has is damaged.
        """
        entry = self.find(name)
        if entry is None:
            first = next(iter(self.files()), None)
            raise FileNotFoundError(
                f'"{name}" is not in zip archive "{self.path}", which has '
                + (f'files such as "{first}"' if first else 'no files')
            )
        try:
            return self._zip.read(entry)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise zipfile.BadZipFile(
                f'"{name}" in zip archive "{self.path}" is damaged '
                f'({error}): fetch the archive again'
            ) from error
        except (RuntimeError, NotImplementedError) as error:
            raise zipfile.BadZipFile(
                f'"{name}" in zip archive "{self.path}" cannot be read '
                f'({error}): pack it anew, without a password'
            ) from error

    def files(self, folder: str = '') -> Iterator[str]:
        """Files below a folder, by their path from it, in stored order."""
        names = self._zip.namelist()
        asked = f'{folder}/' if folder else ''
        inside = self._top + asked
        if not any(name.startswith(inside) for name in names):
            inside = asked
        for name in names:
            if name.startswith(inside) and not name.endswith('/'):
                yield name[len(inside) :]

    def has_folder(self, folder: str) -> bool:
        return not folder or next(self.files(folder), None) is not None

    def close(self) -> None:
        self._zip.close()
        self._reader.close()


def open_archive(path: str | Path) -> Archive:
    """The archive, opened once per process; see :class:`Archive`."""
    key = os.path.abspath(path)
    if key not in _archives:
        _archives[key] = Archive(str(path))
    return _archives[key]


def close_archives() -> None:
    """Close all archives of this process; what reads next opens again."""
    while _archives:
        _archives.popitem()[1].close()


def split_path(path: str | Path) -> tuple[str, str]:
    """Split a path into that of the archive and that inside it.

    >>> split_path('zip://data/val2017.zip@/000000000785.jpg')
    ('data/val2017.zip', '000000000785.jpg')

    Raises:
        FileNotFoundError: No part of the path ends in ``.zip``.
    """
    parts = str(path).removeprefix(SCHEME).split('/')
    for index, part in enumerate(parts):
        name = part.removesuffix('@')
        archive = '/'.join([*parts[:index], name])
        if name.lower().endswith('.zip') and not os.path.isdir(archive):
            inside = [p for p in parts[index + 1 :] if p not in ('', '.')]
            return archive, '/'.join(inside)
    raise FileNotFoundError(
        f'"{path}" names no zip archive: the zip backend reads paths such as '
        '"images/train2017.zip/000000000785.jpg"'
    )


@register_backend('zip', prefixes='zip')
class ZipBackend(BaseStorageBackend):
    """Reads files inside zip archives; see the module.

    Each archive is opened once per process, and one that was opened before
    data loader workers are forked is shared with them. Nothing can be
    written. Errors are those of :class:`Archive` and :func:`split_path`.
    """

    def get(self, filepath: str | Path) -> bytes:
        archive, name = split_path(filepath)
        return open_archive(archive).read(name)

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        return self.get(filepath).decode(encoding)

    def exists(self, filepath: str | Path) -> bool:
        return self.isfile(filepath) or self.isdir(filepath)

    def isfile(self, filepath: str | Path) -> bool:
        archive, name = self._split(filepath)
        return bool(name) and open_archive(archive).find(name) is not None

    def isdir(self, filepath: str | Path) -> bool:
        archive, name = self._split(filepath)
        return bool(archive) and open_archive(archive).has_folder(name)

    def join_path(self, filepath: str | Path, *filepaths: str | Path) -> str:
        return os.path.join(filepath, *filepaths)

    @contextmanager
    def get_local_path(self, filepath: str | Path) -> Iterator[str]:
        """A copy of the file that exists as long as the context."""
        data = self.get(filepath)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, Path(str(filepath)).name)
            path.write_bytes(data)
            yield str(path)

    def list_dir_or_file(
        self,
        dir_path: str | Path,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: str | tuple[str, ...] | None = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """As MMEngine's local backend: paths relative to ``dir_path``."""
        if list_dir and suffix is not None:
            raise TypeError('`suffix` should be None when `list_dir` is True')
        archive, folder = split_path(dir_path)
        listed = set()
        for name in open_archive(archive).files(folder):
            folders = name.split('/')[:-1]
            depth = len(folders) if recursive else min(1, len(folders))
            for end in range(1, depth + 1 if list_dir else 1):
                path = '/'.join(folders[:end])
                if path not in listed:
                    listed.add(path)
                    yield path
            shown = list_file and (recursive or not folders)
            if shown and (suffix is None or name.endswith(suffix)):
                yield name

    def _split(self, filepath: str | Path) -> tuple[str, str]:
        """As :func:`split_path`, with '' where there is no such archive."""
        try:
            archive, name = split_path(filepath)
        except FileNotFoundError:
            return '', ''
        return (archive, name) if os.path.isfile(archive) else ('', '')
