"""Predictions of whole images, block by block, clean and under attacks."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import Person
from mmpose_occlusion.predictors.protocol import (
    Prediction,
    Predictor,
    check_predictions,
)

from .data import UNMATCHED
from .effects import BlockArrays, Effect
from .image_attacks import ImageAttack
from .image_people import ImagePeople, match_people
from .store import CLEAN, Block, BlockResult
from .work import Recorder, Work

_ANY_SHAPE = (1 << 30, 1 << 30)
"""Of an image, where only the box of a person counts."""

FINISHED = (
    'blocks that are finished are stored, and the same command resumes the run'
)


@dataclass
class LoadedImage:
    """One decoded image: its rows, its pixels as attacks (BGR, and a scratch
    copy) and predictors (RGB) see them, and row -> annotated person.
    """

    rows: np.ndarray
    bgr: np.ndarray
    scratch: np.ndarray
    rgb: np.ndarray
    people: dict[int, Person]


@dataclass(frozen=True)
class Pass:
    """One RGB image to predict: its rows, or the only one whose bbox is given,
    and the rows that get the answer.
    """

    image: np.ndarray
    rows: np.ndarray
    chosen: np.ndarray


@dataclass
class ImageLoop:
    """Computes blocks of a run.

    Args:
        predictor: The model.
        data: Its people.
        attacks: Key -> attack.
        mapping: ``(K,)`` index of the model's joint for each of the data
            set's, -1 where it has none.
        one: Whether one person an image pass is attacked, instead of all.
        batch_size: Images of one call of the predictor at most.
    """

    predictor: Predictor
    data: ImagePeople
    attacks: Mapping[str, ImageAttack]
    mapping: np.ndarray
    one: bool
    batch_size: int

    @property
    def whole_image(self) -> bool:
        """Whether the predictor finds people by itself."""
        return not self.predictor.needs_boxes

    def compute(self, work: Sequence[Work], recorder: Recorder) -> None:
        """Predict what is missing; the images of the next block are read
        meanwhile."""
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self.read, w) for w in work[:1]]
            for i, w in enumerate(work):
                images = coming.pop().result()
                coming += [
                    reader.submit(self.read, x) for x in work[i + 1 : i + 2]
                ]
                for key, result, passes in self.results(w, images):
                    recorder.add(w.block, key, result, passes)

    def estimate(self, work: Sequence[Work]) -> tuple[int, float]:
        """The most forward passes that work takes, and the time in seconds
        of one by that of the first image, after one to warm up."""
        if not work:
            return 0, 0.0
        attacks, ids = list(self.attacks.values()), self.data.boxes.image_ids
        number = 0
        for w in work:
            mine = ids[w.block.start : w.block.stop]
            number += w.clean * len(np.unique(mine))
            for row in range(w.block.start, w.block.stop):
                person = self.data.person(row, _ANY_SHAPE)
                if person is None:
                    continue
                # at most: the people of an image may be attacked at once
                number += sum(attacks[i].reaches(person) for i in w.attacks)
        first = work[0].block.start
        same = int((ids == ids[first]).sum())
        block = Block(work[0].block.number, first, first + same)
        (image,) = self.read(Work(block, True, ()))
        only = image.rows[:1]
        passes = [Pass(image.rgb, only, only)] * self.batch_size
        self.predict(passes[:1])
        start = time.perf_counter()
        self.predict(passes)
        return number, (time.perf_counter() - start) / len(passes)

    def read(self, work: Work) -> list[LoadedImage]:
        """The images of a block, decoded."""
        boxes, out = self.data.boxes, []
        rows = range(work.block.start, work.block.stop)
        for image_id, some in groupby(rows, lambda r: int(boxes.image_ids[r])):
            path = self.data.paths[image_id]
            bgr = cv2.imread(str(path))
            if bgr is None:
                raise UsageError(f'image "{path}" cannot be read: replace it')
            mine = list(some)
            found = {r: self.data.person(r, bgr.shape) for r in mine}
            people = {r: p for r, p in found.items() if p is not None}
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            out.append(
                LoadedImage(np.array(mine), bgr, bgr.copy(), rgb, people)
            )
        return out

    def results(
        self,
        work: Work,
        images: Sequence[LoadedImage],
        starting: Callable[[str], object] = lambda path: None,
    ) -> Iterator[tuple[str, BlockResult, int]]:
        """Predictions of a block, clean and under each attack that is missing.

        Args:
            work: What is missing.
            images: See :meth:`read`.
            starting: Called with the first path before each call of the
                predictor.

        Yields:
            Key of the attack, result, number of predicted images.
        """
        first = work.block.start
        for key in self.missing(work):
            arrays = BlockArrays(len(work.block), len(self.mapping))
            passes = (
                one
                for image in images
                for one in self.passes(image, key, arrays, first)
            )
            number = 0
            while batch := list(islice(passes, self.batch_size)):
                starting(self.first_path(batch))
                self.fill(batch, [arrays] * len(batch), first)
                number += len(batch)
            yield key, arrays.result(self.whole_image), number

    def missing(self, work: Work) -> list[str]:
        """Keys of what is to be computed for a block."""
        keys = list(self.attacks)
        return [CLEAN] * work.clean + [keys[i] for i in work.attacks]

    def passes(
        self, image: LoadedImage, key: str, arrays: BlockArrays, first: int
    ) -> Iterator[Pass]:
        """An image, or what an attack makes of it where it changes it; notes
        what it hides in the arrays of a block with a first row.
        """
        if key == CLEAN:
            yield Pass(image.rgb, image.rows, image.rows)
            return
        attack, boxes = self.attacks[key], self.data.boxes.person_boxes
        effects: dict[int, Effect] = {}
        for row, person in image.people.items():
            raw, box = self.data.annotations[row], boxes[row]
            assert raw is not None
            effect = attack.on(image.bgr, image.scratch, person, box, raw)
            arrays.note(row - first, effect)
            if effect.box is None:
                continue
            if self.one:
                yield self.alone(image, row, effect)
            else:
                effects[row] = effect
        if not effects:
            return
        rgb = image.rgb.copy()
        for row, effect in effects.items():
            effect.paint(rgb[..., ::-1])
            for other, person in image.people.items():
                if other != row:
                    i = other - first
                    xy = np.array(person.xy, float)
                    under = effect.covers(xy, rgb.shape)
                    under &= person.available & ~arrays.targets[i]
                    arrays.bystanders[i] |= under
        yield Pass(rgb, image.rows, image.rows)

    def alone(self, image: LoadedImage, row: int, effect: Effect) -> Pass:
        """An image with the effect on one of its people."""
        rgb = image.rgb.copy()
        effect.paint(rgb[..., ::-1])
        chosen = np.array([row])
        return Pass(rgb, image.rows if self.whole_image else chosen, chosen)

    def fill(
        self, batch: Sequence[Pass], arrays: Sequence[BlockArrays], first: int
    ) -> None:
        """Predict a batch into the arrays for each of its images."""
        found = self.predict(batch)
        for one, answer, into in zip(batch, found, arrays, strict=True):
            self.place(one, answer, into, first)

    def predict(self, batch: Sequence[Pass]) -> list[Prediction]:
        """Ask the predictor; its mistakes become one sentence."""
        boxes: list[np.ndarray | None] = [
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
                f'begins with "{self.first_path(batch)}" '
                f'({type(error).__name__}: {words}): {FINISHED}'
            ) from error
        return check_predictions(self.predictor, found, boxes)

    def first_path(self, batch: Sequence[Pass]) -> str:
        """File of a batch's first image."""
        row = batch[0].rows[0]
        return str(self.data.paths[int(self.data.boxes.image_ids[row])])

    def place(
        self, one: Pass, found: Prediction, arrays: BlockArrays, first: int
    ) -> None:
        """Predicted people into rows: one for each bbox, or the poses of an
        image into the rows of its people and of others."""
        has = self.mapping >= 0
        shape = len(found.keypoints), len(has)
        keypoints = np.full((*shape, 2), np.nan, np.float32)
        keypoints[:, has] = found.keypoints[:, self.mapping[has]]
        keypoints[~np.isfinite(keypoints).all(axis=-1)] = np.nan
        if self.whole_image:
            total = found.person_scores
            if total is None:
                total = np.mean(found.scores, axis=1)
            total = np.nan_to_num(np.asarray(total, np.float32))
            at, poses = self._matched(one.rows, keypoints, total)
            kept = np.isin(at, one.chosen)
            at, poses = at[kept] - first, poses[kept]
            arrays.person_scores[at] = total[poses]
        else:
            at, poses = one.rows - first, np.arange(len(one.rows))
        arrays.changed[one.chosen - first] = True
        arrays.keypoints[at] = keypoints[poses]
        joints = self.mapping[has]
        scores = np.asarray(found.scores, np.float32)[:, joints][poses]
        arrays.scores[np.ix_(at, has)] = np.nan_to_num(
            scores, posinf=0, neginf=0
        )
        if found.visibility is not None:
            seen = np.asarray(found.visibility, np.float32)[:, joints][poses]
            arrays.visibility[np.ix_(at, has)] = seen

    def _matched(
        self, rows: np.ndarray, keypoints: np.ndarray, total: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The rows that get poses, and the poses: those of annotated people
        and, by falling score, others in the rows that are kept for them."""
        boxes = self.data.boxes
        owned = boxes.instance_ids[rows] != UNMATCHED
        mine, free = rows[owned], rows[~owned]
        owner = match_people(
            keypoints.astype(float),
            total,
            boxes.truth[mine],
            boxes.areas[mine],
            self.data.joints.sigmas,
        )
        hits = np.flatnonzero(owner != UNMATCHED)
        extra = np.flatnonzero(owner == UNMATCHED)
        extra = extra[np.argsort(-total[extra], kind='stable')][: len(free)]
        at = [*mine[owner[hits]], *free[: len(extra)]]
        return np.array(at, int), np.array([*hits, *extra], int)
