"""Occlusions for MMPose: augmentations, attacks and benchmarks.

``custom_imports = dict(imports=['mmpose_occlusion'])`` in any MMPose config
registers everything that this package offers.
"""

from .version import __version__

__all__ = ['__version__']
