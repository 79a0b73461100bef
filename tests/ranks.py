"""Ranks of a distributed run on the CPU, forked from the test process.

They have the modules that it has imported: importing MMPose takes ten seconds
of CPU time in each process.
"""

import contextlib
import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import torch

from mmpose_occlusion.cli.run import run

_FORK = multiprocessing.get_context('fork')


def free_port() -> int:
    """A port of this machine that no process listens on."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def run_ranks(
    count: int, main: Callable[[list[str]], int], argv: list[str], log: Path
) -> str:
    """Run a tool with ``--launcher pytorch`` in forked processes.

    Args:
        count: Number of processes.
        main: The tool; returns its exit status.
        argv: Its arguments.
        log: Folder for what each rank prints.

    Returns:
        What all ranks print.

    Raises:
        AssertionError: A rank fails.
    """
    port = free_port()
    argv = [*argv, '--launcher', 'pytorch']
    files = [log / f'rank{rank}.txt' for rank in range(count)]
    ranks = [
        _start(_as_rank, rank, count, port, file, main, argv)
        for rank, file in enumerate(files)
    ]
    for rank in ranks:
        rank.join()
    printed = '\n'.join(file.read_text() for file in files)
    assert [rank.exitcode for rank in ranks] == [0] * count, printed
    return printed


def exit_code(work: Callable, *arguments) -> int:
    """The exit code of a forked process that does this work."""
    process = _start(work, *arguments)
    process.join()
    return process.exitcode


def _start(work: Callable, *arguments) -> multiprocessing.Process:
    run(lambda options: None, SimpleNamespace())  # imports MMPose
    process = _FORK.Process(target=_alone, args=(work, *arguments))
    process.start()
    return process


def _alone(work: Callable, *arguments) -> None:
    """Work with neither threads nor a GPU of the forked process."""
    import mmengine.device.utils

    torch.set_num_threads(1)
    torch.cuda.is_available = lambda: False
    mmengine.device.utils.DEVICE = 'cpu'
    work(*arguments)


def _as_rank(
    rank: int, count: int, port: int, file: Path, main: Callable, argv: list
) -> None:
    os.environ.update(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        WORLD_SIZE=str(count),
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        OMP_NUM_THREADS='1',
    )
    with (
        file.open('w') as printed,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        try:
            status = main(argv)
            assert not (threads := _threads_of_the_group()), threads
        except BaseException:
            traceback.print_exc()
            status = 1
    raise SystemExit(status)


def _threads_of_the_group() -> list[str]:
    """Names of this process's threads of PyTorch's process groups (Linux)."""
    names = [
        file.read_text() for file in Path('/proc/self').glob('task/*/comm')
    ]
    return [name for name in names if 'gloo' in name]
