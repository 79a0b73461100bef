"""Drawings of occlusions: pairs of crops, gallery pages."""

from .drawing import draw_pair
from .gallery import CropPair, PoseStyle, gallery, record_caption

__all__ = ['CropPair', 'PoseStyle', 'draw_pair', 'gallery', 'record_caption']
