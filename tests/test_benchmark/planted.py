"""Models whose answers are known: perfect ones, and ones with a fault."""

from collections.abc import Callable

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

METAINFO = dict(from_file='configs/_base_/datasets/coco.py')


class PlantedModel(torch.nn.Module):
    """Answers with the truth, changed by a fault.

    Args:
        fault: Gets the answer (1, K, 2), to be changed, and the set of the
            numbers of the joints that are black in the input.
    """

    def __init__(self, fault: Callable | None = None) -> None:
        super().__init__()
        self.fault = fault

    def test_step(self, data: dict) -> list:
        for crop, sample in zip(
            data['inputs'], data['data_samples'], strict=True
        ):
            truth = sample.gt_instances
            answer = np.array(truth.keypoints, float)
            if self.fault:
                corner = sample.input_center - sample.input_scale / 2
                zoom = np.array(sample.input_size) / sample.input_scale
                xy = ((answer[0] - corner) * zoom).round().astype(int)
                inside = ((xy >= 0) & (xy < sample.input_size)).all(axis=1)
                x, y = np.where(inside[:, None], xy, 0).T
                black = (crop[:, y, x] == 0).all(dim=0).numpy() & inside
                self.fault(answer, set(np.flatnonzero(black).tolist()))
            sample.pred_instances = InstanceData(
                keypoints=answer,
                keypoint_scores=np.ones(answer.shape[:2]),
                bboxes=truth.bboxes,
                bbox_scores=truth.bbox_scores,
            )
        return data['data_samples']


def config(root, ann_file: str, prefix: str, size=(96, 128)) -> Config:
    """A test of a COCO-like set on small crops with annotated boxes."""
    dataset = dict(
        type='CocoDataset',
        data_root=str(root),
        ann_file=ann_file,
        data_prefix=dict(img=prefix),
        test_mode=True,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=size),
            dict(type='PackPoseInputs'),
        ],
    )
    evaluator = dict(type='CocoMetric', ann_file=f'{root}/{ann_file}')
    return Config(
        dict(
            test_dataloader=dict(dataset=dataset),
            test_evaluator=evaluator,
        )
    )
