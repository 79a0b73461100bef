"""AP and AR of people and poses in COCO's format; scores of poses and
non-maximum suppression (NMS) as in MMPose's ``CocoMetric``, from arrays."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .annotations import People
from .average_precision import Matches, PosePairs, average_precision
from .oks_pck import keypoint_oks, mean_oks

SCORE_MODES = ('bbox', 'keypoint', 'bbox_rle', 'bbox_keypoint')
NMS_MODES = ('oks_nms', 'soft_oks_nms', 'none')

_SOFT_MOST = 20  # poses that soft NMS keeps in an image


class Precision(NamedTuple):
    """AP and AR over OKS thresholds .50, .55, … .95; None without people."""

    ap: float | None
    ar: float | None


class CocoEvaluation:
    """AP and AR of poses for chosen people, joints and poses.

    Args:
        people: See :func:`.annotations.make_person`.
        poses: ``image_id``, ``category_id``, ``keypoints`` (3K numbers, of
            which each third is not used) and ``score``. Poses of a category
            that no person has are left out.
        sigmas: ``(K,)`` of the keypoints.
    """

    def __init__(
        self,
        people: Sequence[Mapping[str, Any]],
        poses: Sequence[Mapping[str, Any]],
        sigmas: np.ndarray,
    ) -> None:
        images = [p['image_id'] for p in poses]
        self.sigmas = np.asarray(sigmas)
        self.people = People.from_dicts(people, images, len(self.sigmas))
        ids, categories = self.people.images, self.people.categories
        category = np.array([p['category_id'] for p in poses], np.int64)
        self.known = np.isin(category, categories)
        keypoints = np.array([p['keypoints'] for p in poses], np.float64)
        keypoints = keypoints.reshape(len(poses), len(self.sigmas), 3)
        self.keypoints = keypoints[self.known, :, :2]
        self.scores = np.array([p['score'] for p in poses])[self.known]
        self.pairs = PosePairs(
            self.people,
            np.searchsorted(ids, np.array(images, ids.dtype))[self.known],
            np.searchsorted(categories, category)[self.known],
        )
        self.compared = self.pairs.compare(self.keypoints, self.sigmas)

    def precision(
        self, joint: int | None = None, keep: np.ndarray | None = None
    ) -> Precision:
        """AP and AR of one joint (people and poses consist of it alone) or of
        all, for the poses ``(D,)`` that take part, by default all."""
        compared, labelled = self.compared, self.people.labelled
        if joint is not None:
            compared = compared.of_joint(joint)
            labelled = labelled[:, [joint]]
        rows = np.arange(len(self.scores))
        if keep is not None:
            rows = rows[keep[self.known]]
        counts = self.people.counting(labelled)
        return _precision(compared.match(rows, self.scores, labelled, counts))

    def reference_precision(self, joint: int) -> Precision:
        """AP and AR of one joint as the paper's reference code counts them.

        Its defect 9: all other joints of people and poses become (0, 0, 0)
        *after* COCOeval has decided who is ignored. No pose can match people
        who have other joints but not this one, and theirs are wrong.
        """
        keypoints = np.zeros_like(self.keypoints)
        keypoints[:, joint] = self.keypoints[:, joint]
        labelled = np.zeros_like(self.people.labelled)
        labelled[:, joint] = self.people.labelled[:, joint]
        return _precision(
            self.pairs.compare(keypoints, self.sigmas).match(
                np.arange(len(self.scores)),
                self.scores,
                labelled,
                self.people.counting(self.people.labelled),
            )
        )


def _precision(matches: Matches) -> Precision:
    (ap,), (ar,) = average_precision(matches)
    if np.isnan(ap):
        return Precision(None, None)
    return Precision(float(ap), float(ar))


def pose_scores(
    box_scores: np.ndarray,
    joint_scores: np.ndarray,
    mode: str = 'bbox_keypoint',
    threshold: float = 0.2,
) -> np.ndarray:
    """``(N,)`` scores of poses from those of their bboxes ``(N,)`` and joints
    ``(N, K)``; mode and threshold are ``CocoMetric``'s ``score_mode`` and
    ``keypoint_score_thr``.

    Raises:
        ValueError: The mode is none of :data:`SCORE_MODES`.
    """
    _check(mode, SCORE_MODES, 'score_mode')
    boxes = np.asarray(box_scores, np.float64)
    joints = np.asarray(joint_scores, np.float32)
    if mode == 'bbox':
        return boxes
    if mode == 'keypoint':
        return joints.mean(axis=1).astype(np.float64)
    if mode == 'bbox_rle':
        return boxes + joints.mean(axis=1) + joints.max(axis=1)
    counts = joints > threshold
    # in float32 and joint by joint, as CocoMetric adds them
    total = np.cumsum(np.where(counts, joints, 0), axis=1, dtype=np.float32)
    number = np.maximum(counts.sum(axis=1), 1).astype(np.float32)
    return boxes * (total[:, -1] / number)


def _check(mode: str, known: Sequence[str], option: str) -> None:
    if mode not in known:
        raise ValueError(
            f'evaluation.{option} is {mode!r}, but must be one of '
            f'{", ".join(known)}'
        )


def surviving_poses(
    rows: np.ndarray,
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    mode: str = 'oks_nms',
    threshold: float = 0.9,
) -> np.ndarray:
    """Those of the poses ``rows`` ``(R,)``, which are ordered by image, that
    are left after NMS within each image, in an image by falling score (for
    'none' as given).

    Args:
        rows: Indices into N poses.
        image: ``(N,)`` index of each pose's image.
        keypoints: ``(N, K, 2)`` float32 pixels; NaN for those not found.
        scores: ``(N,)``.
        areas: ``(N,)`` square pixels of the image that were given to the
            model, which ``CocoMetric`` takes as the poses' areas.
        sigmas: ``(K,)`` of the keypoints.
        mode: One of :data:`NMS_MODES`.
        threshold: ``CocoMetric``'s ``nms_thr``.
    """
    _check(mode, NMS_MODES, 'nms_mode')
    if mode == 'none' or not len(rows):
        return rows
    suppress = _soft_nms if mode == 'soft_oks_nms' else _nms
    starts = np.flatnonzero(np.diff(image[rows], prepend=-1)).tolist()
    out = []
    for start, end in pairwise([*starts, len(rows)]):
        here = rows[start:end]
        order = scores[here].argsort()[::-1]
        if len(here) > 1:
            poses, size = keypoints[here], areas[here]
            # in MMPose's float32, over the keypoints that both have
            similar = keypoint_oks(
                poses - poses[:, None], (size[:, None] + size) / 2, sigmas
            )
            oks = np.nan_to_num(mean_oks(similar, np.isfinite(similar)))
            oks = oks.astype(np.float32)
            order = suppress(order, oks, scores[here], threshold)
        out.append(here[order])
    return np.concatenate(out)


def _nms(
    order: np.ndarray, similar: np.ndarray, _: np.ndarray, threshold: float
) -> list[int]:
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[similar[best, order] <= threshold]
    return kept


def _soft_nms(
    order: np.ndarray,
    similar: np.ndarray,
    scores: np.ndarray,
    threshold: float,
) -> list[int]:
    scores = scores[order]
    kept: list[int] = []
    while len(order) and len(kept) < _SOFT_MOST:
        best, order = order[0], order[1:]
        kept.append(best)
        scores = scores[1:] * np.exp(-(similar[best, order] ** 2) / threshold)
        rank = scores.argsort()[::-1]
        order, scores = order[rank], scores[rank]
    return kept
