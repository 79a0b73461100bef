"""Predictions of whole images, block by block, clean and under attacks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

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
from .image_attacks import ImageAttack, PersonPatch
from .image_people import ImagePeople, match_people
from .passes_progress import PassesProgress
from .store import CLEAN, BlockResult, RunStore
from .work import Recorder, Work


@dataclass
class _Image:
    """One decoded image and its people.

    Args:
        rows: Of the data.
        bgr: As OpenCV reads it; attacks see this.
        scratch: A copy, see :meth:`.image_attacks.ImageAttack.on`.
        rgb: As predictors see it.
        people: Row -> person, of those who are annotated.
    """

    rows: np.ndarray
    bgr: np.ndarray
    scratch: np.ndarray
    rgb: np.ndarray
    people: dict[int, Person]


@dataclass(frozen=True)
class _Pass:
    """One image to predict.

    Args:
        image: ``(H, W, 3)`` RGB.
        rows: The rows that get the answer.
        person: The row of the only person attacked, where there is one.
    """

    image: np.ndarray
    rows: np.ndarray
    person: int | None = None


@dataclass
class ImageLoop:
    """Computes what a run lacks.

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

    def compute(
        self,
        store: RunStore,
        work: Sequence[Work],
        log: Callable[[str], object],
    ) -> int:
        """Predict what is missing.

        What is finished is stored, also after an error.

        Returns:
            Number of images that were predicted.
        """
        recorder = Recorder(store)
        progress = PassesProgress(sum(w.units for w in work), log)
        passes = units = 0
        try:
            with ThreadPoolExecutor(1) as reader:
                for w, images in _ahead(reader, self._read, work):
                    keys = [CLEAN] if w.clean else []
                    keys += [list(self.attacks)[i] for i in w.attacks]
                    for key in keys:
                        result, number = self._block(w, images, key)
                        recorder.add(w, key, result)
                        passes += number
                        units += len(w.block)
                        progress(units, passes)
        finally:
            recorder.flush()
        return passes

    def _read(self, work: Work) -> list[_Image]:
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
            out.append(_Image(np.array(mine), bgr, bgr.copy(), rgb, people))
        return out

    def _block(
        self, work: Work, images: Sequence[_Image], key: str
    ) -> tuple[BlockResult, int]:
        """Predictions of a block's rows, and the number of passes."""
        n, k = len(work.block), len(self.mapping)
        result = BlockResult(
            np.zeros(n, bool),
            np.zeros(n, bool),
            np.zeros((n, k), bool),
            np.zeros((n, k), bool),
            np.zeros(n, np.int32),
            np.full((n, k, 2), np.nan, np.float32),
            np.zeros((n, k), np.float32),
            np.zeros(n, np.float32) if self.whole_image else None,
        )
        number, first = 0, work.block.start
        seen = np.full((n, k), np.nan, np.float32)
        passes = (
            one
            for image in images
            for one in (
                [_Pass(image.rgb, image.rows)]
                if key == CLEAN
                else self._attacked(image, self.attacks[key], result, first)
            )
        )
        for batch in _batches(passes, self.batch_size):
            for one, found in zip(batch, self._predict(batch), strict=True):
                place = self._place_whole if self.whole_image else self._place
                place(one, found, result, seen, first)
            number += len(batch)
        rows = np.flatnonzero(result.changed)
        return BlockResult(
            *(result.changed, result.excluded, result.targets),
            *(result.bystanders, result.pixels),
            result.keypoints[rows],
            result.scores[rows],
            None
            if result.person_scores is None
            else result.person_scores[rows],
            None if np.isnan(seen).all() else seen[rows],
        ), number

    def _attacked(
        self,
        image: _Image,
        attack: ImageAttack,
        result: BlockResult,
        first: int,
    ) -> Iterator[_Pass]:
        """The images under an attack that changes them; notes what it hides.

        Args:
            image: The image.
            attack: The attack.
            result: Of the block; its masks are set.
            first: The block's first row.
        """
        patches: dict[int, PersonPatch] = {}
        for row, person in image.people.items():
            raw = self.data.annotations[row]
            assert raw is not None
            patch = attack.on(
                image.bgr,
                image.scratch,
                person,
                self.data.boxes.person_boxes[row],
                raw,
            )
            result.targets[row - first, list(patch.targets)] = True
            result.bystanders[row - first, list(patch.bystanders)] = True
            result.pixels[row - first] = patch.painted
            result.excluded[row - first] = patch.excluded
            if patch.box is None:
                continue
            if self.one:
                rgb = image.rgb.copy()
                patch.paint(rgb)
                rows = image.rows if self.whole_image else np.array([row])
                yield _Pass(rgb, rows, row)
            else:
                patches[row] = patch
        if not patches:
            return
        rgb = image.rgb.copy()
        for row, patch in patches.items():
            patch.paint(rgb)
            for other, person in image.people.items():
                if other != row:
                    under = patch.covers(person, rgb.shape)
                    under &= ~result.targets[other - first]
                    result.bystanders[other - first] |= under
        yield _Pass(rgb, image.rows)

    def _predict(self, batch: Sequence[_Pass]) -> list[Prediction]:
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
            ids = self.data.boxes.image_ids
            first = self.data.paths[int(ids[batch[0].rows[0]])]
            words = ' '.join(str(error).split())
            raise UsageError(
                f'predictor "{self.predictor.name}" failed in a batch that '
                f'begins with "{first}" ({type(error).__name__}: {words}): '
                'blocks that are finished are stored, and the same command '
                'resumes the run'
            ) from error
        return check_predictions(self.predictor, found, boxes)

    def _named(
        self, found: Prediction
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Keypoints, scores and visibility of the data set's joints."""
        has = self.mapping >= 0
        shape = len(found.keypoints), len(has)
        keypoints = np.full((*shape, 2), np.nan, np.float32)
        scores = np.zeros(shape, np.float32)
        keypoints[:, has] = found.keypoints[:, self.mapping[has]]
        scores[:, has] = found.scores[:, self.mapping[has]]
        keypoints[~np.isfinite(keypoints).all(axis=-1)] = np.nan
        scores = np.nan_to_num(scores, posinf=0, neginf=0)
        if found.visibility is None:
            return keypoints, scores, None
        seen = np.full(shape, np.nan, np.float32)
        seen[:, has] = found.visibility[:, self.mapping[has]]
        return keypoints, scores, seen

    def _place(
        self,
        one: _Pass,
        found: Prediction,
        result: BlockResult,
        seen: np.ndarray,
        first: int,
    ) -> None:
        """One person for each bbox."""
        rows = one.rows - first
        keypoints, scores, visible = self._named(found)
        result.changed[rows] = True
        result.keypoints[rows], result.scores[rows] = keypoints, scores
        if visible is not None:
            seen[rows] = visible

    def _place_whole(
        self,
        one: _Pass,
        found: Prediction,
        result: BlockResult,
        seen: np.ndarray,
        first: int,
    ) -> None:
        """The poses of an image into the rows of its people and of others;
        of an attack on one person, into the row of that one."""
        boxes = self.data.boxes
        rows = one.rows[boxes.instance_ids[one.rows] != UNMATCHED]
        free = one.rows[boxes.instance_ids[one.rows] == UNMATCHED]
        keypoints, scores, visible = self._named(found)
        total = found.person_scores
        if total is None:
            total = np.mean(found.scores, axis=1)
        total = np.nan_to_num(np.asarray(total, np.float32))
        owner = match_people(
            keypoints.astype(float),
            total,
            boxes.truth[rows],
            boxes.areas[rows],
            self.data.joints.sigmas,
        )
        extra = np.flatnonzero(owner == UNMATCHED)
        extra = extra[np.argsort(-total[extra], kind='stable')][: len(free)]
        pairs = [(rows[k], i) for i, k in enumerate(owner) if k != UNMATCHED]
        pairs += zip(free, extra, strict=False)
        chosen = one.rows if one.person is None else np.array([one.person])
        result.changed[chosen - first] = True
        assert result.person_scores is not None
        for row, i in pairs:
            if row in chosen:
                at = row - first
                result.keypoints[at], result.scores[at] = (
                    keypoints[i],
                    scores[i],
                )
                result.person_scores[at] = total[i]
                if visible is not None:
                    seen[at] = visible[i]


def _ahead(
    reader: ThreadPoolExecutor,
    read: Callable[[Work], list[_Image]],
    work: Sequence[Work],
) -> Iterator[tuple[Work, list[_Image]]]:
    """The images of each block, read while the one before is computed."""
    coming = reader.submit(read, work[0]) if work else None
    for i, w in enumerate(work):
        assert coming is not None
        images = coming.result()
        if i + 1 < len(work):
            coming = reader.submit(read, work[i + 1])
        yield w, images


def _batches(passes: Iterator[_Pass], size: int) -> Iterator[list[_Pass]]:
    batch: list[_Pass] = []
    for one in passes:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
