"""Pose estimators of which the network costs nothing, for measurements."""

from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.models.heads import BaseHead, HeatmapHead
from mmpose.registry import MODELS
from torch import nn


@MODELS.register_module()
class NoBackbone(nn.Module):
    """Hands the pictures on."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """``(N, 3, H, W)`` as it is."""
        return (x,)


@MODELS.register_module()
class FixedJoints(BaseHead):
    """Finds all joints in the middle of each crop.

    Args:
        joints: K.
        input_size: Width and height of the crops.
    """

    def __init__(self, joints: int, input_size: tuple[int, int]) -> None:
        super().__init__()
        middle = np.array(input_size, np.float32) / 2
        self._keypoints = np.tile(middle, (1, joints, 1))
        self._scores = np.ones((1, joints), np.float32)

    def forward(self, feats: Any) -> None:
        """Nothing."""

    def loss(self, *args: Any, **kwargs: Any) -> dict:
        """There is none."""
        return {}

    def predict(
        self, feats: Any, batch_data_samples: list, test_cfg: Any
    ) -> list[InstanceData]:
        """The same for each of the samples."""
        return [
            InstanceData(
                keypoints=self._keypoints.copy(),
                keypoint_scores=self._scores.copy(),
            )
            for _ in batch_data_samples
        ]


@MODELS.register_module()
class FixedHeatmaps(HeatmapHead):
    """Has one heatmap for each joint, whatever it sees; MMPose decodes it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **dict(kwargs, deconv_out_channels=None, final_layer=None)
        )
        width, height = kwargs['decoder']['heatmap_size']
        generator = torch.Generator().manual_seed(0)
        maps = torch.rand(
            (1, kwargs['out_channels'], height, width), generator=generator
        )
        self.register_buffer('maps', maps)

    def forward(self, feats: tuple[torch.Tensor]) -> torch.Tensor:
        """``(N, K, h, w)`` for N pictures, without copies."""
        return self.maps.expand(len(feats[0]), -1, -1, -1)
