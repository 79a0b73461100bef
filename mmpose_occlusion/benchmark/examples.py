"""Pictures of a sweep: what attacks look like, and where they hurt."""

from collections.abc import Iterator, Sequence

import numpy as np

from mmpose_occlusion.attacks import RECORD_KEY
from mmpose_occlusion.engine.crops import title_of, to_crop
from mmpose_occlusion.evaluation.functional import joint_errors
from mmpose_occlusion.occluders import labelled_joints
from mmpose_occlusion.visualization import View

from .crops import AttackedCrops
from .report.cases import pick
from .sweep import Sweep

__all__ = ['harm', 'pick', 'views']


def harm(sweep: Sweep) -> np.ndarray:
    """How much worse the hidden joints of each person got.

    Returns:
        ``(A, N)``: the largest growth of a hidden joint's error, as a part
        of the box's longer side; -inf where no labelled joint was hidden.
    """
    clean = joint_errors(sweep.clean, sweep.truth)
    attacked = joint_errors(sweep.attacked, sweep.truth)
    growth = (attacked - clean) / sweep.sizes[:, None]
    hidden = sweep.hidden & sweep.labelled & sweep.changed[..., None]
    return np.where(hidden, growth, -np.inf).max(axis=2)


def views(
    crops: AttackedCrops, sweep: Sweep, cases: Sequence[tuple[int, int]]
) -> Iterator[View]:
    """The crops of some cases with the model's predictions.

    Args:
        crops: The crops that the sweep went over.
        sweep: What the model said.
        cases: Index of the attack and of the person.
    """
    for number, person in cases:
        crop = crops.crops[person]
        attacked = crops.attacks[number](dict(crop))
        predicted = to_crop(sweep.attacked[number, person][None], crop)
        yield View(
            title=title_of(crop.get('img_id'), crop.get('id')),
            clean=crop['img'],
            occluded=attacked['img'],
            joints=np.asarray(crop['transformed_keypoints'], float),
            labelled=labelled_joints(crop['keypoints_visible']),
            records=attacked[RECORD_KEY],
            predicted=predicted,
        )
