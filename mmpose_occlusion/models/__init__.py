"""Models, heads and losses, registered in MMPose."""

from mmpose_occlusion.requirements import FOR_MODELS, check_extensions

check_extensions(FOR_MODELS)

from .contrastive import (  # noqa: E402
    ContrastivePoseEstimator,
    OcclusionContrastLoss,
)
from .visibility import OcclusionVisHead  # noqa: E402

__all__ = [
    'ContrastivePoseEstimator',
    'OcclusionContrastLoss',
    'OcclusionVisHead',
]
