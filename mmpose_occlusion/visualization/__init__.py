"""Pictures of occlusions: pairs, contact sheets, galleries."""

from .gallery import gallery
from .panels import pair, sheet
from .style import Style
from .view import View, outcome

__all__ = [
    'Style',
    'View',
    'gallery',
    'outcome',
    'pair',
    'sheet',
]
