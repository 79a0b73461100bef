"""Metrics, registered in MMPose."""

from .forced_occlusion import ForcedOcclusionMetric
from .mpii_pckh import MpiiPCKh
from .per_keypoint import PerKeypointMetric

__all__ = ['ForcedOcclusionMetric', 'MpiiPCKh', 'PerKeypointMetric']
