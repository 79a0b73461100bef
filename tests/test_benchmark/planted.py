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
        fault: Gets the answer (1, K, 2), to be changed, and the names of the
            hidden joints.
    """

    def __init__(self, fault: Callable | None = None) -> None:
        super().__init__()
        self.fault = fault
        self.forwards = 0

    def test_step(self, data: dict) -> list:
        for sample in data['data_samples']:
            self.forwards += 1
            truth = sample.gt_instances
            answer = np.array(truth.keypoints, float)
            hidden = {
                joint
                for record in sample.metainfo.get('occlusions', [])
                for key in ('targets', 'bystanders')
                for _, joint in record[key]
            }
            if self.fault:
                self.fault(answer, hidden)
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
