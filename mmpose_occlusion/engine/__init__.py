"""Running trainings and tests: configs, launchers, hooks."""

from .errors import UsageError
from .hooks import OcclusionSummaryHook, OcclusionVisualizationHook

__all__ = [
    'OcclusionSummaryHook',
    'OcclusionVisualizationHook',
    'UsageError',
]
