"""The people of whole images, as a benchmark of any predictor needs them, and
these images clean and under attacks."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
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
from .checked_files import check_images, corners_of, read_detections
from .data import UNMATCHED, BenchmarkRun, Boxes, Joints
from .effects import ImageAttack
from .store import Block, BlockResult, empty_result
from .work import image_ranges

FOUND_OKS, NEAR_OKS = 0.5, 0.1
"""Least OKS of a pose that finds a person, COCO's lowest threshold, and of one
that is taken as a person's whom no other pose finds."""

_FIELDS = ('id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd')


class Pass(NamedTuple):
    """An image to predict."""

    image: 'LoadedImage'
    pixels: np.ndarray  # BGR, perhaps attacked
    rows: np.ndarray  # those that get the answer
    into: BlockResult


@dataclass(frozen=True)
class LoadedImage:
    """One decoded image of a block, clean and under attacks."""

    path: str
    rows: np.ndarray
    first: int  # row of its block
    pixels: np.ndarray  # BGR
    scratch: np.ndarray  # a copy for attacks
    people: dict[int, Person]  # row -> annotated person
    annotations: list[Any]  # of all rows

    def passes(
        self, attack: ImageAttack | None, into: BlockResult, one: bool
    ) -> Iterator[Pass]:
        """The image, or what an attack makes of it where it changes it, with
        ``one`` on one person a pass instead of all at once."""
        if attack is None:
            yield Pass(self, self.pixels, self.rows, into)
        else:
            every = self.rows.tolist()
            for rows in [[row] for row in self.people] if one else [every]:
                yield from self.attacked(rows, attack, into)

    def attacked(
        self,
        rows: Sequence[int],
        attack: ImageAttack,
        into: BlockResult,
        point: Point | None = None,
    ) -> Iterator[Pass]:
        """The image with the effects on the people of some rows, if they
        change it; notes what they hide in the result. ``point`` is as of
        :meth:`.effects.ImageAttack.on`."""
        people = {row: self.people[row] for row in rows if row in self.people}
        effects = {}
        for row, person in people.items():
            images, raw = (self.pixels, self.scratch), self.annotations[row]
            effects[row] = attack.on(*images, person, raw, point)
            effects[row].note(into, row - self.first)
        if all(effect.patch is None for effect in effects.values()):
            return
        pixels = self.pixels.copy()
        for row, effect in effects.items():
            effect.paint(pixels)
            for other, person in people.items():
                if other != row:
                    i = other - self.first
                    under = effect.joints_under(person, pixels.shape)
                    into.bystanders[i, under] = True
                    into.bystanders[i] &= ~into.targets[i]
        yield Pass(self, pixels, np.array(rows), into)


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
        skeleton = Skeleton(tuple(self.joints.names))
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

    def empty(self, block: Block) -> BlockResult:
        """The result of a block before predictions."""
        return empty_result(block.people, len(self.joints.names))

    def read(self, block: Block) -> list[LoadedImage]:
        """The images of a block, decoded."""
        all_rows, ids = range(block.start, block.stop), self.boxes.image_ids
        out = []
        for image_id, some in groupby(all_rows, lambda row: int(ids[row])):
            path, rows = str(self.paths[image_id]), np.array(list(some))
            bgr = cv2.imread(path)
            if bgr is None:
                raise UsageError(f'image "{path}" cannot be read: replace it')
            found = {row: self.person(row, bgr.shape) for row in rows.tolist()}
            people = {row: p for row, p in found.items() if p is not None}
            images = bgr, bgr.copy()
            about = path, rows, block.start, *images, people, self.annotations
            out.append(LoadedImage(*about))
        return out


