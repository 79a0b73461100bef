"""Models, heads and losses, registered in MMPose."""

from mmpose_occlusion.registration import FOR_MODELS, check_extensions

check_extensions(FOR_MODELS)

from .occlusion_models import (  # noqa: E402
    ContrastivePoseEstimator,
    OcclusionContrastLoss,
    OcclusionVisHead,
)

__all__ = [
    'ContrastivePoseEstimator',
    'OcclusionContrastLoss',
    'OcclusionVisHead',
]
