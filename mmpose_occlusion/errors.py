"""Errors that a command line shows as one sentence."""

import os
import sys
from pathlib import Path


class UsageError(ValueError):
    """Something the user can set right: the message says what and how.

    The tools print it alone, without a traceback, and exit with 2.
    """


class DataError(UsageError):
    """A file whose content cannot be used; the tools exit with 1."""


def report_error(error: Exception | str, status: int) -> int:
    """Print an error as one sentence; returns the exit status.

    Under ``tools/_torchrun.py`` the sentence goes to the file that it prints
    once for all processes: the first one's, since other processes fail for
    want of it.
    """
    sentence = printable(f'error: {error}')
    path = os.environ.get('MMPOSE_OCCLUSION_REFUSAL')
    if path:
        own = Path(f'{path}.{os.getpid()}')
        own.write_text(f'{status} {sentence}', encoding='utf-8')
        if not Path(path).exists():
            own.replace(path)
    else:
        print(sentence, file=sys.stderr)
    return status


def printable(text: str) -> str:
    """A text in one line: control characters are shown as escapes."""
    return ''.join(
        c if c.isprintable() else c.encode('unicode_escape').decode()
        for c in text
    )
