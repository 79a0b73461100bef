"""Predictions of whole images, block by block, clean and under attacks, in
this process or in several, with a time-out."""

import copy
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby, islice
from math import inf
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import Person
from mmpose_occlusion.predictors.protocol import Predictor, check_predictions

from .data import UNMATCHED, to_arrays
from .effects import Effect, ImageAttack
from .image_people import ImagePeople, match_people
from .store import CLEAN, Block, BlockResult, empty_result
from .suite import SuiteAttack
from .work import FINISHED, Recorder, Work


class LoadedImage(NamedTuple):
    """One decoded image."""

    path: str
    rows: np.ndarray
    first: int  # row of its block
    bgr: np.ndarray  # as attacks see it
    scratch: np.ndarray  # a copy for them
    rgb: np.ndarray  # as predictors see it
    people: dict[int, Person]  # row -> annotated person


class Pass(NamedTuple):
    """An image to predict."""

    source: LoadedImage
    image: np.ndarray  # RGB, perhaps attacked
    rows: np.ndarray  # of the image, or the only one whose bbox is given
    chosen: np.ndarray  # those of them that get the answer
    into: BlockResult


@dataclass
class ImageLoop:
    """A predictor on whole images: a source of :func:`.work.compute_run`."""

    predictor: Predictor
    data: ImagePeople
    attacks: list[SuiteAttack]
    seed: int  # of the attacks' random draws
    mapping: np.ndarray  # (K,) index of the model's joint, -1 for none
    one: bool  # whether one person an image pass is attacked, instead of all
    batch_size: int  # images of one call of the predictor at most
    block_images: int
    load: Callable[[], Predictor] | None  # in other processes; else pickled
    num_workers: int  # processes that predict, 0: this one
    timeout: float | None  # seconds of a call, in a process of its own
    identity: dict[str, Any]  # what predictions depend on beside the images
    info: dict[str, Any]  # for run.json

    def __post_init__(self) -> None:
        self.pipe: Any = None  # that is told the first path of each batch
        links = self.data.joints.links
        self.effects = {
            a.key: ImageAttack(a, self.seed, links) for a in self.attacks
        }
        self.whole_image = not self.predictor.needs_boxes
        self.blocks = self.data.blocks(self.block_images)
        self.arrays = to_arrays(self.data.boxes, self.data.people)
        self.paths = [str(path) for path in self.data.paths.values()]

    def depends_on(self) -> dict[str, Any]:
        """See :func:`.work.compute_run`."""
        return self.identity

    def compute(self, work: Sequence[Work], recorder: Recorder) -> None:
        """Predict what is missing; the images of the next block are read
        meanwhile."""
        if self.num_workers or self.timeout is not None:
            _compute_in_processes(self, work, recorder)
            return
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self.read, w.block) for w in work[:1]]
            for i, w in enumerate(work):
                images = coming.pop().result()
                for following in work[i + 1 : i + 2]:
                    coming.append(reader.submit(self.read, following.block))
                for key, result, passes in self.results(w, images):
                    recorder.add(w.block, key, result, passes)

    def estimate(self, work: Sequence[Work]) -> tuple[int, float]:
        """The most forward passes that work takes, and the time in seconds
        of one by that of the first image, after one to warm up."""
        if not work:
            return 0, 0.0
        ids = self.data.boxes.image_ids
        number = 0
        for block, keys in work:
            attacks = [self.effects[key] for key in keys if key != CLEAN]
            if CLEAN in keys:
                number += len(np.unique(ids[block.start : block.stop]))
            for row in range(block.start, block.stop):
                # only the box of a person counts; at most: the people of an
                # image may be attacked at once
                person = self.data.person(row, (1 << 30, 1 << 30))
                if person is not None:
                    number += sum(each.reaches(person) for each in attacks)
        first = work[0].block.start
        block = Block(0, first, first + int((ids == ids[first]).sum()))
        (image,) = self.read(block)
        only, into = image.rows[:1], self.empty(block)
        passes = [Pass(image, image.rgb, only, only, into)] * self.batch_size
        self.predict(passes[:1])
        start = time.perf_counter()
        self.predict(passes)
        return number, (time.perf_counter() - start) / len(passes)

    def read(self, block: Block) -> list[LoadedImage]:
        """The images of a block, decoded."""
        ids, out = self.data.boxes.image_ids, []
        rows = range(block.start, block.stop)
        for image_id, some in groupby(rows, lambda row: int(ids[row])):
            path = str(self.data.paths[image_id])
            bgr = cv2.imread(path)
            if bgr is None:
                raise UsageError(f'image "{path}" cannot be read: replace it')
            mine = list(some)
            found = {r: self.data.person(r, bgr.shape) for r in mine}
            people = {r: p for r, p in found.items() if p is not None}
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            rest = block.start, bgr, bgr.copy(), rgb, people
            out.append(LoadedImage(path, np.array(mine), *rest))
        return out

    def empty(self, block: Block) -> BlockResult:
        """The result of a block before predictions."""
        out = empty_result(block.people, len(self.mapping))
        if self.whole_image:
            out.person_scores[:] = 0
        return out

    def results(
        self, work: Work, images: Sequence[LoadedImage]
    ) -> Iterator[tuple[str, BlockResult, int]]:
        """Predictions of a block of images, clean and under each attack that
        is missing: key, result, number of predicted images."""
        for key in work.keys:
            into = self.empty(work.block)
            passes = (p for i in images for p in self.passes(i, key, into))
            number = 0
            while batch := list(islice(passes, self.batch_size)):
                self.predict(batch)
                number += len(batch)
            yield key, into, number

    def passes(
        self, image: LoadedImage, key: str, into: BlockResult
    ) -> Iterator[Pass]:
        """An image, or what an attack makes of it where it changes it; notes
        what it hides in the result."""
        if key == CLEAN:
            yield Pass(image, image.rgb, image.rows, image.rows, into)
            return
        effects: dict[int, Effect] = {}
        for row in image.people:
            effect = self.effect(image, row, key, into)
            if effect.box is not None and self.one:
                yield self.alone(image, row, effect, into)
            elif effect.box is not None:
                effects[row] = effect
        if not effects:
            return
        rgb = image.rgb.copy()
        for row, effect in effects.items():
            effect.paint(rgb[..., ::-1])
            for other, person in image.people.items():
                if other != row:
                    i = other - image.first
                    xy = np.array(person.xy, float)
                    under = effect.covers(xy, rgb.shape)
                    under &= person.available & ~into.targets[i]
                    into.bystanders[i] |= under
        yield Pass(image, rgb, image.rows, image.rows, into)

    def effect(
        self,
        image: LoadedImage,
        row: int,
        key: str,
        into: BlockResult,
        point: tuple[float, float] | None = None,
    ) -> Effect:
        """The effect of an attack on a person, noted in the result."""
        person, raw = image.people[row], self.data.raw(row)
        pixels = image.bgr, image.scratch
        effect = self.effects[key].on(*pixels, person, raw, point)
        effect.note(into, row - image.first)
        return effect

    def alone(
        self, image: LoadedImage, row: int, effect: Effect, into: BlockResult
    ) -> Pass:
        """An image with the effect on one of its people."""
        rgb = image.rgb.copy()
        effect.paint(rgb[..., ::-1])
        chosen = np.array([row])
        rows = image.rows if self.whole_image else chosen
        return Pass(image, rgb, rows, chosen, into)

    def predict(self, batch: Sequence[Pass]) -> None:
        """Predict a batch into the results; the predictor's mistakes become
        one sentence."""
        path = batch[0].source.path
        if self.pipe is not None:
            self.pipe.send(path)
        boxes = [
            None if self.whole_image else self.data.boxes.boxes[one.rows]
            for one in batch
        ]
        try:
            found: object = self.predictor([one.image for one in batch], boxes)
        except UsageError:
            raise
        except Exception as error:
            words = ' '.join(str(error).split())
            raise UsageError(
                f'predictor "{self.predictor.name}" failed in a batch that '
                f'begins with "{path}" ({type(error).__name__}: {words}): '
                f'{FINISHED}'
            ) from error
        answers = check_predictions(self.predictor, found, boxes)
        for one, answer in zip(batch, answers, strict=True):
            self._place(one, answer)

    def _place(self, one: Pass, found: Any) -> None:
        """Predicted people into rows: one for each bbox, or the poses of an
        image into the rows of its people and of others."""
        first, into, has = one.source.first, one.into, self.mapping >= 0
        joints = self.mapping[has]
        shape = len(found.keypoints), len(has)
        keypoints = np.full((*shape, 2), np.nan, np.float32)
        keypoints[:, has] = found.keypoints[:, joints]
        keypoints[~np.isfinite(keypoints).all(axis=-1)] = np.nan
        if self.whole_image:
            total = found.person_scores
            if total is None:
                total = np.mean(found.scores, axis=1)
            total = np.nan_to_num(np.asarray(total, np.float32))
            at, poses = self._matched(one.rows, keypoints, total)
            kept = np.isin(at, one.chosen)
            at, poses = at[kept] - first, poses[kept]
            into.person_scores[at] = total[poses]
        else:
            at, poses = one.rows - first, np.arange(len(one.rows))
        into.changed[one.chosen - first] = True
        into.keypoints[at] = keypoints[poses]
        scores = np.asarray(found.scores, np.float32)[:, joints][poses]
        scores = np.nan_to_num(scores, posinf=0, neginf=0)
        into.scores[np.ix_(at, has)] = scores
        if found.visibility is not None:
            seen = np.asarray(found.visibility, np.float32)[:, joints][poses]
            into.visibility[np.ix_(at, has)] = seen

    def _matched(
        self, rows: np.ndarray, keypoints: np.ndarray, total: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The rows that get poses, and the poses: those of annotated people
        and, by falling score, others in the rows that are kept for them."""
        boxes = self.data.boxes
        owned = boxes.instance_ids[rows] != UNMATCHED
        mine, free = rows[owned], rows[~owned]
        people = boxes.truth[mine], boxes.areas[mine], self.data.joints.sigmas
        owner = match_people(keypoints.astype(float), total, *people)
        hits = np.flatnonzero(owner != UNMATCHED)
        extra = np.flatnonzero(owner == UNMATCHED)
        extra = extra[np.argsort(-total[extra], kind='stable')][: len(free)]
        at = [*mine[owner[hits]], *free[: len(extra)]]
        return np.array(at, int), np.array([*hits, *extra], int)


class _Worker:
    """A process that computes block after block, and is killed at the end."""

    def __init__(self, loop: ImageLoop, stack: ExitStack) -> None:
        self.work: Work
        self.path, self.since = '', inf  # of the batch that it predicts
        self.name = loop.predictor.name
        context = get_context('spawn')
        self.pipe, there = context.Pipe()
        other: Any = copy.copy(loop)
        other.predictor = None if loop.load else loop.predictor
        self.process = context.Process(target=_serve, args=(there, other))
        try:
            self.process.start()
        except Exception as error:
            raise UsageError(
                f'predictor "{self.name}" cannot be sent to another process '
                f'({" ".join(str(error).split())}): name it by a text, or '
                'leave out the number of workers and the time-out'
            ) from error
        finally:
            there.close()
        stack.callback(self.process.join)
        stack.callback(self.process.kill)

    def fault(self, words: str, way_out: str = '') -> UsageError:
        """A sentence that says where it happened."""
        place = 'before its first batch'
        if self.since < inf:
            place = f'in a batch that begins with "{self.path}"'
        return UsageError(
            f'predictor "{self.name}" {words} {place}: {way_out}{FINISHED}'
        )


def _compute_in_processes(
    loop: ImageLoop, work: Sequence[Work], recorder: Recorder
) -> None:
    """Predict what is missing, each block in one of several processes."""
    todo = iter(work)
    timeout = inf if loop.timeout is None else loop.timeout
    busy: dict[Connection, _Worker] = {}
    with ExitStack() as stack:
        for _ in work[: loop.num_workers or 1]:
            worker = _Worker(loop, stack)
            worker.work = next(todo)
            worker.pipe.send(worker.work)
            busy[worker.pipe] = worker
        while busy:
            ends = min(w.since for w in busy.values()) + timeout
            left = max(ends - time.monotonic(), 0)
            ready: Any = wait(list(busy), None if left == inf else left)
            for pipe in ready:
                worker = busy[pipe]
                try:
                    said = pipe.recv()
                except EOFError:
                    worker.process.join()
                    code = worker.process.exitcode
                    raise worker.fault(
                        f'ended its process (exit status {code})'
                    ) from None
                if isinstance(said, UsageError):
                    raise said
                if isinstance(said, str):
                    worker.path, worker.since = said, time.monotonic()
                elif isinstance(said, tuple):
                    recorder.add(worker.work.block, *said)
                else:  # the block is complete
                    worker.since, following = inf, next(todo, None)
                    pipe.send(following)
                    if following is None:
                        del busy[pipe]
                    else:
                        worker.work = following
            for worker in busy.values():
                if worker.since + timeout <= time.monotonic():
                    raise worker.fault(
                        f'took more than {timeout:g} s',
                        'give it more time with --timeout; ',
                    )


def _serve(pipe: Connection, loop: ImageLoop) -> None:
    """In a process: predict block after block."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    try:
        loop.predictor = loop.load() if loop.load else loop.predictor
        loop.pipe = pipe
        for work in iter(pipe.recv, None):
            for result in loop.results(work, loop.read(work.block)):
                pipe.send(result)
            pipe.send(None)
    except UsageError as error:
        pipe.send(error)


def _end_with_parent() -> None:
    """End this process when the one that started it does, however it does."""
    parent: Any = parent_process()
    parent.join()
    os._exit(1)
