"""AP and AR of people and poses in COCO's format."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .annotations import ANY_AREA, People
from .average_precision import Matches, PosePairs, average_precision


class Precision(NamedTuple):
    """AP and AR over OKS thresholds .50, .55, … .95; None without people."""

    ap: float | None
    ar: float | None


class CocoEvaluation:
    """AP and AR of poses for chosen people, joints and poses.

    Args:
        people: See :func:`.annotations.make_person`.
        poses: ``image_id``, ``category_id``, ``keypoints`` (3K numbers, of
            which each third is not used), ``score`` and, optionally,
            ``bbox`` (xywh), which gives the area instead of the keypoints,
            as in COCO's ``loadRes``. Poses of a category that no person has
            are left out.
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
        self.sides = None
        if poses and 'bbox' in poses[0]:
            self.sides = np.array([p['bbox'][2:] for p in poses])[self.known]
        self.pairs = PosePairs(
            self.people,
            np.searchsorted(ids, np.array(images, ids.dtype))[self.known],
            np.searchsorted(categories, category)[self.known],
        )
        self.compared = self.pairs.compare(self.keypoints, self.sigmas)

    def precision(
        self,
        joint: int | None = None,
        who: np.ndarray | None = None,
        keep: np.ndarray | None = None,
        area_range: tuple[float, float] = ANY_AREA,
    ) -> Precision:
        """AP and AR of one joint (people and poses consist of it alone) or
        all, of people ``(P,)`` who are not ignored, poses ``(D,)`` that take
        part, and people whose area is in a range; by default of all."""
        compared, labelled = self.compared, self.people.labelled
        found = self.keypoints
        if joint is not None:
            compared = compared.of_joint(joint)
            labelled, found = labelled[:, [joint]], found[:, [joint]]
        if who is not None:
            labelled = labelled & who[:, None]
        sides = np.ptp(found, axis=1) if self.sides is None else self.sides
        areas = np.prod(sides, axis=-1)
        rows = np.arange(len(self.scores))
        return _precision(
            compared.match(
                rows if keep is None else rows[keep[self.known]],
                self.scores,
                labelled,
                self.people.counting(labelled, area_range),
                (areas < area_range[0]) | (areas > area_range[1]),
            )
        )

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
