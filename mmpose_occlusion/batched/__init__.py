"""Occlusions of whole batches: NumPy says where, torch paints."""

from .painting import Levels, paint, settle_means, views_of
from .part_boxes import corrected_boxes
from .patches import Patches

__all__ = [
    'Levels',
    'Patches',
    'corrected_boxes',
    'paint',
    'settle_means',
    'views_of',
]
