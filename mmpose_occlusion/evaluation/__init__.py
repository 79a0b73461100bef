"""Metrics, registered in MMPose."""

from mmpose_occlusion.registration import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .per_keypoint import PerKeypointMetric  # noqa: E402

__all__ = ['PerKeypointMetric']
