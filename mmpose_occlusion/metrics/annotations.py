"""Annotated people in COCO's format and as arrays, bboxes matched to them,
how crowded people are, and a prior of poses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask

AREA_RATIO = 0.53
"""Area of a person over that of the bbox, where none is annotated (MMPose)."""

WHOLE_BODY = dict(
    foot_kpts=6, face_kpts=68, lefthand_kpts=21, righthand_kpts=21
)
"""Where COCO-WholeBody keeps the joints after its first 17 -> how many."""

IOU_THRESHOLD = 0.5  # of a bbox with its person's, as in COCO's AP@0.5
UNMATCHED = -1  # index for a bbox that matches no person


def make_person(
    ann: Mapping[str, Any], num_joints: int, use_area: bool = True
) -> dict:
    """An annotation of COCO's with all entries that the evaluation needs.
    Without ``area`` or ``use_area`` it is :data:`AREA_RATIO` of its bbox, as
    in MMPose.

    Raises:
        ValueError: The annotation does not have ``num_joints`` joints.
    """
    joints = list(ann['keypoints'])
    if len(joints) < 3 * num_joints:
        joints += [x for key in WHOLE_BODY for x in ann.get(key, ())]
    if len(joints) != 3 * num_joints:
        raise ValueError(
            f'annotation {ann["id"]} of image {ann["image_id"]} has '
            f'{len(joints) / 3:g} joints, but the data set has {num_joints}; '
            'give the annotation file of this data set (ann_file)'
        )
    area, box = ann.get('area'), list(map(float, ann['bbox']))
    if area is None or not use_area:
        area = ann['bbox'][2] * ann['bbox'][3] * AREA_RATIO
    return dict(
        id=ann['id'],
        image_id=ann['image_id'],
        category_id=int(ann.get('category_id', 1)),
        bbox=box,
        area=float(area),
        iscrowd=int(ann.get('iscrowd', 0)),
        keypoints=list(map(float, joints)),
    )


@dataclass(frozen=True)
class People:
    """P annotated people as arrays."""

    ids: np.ndarray  # (P,) of the annotations
    images: np.ndarray  # (I,) sorted ids
    image: np.ndarray  # (P,) index into the images
    categories: np.ndarray  # (C,) sorted ids
    category: np.ndarray  # (P,) index into the categories
    keypoints: np.ndarray  # (P, K, 2) in pixels
    labelled: np.ndarray  # (P, K) bool
    boxes: np.ndarray  # (P, 4) xywh
    areas: np.ndarray  # (P,) in square pixels
    crowd: np.ndarray  # (P,) bool, whether several people

    @classmethod
    def from_dicts(
        cls,
        annotations: Iterable[Mapping[str, Any]],
        images: Sequence,
        joints: int,
        use_area: bool = True,
    ) -> 'People':
        """Collect annotations with K joints and a bbox, see
        :func:`make_person`; ``images`` are ids of further images, those of the
        poses."""
        people = [
            make_person(ann, joints, use_area)
            for ann in annotations
            if 'keypoints' in ann and 'bbox' in ann
        ]
        owners = [p['image_id'] for p in people]
        ids = np.unique(np.array([*images, *owners]))
        kinds = [p['category_id'] for p in people]
        categories = np.unique(kinds or [1])
        keypoints = np.array([p['keypoints'] for p in people], np.float64)
        keypoints = keypoints.reshape(len(people), joints, 3)
        return cls(
            ids=np.array([p['id'] for p in people]),
            images=ids,
            image=np.searchsorted(ids, np.array(owners, ids.dtype)),
            categories=categories,
            category=np.searchsorted(categories, kinds),
            keypoints=keypoints[..., :2],
            labelled=keypoints[..., 2] > 0,
            boxes=np.array([p['bbox'] for p in people]).reshape(-1, 4),
            areas=np.array([p['area'] for p in people], np.float64),
            crowd=np.array([p['iscrowd'] for p in people], bool),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def counting(self, labelled: np.ndarray) -> np.ndarray:
        """``(P,)`` bool, people who count; COCO ignores all others: crowds,
        people without a label ``(P, K)``, and areas above 1e10."""
        return labelled.any(axis=1) & ~self.crowd & (self.areas <= 1e10)


def overlaps(boxes: np.ndarray, people: np.ndarray) -> np.ndarray:
    """``(D, P)`` intersection over union (IoU) of bboxes ``(D, 4)`` with
    those of people ``(P, 4)``, xyxy; a bbox without area overlaps with none.
    """
    both = [np.reshape(b, (-1, 4)).astype(float) for b in (boxes, people)]
    xywh = (np.hstack([b[:, :2], b[:, 2:] - b[:, :2]]) for b in both)
    iou = mask.iou(*xywh, np.zeros(len(both[1]), np.uint8))
    return np.reshape(iou, (len(both[0]), len(both[1])))


def match_boxes(
    iou: np.ndarray,
    scores: np.ndarray,
    threshold: float = IOU_THRESHOLD,
    one_to_one: bool = True,
) -> np.ndarray:
    """``(D,)`` int, index of each bbox's person, or :data:`UNMATCHED`: the
    bboxes of one image, matched to its people greedily, as COCOeval does.

    In the order of falling scores ``(D,)`` (equal scores in the order given),
    each bbox takes the unmatched person with which its overlap ``(D, P)`` is
    greatest, if it is at least the threshold. ``one_to_one=False`` lets
    several bboxes match the same person.
    """
    owner, free = np.full(len(iou), UNMATCHED), iou.copy()
    if not iou.size:
        return owner
    for box in np.argsort(-np.asarray(scores, np.float64), kind='stable'):
        person = int(np.argmax(free[box]))
        if free[box, person] >= threshold:
            owner[box] = person
            if one_to_one:
                free[:, person] = -1
    return owner


LEVELS: dict[str, dict[str, float]] = {
    'visible joints': {'1-5': 1, '6-10': 6, '11-15': 11, '16 and more': 16},
    'overlapping people': {'none': 0, '1-2': 1, '3 and more': 3},
    'crowd index': {'easy': 0, 'medium': 0.1, 'hard': 0.8},
    'greatest IoU': {'below .5': 0, '.5-.75': 0.5, '.75 and above': 0.75},
}
"""What people are divided by -> level, rising -> least value.

