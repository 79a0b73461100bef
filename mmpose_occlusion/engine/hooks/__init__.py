"""Hooks that tell and show what attacks did."""

from .summary import OcclusionSummaryHook
from .visualization import OcclusionVisualizationHook

__all__ = ['OcclusionSummaryHook', 'OcclusionVisualizationHook']
