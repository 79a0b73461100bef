"""Occlusions for MMPose: augmentations, attacks and benchmarks.

``custom_imports = dict(imports=['mmpose_occlusion'])`` in any MMPose config
registers everything that this package offers. Its modules are imported when
something of theirs is first used (see :mod:`.registration`).
"""

from importlib import import_module
from types import ModuleType

from . import requirements
from .version import __version__

requirements.check()

from . import registration  # noqa: E402

registration.register()

__all__ = [
    '__version__',
    'datasets',
    'engine',
    'evaluation',
    'hooks',
    'metrics',
    'models',
    'occlusion',
    'transforms',
    'visualization',
]


def __getattr__(name: str) -> ModuleType:
    """The modules of ``__all__``, imported at first use."""
    if name in __all__:
        return import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
