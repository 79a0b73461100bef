"""Metrics, registered in MMPose."""

from .per_keypoint import PerKeypointMetric

__all__ = ['PerKeypointMetric']
