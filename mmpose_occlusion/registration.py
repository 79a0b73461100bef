"""Registration in MMPose, and the check of the libraries that it needs.

MMEngine's registries import modules when they are first asked for something;
those of this package are added to these. ``import mmpose_occlusion`` does not
import MMPose, which takes seconds: where MMEngine is not loaded yet,
registration follows the import of ``mmpose.registry``.

The package's metadata cannot name these dependencies, since each comes as
several distributions, and pip would install one over the other. Failures are
RuntimeErrors: ``custom_imports`` replaces the message of any ImportError.
"""

import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib import import_module, metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from packaging.specifiers import SpecifierSet

LOCATIONS = {
    'DATASETS': 'mmpose_occlusion.datasets',
    'TRANSFORMS': 'mmpose_occlusion.transforms',
    'KEYPOINT_CODECS': 'mmpose_occlusion.transforms',
    'MODELS': 'mmpose_occlusion.models',
    'METRICS': 'mmpose_occlusion.evaluation',
    'HOOKS': 'mmpose_occlusion.hooks',
    'LOOPS': 'mmpose_occlusion.predictors.mmpose_loop',
}
"""Registry of MMPose -> module of this package that registers in it."""


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
        self, name: str, path: Any = None, target: Any = None
    ) -> ModuleSpec | None:
        """The usual spec of ``mmpose.registry``, its loader wrapped."""
        if name != 'mmpose.registry':
            return None
        sys.meta_path.remove(self)
        spec: Any = find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            register()

        spec.loader.exec_module = exec_module
        return spec


def register() -> None:
    """Tell MMPose's registries where to look, or raise a RuntimeError if a
    version does not fit. Where a registry has been asked for something before,
    the module is imported at once."""
    check_extensions([])
    from mmpose import registry as registries

    for name, module in LOCATIONS.items():
        registry = getattr(registries, name)
        if registry._imported:
            import_module(module)
        elif module not in registry._locations:
            # first, so that what is missing is said in one sentence of ours
            registry._locations.insert(0, module)


_TORCH = "the command that PyTorch's own site gives for your machine"

REQUIREMENTS = {
    'torch': ('>=2.0', _TORCH),
    'torchvision': ('', _TORCH),
    'mmengine': (
        '>=0.10,<1',
        "pip install '{}' or pip install onedl-mmengine",
    ),
    'mmcv': ('>=2.0,<3', "mim install '{}' or pip install onedl-mmcv"),
    'mmpose': ('>=1.3,<2', "pip install --no-deps '{}'"),
    'cv2': ('', 'pip install opencv-python-headless'),
    # those that pip install --no-deps mmpose leaves out
    'scipy': ('', 'pip install {}'),
    'matplotlib': ('', 'pip install {}'),
    'munkres': ('', 'pip install {}'),
    'json_tricks': ('', 'pip install json-tricks'),
}
"""Module -> accepted versions, command that installs it."""

_TOGETHER = (
    'torch and torchvision do not load together ({reason}): install both '
    "with one command, the one that PyTorch's own site gives for your machine"
)
EXTENSIONS = {
    'torch': _TOGETHER,
    'torchvision': _TOGETHER,
    'mmcv._ext': (
        'mmcv has no compiled operators that fit this torch ({reason}): '
        'uninstall it and install, for this torch, mmcv '
        "(mim install 'mmcv>=2.0,<3'; not mmcv-lite) or onedl-mmcv "
        '(pip install --no-build-isolation --no-cache-dir onedl-mmcv)'
    ),
    'xtcocotools._mask': (
        'xtcocotools, which MMPose reads data sets with, does not load '
        '({reason}): with NumPy 2 build it with pip install cython && '
        'pip install --force-reinstall --no-deps --no-cache-dir '
        '--no-build-isolation --no-binary xtcocotools xtcocotools, with '
        'NumPy 1 pip install --no-deps xtcocotools'
    ),
}
"""Compiled module, after those that it needs -> message if it fails."""

FOR_DATA = ('torch', 'xtcocotools._mask')
"""Compiled modules of MMPose's data sets and metrics."""

FOR_MODELS = ('torch', 'torchvision', 'mmcv._ext')
"""Compiled modules of MMPose's models."""


def check_extensions(modules: Collection[str] = tuple(EXTENSIONS)) -> None:
    """Raise a RuntimeError, one sentence, if MMPose cannot be used: a version
    does not fit, or one of these compiled modules does not load."""
    if found := problems(installed()) or extension_problems(modules):
        raise RuntimeError(
            f'mmpose_occlusion cannot work here: {"; ".join(found)}.'
        )


def problems(versions: Mapping[str, str | None]) -> list[str]:
    """A clause for each module that is missing or of a wrong version; a
    version that is None is unknown and accepted."""
    found = []
    for module, (accepted, install) in REQUIREMENTS.items():
        version, needed = versions.get(module, ''), f'{module} {accepted}'
        state = f'of version {version}' if version else 'not installed'
        fits = version and SpecifierSet(accepted).contains(version, True)
        if version is not None and not fits:
            found.append(
                f'{needed.strip()} is needed and {module} is {state}: install '
                f'it with {install.format(module + accepted)}'
            )
    return found


def installed() -> dict[str, str | None]:
    """Module -> version, of the required modules that can be imported."""
    return {
        module: version_of(module, f'onedl-{module}', f'{module}-lite')
        for module in REQUIREMENTS
        if find_spec(module)
    }


def version_of(*names: str) -> str | None:
    """Version of the first of these distributions that is installed; of a
    source tree on the path, for example, it is unknown."""
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None


def extension_problems(modules: Collection[str] = (*EXTENSIONS,)) -> list[str]:
    """The message for the first module that does not load."""
    for module, message in EXTENSIONS.items():
        try:
            if module in modules:
                import_module(module)
        except Exception as error:  # ImportError, OSError, ValueError, ...
            reason = ' '.join(str(error).split())[:120]
            return [message.format(reason=reason)]
    return []
