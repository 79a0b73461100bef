"""COCO's AP and AR over chosen people and joints, by COCOeval.

People and detections are plain dicts in COCO's format, so that joints can
be taken out, people ignored and detections dropped before COCOeval sees
them.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

AREA_RATIO = 0.53
"""Area of a person by that of the box, where there is none (MMPose's)."""

WHOLE_BODY = ('foot_kpts', 'face_kpts', 'lefthand_kpts', 'righthand_kpts')
"""Where COCO-WholeBody keeps the joints after its first 17."""

ANY_AREA = (0.0, 1e10)

_NO_PEOPLE = -1


class Precision(NamedTuple):
    """Average precision and recall over OKS thresholds .50, .55, … .95.

    None where no person counts.
    """

    ap: float | None
    ar: float | None


def make_person(
    ann: Mapping[str, Any], num_joints: int, use_area: bool = True
) -> dict:
    """A person from an annotation, with all that COCOeval asks for.

    Args:
        ann: COCO's annotation of a person. Where it has no ``area``, this is
            :data:`AREA_RATIO` of its box, as MMPose has it.
        num_joints: K.
        use_area: False takes the area from the box in any case.

    Raises:
        ValueError: The annotation has not K joints.
    """
    joints = list(ann['keypoints'])
    if len(joints) < 3 * num_joints:
        for key in WHOLE_BODY:
            joints += ann.get(key, [])
    if len(joints) != 3 * num_joints:
        raise ValueError(
            f'annotation {ann["id"]} of image {ann["image_id"]} has '
            f'{len(joints) / 3:g} joints, but the data set has {num_joints}; '
            'give the annotation file of this data set (ann_file)'
        )
    area = ann.get('area') if use_area else None
    if area is None:
        area = ann['bbox'][2] * ann['bbox'][3] * AREA_RATIO
    return dict(
        id=ann['id'],
        image_id=ann['image_id'],
        category_id=int(ann.get('category_id', 1)),
        bbox=[float(x) for x in ann['bbox']],
        area=float(area),
        iscrowd=int(ann.get('iscrowd', 0)),
        keypoints=[float(x) for x in joints],
    )


def has_joint(person: Mapping[str, Any], joint: int) -> bool:
    """Whether a joint of somebody who is not a crowd is labelled."""
    return not person['iscrowd'] and person['keypoints'][3 * joint + 2] > 0


def ignored(person: Mapping[str, Any]) -> dict:
    """A person who does not count, for or against anybody."""
    return dict(person, keypoints=[0.0] * len(person['keypoints']))


def only_joint(entry: Mapping[str, Any], joint: int) -> dict:
    """A person or detection that consists of one joint."""
    return dict(entry, keypoints=entry['keypoints'][3 * joint : 3 * joint + 3])


def evaluate(
    people: Iterable[Mapping[str, Any]],
    detections: Iterable[Mapping[str, Any]],
    sigmas: np.ndarray,
) -> Precision:
    """AP and AR of people of all sizes.

    People without a labelled joint are ignored: a detection that fits into
    twice their box counts neither way.

    Args:
        people: See :func:`make_person`.
        detections: ``image_id``, ``category_id``, ``keypoints`` (3K numbers;
            the third of each is not asked), ``score`` and, if there is one,
            ``bbox`` (xywh).
        sigmas: ``(K,)`` of the joints.
    """
    return _run(OksEval, people, detections, sigmas)


def evaluate_zeroed(
    people: Iterable[Mapping[str, Any]],
    detections: Iterable[Mapping[str, Any]],
    sigmas: np.ndarray,
    joint: int,
) -> Precision:
    """AP and AR of one joint as the reference counts them (defect 9).

    All other joints of people and detections become (0, 0, 0) *after*
    COCOeval has decided who is ignored: people who have other joints, but
    not this one, can be found by no detection, and their detections are
    wrong.

    Args:
        people: As in :func:`evaluate`.
        detections: As in :func:`evaluate`.
        sigmas: ``(K,)`` of all joints.
        joint: Index.
    """

    return _run(partial(_ZeroedEval, joint), people, detections, sigmas)


class OksEval(COCOeval):
    """COCOeval that compares all pairs of a picture at once: the same
    numbers in half the time."""

    def computeOks(self, imgId: Any, catId: Any) -> Any:  # noqa: N802
        gts, dts = self._gts[imgId, catId], self._dts[imgId, catId]
        if not gts or not dts:
            return []
        order = np.argsort([-d['score'] for d in dts], kind='mergesort')
        found = _joints([dts[i] for i in order[: self.params.maxDets[-1]]])
        found = found[:, None, :, :2]
        truth = _joints(gts)
        corner, size = np.split(np.array([g['bbox'] for g in gts]), 2, axis=1)
        low, high = (x[:, None] for x in (corner - size, corner + 2 * size))
        outside = np.maximum(low - found, 0) + np.maximum(found - high, 0)
        counts = np.array(truth[..., 2] > 0)
        ignored = np.logical_not(counts.any(axis=1))
        delta = np.where(
            ignored[:, None, None], outside, found - truth[..., :2]
        )
        counts |= ignored[:, None]
        area = np.array([g['area'] for g in gts])[:, None] + np.spacing(1)
        variance = (2 * np.asarray(self.sigmas)) ** 2
        oks = np.exp(-(delta**2).sum(axis=-1) / variance / area / 2)
        return (oks * counts).sum(axis=-1) / counts.sum(axis=-1)


class _ZeroedEval(OksEval):
    def __init__(self, joint: int, *args: Any) -> None:
        super().__init__(*args)
        self._joint = joint

    def _prepare(self) -> None:
        super()._prepare()
        for entries in (self._gts, self._dts):
            for key, group in entries.items():
                entries[key] = [_zero_others(e, self._joint) for e in group]


def _joints(entries: Sequence[dict]) -> np.ndarray:
    """``(N, K, 3)`` of people or detections."""
    joints = np.array([entry['keypoints'] for entry in entries], np.float64)
    return joints.reshape(len(entries), -1, 3)


def _zero_others(entry: dict, joint: int) -> dict:
    joints = [0.0] * len(entry['keypoints'])
    kept = slice(3 * joint, 3 * joint + 3)
    joints[kept] = entry['keypoints'][kept]
    return dict(entry, keypoints=joints)


def _run(
    evaluator: Callable[..., COCOeval],
    people: Iterable[Mapping[str, Any]],
    detections: Iterable[Mapping[str, Any]],
    sigmas: np.ndarray,
) -> Precision:
    truth = [dict(person) for person in people]
    found = [_present(detection) for detection in detections]
    if not any(any(p['keypoints'][2::3]) for p in truth if not p['iscrowd']):
        return Precision(None, None)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = as_coco(truth, [d['image_id'] for d in found])
        run = evaluator(
            coco, coco.loadRes(found), 'keypoints', np.asarray(sigmas)
        )
        run.params.areaRng = [list(ANY_AREA)]
        run.params.areaRngLbl = ['all']
        run.evaluate()
        run.accumulate()
    return Precision(_mean(run.eval['precision']), _mean(run.eval['recall']))


def as_coco(people: Sequence[dict], images: Iterable = ()) -> COCO:
    """People as a COCO data set in memory.

    Args:
        people: See :func:`make_person`.
        images: Further image ids.
    """
    ids = dict.fromkeys([p['image_id'] for p in people])
    ids |= dict.fromkeys(images)
    coco = COCO()
    coco.dataset = dict(
        images=[dict(id=i) for i in ids],
        categories=[
            dict(id=c) for c in sorted({p['category_id'] for p in people})
        ],
        annotations=list(people),
    )
    coco.createIndex()
    return coco


def _present(detection: Mapping[str, Any]) -> dict:
    """A detection whose joints count whatever their scores are: COCOeval
    leaves out one that has no score above zero."""
    joints = list(detection['keypoints'])
    joints[2::3] = [1.0] * (len(joints) // 3)
    return dict(detection, keypoints=joints)


def _mean(values: np.ndarray) -> float | None:
    valid = values[values != _NO_PEOPLE]
    return float(valid.mean()) if valid.size else None
