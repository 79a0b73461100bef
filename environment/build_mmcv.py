"""mmcv: a wheel that fits where there is one, compiled where there is none."""

import os
import shlex
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

SMOKE_TEST = """
import torch
from mmcv.ops import nms
boxes = [[0., 0., 9., 9.], [0., 0., 9., 8.], [20., 20., 29., 29.]]
scores = torch.tensor([.9, .8, .7])
kept = nms(torch.tensor(boxes), scores, .5)[1].tolist()
assert kept == [0, 2], kept
"""
"""Fails where the compiled operators are missing or of another torch."""

DESCRIBE_TORCH = 'import torch; print(torch.__version__, torch.version.cuda)'

FLAGS = '-O2 -DNDEBUG -g0'
"""In place of Python's own flags, whose debug symbols double the time of a
compilation and make its result 15 times larger. Optimising is no slower than
not to: the time goes into torch's headers."""

CXX_STANDARD = """#!/bin/sh
# mmcv's setup.py asks for C++17, the headers of recent torch for C++20.
for argument do
    shift
    case $argument in
    -std=c++17) argument=-std=c++20 ;;
    esac
    set -- "$@" "$argument"
done
exec {compiler} "$@"
"""


def wheel_page(
    torch_version: str, cuda: str | None, environ: Mapping[str, str]
) -> str:
    """The page of prebuilt wheels for a torch.

    As ``mim install onedl-mmcv`` finds it: one page per minor version of
    torch and version of CUDA; ``MMCV_BASE_URL`` names another server.

    Args:
        torch_version: such as ``2.10.0+cu130``.
        cuda: such as ``13.0``; None is a build for the CPU.
    """
    base = environ.get('MMCV_BASE_URL') or 'https://mmwheels.onedl.ai'
    device = 'cu' + cuda.replace('.', '') if cuda else 'cpu'
    major, minor = torch_version.split('.')[:2]
    return f'{base}/{device}-torch{major}{minor}0/simple/onedl-mmcv/index.html'


def build_variables(
    folder: Path,
    compilers: Mapping[str, str],
    environ: Mapping[str, str],
    cpus: int,
    memory: float,
) -> dict[str, str]:
    """The variables to compile mmcv under.

    Args:
        folder: where the compiler wrappers are written. It must stay the
            same from run to run: ninja compiles again what it knows under
            another command.
        compilers: command lines of ``CC`` and ``CXX``.
        environ: ``MAX_JOBS``, ``CFLAGS`` and ``FORCE_CUDA`` are respected.
        cpus: processors that may be used.
        memory: bytes; a compiler takes up to 1.5 GB.
    """
    folder.mkdir(parents=True, exist_ok=True)
    variables = {}
    wrapped = dict(compilers)
    if environ.get('FORCE_CUDA') == '1':
        wrapped['PYTORCH_NVCC'] = environ.get('PYTORCH_NVCC') or 'nvcc'
    else:
        # With a GPU in sight mmcv's setup.py wants nvcc.
        variables['CUDA_VISIBLE_DEVICES'] = ''
    for name, command in wrapped.items():
        wrapper = folder / name.lower()
        wrapper.write_text(
            CXX_STANDARD.format(compiler=shlex.join(shlex.split(command)))
        )
        wrapper.chmod(0o755)
        variables[name] = str(wrapper)
    jobs = max(1, min(cpus, int(memory / 1.5e9)))
    variables['MAX_JOBS'] = environ.get('MAX_JOBS') or str(jobs)
    variables['CFLAGS'] = f'{FLAGS} {environ.get("CFLAGS", "")}'.strip()
    variables['MMCV_WITH_OPS'] = '1'
    return variables


def available_cpus() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, 'sched_getaffinity', None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def available_memory() -> float:
    """Bytes of main memory."""
    return float(os.sysconf('SC_PAGE_SIZE')) * os.sysconf('SC_PHYS_PAGES')


def unpack(archive: Path, folder: Path) -> Path:
    """The source tree of an sdist, unpacked once.

    A tree that is there already is used again, with what has been compiled
    in it.
    """
    tree = folder / archive.name.removesuffix('.tar.gz')
    if not tree.exists():
        half = folder / 'unpacking'
        shutil.rmtree(half, ignore_errors=True)
        with tarfile.open(archive) as tar:
            tar.extractall(half, filter='data')
        (half / tree.name).rename(tree)
    return tree
