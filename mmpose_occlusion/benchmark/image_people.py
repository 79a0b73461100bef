"""The people of whole images, as a benchmark of any predictor needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

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
from mmpose_occlusion.occlusion.rules import person_from_joints
from mmpose_occlusion.skeleton import Skeleton

from .annotation_file import Annotations
from .checked_files import Detections
from .data import UNMATCHED, BenchmarkRun, Boxes, Joints
from .store import Block
from .work import image_ranges

FOUND_OKS, NEAR_OKS = 0.5, 0.1
"""Least OKS of a pose that finds a person, COCO's lowest threshold, and of one
that is taken as a person's whom no other pose finds."""


@dataclass(frozen=True)
class ImagePeople:
    """Rows of a benchmark on whole images, those of an image together."""

    joints: Joints
    sigmas_of: str | None  # data set whose sigmas these are
    boxes: Boxes
    """N rows: annotated people with a labelled joint, or a detector's bboxes;
    for whole-image predictors, MAX_POSES rows for others after each image's.
    """
    annotations: list[Mapping[str, Any] | None]  # of each row's person
    people: list[dict[str, Any]]  # all, see data.BenchmarkRun
    paths: dict[int, Path]  # image id -> file

    def raw(self, row: int) -> Mapping[str, Any]:
        """The annotation of a row that has a person."""
        found = self.annotations[row]
        assert found is not None
        return found

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


def image_people(
    annotations: Annotations,
    paths: Mapping[int, Path],
    compared: np.ndarray,
    whole_image: bool,
    detections: Detections | None = None,
    max_images: int | None = None,
) -> ImagePeople:
    """Collect the rows of a benchmark.

    People whom MMPose's data sets leave out are left out: crowds, and those
    without a labelled joint or without a bbox inside the image; and so are
    images without any person, and those without a path. Joints that are not
    ``compared`` ``(K,)``, which the predictor lacks, count as not labelled.
    """
    mine: dict[int, list[dict[str, Any]]] = {}
    others: dict[int, list[dict]] = {}
    sizes: dict[int, tuple[int, int]] = {}
    for raw in annotations.people:
        image = raw['image_id']
        if image not in paths:
            continue
        flat = np.reshape(raw['keypoints'], (-1, 3))
        points = flat.astype(float)
        points[~compared, 2] = 0
        labelled = int((points[:, 2] > 0).sum())
        fields = 'id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd'
        entry: dict[str, Any] = {name: raw[name] for name in fields}
        flat = np.where(compared[:, None], flat, 0)
        entry.update(num_keypoints=labelled, keypoints=flat.ravel().tolist())
        others.setdefault(image, []).append(entry)
        if raw['iscrowd'] or not labelled:
            continue
        if image not in sizes:
            sizes[image] = _size(annotations.images[image], paths[image])
        box = clip_box(raw['bbox'], *sizes[image])
        if (box[2:] > box[:2]).all():
            person = dict(raw=raw, id=raw['id'], area=raw['area'])
            person.update(keypoints=points, box=box)
            mine.setdefault(image, []).append(person)
    chosen = list(mine)[:max_images]
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
        if whole_image:
            rows += [(image, None, None, 1.0)] * MAX_POSES
    sigmas, source = published_sigmas(annotations.joints)
    skeleton = Skeleton(tuple(annotations.joints))
    index = {name: i for i, name in enumerate(skeleton.names)}
    flip = [index.get(_mirrored(name), i) for name, i in index.items()]
    return ImagePeople(
        Joints.of(skeleton, sigmas, np.array(flip), annotations.links),
        source,
        Boxes.from_rows(rows, len(compared)),
        [row[1] and row[1]['raw'] for row in rows],
        [entry for image in chosen for entry in others[image]],
        {image: paths[image] for image in chosen},
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
        numbers = (placed & owned, ~placed & owned, extra)
        found, missing, more = (int(each.sum()) for each in numbers)
        row = dict(attack=name, found=found, missing=missing, extra=more)
        out.append(row)
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


def _size(image: Mapping[str, Any], path: Path) -> tuple[int, int]:
    """(width, height) in pixels."""
    if image['width']:
        return image['width'], image['height']
    found = cv2.imread(str(path))
    if found is None:
        raise UsageError(f'image "{path}" cannot be read: replace it')
    return found.shape[1], found.shape[0]
