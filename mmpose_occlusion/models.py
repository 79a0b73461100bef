"""A head, registered in MMPose, that learns which joints are visible."""

# ruff: noqa: E402

from typing import Any

from mmpose_occlusion.registration import FOR_MODELS, check_extensions

check_extensions(FOR_MODELS)

import torch
from mmpose.models.heads import VisPredictHead
from mmpose.registry import MODELS
from torch import Tensor

from mmpose_occlusion.transforms.occlusion_transform import SHOWN


@MODELS.register_module()
class OcclusionVisHead(VisPredictHead):
    """``VisPredictHead`` that learns that hidden joints are not visible.

    MMPose's takes a joint's target weight as its visibility: a joint under a
    disc, whose coordinates shall be learned, counts as seen. Here a joint is
    visible if its weight is not 0 and no occlusion with ``label='occluded'``
    hid it; the pose head's loss is as before. Without such occlusions it is
    MMPose's head. Tests and checkpoint keys are the same.

    With ``loss.use_target_weight=True`` joints without a target weight are
    left out of the visibility's loss; otherwise, as in MMPose, they count as
    not visible.
    """

    def loss(
        self, feats: Any, batch_data_samples: list, train_cfg: Any = None
    ) -> dict[str, Tensor]:
        """``loss_vis``, ``acc_vis``, and the losses of the pose head."""
        samples = batch_data_samples
        targets = [sample.gt_instance_labels for sample in samples]
        labels = torch.cat([one.keypoint_weights.float() for one in targets])
        ones = torch.ones(1, labels.shape[1])
        shown = [sample.gt_instances.get(SHOWN, ones) for sample in samples]
        visible = labels * torch.cat([*map(torch.as_tensor, shown)]).to(labels)
        weights = None
        if self.loss_module.use_target_weight:
            weights = (labels > 0).float()
        predicted = self.vis_forward(feats)
        return dict(
            loss_vis=self.loss_module(predicted, visible, weights),
            acc_vis=self.vis_accuracy(predicted, visible, weights),
            **self.pose_head.loss(feats, batch_data_samples, train_cfg or {}),
        )
