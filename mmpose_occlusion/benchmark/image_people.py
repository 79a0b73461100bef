"""The people of whole images, as a benchmark of any predictor needs them, and
these images clean and under attacks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import match_boxes, overlaps
from mmpose_occlusion.metrics.average_precision import MAX_POSES
from mmpose_occlusion.metrics.oks_pck import (
    clip_box,
    keypoint_oks,
    mean_oks,
    published_sigmas,
)
from mmpose_occlusion.occlusion import CorrectedRules, Person
from mmpose_occlusion.occlusion.regions import Point
from mmpose_occlusion.occlusion.rules import person_from_joints
from mmpose_occlusion.skeleton import Skeleton

from .annotation_file import Annotations
from .checked_files import Detections, check_images, read_detections
from .data import UNMATCHED, BenchmarkRun, Boxes, Joints
from .effects import Effect, ImageAttack
from .store import CLEAN, Block, BlockResult, empty_result
from .suite import SuiteAttack
from .work import image_ranges

FOUND_OKS, NEAR_OKS = 0.5, 0.1
"""Least OKS of a pose that finds a person, COCO's lowest threshold, and of one
that is taken as a person's whom no other pose finds."""

_FIELDS = ('id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd')


@dataclass(frozen=True)
class ImagePeople:
    """Rows of a benchmark on whole images, those of an image together."""

    joints: Joints
    sigmas_of: str | None  # data set whose sigmas these are
    boxes: Boxes
    """N rows: annotated people with a labelled joint, or a detector's bboxes;
    for whole-image predictors, MAX_POSES rows for others after each image's.
    """
    annotations: list[Any]  # of each row's person, or None
    people: list[dict[str, Any]]  # all, see data.BenchmarkRun
    paths: dict[int, Path]  # image id -> file
    recipe: dict[str, Any]  # from which it is made again

    def person(self, row: int, shape: tuple[int, ...]) -> Person | None:
        """The person of a row as attacks have them, in an image ``(H, W)``:
        with joints that the predictor lacks, so that attacks are the same for
        all predictors."""
        found = self.annotations[row]
        if found is None:
            return None
        flat = np.reshape(found['keypoints'], (-1, 3))
        skeleton = Skeleton.from_names(tuple(self.joints.names))
        box = self.boxes.person_boxes[row].tolist()
        height = box[3] - box[1]
        joints = flat[:, :2], flat[:, 2] > 0
        boxed = shape, height, height, box
        return person_from_joints(CorrectedRules(), skeleton, *joints, *boxed)

    def blocks(self, images: int) -> list[Block]:
        """Blocks of a number of whole images."""
        ids = self.boxes.image_ids.tolist()
        starts = [start for start, _ in image_ranges(ids)][::images]
        edges = pairwise([*starts, len(ids)])
        return [Block(i, *each) for i, each in enumerate(edges)]


class LoadedImage(NamedTuple):
    """One decoded image of a block."""

    path: str
    rows: np.ndarray
    first: int  # row of its block
    pixels: np.ndarray  # BGR
    scratch: np.ndarray  # a copy for attacks
    people: dict[int, Person]  # row -> annotated person


class Pass(NamedTuple):
    """An image to predict."""

    source: LoadedImage
    pixels: np.ndarray  # BGR, perhaps attacked
    rows: np.ndarray  # those that get the answer
    into: BlockResult


