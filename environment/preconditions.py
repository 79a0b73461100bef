"""What the machine must offer before anything is downloaded."""

import importlib.util
import shutil
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .setup_error import SetupError

GIGABYTE = 10**9
FULL_SIZE = 10 * GIGABYTE
"""Disk that an empty cache needs: torch with CUDA is most of it."""

REST_SIZE = 3 * GIGABYTE
"""Disk that is needed once torch is there."""


def check(
    cache: Path, needed: int, environ: Mapping[str, str]
) -> dict[str, str]:
    """Raise a SetupError for the first thing that is missing.

    The network is checked by the first download, which is a small one.

    Args:
        cache: the folder to build in; it need not exist.
        needed: bytes that must be free there.
        environ: ``CC`` and ``CXX`` name other compilers.

    Returns:
        The command lines of the compilers, as ``CC`` and ``CXX``.
    """
    for problem in python_problems():
        raise SetupError(problem)
    compilers = {}
    for variable, names in COMPILERS.items():
        command = find_compiler(environ.get(variable, ''), names)
        if command is None:
            raise SetupError(
                f'A C++ compiler is needed and {variable} '
                f'({environ.get(variable) or " or ".join(names)}) is not on '
                'the PATH: install one (Debian/Ubuntu: apt-get install g++).'
            )
        compilers[variable] = command
    unfit = cache_problem(cache, needed)
    if unfit:
        raise SetupError(unfit)
    return compilers


COMPILERS = {'CC': ('cc', 'gcc', 'clang'), 'CXX': ('c++', 'g++', 'clang++')}


def python_problems(
    has_module: Callable[[str], object] = importlib.util.find_spec,
    headers: Path | None = None,
) -> Iterator[str]:
    """What this Python lacks, one sentence each."""
    if not (has_module('venv') and has_module('ensurepip')):
        yield (
            "This Python comes without 'venv' and 'ensurepip', which build "
            'the environment: install them (Debian/Ubuntu: apt-get install '
            'python3-venv).'
        )
    folder = headers or Path(sysconfig.get_path('include'))
    if not (folder / 'Python.h').exists():
        yield (
            f"Python's headers are needed to compile mmcv and {folder} has "
            'no Python.h: install them (Debian/Ubuntu: apt-get install '
            'python3-dev).'
        )


def find_compiler(asked: str, names: tuple[str, ...]) -> str | None:
    """The command line of a compiler with its program's full path.

    Args:
        asked: the value of ``CC`` or ``CXX``, such as ``ccache g++``.
        names: programs to look for where that is empty.
    """
    if asked:
        program, *arguments = asked.split()
        found = shutil.which(program)
        return None if found is None else ' '.join([found, *arguments])
    return next(filter(None, map(shutil.which, names)), None)


def cache_problem(cache: Path, needed: int) -> str | None:
    """Why the cache folder cannot take the environment, if it cannot."""
    if len(str(cache).split()) > 1:
        return (
            f'The cache folder {cache} has a blank in its name, which '
            'compilers trip over: name another with XDG_CACHE_HOME.'
        )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        (cache / 'writable').touch()
        (cache / 'writable').unlink()
    except OSError as error:
        return (
            f'The cache folder {cache} cannot be written '
            f'({error.strerror}): name another with XDG_CACHE_HOME.'
        )
    free = shutil.disk_usage(cache).free
    if free < needed:
        return (
            f'The environment needs {needed / GIGABYTE:.0f} GB and {cache} '
            f'has {free / GIGABYTE:.1f} GB free: make room, or name a folder '
            'on another disk with XDG_CACHE_HOME.'
        )
    return None
