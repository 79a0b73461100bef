"""One run at a time in a folder."""

import fcntl
import os
import platform
from pathlib import Path
from typing import TextIO

from mmpose_occlusion.errors import UsageError

LOCK = '.benchmark.lock'


class FolderLock:
    """Holds a folder for this process, until it ends, however it ends.

    The lock is the operating system's on the file :data:`LOCK` in the folder,
    which stays behind and means nothing by itself. Processes that are forked
    from this one, such as the workers of a data loader, do not hold it.

    Args:
        folder: Is made if it does not exist.

    Raises:
        UsageError: Another process holds it; the sentence names it.
    """

    def __init__(self, folder: str | Path) -> None:
        self._file: TextIO | None = None
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = open(folder / LOCK, 'a+', encoding='utf-8')  # noqa: SIM115
        except OSError as error:
            raise UsageError(
                f'folder "{folder}" cannot be written to '
                f'({error.strerror}): give another'
            ) from error
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.seek(0)
            holder = file.read().strip() or 'another process'
            file.close()
            raise UsageError(
                f'another run works in folder "{folder}" ({holder}): wait '
                'for its end, stop it, or give another folder'
            ) from None
        file.truncate(0)
        file.write(f'process {os.getpid()} on {platform.node()}')
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go; a second call does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
