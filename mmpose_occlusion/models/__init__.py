"""Models, losses and batch augmentations, registered in MMPose."""

from .batch_occlusion import BatchOcclusion
from .contrastive_estimator import ContrastivePoseEstimator
from .contrastive_loss import OcclusionContrastLoss

__all__ = [
    'BatchOcclusion',
    'ContrastivePoseEstimator',
    'OcclusionContrastLoss',
]
