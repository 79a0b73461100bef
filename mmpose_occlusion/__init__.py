"""Occlusions for MMPose: augmentations, attacks and benchmarks.

``custom_imports = dict(imports=['mmpose_occlusion'])`` in any MMPose config
registers everything that this package offers.
"""

from . import requirements
from .version import __version__

requirements.check()

from . import datasets, engine, evaluation, models, visualization  # noqa: E402
from .benchmark import loop as _loop  # noqa: E402, F401 (registers it)

__all__ = [
    '__version__',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'visualization',
]
