"""AP, AR and PCK of every joint."""

from collections.abc import Sequence

import numpy as np
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmpose_occlusion.metrics.coco_evaluation import CocoEvaluation
from mmpose_occlusion.metrics.pck import (
    PCK_THRESHOLD,
    box_size,
    joint_errors,
    pck,
)

from .people import PeopleMetric

MEASURES = ('AP', 'AR', 'PCK')


@METRICS.register_module()
class PerKeypointMetric(PeopleMetric):
    """AP, AR and PCK of each joint.

    - AP and AR of a joint are COCOeval's on people and predictions that
      consist of this joint alone: its sigma, the number of labelled joints
      and the ignore flags are those of the joint, and predictions of people
      without a label of it are dropped. A perfect model scores 1 on every
      joint.
    - PCK of a joint is the fraction of the people with a label of it whose
      prediction is nearer to the truth than ``pck_thr`` times the longer
      side of the bbox that the data set gives, as in MMPose's
      ``PCKAccuracy``. A person without a prediction counts as wrong; NMS
      plays no part.

    For every data set whose joints have names and sigmas, with annotated and
    with detected bboxes. Models that predict the presence of joints are
    scored by the positions alone.

    The metrics are ``<joint>/AP``, ``<joint>/AR``, ``<joint>/PCK`` and their
    means over joints, ``mean/AP`` and so on. Undefined ones (no person has a
    label) are left out.

    Args:
        pck_thr: Fraction of the bbox's longer side.
        paper_exact: AP and AR as in the paper's reference code, see
            :meth:`.CocoEvaluation.reference_precision`; PCK is the same.
        **kwargs: See :class:`.people.PeopleMetric`.
    """

    def __init__(
        self,
        pck_thr: float = PCK_THRESHOLD,
        paper_exact: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not pck_thr > 0:
            raise ValueError(
                f'PerKeypointMetric: pck_thr={pck_thr!r} must be a fraction '
                'of the bbox above 0, such as 0.2'
            )
        self.pck_thr = pck_thr
        self.paper_exact = paper_exact

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all processed results; see the class."""
        people = self.people(results)
        found = self.survivors(results)
        boxes = self.boxes(people, results)
        owners = self.owners(found, people, boxes, results, one_to_one=False)
        evaluation = CocoEvaluation(people, found, self.dataset_meta['sigmas'])
        crowd = evaluation.people.crowd[:, None]
        labelled = evaluation.people.labelled & ~crowd
        errors = joint_errors(
            self.predicted(people, boxes, results),
            evaluation.people.keypoints,
        )
        sizes = box_size(boxes)
        table = {}
        for j, name in sorted(self.dataset_meta['keypoint_id2name'].items()):
            mask = labelled[:, [j]]
            if self.paper_exact:
                precision = evaluation.reference_precision(j)
            else:
                lacking = np.append(~mask, False)  # the last for UNMATCHED
                precision = evaluation.precision(j, keep=~lacking[owners])
            score = pck(errors[:, [j]], sizes, mask, self.pck_thr)
            table[name] = (precision.ap, precision.ar, score)
        columns = zip(*table.values(), strict=True)
        table['mean'] = tuple(_mean(column) for column in columns)
        heading = 'AP, AR and PCK of each joint'
        if self.paper_exact:
            heading += ', AP and AR as the reference code counts them'
        MMLogger.get_current_instance().info(_text(heading, table))
        return {
            f'{name}/{measure}': value
            for name, row in table.items()
            for measure, value in zip(MEASURES, row, strict=True)
            if value is not None
        }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _text(heading: str, table: dict[str, tuple]) -> str:
    """The table as lines of text."""
    width = max(len(name) for name in table)
    lines = [heading, ' ' * width + ''.join(f'{m:>8}' for m in MEASURES)]
    for name, row in table.items():
        cells = ('–' if x is None else f'{x:.3f}' for x in row)
        lines.append(name.ljust(width) + ''.join(f'{c:>8}' for c in cells))
    return '\n'.join(lines)
