"""Models, losses and batch augmentations, registered in MMPose."""

from mmpose_occlusion.requirements import FOR_MODELS, check_extensions

check_extensions(FOR_MODELS)

from .contrastive_estimator import ContrastivePoseEstimator  # noqa: E402
from .contrastive_loss import OcclusionContrastLoss  # noqa: E402

__all__ = [
    'ContrastivePoseEstimator',
    'OcclusionContrastLoss',
]
