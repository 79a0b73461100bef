"""Hooks: summary and drawings of attacks, and bit-exact resume."""

from .exact_resume import ExactResumeHook
from .summary import OcclusionSummaryHook
from .visualization import OcclusionVisualizationHook

__all__ = [
    'ExactResumeHook',
    'OcclusionSummaryHook',
    'OcclusionVisualizationHook',
]
