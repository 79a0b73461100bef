"""Drawings of occlusions: pairs of crops, contact sheets, gallery pages."""

from .crop_pair import CropPair, PoseStyle, record_caption
from .drawing import contact_sheet, draw_pair
from .gallery import gallery

__all__ = [
    'CropPair',
    'PoseStyle',
    'contact_sheet',
    'draw_pair',
    'gallery',
    'record_caption',
]
