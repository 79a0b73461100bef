"""Metrics, registered in MMPose."""

from mmpose_occlusion.requirements import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .forced_occlusion import ForcedOcclusionMetric  # noqa: E402
from .per_keypoint import PerKeypointMetric  # noqa: E402

__all__ = ['ForcedOcclusionMetric', 'PerKeypointMetric']
