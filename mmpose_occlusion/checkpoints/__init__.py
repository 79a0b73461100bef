"""Checkpoints: read weights-only, and loaded without missing keys.

- :func:`load_checkpoint_safely`: a checkpoint is a pickle, which may run any
  code. Files are read weights-only; a few more names that MMEngine's training
  checkpoints and the reference's need are allowed one by one.
- :func:`load_into`: a checkpoint that lacks keys of the model or has others
  is an error with their counts, not a model with random weights.

Checkpoints of the reference code are converted by
``projects/tilting_at_windmills``.
"""

from .load import load_into
from .read import CheckpointError, load_checkpoint_safely

__all__ = ['CheckpointError', 'load_checkpoint_safely', 'load_into']
