"""Predictors in processes of their own: several at a time, with a time-out."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

import cv2

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.protocol import Predictor

from .image_loop import FINISHED, ImageLoop
from .work import Recorder, Work


@dataclass
class _Worker:
    """A process and its block; `path` and `since` are the first image and
    the start of the batch that it predicts."""

    process: Any
    work: Work
    path: str = ''
    since: float | None = None

    def remaining(self, timeout: float | None) -> float | None:
        """Seconds that its batch may take from now on."""
        if timeout is None or self.since is None:
            return None
        return max(self.since + timeout - monotonic(), 0)


def compute_in_processes(
    loop: ImageLoop,
    load: Callable[[], Predictor],
    number: int,
    timeout: float | None,
    work: Sequence[Work],
    recorder: Recorder,
) -> None:
    """Predict what is missing, each block in one of a number of processes, on
    which predictions do not depend.

    Args:
        loop: What is to be computed; its predictor stays here.
        load: Makes a predictor in each process; pickled.
        number: Of processes.
        timeout: Seconds that a batch may take.
        work: What is missing.
        recorder: Takes the results.

    Raises:
        UsageError: A predictor cannot be sent there, fails, ends its process
            or takes too long.
    """
    name = loop.predictor.name
    todo = iter(work)
    busy: dict[Connection, _Worker] = {}
    with ExitStack() as stack:
        for first in work[:number]:
            pipe, process = _started(loop, load, stack)
            pipe.send(first)
            busy[pipe] = _Worker(process, next(todo))
        while busy:
            ready: Any = wait(list(busy), _shortest(busy.values(), timeout))
            for pipe in ready:
                worker = busy[pipe]
                try:
                    said = pipe.recv()
                except EOFError:
                    worker.process.join()
                    raise UsageError(
                        f'predictor "{name}" ended its process (exit status '
                        f'{worker.process.exitcode}) {_place(worker)}: '
                        f'{FINISHED}'
                    ) from None
                if isinstance(said, UsageError):
                    raise said
                if isinstance(said, str):
                    worker.path, worker.since = said, monotonic()
                elif said is not None:
                    recorder.add(worker.work.block, *said)
                else:  # the block is complete
                    worker.since = None
                    following = next(todo, None)
                    pipe.send(following)
                    if following is None:
                        del busy[pipe]
                    else:
                        worker.work = following
            for worker in busy.values():
                if worker.remaining(timeout) == 0:
                    raise UsageError(
                        f'predictor "{name}" took more than {timeout:g} s '
                        f'{_place(worker)}: give it more time with '
                        f'--timeout; {FINISHED}'
                    )


def _started(
    loop: ImageLoop, load: Callable[[], Predictor], stack: ExitStack
) -> tuple[Connection, Any]:
    """A process, which is killed at the end, and the pipe to it."""
    context = get_context('spawn')
    here, there = context.Pipe()
    facts = {k: v for k, v in vars(loop).items() if k != 'predictor'}
    process = context.Process(
        target=_work, args=(there, type(loop), load, facts)
    )
    try:
        process.start()
    except Exception as error:
        raise UsageError(
            f'predictor "{loop.predictor.name}" cannot be sent to another '
            f'process ({" ".join(str(error).split())}): name it by a text, or '
            'leave out the number of workers and the time-out'
        ) from error
    finally:
        there.close()
    stack.callback(process.join)
    stack.callback(process.kill)
    return here, process


def _work(
    pipe: Connection,
    kind: type[ImageLoop],
    load: Callable[[], Predictor],
    facts: dict[str, Any],
) -> None:
    """In a process: predict block after block."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    try:
        loop = kind(load(), **facts)
        for work in iter(pipe.recv, None):
            for result in loop.results(work, loop.read(work), pipe.send):
                pipe.send(result)
            pipe.send(None)
    except UsageError as error:
        pipe.send(error)


def _end_with_parent() -> None:
    """End this process when the one that started it does, however it does."""
    parent: Any = parent_process()
    parent.join()
    os._exit(1)


def _shortest(
    workers: Iterable[_Worker], timeout: float | None
) -> float | None:
    remaining = [worker.remaining(timeout) for worker in workers]
    return min((r for r in remaining if r is not None), default=None)


def _place(worker: _Worker) -> str:
    if worker.since is None:
        return 'before its first batch'
    return f'in a batch that begins with "{worker.path}"'
