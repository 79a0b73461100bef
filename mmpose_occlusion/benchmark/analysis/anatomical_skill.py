"""Does the model infer a hidden joint, or guess it?"""

from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.metrics.anatomical_prior import expected_by_fold
from mmpose_occlusion.metrics.pck import box_size, joint_errors

from ..data import Attacked, BenchmarkRun
from .bootstrap import Estimate, estimate
from .keypoints import image_index


@dataclass(frozen=True)
class AnatomicalSkill:
    """A model against anatomy at the joints that an attack hides.

    Args:
        attack: Name.
        joint: Name, or ``all``.
        keypoints: Hidden targets that the prior can place.
        model: Mean EPE of the model as a fraction of the box's longer side.
        prior: Mean EPE of the prior, the joint's expected place given the
            person's other labelled joints, fitted on other images.
        skill: 1 - model / prior: 1 is perfect, 0 as good as the prior, below
            0 worse.
    """

    attack: str
    joint: str
    keypoints: int
    model: Estimate
    prior: Estimate
    skill: Estimate


def anatomical_skill(
    run: BenchmarkRun, attack: Attacked, weights: np.ndarray
) -> list[AnatomicalSkill]:
    """Skill at the targets of an attack, over all joints and for each.

    Args:
        run: The run.
        attack: One of its attacks.
        weights: (1 + B, I), images in the order of
            :func:`.keypoints.image_index`.
    """
    boxes = run.boxes
    labelled = (boxes.visible > 0) & np.isfinite(boxes.truth).all(axis=-1)
    hidden = attack.targets & attack.changed[:, None] & labelled
    rows = np.flatnonzero(
        hidden.any(axis=1) & np.isfinite(boxes.person_boxes).all(axis=1)
    )
    known = np.flatnonzero(np.isfinite(boxes.person_boxes).all(axis=1))
    if not len(rows):
        return []
    image = image_index(run)
    truth = np.where(labelled[..., None], boxes.truth, np.nan)
    prior = np.full(truth.shape, np.nan)
    prior[known] = expected_by_fold(
        truth[known],
        boxes.person_boxes[known],
        run.joints.flip,
        hidden[known],
        image[known],
    )
    sizes = box_size(boxes.person_boxes)[:, None]
    of_prior = joint_errors(prior, boxes.truth) / sizes
    of_model = joint_errors(attack.predictions.keypoints, boxes.truth) / sizes
    mask = hidden & np.isfinite(of_prior) & np.isfinite(of_model)
    chosen = [('all', mask)]
    asked = np.flatnonzero(mask.any(axis=0))
    if len(asked) > 1:
        for k in asked:
            column = np.zeros(mask.shape[1], bool)
            column[k] = True
            chosen.append((run.joints.names[k], mask & column))
    return [
        _skill(attack.name, name, part, of_model, of_prior, image, weights)
        for name, part in chosen
        if part.any()
    ]


def _skill(
    attack: str,
    joint: str,
    mask: np.ndarray,
    of_model: np.ndarray,
    of_prior: np.ndarray,
    image: np.ndarray,
    weights: np.ndarray,
) -> AnatomicalSkill:
    images = weights.shape[1]
    row, column = np.nonzero(mask)
    number = weights @ np.bincount(image[row], minlength=images)
    model, prior = (
        np.divide(
            weights @ np.bincount(image[row], errors[row, column], images),
            number,
            out=np.full(len(number), np.nan),
            where=number > 0,
        )
        for errors in (of_model, of_prior)
    )
    with np.errstate(invalid='ignore', divide='ignore'):
        skill = 1 - model / prior
    return AnatomicalSkill(
        attack,
        joint,
        int(mask.sum()),
        estimate(model),
        estimate(prior),
        estimate(skill),
    )
