"""Hooks that tell and show what attacks did, and make resuming exact."""

from .exact_resume import ExactResumeHook
from .summary import OcclusionSummaryHook
from .visualization import OcclusionVisualizationHook

__all__ = [
    'ExactResumeHook',
    'OcclusionSummaryHook',
    'OcclusionVisualizationHook',
]
