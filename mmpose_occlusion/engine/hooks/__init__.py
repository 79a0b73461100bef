"""Hooks that show what attacks did, resume exactly and save time."""

from .channels_last import ChannelsLastHook
from .exact_resume import ExactResumeHook
from .keep_memory import KeepMemoryHook
from .summary import OcclusionSummaryHook
from .visualization import OcclusionVisualizationHook

__all__ = [
    'ChannelsLastHook',
    'ExactResumeHook',
    'KeepMemoryHook',
    'OcclusionSummaryHook',
    'OcclusionVisualizationHook',
]