@dataclass
class AttackedImages:
    """Images of a benchmark, clean and under attacks."""

    data: ImagePeople
    attacks: list[SuiteAttack]
    seed: int  # of the attacks' random draws
    one: bool  # whether one person an image pass is attacked, instead of all

    def __post_init__(self) -> None:
        links = self.data.joints.links
        self.effects = {
            a.key: ImageAttack(a, self.seed, links) for a in self.attacks
        }

    def empty(self, block: Block) -> BlockResult:
        """The result of a block before predictions."""
        return empty_result(block.people, len(self.data.joints.names))

    def read(self, block: Block) -> list[LoadedImage]:
        """The images of a block, decoded."""
        ids, out = self.data.boxes.image_ids, []
        rows = range(block.start, block.stop)
        for image_id, some in groupby(rows, lambda row: int(ids[row])):
            path, mine = str(self.data.paths[image_id]), list(some)
            bgr = cv2.imread(path)
            if bgr is None:
                raise UsageError(f'image "{path}" cannot be read: replace it')
            found = {r: self.data.person(r, bgr.shape) for r in mine}
            people = {r: p for r, p in found.items() if p is not None}
            images = bgr, bgr.copy()
            out.append(
                LoadedImage(path, np.array(mine), block.start, *images, people)
            )
        return out

    def passes(
        self, image: LoadedImage, key: str, into: BlockResult
    ) -> Iterator[Pass]:
        """An image, or what an attack makes of it where it changes it; notes
        what it hides in the result."""
        if key == CLEAN:
            yield Pass(image, image.pixels, image.rows, into)
            return
        found = {r: self.effect(image, r, key, into) for r in image.people}
        effects = {r: e for r, e in found.items() if e.box is not None}
        if self.one or not effects:
            for row, effect in effects.items():
                yield self.alone(image, row, effect, into)
            return
        pixels = image.pixels.copy()
        for row, effect in effects.items():
            effect.paint(pixels)
            for other, person in image.people.items():
                if other != row:
                    i = other - image.first
                    under = effect.covers(person.xy, pixels.shape)
                    under &= person.available & ~into.targets[i]
                    into.bystanders[i] |= under
        yield Pass(image, pixels, image.rows, into)

    def effect(
        self,
        image: LoadedImage,
        row: int,
        key: str,
        into: BlockResult,
        point: Point | None = None,
    ) -> Effect:
        """The effect of an attack on a person, noted in the result."""
        person, raw = image.people[row], self.data.annotations[row]
        pixels = image.pixels, image.scratch
        effect = self.effects[key].on(*pixels, person, raw, point)
        effect.note(into, row - image.first)
        return effect

    def alone(
        self, image: LoadedImage, row: int, effect: Effect, into: BlockResult
    ) -> Pass:
        """An image with the effect on one of its people."""
        pixels = image.pixels.copy()
        effect.paint(pixels)
        return Pass(image, pixels, np.array([row]), into)


def image_people(
    annotations: Annotations,
    recipe: dict[str, Any],
    log: Callable[[str], object] | None = None,
    skip_unreadable: bool = True,
) -> ImagePeople:
    """Collect the rows of a benchmark.

    People whom MMPose's data sets leave out are left out: crowds, and those
    without a labelled joint or without a bbox inside the image; and so are
    images without any person.

    Args:
        annotations: Of the file ``annotations`` of the recipe.
        recipe: Folder of the ``images``, file of ``detections`` or None,
            ``compared`` (K,), whether the predictor has a joint (others count
            as not labelled), ``whole_image``, whether it finds people by
            itself, and ``max_images``.
        log: Called with faults of the files; all images are then decoded.
        skip_unreadable: Leave out images that cannot be read.

    Raises:
        UsageError: Nobody is left, or a file cannot be read.
    """
    paths = check_images(
        annotations, recipe['images'], log is not None, skip_unreadable
    )
    faults, detections = list(annotations.faults), recipe['detections']
    if detections is not None:
        detections = read_detections(detections, annotations)
        faults += detections.faults
    for fault in faults:
        if log is not None:
            log(fault.sentence())
    compared = np.array(recipe['compared'])
    mine: dict[int, list[dict[str, Any]]] = {}
    others: dict[int, list[dict[str, Any]]] = {}
    for raw in annotations.people:
        image, size = raw['image_id'], annotations.images[raw['image_id']]
        if image not in paths:
            continue
        joints = np.reshape(raw['keypoints'], (-1, 3))
        joints = np.where(compared[:, None], joints, 0)
        entry = {name: raw[name] for name in _FIELDS}
        entry['num_keypoints'] = int((joints[:, 2] > 0).sum())
        entry['keypoints'] = joints.ravel().tolist()
        others.setdefault(image, []).append(entry)
        box = clip_box(raw['bbox'], size['width'], size['height'])
        counts = entry['num_keypoints'] and not raw['iscrowd']
        if counts and (box[2:] > box[:2]).all():
            person = dict(entry, keypoints=joints, box=box, raw=raw)
            mine.setdefault(image, []).append(person)
    chosen = list(mine)[: recipe['max_images']]
    if not chosen:
        raise UsageError(
            f'annotation file "{annotations.path}" has no person with a '
            'labelled joint that the predictor has, in an image that can be '
            'read: check the folder of images and --max-images'
        )
    rows: list[tuple] = []
    for image in chosen:
        if detections is None:
            rows += [(image, p, p['box'], 1.0) for p in mine[image]]
        else:
            rows += _detected(image, mine[image], detections)
        if recipe['whole_image']:
            rows += [(image, None, None, 1.0)] * MAX_POSES
    sigmas, source = published_sigmas(annotations.joints)
    skeleton = Skeleton.from_names(tuple(annotations.joints))
    index = {name: i for i, name in enumerate(skeleton.names)}
    flip = [index.get(_mirrored(name), i) for name, i in index.items()]
    return ImagePeople(
        Joints.of(skeleton, sigmas, np.array(flip), annotations.links),
        source,
        Boxes.from_rows(rows, len(compared)),
        [row[1] and row[1]['raw'] for row in rows],
        [entry for image in chosen for entry in others[image]],
        {image: paths[image] for image in chosen},
        recipe,
    )


