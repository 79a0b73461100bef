"""Predictions of whole images, block by block, clean and under attacks, in
this process or in several, with a time-out."""

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
from mmpose_occlusion.predictors.protocol import (
    Prediction,
    Predictor,
    check_predictions,
)

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
        # whether an image pass has one person attacked, instead of all
        self.one = not self.whole_image or self.options.people == ONE
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

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which loads a predictor that is not pickled."""
        loaded = dict(predictor=None) if self.options.load else {}
        return vars(self) | loaded

    def fault(self, what: str, path: str) -> UsageError:
        """What the predictor did in the batch that begins with a path."""
        place = 'before its first batch'
        if path:
            place = f'in a batch that begins with "{path}"'
        return UsageError(
            f'predictor "{self.info["model"]}" {what} {place}: {FINISHED}'
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
        image = self.data.read(first)[0]
        one = Pass(image, image.pixels, image.rows[:1], self.data.empty(first))
        self.predict([one])
        start = time.perf_counter()
        self.predict([one] * self.batch_size)
        return number, (time.perf_counter() - start) / self.batch_size

    def results(
        self, work: Work
    ) -> Iterator[tuple[Block, str, BlockResult, int]]:
        """Predictions of a block, clean and under each attack that is
        missing: block, key, result, number of predicted images."""
        images = self.data.read(work.block)
        for key in work.keys:
            into, self.passed = self.data.empty(work.block), 0
            attack = self.effects.get(key)  # none of clean images
            self.predict_all(
                one
                for image in images
                for one in image.passes(attack, into, self.one)
            )
            yield work.block, key, into, self.passed

    def predict_all(self, passes: Iterator[Pass]) -> None:
        """Predict images in batches."""
        while batch := list(islice(passes, self.batch_size)):
            self.predict(batch)

    def predict(self, batch: Sequence[Pass]) -> None:
        """Predict a batch into the results; the predictor's mistakes become
        one sentence."""
        path = batch[0].image.path
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
            words = f'{type(error).__name__}: {" ".join(str(error).split())}'
            raise self.fault(f'failed ({words})', path) from error
        self.passed += len(batch)
        answers = check_predictions(self.predictor, found, boxes)
        for one, answer in zip(batch, answers, strict=True):
            self._place(one, self._poses(answer))

    def _poses(self, found: Prediction) -> BlockResult:
        """A model's answer, with the joints of the data set."""
        has = self.mapping >= 0
        poses = empty_result(len(found.keypoints), len(has))
        for name in ('keypoints', 'scores', 'visibility'):
            if (values := getattr(found, name)) is not None:
                poses[name][:, has] = np.asarray(values)[:, self.mapping[has]]
        nowhere = ~np.isfinite(poses.keypoints).all(axis=-1)
        poses.keypoints[nowhere] = np.nan
        poses.scores = np.nan_to_num(poses.scores, posinf=0, neginf=0)
        if self.whole_image:
            total = found.person_scores
            if total is None:
                total = np.mean(found.scores, axis=1)
            poses.person_scores = np.nan_to_num(np.asarray(total, np.float32))
        return poses

    def _place(self, one: Pass, poses: Any) -> None:
        """Poses into rows: one for each bbox, or those of an image into the
        rows of its people and of others."""
        first, into, rows = one.image.first, one.into, one.rows
        into.changed[rows - first] = True
        if self.whole_image:
            into.person_scores[rows - first] = 0  # also of missed people
            owners = self._matched(one.image.rows, poses)
            kept = np.isin(owners, rows)
            rows, poses = owners[kept], poses[kept]
        for name in Predictions.__annotations__:
            into[name][rows - first] = poses[name]

    def _matched(self, rows: np.ndarray, poses: Any) -> np.ndarray:
        """Which of an image's rows each pose gets, -1 for none: those of
        annotated people; others get the rows that are kept for them by falling
        score."""
        boxes, total = self.data.boxes, poses.person_scores
        owned = boxes.instance_ids[rows] != UNMATCHED
        mine, free = rows[owned], rows[~owned]
        people = boxes.truth[mine], boxes.areas[mine], self.data.joints.sigmas
        owner = match_people(poses.keypoints.astype(float), total, *people)
        out = np.append(mine, -1)[owner]
        extra = np.flatnonzero(owner == UNMATCHED)
        extra = extra[np.argsort(-total[extra], kind='stable')][: len(free)]
        out[extra] = free[: len(extra)]
        return out


@dataclass
class _Worker:
    """A process that predicts blocks."""

    process: Any
    path: str = ''  # of the first image of its batch
    since: float = inf  # time at which it began its batch


def _compute_in_processes(
    loop: ImageLoop, work: Sequence[Work], recorder: Recorder
) -> None:
    """Predict what is missing, each block in one of several processes, which
    are killed at the end."""
    timeout = inf if loop.options.timeout is None else loop.options.timeout
    number = min(loop.options.num_workers or 1, len(work))
    context = get_context('spawn')
    busy: dict[Connection, _Worker] = {}
    with ExitStack() as stack:
        for i in range(number):
            pipe, there = context.Pipe(duplex=False)
            about = loop, work[i::number], there
            process = context.Process(target=_serve, args=about)
            process.start()
            there.close()
            stack.callback(process.join)
            stack.callback(process.kill)
            busy[pipe] = _Worker(process)
        while busy:
            ends = min(worker.since for worker in busy.values()) + timeout
            left = None if ends == inf else max(ends - time.monotonic(), 0)
            ready: Any = wait(list(busy), left)
            for pipe in ready:
                worker = busy[pipe]
                try:
                    said = pipe.recv()
                except EOFError:
                    worker.process.join()
                    what = f'exit status {worker.process.exitcode}'
                    said = loop.fault(
                        f'ended its process ({what})', worker.path
                    )
                worker.since = inf
                if isinstance(said, UsageError):
                    raise said
                elif isinstance(said, str):
                    worker.path, worker.since = said, time.monotonic()
                elif said is None:
                    del busy[pipe]
                else:
                    recorder.add(*said)
            for worker in busy.values():
                if worker.since + timeout <= time.monotonic():
                    raise loop.fault(
                        f'took more than {timeout:g} s (give it more time '
                        'with --timeout)',
                        worker.path,
                    )


def _serve(loop: ImageLoop, work: Sequence[Work], pipe: Connection) -> None:
    """In a process: send the first path of each batch, the results, a
    UsageError that ends it, and None at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    loop.pipe = pipe
    try:
        if loop.options.load:
            loop.predictor = loop.options.load()
        for one in work:
            for result in loop.results(one):
                pipe.send(result)
        pipe.send(None)
    except UsageError as error:
        pipe.send(error)


def _end_with_parent() -> None:
    """End this process when the one that started it does, however it does."""
    parent: Any = parent_process()
    parent.join()
    os._exit(1)
