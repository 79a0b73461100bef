"""The head that learns which joints are visible."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from tests.test_models.small import JOINTS, RESNET

WEIGHTS = torch.tensor([[1.0, 1, 0, 1, 1], [1, 1, 1, 1, 1]])
SHOWN = np.float32([[1, 0, 1, 1, 0]])  # of the first sample alone


def head(type_, **loss):
    init_default_scope('mmpose')
    torch.manual_seed(0)
    loss = dict(dict(type='BCELoss', use_sigmoid=True), **loss)
    return MODELS.build(dict(type=type_, pose_cfg=RESNET['head'], loss=loss))


def samples(occluded):
    out = []
    for index, weights in enumerate(WEIGHTS):
        sample = PoseDataSample()
        sample.gt_instances = InstanceData(keypoints=np.zeros((1, JOINTS, 2)))
        if occluded and index == 0:
            sample.gt_instances.keypoints_visible_weights = SHOWN
        sample.gt_instance_labels = InstanceData(
            keypoint_weights=weights[None]
        )
        maps = torch.rand(
            JOINTS, 16, 8, generator=torch.Generator().manual_seed(index)
        )
        sample.gt_fields = PixelData(heatmaps=maps)
        out.append(sample)
    return out


def losses(module, occluded):
    features = torch.rand(2, 64, 2, 1, generator=torch.manual_seed(1))
    with torch.no_grad():
        predicted = module.vis_forward((features,))
        return predicted, module.loss((features,), samples(occluded))


def test_without_occlusions_it_is_mmposes():
    _, ours = losses(head('OcclusionVisHead'), occluded=False)
    _, stock = losses(head('VisPredictHead'), occluded=False)
    assert ours.keys() == stock.keys()
    for name, value in stock.items():
        assert torch.as_tensor(ours[name]) == pytest.approx(value), name


@pytest.mark.parametrize('weighted', [False, True])
def test_hidden_joints_are_taught_as_not_visible(weighted):
    module = head('OcclusionVisHead', use_target_weight=weighted)
    predicted, found = losses(module, occluded=True)
    _, kept = losses(module, occluded=False)
    assert found['loss_kpt'] == kept['loss_kpt']
    visible = torch.tensor([[1.0, 0, 0, 1, 0], [1, 1, 1, 1, 1]])
    each = -torch.log(torch.where(visible > 0, predicted, 1 - predicted))
    if weighted:  # the joint without a label does not count
        each = each * torch.tensor([[1.0, 1, 0, 1, 1], [1, 1, 1, 1, 1]])
    assert found['loss_vis'] == pytest.approx(each.mean().item(), rel=1e-5)