def _detected(
    image: int, people: Sequence[Mapping], detections: Detections
) -> list[tuple]:
    """The rows of an image's detections and their people."""
    rows = np.flatnonzero(np.array(detections.image_ids) == image)
    boxes = np.array(detections.boxes, float).reshape(-1, 4)[rows]
    boxes[:, 2:] += boxes[:, :2]
    scores = np.array(detections.scores)[rows]
    truth = np.array([person['box'] for person in people])
    owner = match_boxes(overlaps(boxes, truth), scores)
    return [
        (image, None if k == UNMATCHED else people[k], box, score)
        for k, box, score in zip(owner, boxes, scores, strict=True)
    ]


def match_people(
    keypoints: np.ndarray,
    scores: np.ndarray,
    truth: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
) -> np.ndarray:
    """Match the poses of an image to its people, as COCOeval does, by OKS of
    at least :data:`FOUND_OKS`; then those that are left from :data:`NEAR_OKS`
    on, so that a bad pose is not taken for a missing one.

    Keypoints ``(D, K, 2)`` are NaN where not found, the truth ``(P, K, 2)``
    where not labelled. Returns ``(D,)`` int, index of each pose's person, or
    :data:`.data.UNMATCHED`.
    """
    labelled = np.isfinite(truth).all(axis=-1)
    offsets = keypoints[:, None] - truth[None]
    similar = np.nan_to_num(keypoint_oks(offsets, areas[None], sigmas))
    oks = np.nan_to_num(mean_oks(similar, labelled[None]))
    owner = match_boxes(oks, scores, FOUND_OKS)
    free = np.flatnonzero(owner == UNMATCHED)
    people = np.setdiff1d(np.arange(len(truth)), owner)
    second = match_boxes(oks[np.ix_(free, people)], scores[free], NEAR_OKS)
    hit = second != UNMATCHED
    owner[free[hit]] = people[second[hit]]
    return owner


def count_found(run: BenchmarkRun) -> list[dict[str, Any]]:
    """How many annotated people a whole-image predictor finds, clean and under
    each attack, and the number of ``extra`` poses, without those on people
    whom COCO ignores: crowds, and people without a labelled joint."""
    owned = run.boxes.instance_ids != UNMATCHED
    views = [('clean', run.clean)]
    views += [(attack.name, attack.predictions) for attack in run.attacks]
    out = []
    for name, predictions in views:
        placed = np.isfinite(predictions.keypoints).all(axis=-1).any(axis=1)
        extra = placed & ~owned
        extra &= ~_on_ignored(run, predictions.keypoints, extra)
        found, missing = (placed & owned).sum(), (~placed & owned).sum()
        row = dict(found=found, missing=missing, extra=extra.sum())
        out.append(dict(attack=name, **{k: int(v) for k, v in row.items()}))
    return out


def _on_ignored(
    run: BenchmarkRun, keypoints: np.ndarray, extra: np.ndarray
) -> np.ndarray:
    """Which extra poses lie in twice the bbox of an ignored person, by COCO's
    OKS of people without a label."""
    out = np.zeros(len(keypoints), bool)
    for person in run.people:
        if not person['iscrowd'] and person['num_keypoints']:
            continue
        here = extra & (run.boxes.image_ids == person['image_id'])
        corner, size = np.split(np.array(person['bbox']), 2)
        found = keypoints[here].astype(float)
        outside = np.maximum(corner - size - found, 0)
        outside += np.maximum(found - corner - 2 * size, 0)
        similar = keypoint_oks(outside, person['area'], run.joints.sigmas)
        oks = mean_oks(similar, np.isfinite(similar))
        out[here] |= np.nan_to_num(oks) >= FOUND_OKS
    return out


def _mirrored(name: str) -> str:
    """The joint's name on the other side."""
    sides = {'left': 'right', 'right': 'left', 'l': 'r', 'r': 'l'}
    return '_'.join(sides.get(word, word) for word in name.split('_'))
