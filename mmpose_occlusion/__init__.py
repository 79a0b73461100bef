"""Occlusions for MMPose: augmentations, attacks and benchmarks.

``custom_imports = dict(imports=['mmpose_occlusion'])`` in any MMPose config
registers everything that this package offers. Its modules are imported when
something of theirs is first used (see :mod:`.registration`).
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from .version import __version__

if find_spec('mmpose'):
    from . import requirements

    requirements.check()

    from . import registration

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
