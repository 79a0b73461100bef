"""Predictions of whole images, block by block, clean and under attacks, in
this process or in several, with a time-out."""

import copy
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from math import inf
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.protocol import Predictor, check_predictions

from .data import UNMATCHED, Predictions, to_arrays
from .effects import ImageAttack
from .image_people import ImagePeople, Pass, match_people
from .store import CLEAN, Block, BlockResult, empty_result
from .suite import SuiteAttack
from .work import FINISHED, Recorder, RunOptions, Work

ALL, ONE = 'all', 'one'
"""Whom an attack on a whole-image predictor's image acts on at once."""

BLOCK_IMAGES, BATCH_IMAGES = 16, 16
FRAME = (192, 256)
"""Aspect ratio of the region around a bbox that painted pixels are a fraction
of, and whose area NMS takes; MMPose's usual crop."""

_WHOLE_IMAGE: dict[str, Any] = dict(
    metric='CocoMetric', frame='image', score_mode='bbox', nms_mode='none'
)
_TOP_DOWN = _WHOLE_IMAGE | dict(
    score_mode='bbox_keypoint',
    keypoint_score_thr=0.2,
    nms_mode='oks_nms',
    nms_thr=0.9,
)
"""The evaluation: COCO's own, and that of MMPose for top-down models."""


@dataclass
class ImageOptions(RunOptions):
    """What a model of images is asked for, see :func:`.api.run_benchmark`."""

    people: str = ALL
    detections: str | Path | None = None
    num_workers: int | None = None  # processes that predict
    timeout: float | None = None  # seconds of a call, in a process of its own
    load: Callable[[], Predictor] | None = None  # in processes; else pickled
    skip_unreadable: bool = False
    search: Any = None


@dataclass
class ImageLoop:
    """A predictor on whole images: a source of :func:`.work.compute_run`."""

    data: ImagePeople
    attacks: list[SuiteAttack]
    one: bool  # whether one person an image pass is attacked, instead of all
    predictor: Predictor
    mapping: np.ndarray  # (K,) index of the model's joint, -1 for none
    options: ImageOptions

    def __post_init__(self) -> None:
        seed, links = self.options.seed, self.data.joints.links
        self.effects = {
            a.key: ImageAttack(a, seed, links) for a in self.attacks
        }
        self.pipe: Any = None  # that is told the first path of each batch
        self.passed = 0  # predicted images
        self.batch_size = self.options.batch_size or BATCH_IMAGES
        self.whole_image = not self.predictor.needs_boxes
        self.blocks = self.data.blocks(BLOCK_IMAGES)
        self.arrays = to_arrays(self.data.boxes, self.data.people)
        self.paths = [str(path) for path in self.data.paths.values()]
        file = Path(self.data.recipe['annotations'])
        self.info = dict(
            model=self.predictor.name,
            data='/'.join(file.with_suffix('').parts[-2:]),
            joints=self.data.joints,
            evaluation=_WHOLE_IMAGE if self.whole_image else _TOP_DOWN,
            crop_size=list(FRAME),
            dataset=self.data.recipe,
        )

    def depends_on(self) -> dict[str, Any]:
        """What predictions depend on beside the images."""
        return dict(
            predictor=self.predictor.identity(),
            joints=list(self.predictor.keypoint_names),
            people=ONE if self.one else ALL,
            versions=dict(opencv=cv2.__version__, numpy=np.__version__),
        )

    def compute(self, work: Sequence[Work], recorder: Recorder) -> None:
        """Predict what is missing."""
        if self.options.num_workers or self.options.timeout is not None:
            _compute_in_processes(self, work, recorder)
        else:
            for one in work:
                for result in self.results(one):
                    recorder.add(*result)

    def estimate(self, work: Sequence[Work]) -> tuple[int, float]:
        """The most forward passes that work takes, and the time in seconds
        of one by that of the first image, after one to warm up."""
        if not work:
            return 0, 0.0
        ids, number = self.data.boxes.image_ids, 0
        for block, keys in work:
            here = ids[block.start : block.stop]
            number += len(np.unique(here)) * (CLEAN in keys)
            attacks = [self.effects[key] for key in keys if key != CLEAN]
            for row in range(block.start, block.stop):
                # only the box of a person counts; at most: the people of an
                # image may be attacked at once
                person = self.data.person(row, (1 << 30, 1 << 30))
                if person is not None:
                    number += sum(each.reaches(person) for each in attacks)
        first = work[0].block
        image = self.data.read(first, self.effects, self.one)[0]
        into = self.data.empty(first)
        one = Pass(image, image.pixels, image.rows[:1], into)
        self.predict([one])
        start = time.perf_counter()
        self.predict([one] * self.batch_size)
        return number, (time.perf_counter() - start) / self.batch_size

    def results(
        self, work: Work
    ) -> Iterator[tuple[Block, str, BlockResult, int]]:
        """Predictions of a block, clean and under each attack that is
        missing: block, key, result, number of predicted images."""
        images = self.data.read(work.block, self.effects, self.one)
        for key in work.keys:
            into, self.passed = self.data.empty(work.block), 0
            self.predict_all(p for i in images for p in i.passes(key, into))
            yield work.block, key, into, self.passed

    def predict_all(self, passes: Iterator[Pass]) -> None:
        """Predict images in batches."""
        while batch := list(islice(passes, self.batch_size)):
            self.predict(batch)

    def predict(self, batch: Sequence[Pass]) -> None:
        """Predict a batch into the results; the predictor's mistakes become
        one sentence."""
        path = batch[0].source.path
        if self.pipe is not None:
            self.pipe.send(path)
        images = [cv2.cvtColor(p.pixels, cv2.COLOR_BGR2RGB) for p in batch]
        boxes = [
            None if self.whole_image else self.data.boxes.boxes[one.rows]
            for one in batch
        ]
        try:
            found: object = self.predictor(images, boxes)
        except UsageError:
            raise
        except Exception as error:
            words = ' '.join(str(error).split())
            raise UsageError(
                f'predictor "{self.predictor.name}" failed in a batch that '
                f'begins with "{path}" ({type(error).__name__}: {words}): '
                f'{FINISHED}'
            ) from error
        self.passed += len(batch)
        answers = check_predictions(self.predictor, found, boxes)
        for one, answer in zip(batch, answers, strict=True):
            self._place(one, answer)

    def _place(self, one: Pass, found: Any) -> None:
        """Predicted people into rows: one for each bbox, or the poses of an
        image into the rows of its people and of others."""
        first, into, has = one.source.first, one.into, self.mapping >= 0
        poses = empty_result(len(found.keypoints), len(has))
        for name in ('keypoints', 'scores', 'visibility'):
            if (values := getattr(found, name)) is not None:
                poses[name][:, has] = np.asarray(values)[:, self.mapping[has]]
        nowhere = ~np.isfinite(poses.keypoints).all(axis=-1)
        poses.keypoints[nowhere] = np.nan
        poses.scores = np.nan_to_num(poses.scores, posinf=0, neginf=0)
        rows = one.rows
        if self.whole_image:
            total = found.person_scores
            if total is None:
                total = np.mean(found.scores, axis=1)
            poses.person_scores = np.nan_to_num(np.asarray(total, np.float32))
            rows, which = self._matched(one.source.rows, poses)
            kept = np.isin(rows, one.rows)
            rows, poses = rows[kept], poses[which[kept]]
            into.person_scores[one.rows - first] = 0  # also of missed people
        into.changed[one.rows - first] = True
        for name in Predictions.__annotations__:
            into[name][rows - first] = poses[name]

    def _matched(
        self, rows: np.ndarray, poses: BlockResult
    ) -> tuple[np.ndarray, np.ndarray]:
        """The rows that get poses, and the poses: those of annotated people
        and, by falling score, others in the rows that are kept for them."""
        boxes, total = self.data.boxes, poses.person_scores
        owned = boxes.instance_ids[rows] != UNMATCHED
        mine, free = rows[owned], rows[~owned]
        people = boxes.truth[mine], boxes.areas[mine], self.data.joints.sigmas
        owner = match_people(poses.keypoints.astype(float), total, *people)
        hits = np.flatnonzero(owner != UNMATCHED)
        extra = np.flatnonzero(owner == UNMATCHED)
        extra = extra[np.argsort(-total[extra], kind='stable')][: len(free)]
        at = [*mine[owner[hits]], *free[: len(extra)]]
        return np.array(at, int), np.array([*hits, *extra], int)


