"""Occlusions as transforms of MMPose's pipelines."""

from .keypoint_occlusion import KeypointOcclusion
from .part_occlusion import PartOcclusion

__all__ = ['KeypointOcclusion', 'PartOcclusion']
