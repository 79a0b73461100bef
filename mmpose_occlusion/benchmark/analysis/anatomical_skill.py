"""Does the model infer a hidden joint, or guess it?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmpose_occlusion.metrics.anatomical_prior import FOLDS, PosePrior
from mmpose_occlusion.metrics.pck import box_size, joint_errors

from ..data import Attacked, BenchmarkRun
from .bootstrap import Estimate, estimate, weighted_mean
from .keypoints import image_index


@dataclass(frozen=True)
class AnatomicalSkill:
    """A model against anatomy at the joints that an attack hides.

    Args:
        attack: Name.
        keypoints: Hidden targets that the prior can place.
        model: Mean EPE of the model as a fraction of the box's longer side.
        prior: Mean EPE of the prior, the joint's expected place given the
            person's other labelled joints, fitted on other images.
        skill: 1 - model / prior: 1 is perfect, 0 as good as the prior, below
            0 worse.
    """

    attack: str
    keypoints: int
    model: Estimate
    prior: Estimate
    skill: Estimate


class SkillJudge:
    """Compares a model with anatomy under each attack.

    Args:
        run: The run.
        weights: (1 + B, I), images in the order of
            :func:`.keypoints.image_index`.
    """

    def __init__(self, run: BenchmarkRun, weights: np.ndarray) -> None:
        self.run, self.weights = run, weights
        boxes = run.boxes
        self.image = image_index(run)
        self.labelled = (boxes.visible > 0) & np.isfinite(boxes.truth).all(-1)
        self.truth = np.where(self.labelled[..., None], boxes.truth, np.nan)
        self.known = np.isfinite(boxes.person_boxes).all(axis=1)
        self.sizes = box_size(boxes.person_boxes)[:, None]
        self._fold = self.image % FOLDS
        self._expected: dict[tuple[int, bytes], np.ndarray] = {}

    @cached_property
    def _priors(self) -> dict[int, PosePrior]:
        """By fold, fitted on the people of the others."""
        boxes, flip = self.run.boxes.person_boxes, self.run.joints.flip
        out = {}
        for fold in range(FOLDS):
            others = self.known & (self._fold != fold)
            if others.any():
                out[fold] = PosePrior(self.truth[others], boxes[others], flip)
        return out

    def skill(self, attack: Attacked) -> AnatomicalSkill | None:
        """At the targets of an attack; None where the prior places none."""
        hidden = attack.targets & attack.changed[:, None] & self.labelled
        rows = np.flatnonzero(hidden.any(axis=1) & self.known)
        prior = np.full(self.truth.shape, np.nan)
        for row in rows:
            prior[row] = self._place(int(row), hidden[row])
        truth = self.run.boxes.truth
        of_prior = joint_errors(prior, truth) / self.sizes
        of_model = joint_errors(attack.predictions.keypoints, truth)
        of_model = of_model / self.sizes
        mask = hidden & np.isfinite(of_prior) & np.isfinite(of_model)
        if not mask.any():
            return None
        model, placed = (
            weighted_mean(self.weights, self.image, errors, mask)
            for errors in (of_model, of_prior)
        )
        with np.errstate(invalid='ignore', divide='ignore'):
            skill = 1 - model / placed
        return AnatomicalSkill(
            attack.name,
            int(mask.sum()),
            *map(estimate, (model, placed, skill)),
        )

    def _place(self, row: int, hidden: np.ndarray) -> np.ndarray:
        """(K, 2) expected place of a person's hidden joints (K,)."""
        key = row, hidden.tobytes()
        if key not in self._expected:
            prior = self._priors.get(int(self._fold[row]))
            one = [row]
            self._expected[key] = (
                np.full(self.truth.shape[1:], np.nan)
                if prior is None
                else prior.expected(
                    self.truth[one],
                    self.run.boxes.person_boxes[one],
                    hidden[None],
                )[0]
            )
        return self._expected[key]
