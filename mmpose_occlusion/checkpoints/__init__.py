"""Checkpoints: read weights-only, and loaded without missing keys."""

from .load import load_into
from .read import CheckpointError, load_checkpoint_safely

__all__ = ['CheckpointError', 'load_checkpoint_safely', 'load_into']
