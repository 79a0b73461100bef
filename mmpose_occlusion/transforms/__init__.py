"""Occlusions as transforms of MMPose's pipelines."""

from mmpose_occlusion.registration import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .auxiliary import (  # noqa: E402
    ColorJitter,
    EmptyRemovedHeatmaps,
    KeepImage,
)
from .occlusions import (  # noqa: E402
    CellOcclusion,
    KeypointOcclusion,
    MultiKeypointOcclusion,
    PartMix,
    PartOcclusion,
    RandomOcclusion,
)

__all__ = [
    'CellOcclusion',
    'ColorJitter',
    'EmptyRemovedHeatmaps',
    'KeepImage',
    'KeypointOcclusion',
    'MultiKeypointOcclusion',
    'PartMix',
    'PartOcclusion',
    'RandomOcclusion',
]
