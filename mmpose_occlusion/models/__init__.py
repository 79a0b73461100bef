"""Models and losses, registered in MMPose."""

from .contrastive_estimator import ContrastivePoseEstimator
from .contrastive_loss import OcclusionContrastLoss

__all__ = ['ContrastivePoseEstimator', 'OcclusionContrastLoss']
