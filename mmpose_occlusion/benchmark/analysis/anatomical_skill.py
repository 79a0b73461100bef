"""Does the model infer a hidden joint, or guess it?

A network with positive skill places a hidden joint better than a linear model
of anatomy does, which knows the person's other joints.
"""

from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.metrics.confidence import folds
from mmpose_occlusion.metrics.pck import joint_errors

from .bootstrap import Estimate, estimate, weighted_mean
from .run_measures import RunMeasures

SHRINKAGE = 0.1
"""Fraction of the diagonal in the covariance, against too few people."""

MIN_JOINTS = 3
"""Labelled joints that a person needs to be predicted from."""


class PosePrior:
    """A Gaussian over poses in the frame of their boxes.

    A pose is centred at its box's centre and divided by the box's longer side;
    left-right mirrored poses count, too. Mean and covariance are of the
    labelled joints (pairwise), the covariance shrunk towards its diagonal.

    Args:
        keypoints: ``(N, K, 2)`` true joints, pixels, NaN without label.
        boxes: ``(N, 4)`` xyxy.
        flip: ``(K,)`` index of each joint's left-right twin, or itself.
    """

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


@dataclass(frozen=True)
class AnatomicalSkill:
    """A model against anatomy at the hidden targets of an attack that the
    prior can place: mean EPE of both as fractions of the box's longer side,
    the prior fitted on other images, and ``skill``, 1 - model / prior: 1 is
    perfect, 0 as good as the prior, below 0 worse."""

    attack: str
    keypoints: int
    model: Estimate
    prior: Estimate
    skill: Estimate


class SkillJudge:
    """Compares a model with anatomy under each attack, with ``draws``
    resampled sets of images."""

    def __init__(self, measures: RunMeasures, draws: int) -> None:
        self.measures = measures
        self._weights = measures.weights[: draws + 1]
        boxes = measures.run.boxes
        self._known = np.isfinite(boxes.person_boxes).all(axis=1)
        self._truth = np.where(
            measures.labelled[..., None], boxes.truth, np.nan
        )
        self._priors: list[PosePrior | None] = [None] * len(boxes)
        for mine, others in folds(measures.image):
            fitted = others & self._known
            if fitted.any():
                prior = PosePrior(
                    self._truth[fitted],
                    boxes.person_boxes[fitted],
                    measures.run.joints.flip,
                )
                for row in np.flatnonzero(mine):
                    self._priors[row] = prior
        self._expected: dict[tuple[int, bytes], np.ndarray] = {}

    def skill(self, attack: Attacked) -> AnatomicalSkill | None:
        """At the targets of an attack; None where the prior places none."""
        measures, boxes = self.measures, self.measures.run.boxes
        hidden = attack.targets & attack.changed[:, None] & measures.labelled
        placed = np.full(self._truth.shape, np.nan)
        for row in np.flatnonzero(hidden.any(axis=1) & self._known).tolist():
            prior = self._priors[row]
            key = row, hidden[row].tobytes()
            if prior is not None and key not in self._expected:
                self._expected[key] = prior.expected(
                    self._truth[row], boxes.person_boxes[row], hidden[row]
                )
            placed[row] = self._expected.get(key, np.nan)
        errors = [
            joint_errors(found, boxes.truth) / measures.sizes[:, None]
            for found in (attack.predictions.keypoints, placed)
        ]
        mask = hidden & np.isfinite(errors).all(axis=0)
        if not mask.any():
            return None
        model, of_prior = (
            weighted_mean(self._weights, measures.image, each, mask)
            for each in errors
        )
        with np.errstate(invalid='ignore', divide='ignore'):
            skill = 1 - model / of_prior
        return AnatomicalSkill(
            attack.name,
            int(mask.sum()),
            *map(estimate, (model, of_prior, skill)),
        )
