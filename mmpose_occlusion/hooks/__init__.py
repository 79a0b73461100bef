"""Hooks: attacks' summary and drawings, exact resume, atomic checkpoints."""

from .attacked_crops import OcclusionSummaryHook, OcclusionVisualizationHook
from .interrupted_training import AtomicCheckpointHook, ExactResumeHook

__all__ = [
    'AtomicCheckpointHook',
    'ExactResumeHook',
    'OcclusionSummaryHook',
    'OcclusionVisualizationHook',
]
