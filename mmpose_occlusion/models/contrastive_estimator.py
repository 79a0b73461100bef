"""A top-down model trained to predict the same with and without occlusion."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpose.evaluation.functional import pose_pck_accuracy
from mmpose.models.heads import CPMHead, HeatmapHead
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils.tensor_utils import to_numpy
from torch import Tensor

from mmpose_occlusion.datasets.occlusion_views import PLAIN

from .views import find_views, flatten_views


@MODELS.register_module()
class ContrastivePoseEstimator(TopdownPoseEstimator):
    """``TopdownPoseEstimator``, trained on several views of each crop.

    The crops come from
    :class:`mmpose_occlusion.datasets.OcclusionViewsDataset`. All views go
    through the network in one batch, with the same batch statistics, so that
    differences between their heatmaps are due to the occlusion alone; running
    statistics are those of all views. (The reference does not say how it ran
    them.) B crops of V views need the memory of a batch of V B crops.

    Tests, inference and checkpoint keys are those of
    ``TopdownPoseEstimator``: each loads the other's checkpoints.

    Args:
        contrast: Config of the loss, see :class:`OcclusionContrastLoss`. It
            replaces the head's loss.
        **kwargs: As for ``TopdownPoseEstimator``. The head gives one heatmap
            for each joint: ``HeatmapHead`` (HRNet, ResNet) or ``CPMHead``
            (Hourglass), or a subclass.

    Raises:
        ValueError: For another head.
    """

    def __init__(
        self,
        *args: Any,
        contrast: Mapping | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        head = getattr(self, 'head', None)
        if not isinstance(head, HeatmapHead | CPMHead):
            raise ValueError(
                'ContrastivePoseEstimator compares heatmaps, which '
                f'model.head of type {type(head).__name__} does not give: '
                'use HeatmapHead or CPMHead.'
            )
        self.contrast = MODELS.build(
            dict(dict(type='OcclusionContrastLoss'), **(contrast or {}))
        )
        self.data_preprocessor.register_forward_pre_hook(flatten_views)

    def loss(
        self, inputs: Tensor, data_samples: Sequence[PoseDataSample]
    ) -> dict[str, Tensor]:
        """The terms of the loss, and the accuracy on the plain view.

        Args:
            inputs: (V B, C, H, W) of V views.
            data_samples: As many, each with its view's name in its metainfo.

        Returns:
            ``loss_kpt``, ``loss_<view>`` for each other view, and
            ``acc_pose`` as MMPose's heads give it (not, if
            ``train_cfg.compute_acc`` is False).

        Raises:
            ValueError: The batch has no views, or its targets are not one
                heatmap for each joint.
        """
        views = find_views(data_samples)
        output = self.head(self.extract_feat(inputs))
        stages = output if isinstance(output, list | tuple) else [output]
        heatmaps = {
            name: [maps[indices] for maps in stages]
            for name, indices in views.items()
        }
        weights = {
            name: torch.cat(
                [
                    data_samples[i].gt_instance_labels.keypoint_weights
                    for i in indices
                ]
            )
            for name, indices in views.items()
        }
        target = _targets([data_samples[i] for i in views[PLAIN]])
        _check_shapes(heatmaps[PLAIN], target, weights[PLAIN])
        losses = self.contrast(heatmaps, target, weights)
        if self.train_cfg.get('compute_acc', True):
            _, accuracy, _ = pose_pck_accuracy(
                output=to_numpy(heatmaps[PLAIN][-1]),
                target=to_numpy(target),
                mask=to_numpy(weights[PLAIN]) > 0,
            )
            losses['acc_pose'] = torch.tensor(accuracy, device=target.device)
        return losses


def _targets(samples: Sequence[PoseDataSample]) -> Tensor:
    """(B, K, h, w)."""
    maps = [
        getattr(getattr(sample, 'gt_fields', None), 'heatmaps', None)
        for sample in samples
    ]
    if not all(isinstance(each, Tensor) for each in maps):
        raise ValueError(
            'ContrastivePoseEstimator needs one heatmap for each joint as '
            'target: give GenerateTarget one heatmap codec, such as '
            'MSRAHeatmap.'
        )
    return torch.stack(maps)


def _check_shapes(
    stages: Sequence[Tensor], target: Tensor, weights: Tensor
) -> None:
    shapes = [tuple(maps.shape) for maps in stages]
    if any(shape != target.shape for shape in shapes) or (
        weights.shape != target.shape[:2]
    ):
        raise ValueError(
            f'ContrastivePoseEstimator: heatmaps {shapes}, targets '
            f'{tuple(target.shape)} and target weights '
            f'{tuple(weights.shape)} do not go together; the head and the '
            'codec must give one heatmap of equal size for each joint.'
        )