Sources: Ronchi and Perona, ICCV 2017 (the first two), CrowdPose, Li et al.,
CVPR 2019, and OCHuman, Zhang et al., CVPR 2019.
"""

OVERLAP = 0.1
"""IoU from which another person counts as overlapping (Ronchi and Perona)."""


def other_people(
    image: np.ndarray, boxes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Greatest IoU ``(N,)`` of each person with the others of the image, 0 if
    alone, and number of people with an IoU of at least :data:`OVERLAP`.
    ``image`` ``(N,)`` is the index of each person's image, boxes are xyxy."""
    greatest, number = np.zeros(len(boxes)), np.zeros(len(boxes), int)
    for rows in _by_image(image):
        iou = overlaps(boxes[rows], boxes[rows])
        np.fill_diagonal(iou, 0)
        greatest[rows] = iou.max(axis=1)
        number[rows] = (iou >= OVERLAP).sum(axis=1)
    return greatest, number


def crowd_index(
    image: np.ndarray, boxes: np.ndarray, keypoints: np.ndarray
) -> np.ndarray:
    """CrowdPose's crowd index of each person's image, ``(N,)``: the mean over
    the image's people of the number of other people's joints inside the
    person's box as a fraction of the number of the person's own joints there.
    People without a joint in their box are left out. Joints ``(N, K, 2)`` are
    NaN without label."""
    out = np.zeros(len(boxes))
    for rows in _by_image(image):
        xy = keypoints[rows][None]
        box = np.asarray(boxes, float)[rows][:, None, None]
        with np.errstate(invalid='ignore'):
            inside = ((xy >= box[..., :2]) & (xy <= box[..., 2:])).all(axis=3)
        counts = inside.sum(axis=2)  # (box, person)
        own = np.diag(counts)
        known = own > 0
        if known.any():
            others = counts.sum(axis=1) - own
            out[rows] = (others[known] / own[known]).mean()
    return out


def _by_image(image: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(image == value) for value in np.unique(image)]


SHRINKAGE = 0.1  # of the covariance to its diagonal, against few people
MIN_JOINTS = 3  # labelled ones, from which others are predicted


class PosePrior:
    """A Gaussian over poses: true joints ``(N, K, 2)`` in pixels, NaN without
    label, centred at their boxes' ``(N, 4)`` centres and divided by the longer
    sides. Left-right mirrored poses (``flip`` ``(K,)``, index of each joint's
    twin or itself) count, too. Mean and covariance are of the labelled joints
    (pairwise), the covariance shrunk towards its diagonal."""

    def __init__(
        self, keypoints: np.ndarray, boxes: np.ndarray, flip: np.ndarray
    ) -> None:
        centre, size = _frame(boxes)
        poses = (keypoints - centre) / size
        mirrored = poses[:, flip] * [-1, 1]
        x = np.concatenate([poses, mirrored]).reshape(len(poses) * 2, -1)
        known = np.isfinite(x)
        number = known.sum(axis=0)
        self.mean = np.where(known, x, 0).sum(axis=0) / np.maximum(number, 1)
        centred = np.where(known, x - self.mean, 0)
        pairs = known.T.astype(float) @ known
        covariance = centred.T @ centred / np.maximum(pairs, 1)
        diagonal = np.diag(np.diag(covariance))
        covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * diagonal
        values, vectors = np.linalg.eigh(covariance)
        floor = 1e-6 * max(float(values[-1]), 1e-12)
        self.covariance = (vectors * np.maximum(values, floor)) @ vectors.T

    def expected(
        self, keypoints: np.ndarray, box: np.ndarray, hidden: np.ndarray
    ) -> np.ndarray:
        """Conditional mean ``(K, 2)`` of a person's hidden joints ``(K,)``
        bool, given the other labelled ones of ``keypoints`` ``(K, 2)`` in a
        box ``(4,)``; NaN for other joints, and if fewer than
        :data:`MIN_JOINTS` are seen."""
        centre, size = (x[0] for x in _frame(box[None]))
        pose = (keypoints - centre) / size
        out = np.full(pose.shape, np.nan)
        given = np.isfinite(pose).all(axis=1) & ~hidden
        if given.sum() >= MIN_JOINTS and hidden.any():
            seen, asked = np.repeat(given, 2), np.repeat(hidden, 2)
            gain = np.linalg.solve(
                self.covariance[np.ix_(seen, seen)],
                pose.reshape(-1)[seen] - self.mean[seen],
            )
            moved = self.covariance[np.ix_(asked, seen)] @ gain
            out[hidden] = (self.mean[asked] + moved).reshape(-1, 2)
        return out * size + centre


def _frame(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres ``(N, 1, 2)`` and longer sides ``(N, 1, 1)``."""
    boxes = np.asarray(boxes, float)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    return centre[:, None], np.maximum(size, 1e-9)[:, None, None]