class _Worker:
    """A process that computes blocks, and is killed at the end."""

    def __init__(
        self, loop: ImageLoop, work: Sequence[Work], stack: ExitStack
    ) -> None:
        self.path, self.since = '', inf  # of the batch that it predicts
        self.name = loop.predictor.name
        context = get_context('spawn')
        self.pipe, there = context.Pipe(duplex=False)
        other: Any = copy.copy(loop)
        if loop.options.load:
            other.predictor = None
        other.pipe = there
        self.process = context.Process(target=_serve, args=(other, work))
        self.process.start()
        there.close()
        stack.callback(self.process.join)
        stack.callback(self.process.kill)

    def receive(self) -> Any:
        """A result, the path of a batch that begins, or None at the end."""
        try:
            said = self.pipe.recv()
        except EOFError:
            self.process.join()
            code = self.process.exitcode
            raise self.fault(
                f'ended its process (exit status {code})'
            ) from None
        if isinstance(said, UsageError):
            raise said
        self.since = inf
        if isinstance(said, str):
            self.path, self.since = said, time.monotonic()
        return said

    def fault(self, words: str, way_out: str = '') -> UsageError:
        """A sentence that says where it happened."""
        place = 'before its first batch'
        if self.path:
            place = f'in a batch that begins with "{self.path}"'
        return UsageError(
            f'predictor "{self.name}" {words} {place}: {way_out}{FINISHED}'
        )


def _compute_in_processes(
    loop: ImageLoop, work: Sequence[Work], recorder: Recorder
) -> None:
    """Predict what is missing, each block in one of several processes."""
    timeout = inf if loop.options.timeout is None else loop.options.timeout
    number = min(loop.options.num_workers or 1, len(work))
    busy: dict[Connection, _Worker] = {}
    with ExitStack() as stack:
        for i in range(number):
            worker = _Worker(loop, work[i::number], stack)
            busy[worker.pipe] = worker
        while busy:
            ends = min(w.since for w in busy.values()) + timeout
            left = max(ends - time.monotonic(), 0)
            ready: Any = wait(list(busy), None if left == inf else left)
            for pipe in ready:
                said = busy[pipe].receive()
                if said is None:
                    del busy[pipe]
                elif isinstance(said, tuple):
                    recorder.add(*said)
            for worker in busy.values():
                if worker.since + timeout <= time.monotonic():
                    raise worker.fault(
                        f'took more than {timeout:g} s',
                        'give it more time with --timeout; ',
                    )


def _serve(loop: ImageLoop, work: Sequence[Work]) -> None:
    """In a process: predict blocks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    try:
        if loop.options.load:
            loop.predictor = loop.options.load()
        for one in work:
            for result in loop.results(one):
                loop.pipe.send(result)
        loop.pipe.send(None)
    except UsageError as error:
        loop.pipe.send(error)


def _end_with_parent() -> None:
    """End this process when the one that started it does, however it does."""
    parent: Any = parent_process()
    parent.join()
    os._exit(1)
