"""Predictors in processes of their own: several at a time, with a time-out."""

import copy
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from math import inf
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

import cv2

from mmpose_occlusion.errors import UsageError

from .work import FINISHED, Recorder, Work

if TYPE_CHECKING:
    from .image_loop import ImageLoop


class _Worker:
    """A process that computes block after block, and is killed at the end."""

    def __init__(self, loop: 'ImageLoop', stack: ExitStack) -> None:
        self.work: Work
        self.path, self.since = '', inf  # of the batch that it predicts
        context = get_context('spawn')
        self.pipe, there = context.Pipe()
        other: Any = copy.copy(loop)
        other.predictor = None
        self.process = context.Process(target=_serve, args=(there, other))
        try:
            self.process.start()
        except Exception as error:
            raise UsageError(
                f'predictor "{loop.predictor.name}" cannot be sent to another '
                f'process ({" ".join(str(error).split())}): name it by a '
                'text, or leave out the number of workers and the time-out'
            ) from error
        finally:
            there.close()
        stack.callback(self.process.join)
        stack.callback(self.process.kill)

    def give(self, work: Work | None) -> None:
        """Send the next block, or that there is none."""
        self.pipe.send(work)
        if work is not None:
            self.work = work

    def fault(self, name: str, words: str, way_out: str = '') -> UsageError:
        """A sentence that says where it happened."""
        place = 'before its first batch'
        if self.since < inf:
            place = f'in a batch that begins with "{self.path}"'
        return UsageError(
            f'predictor "{name}" {words} {place}: {way_out}{FINISHED}'
        )


def compute_in_processes(
    loop: 'ImageLoop', work: Sequence[Work], recorder: Recorder
) -> None:
    """Predict what is missing, each block in one of several processes."""
    name, todo = loop.predictor.name, iter(work)
    timeout = inf if loop.timeout is None else loop.timeout
    busy: dict[Connection, _Worker] = {}
    with ExitStack() as stack:
        for one in islice(todo, loop.num_workers or 1):
            worker = _Worker(loop, stack)
            worker.give(one)
            busy[worker.pipe] = worker
        while busy:
            ends = min(w.since for w in busy.values()) + timeout
            left = max(ends - time.monotonic(), 0)
            ready: Any = wait(list(busy), None if left == inf else left)
            for worker in [busy[pipe] for pipe in ready]:
                try:
                    said = worker.pipe.recv()
                except EOFError:
                    worker.process.join()
                    raise worker.fault(
                        name,
                        'ended its process (exit status '
                        f'{worker.process.exitcode})',
                    ) from None
                if isinstance(said, UsageError):
                    raise said
                if isinstance(said, str):
                    worker.path, worker.since = said, time.monotonic()
                elif said is not None:
                    recorder.add(worker.work.block, *said)
                else:  # the block is complete
                    worker.since = inf
                    following = next(todo, None)
                    worker.give(following)
                    if following is None:
                        del busy[worker.pipe]
            for worker in busy.values():
                if worker.since + timeout <= time.monotonic():
                    raise worker.fault(
                        name,
                        f'took more than {timeout:g} s',
                        'give it more time with --timeout; ',
                    )


def _serve(pipe: Connection, loop: 'ImageLoop') -> None:
    """In a process: predict block after block."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    try:
        loop.predictor = loop.load()
        vars(loop)['starting'] = pipe.send
        for work in iter(pipe.recv, None):
            images = loop.read(work.block)
            for result in loop.results(work, images):
                pipe.send(result)
            pipe.send(None)
    except UsageError as error:
        pipe.send(error)


def _end_with_parent() -> None:
    """End this process when the one that started it does, however it does."""
    parent: Any = parent_process()
    parent.join()
    os._exit(1)
