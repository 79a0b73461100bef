"""Drawings of occlusions: pairs of crops, contact sheets, gallery pages."""

from .crop_pair import CropPair, PoseStyle, record_caption
from .gallery import gallery
from .sheets import contact_sheet, draw_pair

__all__ = [
    'CropPair',
    'PoseStyle',
    'contact_sheet',
    'draw_pair',
    'gallery',
    'record_caption',
]
