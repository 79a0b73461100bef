"""The figures of a report, as SVG."""

from .base import Picture, strongest_paint
from .bodies import body_figure
from .curves import curves_figure
from .forests import (
    comparison_figure,
    controls_figure,
    costs_figure,
    paints_figure,
)
from .joints import failures_figure, hidden_figure
from .matrices import matrix_figure

__all__ = [
    'Picture',
    'body_figure',
    'comparison_figure',
    'controls_figure',
    'costs_figure',
    'curves_figure',
    'failures_figure',
    'hidden_figure',
    'matrix_figure',
    'paints_figure',
    'strongest_paint',
]