def image_people(
    annotations: Annotations,
    recipe: dict[str, Any],
    log: Callable[[str], object] | None = None,
    skip_unreadable: bool = True,
) -> ImagePeople:
    """Collect the rows of a benchmark, without people whom MMPose's data sets
    leave out (crowds, and those without a labelled joint or without a bbox
    inside the image) and images without any person.

    Args:
        annotations: Of the people.
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
    faults, boxes = list(annotations.faults), recipe['detections']
    if boxes is not None:
        boxes, more = read_detections(boxes, annotations)
        faults += more
    if log is not None:
        for fault in faults:
            log(fault.sentence())
    compared = np.array(recipe['compared'])
    annotated, counted = _people_of(annotations, paths, compared)
    chosen = list(counted)[: recipe['max_images']]
    if not chosen:
        raise UsageError(
            f'annotation file "{annotations.path}" has no person with a '
            'labelled joint that the predictor has, in an image that can be '
            'read: check the folder of images and --max-images'
        )
    detected: dict[int, list] = defaultdict(list)
    for each in boxes or ():
        detected[each['image_id']].append(each)
    rows: list[tuple] = []
    for image in chosen:
        people = counted[image]
        mine = [(person, person['box'], 1.0) for person in people]
        if boxes is not None:
            mine = _detected(people, detected[image])
        if recipe['whole_image']:
            mine += [(None, None, 1.0)] * MAX_POSES
        rows += [(image, *row) for row in mine]
    sigmas, source = published_sigmas(annotations.joints)
    skeleton = Skeleton(tuple(annotations.joints))
    index = {name: i for i, name in enumerate(skeleton.names)}
    flip = [index.get(_mirrored(name), i) for name, i in index.items()]
    return ImagePeople(
        Joints.of(skeleton, sigmas, np.array(flip), annotations.links),
        source,
        Boxes.from_rows(rows, len(compared)),
        [person and person['raw'] for _, person, *_ in rows],
        [entry for image in chosen for entry in annotated[image]],
        {image: paths[image] for image in chosen},
        recipe,
    )


def _people_of(
    annotations: Annotations, paths: Container[int], compared: np.ndarray
) -> tuple[dict[int, list], dict[int, list]]:
    """Annotations of each image with the joints that are compared, and of
    those who count with ``box`` (xyxy) and ``raw``, as they were."""
    everybody: dict[int, list] = defaultdict(list)
    counted: dict[int, list] = defaultdict(list)
    for raw in annotations.people:
        image, size = raw['image_id'], annotations.images[raw['image_id']]
        if image not in paths:
            continue
        joints = np.reshape(raw['keypoints'], (-1, 3))
        joints = np.where(compared[:, None], joints, 0)
        entry = {name: raw[name] for name in _FIELDS}
        entry['num_keypoints'] = int((joints[:, 2] > 0).sum())
        entry['keypoints'] = joints.ravel().tolist()
        everybody[image].append(entry)
        box = clip_box(raw['bbox'], size['width'], size['height'])
        counts = entry['num_keypoints'] and not raw['iscrowd']
        if counts and (box[2:] > box[:2]).all():
            person = dict(entry, keypoints=joints, box=box, raw=raw)
            counted[image].append(person)
    return everybody, counted


def _detected(people: list[dict], detections: list[dict]) -> list[tuple]:
    """An image's detections: person or None, bbox and score."""
    boxes = corners_of([each['bbox'] for each in detections])
    scores = np.array([each['score'] for each in detections])
    truth = np.array([person['box'] for person in people])
    owner = match_boxes(overlaps(boxes, truth), scores)
    found = [None if k == UNMATCHED else people[k] for k in owner]
    return list(zip(found, boxes, scores, strict=True))


def match_people(
    keypoints: np.ndarray,
    scores: np.ndarray,
    truth: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
) -> np.ndarray:
    """``(D,)`` int, the person of each pose of an image, or
    :data:`.data.UNMATCHED`: as COCOeval does, by OKS of at least
    :data:`FOUND_OKS`; then those that are left from :data:`NEAR_OKS` on, so
    that a bad pose is not taken for a missing one. Keypoints ``(D, K, 2)`` are
    NaN where not found, the truth ``(P, K, 2)`` where not labelled."""
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
        masks = dict(
            found=placed & owned, missing=~placed & owned, extra=extra
        )
        counts = {key: int(mask.sum()) for key, mask in masks.items()}
        out.append(dict(attack=name, **counts))
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
