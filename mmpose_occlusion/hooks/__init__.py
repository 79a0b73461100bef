"""Hooks: counts and drawings of attacks, exact resume, atomic checkpoints."""

from .attacked_crops import AttackedCropsHook
from .interrupted_training import AtomicCheckpointHook, ExactResumeHook

__all__ = [
    'AtomicCheckpointHook',
    'AttackedCropsHook',
    'ExactResumeHook',
]
