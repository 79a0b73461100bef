"""Labelled keypoints of a run, one row each, for measures over keypoints."""

from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Predictions
from mmpose_occlusion.metrics.oks import keypoint_oks

from .prediction_measures import OKS50
from .run_measures import RunMeasures

OCCLUDED, VISIBLE = 1, 2
"""COCO's flags of labelled keypoints."""


@dataclass(frozen=True)
class KeypointTable:
    """Labelled keypoints of the annotated people, n rows: index of bbox, joint
    and image, COCO's flag v, whether the per-keypoint OKS is at least
    :data:`OKS50`, score, and per-keypoint OKS (0 for keypoints not found)."""

    row: np.ndarray
    joint: np.ndarray
    image: np.ndarray
    flag: np.ndarray
    right: np.ndarray
    score: np.ndarray
    similar: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(
        cls, measures: RunMeasures, predictions: Predictions
    ) -> 'KeypointTable':
        """Predictions against the ground truth."""
        boxes = measures.run.boxes
        offsets = np.asarray(predictions.keypoints, np.float64) - boxes.truth
        similar = np.nan_to_num(
            keypoint_oks(offsets, boxes.areas, measures.run.joints.sigmas)
        )
        row, joint = np.nonzero(measures.labelled)
        return cls(
            row=row,
            joint=joint,
            image=measures.image[row],
            flag=boxes.visible[row, joint],
            right=similar[row, joint] >= OKS50,
            score=np.asarray(predictions.scores, np.float64)[row, joint],
            similar=similar[row, joint],
        )

    @classmethod
    def joined(cls, tables: 'list[KeypointTable]') -> 'KeypointTable':
        """The rows of several tables."""
        columns = zip(*(vars(t).values() for t in tables), strict=True)
        return cls(*map(np.concatenate, columns))

    def only(self, mask: np.ndarray) -> 'KeypointTable':
        """The rows of a mask, (n,) bool or (N, K) bool."""
        if mask.ndim == 2:
            mask = mask[self.row, self.joint]
        return KeypointTable(*(column[mask] for column in vars(self).values()))
