"""Charts of a report as SVG; they take plain values, no analysis."""

from .body_chart import body_chart, body_layout
from .chart_base import LOOKS, Chart, Look, looks
from .forest_chart import Group, forest_chart
from .severity_chart import Line, severity_chart

__all__ = [
    'LOOKS',
    'Chart',
    'Group',
    'Line',
    'Look',
    'body_chart',
    'body_layout',
    'forest_chart',
    'looks',
    'severity_chart',
]
