"""Occlusions as transforms of MMPose's pipelines."""

from .empty_removed_heatmaps import EmptyRemovedHeatmaps
from .keypoint_occlusion import KeypointOcclusion
from .multi_keypoint_occlusion import MultiKeypointOcclusion
from .part_occlusion import PartOcclusion
from .partmix import PartMix
from .random_occlusion import RandomOcclusion

__all__ = [
    'EmptyRemovedHeatmaps',
    'KeypointOcclusion',
    'MultiKeypointOcclusion',
    'PartMix',
    'PartOcclusion',
    'RandomOcclusion',
]
