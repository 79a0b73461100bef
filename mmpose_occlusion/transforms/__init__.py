"""Occlusions as transforms of MMPose's pipelines."""

from mmpose_occlusion.requirements import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .color_jitter import ColorJitter  # noqa: E402
from .empty_removed_heatmaps import EmptyRemovedHeatmaps  # noqa: E402
from .keep_image import KeepPicture  # noqa: E402
from .keypoint_occlusion import KeypointOcclusion  # noqa: E402
from .multi_keypoint_occlusion import MultiKeypointOcclusion  # noqa: E402
from .part_occlusion import PartOcclusion  # noqa: E402
from .partmix import PartMix  # noqa: E402
from .random_occlusion import RandomOcclusion  # noqa: E402

__all__ = [
    'ColorJitter',
    'EmptyRemovedHeatmaps',
    'KeepPicture',
    'KeypointOcclusion',
    'MultiKeypointOcclusion',
    'PartMix',
    'PartOcclusion',
    'RandomOcclusion',
]
