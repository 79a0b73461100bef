"""Checkpoints: read without running code, converted, loaded without holes.

Three things that PyTorch's and MMEngine's own loaders leave to luck:

- **Reading** (:func:`load_checkpoint_safely`). A checkpoint is a pickle, and
  a pickle may run any code. Files are read weights-only; the few more names
  that MMEngine's training checkpoints and the reference's ``perf`` need are
  allowed one by one, by harmless stand-ins where the real thing is not.
- **Converting** (:func:`convert_file`). The reference's HRNet and
  SimpleBaseline checkpoints become MMPose's. Width, depth, deconvolutions
  and joints are read from keys and shapes; the file is taken only if its
  keys and shapes are exactly those of MMPose's model of that make.
- **Loading** (:func:`load_into`). A checkpoint that lacks keys or brings
  others is an error with their counts, not a model with random weights.

What weights cannot tell: the size of the crops (any will do, but scores are
published at one) and the order of the colour channels. The reference's
ResNet recipes read pictures as BGR, its HRNet recipes as RGB; a converted
ResNet therefore wants ``model.data_preprocessor.bgr_to_rgb=False``, which
the converter's command says and :func:`load_into` warns of.
"""

from .convert import check_target, convert, convert_file, is_reference, save
from .errors import CheckpointError
from .load import load_into
from .read import load_checkpoint_safely
from .recognise import Recognised, recognise
from .report import summarize

__all__ = [
    'CheckpointError',
    'Recognised',
    'check_target',
    'convert',
    'convert_file',
    'is_reference',
    'load_checkpoint_safely',
    'load_into',
    'recognise',
    'save',
    'summarize',
]
