"""Hooks: attacks' summary and drawings, exact resume, atomic checkpoints."""

from .atomic_checkpoint import AtomicCheckpointHook
from .exact_resume import ExactResumeHook
from .summary import OcclusionSummaryHook
from .visualization import OcclusionVisualizationHook

__all__ = [
    'AtomicCheckpointHook',
    'ExactResumeHook',
    'OcclusionSummaryHook',
    'OcclusionVisualizationHook',
]
