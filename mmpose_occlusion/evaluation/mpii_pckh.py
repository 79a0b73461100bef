"""PCKh in the form of MPII's tables."""

import numpy as np
from mmengine.logging import MMLogger
from mmpose.evaluation.metrics import MpiiPCKAccuracy
from mmpose.registry import METRICS

from mmpose_occlusion.metrics.pck import (
    NOT_IN_PCKH,
    PCKH_THRESHOLD,
    joint_errors,
    pck,
)
from mmpose_occlusion.skeleton import Skeleton


def _both(joint: str) -> tuple[str, str]:
    return f'left_{joint}', f'right_{joint}'


GROUPS = {
    'Head': ('head_top',),
    'Shoulder': _both('shoulder'),
    'Elbow': _both('elbow'),
    'Wrist': _both('wrist'),
    'Hip': _both('hip'),
    'Knee': _both('knee'),
    'Ankle': _both('ankle'),
}
"""Columns of MPII's tables, each the mean of its joints."""

FINE = 0.1
"""The threshold of the second mean."""


@METRICS.register_module()
class MpiiPCKh(MpiiPCKAccuracy):
    """PCKh in per cent: each group of joints, Mean and Mean@0.1.

    A joint is correct if it is nearer to the truth than ``thr`` times the size
    of the head, which MMPose's ``MpiiDataset`` reads from its
    ``headbox_file``. The means are over all labelled joints but pelvis and
    thorax; a group is the mean of its left and right joint.

    MMPose's ``MpiiPCKAccuracy`` gives the same with ``offset=1``, and -100
    for a joint that no person has, which is left out here.

    Args:
        thr: Fraction of the head's size.
        offset: Pixels added to the predictions. MPII counts pixels from 1.
            The reference and MMPose 0.x took this 1 from the joints before
            training, so that their models need ``offset=1``; MMPose 1.x
            trains with the joints as they are, and its models need none.
        collect_device: Where the results of several processes are collected.
        prefix: Of the metrics' names.
    """

    default_prefix = 'PCKh'

    def __init__(
        self,
        thr: float = PCKH_THRESHOLD,
        offset: float = 0.0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(
            thr=thr,
            norm_item='head',
            collect_device=collect_device,
            prefix=prefix,
        )
        self.offset = offset

    def process(self, data_batch: list, data_samples: list[dict]) -> None:
        """Keep the joints of a batch.

        Raises:
            ValueError: A sample has no size of the head.
        """
        for sample in data_samples:
            if 'head_size' not in sample['gt_instances']:
                raise ValueError(
                    'MpiiPCKh needs the sizes of heads, and image '
                    f'{sample.get("img_id")} has none: set headbox_file of '
                    "the data set to MPII's .mat of head boxes, or use "
                    'PCKAccuracy, which is normalised by bboxes'
                )
        super().process(data_batch, data_samples)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all processed results; see the class."""
        logger = MMLogger.get_current_instance()
        logger.info(f'Evaluating {type(self).__name__}...')
        joined = {
            key: np.concatenate([result[key] for result in results])
            for key in ('pred_coords', 'gt_coords', 'mask', 'head_size')
        }
        errors = joint_errors(
            joined['pred_coords'] + self.offset, joined['gt_coords']
        )
        sizes = joined['head_size'][:, 0]
        mask = joined['mask']
        skeleton = Skeleton.from_metainfo(self.dataset_meta)
        out = {}
        for group, joints in GROUPS.items():
            scores = [
                pck(errors[:, [j]], sizes, mask[:, [j]], self.thr)
                for j in map(skeleton.joint_index, joints)
            ]
            known = [score for score in scores if score is not None]
            if known:
                out[group] = 100 * float(np.mean(known))
        mask = mask.copy()
        mask[:, [skeleton.joint_index(j) for j in NOT_IN_PCKH]] = False
        for name, thr in (('Mean', self.thr), (f'Mean@{FINE}', FINE)):
            score = pck(errors, sizes, mask, thr)
            if score is not None:
                out[name] = 100 * score
        return out
