"""Metrics, registered in MMPose."""

from .mpii_pckh import MpiiPCKh
from .per_keypoint import PerKeypointMetric

__all__ = ['MpiiPCKh', 'PerKeypointMetric']
