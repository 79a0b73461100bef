"""Labelled keypoints of a run, one row each, for measures over keypoints."""

from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.metrics.oks import keypoint_oks

from ..data import BenchmarkRun, Predictions
from .bootstrap import draw_weights

RIGHT = 0.5
"""Per-keypoint OKS from which a prediction counts as right."""

OCCLUDED, VISIBLE = 1, 2
"""COCO's flags of labelled keypoints."""


@dataclass(frozen=True)
class KeypointTable:
    """Labelled keypoints of the annotated people of a run.

    Args:
        row: (n,) index of the box.
        joint: (n,) index of the joint.
        image: (n,) index of the image, as the bootstrap's weights have them.
        flag: (n,) COCO's v, 1 or 2.
        right: (n,) bool, per-keypoint OKS of at least :data:`RIGHT`.
        score: (n,) the model's.
        similar: (n,) per-keypoint OKS.
    """

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
    def joined(cls, tables: 'list[KeypointTable]') -> 'KeypointTable':
        """The rows of several tables."""
        columns = zip(*(vars(t).values() for t in tables), strict=True)
        return cls(*map(np.concatenate, columns))

    def only(self, mask: np.ndarray) -> 'KeypointTable':
        """The rows of a mask, (n,) bool or (N, K) bool."""
        if mask.ndim == 2:
            mask = mask[self.row, self.joint]
        return KeypointTable(*(column[mask] for column in vars(self).values()))


def image_index(run: BenchmarkRun) -> np.ndarray:
    """(N,) index of each box's image among the sorted ids of the run's boxes
    and people, which is the bootstrap's order of images."""
    return np.searchsorted(_images(run), run.boxes.image_ids)


def image_weights(run: BenchmarkRun, draws: int, seed: int) -> np.ndarray:
    """(1 + draws, I) of :func:`.bootstrap.draw_weights`."""
    return draw_weights(len(_images(run)), draws, seed)


def _images(run: BenchmarkRun) -> np.ndarray:
    ids = run.boxes.image_ids
    people = [person['image_id'] for person in run.people]
    return np.unique(np.concatenate([ids, np.array(people, ids.dtype)]))


def keypoint_table(
    run: BenchmarkRun, predictions: Predictions
) -> KeypointTable:
    """Predictions of a run's labelled keypoints against the ground truth."""
    boxes = run.boxes
    labelled = (boxes.visible > 0) & np.isfinite(boxes.truth).all(axis=-1)
    offsets = np.asarray(predictions.keypoints, np.float64) - boxes.truth
    similar = keypoint_oks(offsets, boxes.areas, run.joints.sigmas)
    # a keypoint that the model did not place is wrong
    similar = np.where(np.isfinite(similar), similar, 0)
    row, joint = np.nonzero(labelled)
    return KeypointTable(
        row=row,
        joint=joint,
        image=image_index(run)[row],
        flag=boxes.visible[row, joint],
        right=similar[row, joint] >= RIGHT,
        score=np.asarray(predictions.scores, np.float64)[row, joint],
        similar=similar[row, joint],
    )


def drawn_rate(
    table: KeypointTable, weights: np.ndarray, values: np.ndarray | None = None
) -> np.ndarray:
    """Mean of ``values`` (by default, of being right) in resampled images.

    Args:
        table: n rows.
        weights: (1 + B, I) how often each image was drawn.
        values: (n,).

    Returns:
        (1 + B,); NaN where no row was drawn.
    """
    images = weights.shape[1]
    values = table.right if values is None else values
    total = weights @ np.bincount(table.image, values, images)
    number = weights @ np.bincount(table.image, minlength=images)
    return np.divide(
        total, number, out=np.full(len(total), np.nan), where=number > 0
    )


def drawn_rate_by_joint(
    table: KeypointTable, weights: np.ndarray, joints: int
) -> tuple[np.ndarray, np.ndarray]:
    """Share of right keypoints of each joint, and their number.

    Returns:
        Rates (K, 1 + B), NaN where none was drawn, and numbers (K, 1 + B).
    """
    images = weights.shape[1]
    cell = table.joint * images + table.image
    size = joints * images
    right = np.bincount(cell, table.right, size).reshape(joints, images)
    number = np.bincount(cell, minlength=size).reshape(joints, images)
    total, count = right @ weights.T, number @ weights.T
    return (
        np.divide(
            total, count, out=np.full(count.shape, np.nan), where=count > 0
        ),
        count,
    )
