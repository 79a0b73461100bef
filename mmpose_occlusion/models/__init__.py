"""Heads, registered in MMPose."""

from mmpose_occlusion.registration import FOR_MODELS, check_extensions

check_extensions(FOR_MODELS)

from .visibility_head import OcclusionVisHead  # noqa: E402, F401
