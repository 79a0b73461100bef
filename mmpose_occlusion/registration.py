"""Registration in MMPose, which imports nothing before it is needed.

MMEngine's registries import modules of theirs when they are first asked for
something; those of this package are added to these modules. And ``import
mmpose_occlusion`` does not import MMPose, which takes seconds: where MMEngine
is not loaded yet, registration follows the import of ``mmpose.registry``.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from . import requirements

LOCATIONS = {
    'DATASETS': ('mmpose_occlusion.datasets',),
    'TRANSFORMS': ('mmpose_occlusion.transforms',),
    'KEYPOINT_CODECS': ('mmpose_occlusion.transforms',),
    'MODELS': ('mmpose_occlusion.models',),
    'METRICS': ('mmpose_occlusion.evaluation',),
    'HOOKS': ('mmpose_occlusion.hooks',),
    'LOOPS': ('mmpose_occlusion.predictors.mmpose_topdown.loop',),
}
"""Registry of MMPose -> modules of this package that register in it."""


def register_when_loaded() -> None:
    """Register now where MMEngine is loaded, else after MMPose's registries
    are imported."""
    if 'mmengine' in sys.modules:
        register()
    elif not any(isinstance(f, _AfterImport) for f in sys.meta_path):
        sys.meta_path.insert(0, _AfterImport())


class _AfterImport:
    """Finder that has :func:`register` called after one import."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The usual spec of ``mmpose.registry``, its loader wrapped."""
        if name != 'mmpose.registry':
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                register()

            loader.exec_module = exec_module
        return spec


def register() -> None:
    """Tell MMPose's registries where to look.

    Where a registry has been asked for something before, or does not keep
    its locations as MMEngine 0.10's do, the modules are imported at once.

    Raises:
        RuntimeError: A library is missing or of a version that does not fit.
    """
    requirements.check()
    from mmpose import registry as registries

    for name, modules in LOCATIONS.items():
        registry = getattr(registries, name)
        known = getattr(registry, '_locations', None)
        if not isinstance(known, list) or getattr(registry, '_imported', True):
            for module in modules:
                import_module(module)
            continue
        # first, so that what is missing is said in one sentence of ours
        known[:0] = [module for module in modules if module not in known]
