"""Occlusions as transforms of MMPose's pipelines."""

from mmpose_occlusion.requirements import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .color_jitter import ColorJitter  # noqa: E402
from .empty_removed_heatmaps import EmptyRemovedHeatmaps  # noqa: E402
from .keep_image import KeepImage  # noqa: E402
from .mixed_occlusions import MultiKeypointOcclusion, PartMix  # noqa: E402
from .occlusions import (  # noqa: E402
    KeypointOcclusion,
    PartOcclusion,
    RandomOcclusion,
)

__all__ = [
    'ColorJitter',
    'EmptyRemovedHeatmaps',
    'KeepImage',
    'KeypointOcclusion',
    'MultiKeypointOcclusion',
    'PartMix',
    'PartOcclusion',
    'RandomOcclusion',
]
