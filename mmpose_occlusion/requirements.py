"""The check of what is installed.

Versions are checked when the package is imported, compiled modules where they
are first needed: loading them takes seconds.

setup.cfg names no dependency: MMEngine, mmcv and MMDetection come as classic
(``mmcv``) and as maintained (``onedl-mmcv``) distributions under one import
name, OpenCV with and without a screen, torch once per CUDA, and pip would
install one over the other. So versions are checked here.

Failures are RuntimeErrors: MMEngine's ``custom_imports`` replaces the message
of any ImportError by its own.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec


@dataclass(frozen=True)
class Requirement:
    """A package that must be there.

    Args:
        module: the name to import it by.
        distributions: the names that it is installed under.
        lowest: the first version that will do, and
        below: the first that will not, as (major, minor); None is no bound.
        install: what to type, read after 'install it with'.
    """

    module: str
    distributions: tuple[str, ...]
    lowest: tuple[int, int] | None
    below: tuple[int, int] | None
    install: str

    def wanted(self) -> str:
        """The range as people write it: ``mmcv >=2.0,<3.0``."""
        bounds = [
            sign + '.'.join(map(str, bound))
            for sign, bound in (('>=', self.lowest), ('<', self.below))
            if bound
        ]
        return f'{self.module} {",".join(bounds)}'.strip()

    def accepts(self, version: str) -> bool:
        """Whether a version lies within the bounds."""
        found = release(version)
        return (self.lowest is None or self.lowest <= found) and (
            self.below is None or found < self.below
        )


REQUIREMENTS = (
    Requirement(
        'torch',
        ('torch',),
        (2, 0),
        None,
        "the command that PyTorch's own site gives for your machine",
    ),
    Requirement(
        'torchvision',
        ('torchvision',),
        None,
        None,
        "the command that PyTorch's own site gives for your machine",
    ),
    Requirement(
        'mmengine',
        ('mmengine', 'onedl-mmengine', 'mmengine-lite'),
        (0, 10),
        (1, 0),
        "pip install 'mmengine>=0.10,<1' or pip install onedl-mmengine",
    ),
    Requirement(
        'mmcv',
        ('mmcv', 'onedl-mmcv', 'mmcv-lite'),
        (2, 0),
        (3, 0),
        "mim install 'mmcv>=2.0,<3' or pip install onedl-mmcv",
    ),
    Requirement(
        'mmpose',
        ('mmpose',),
        (1, 3),
        (2, 0),
        "pip install --no-deps 'mmpose>=1.3,<2'",
    ),
    Requirement(
        'cv2',
        (
            'opencv-python-headless',
            'opencv-python',
            'opencv-contrib-python-headless',
            'opencv-contrib-python',
        ),
        None,
        None,
        'pip install opencv-python-headless',
    ),
    *(
        Requirement(module, (module,), None, None, f'pip install {module}')
        for module in ('scipy', 'matplotlib', 'munkres')
    ),
    Requirement(
        'json_tricks',
        ('json-tricks',),
        None,
        None,
        'pip install json-tricks',
    ),
)
"""Checked in this order; the last ones are MMPose's own, which an
installation of it with ``--no-deps`` has left to the user."""

TORCH = (
    'torch and torchvision do not load together ({reason}): install both '
    "with one command, the one that PyTorch's own site gives for your machine"
)

MMCV_OPERATORS = (
    'mmcv has no compiled operators that fit this torch ({reason}): '
    'uninstall it and install, for this torch, mmcv '
    "(mim install 'mmcv>=2.0,<3'; not mmcv-lite) or onedl-mmcv "
    '(pip install --no-build-isolation --no-cache-dir onedl-mmcv)'
)

XTCOCOTOOLS = (
    'xtcocotools, which MMPose reads data sets with, does not load '
    '({reason}): with NumPy 2 build it with pip install cython && '
    'pip install --force-reinstall --no-deps --no-cache-dir '
    '--no-build-isolation --no-binary xtcocotools xtcocotools, with NumPy 1 '
    'pip install --no-deps xtcocotools'
)

EXTENSIONS = {
    'torch': TORCH,
    'torchvision': TORCH,
    'mmcv._ext': MMCV_OPERATORS,
    'xtcocotools._mask': XTCOCOTOOLS,
}
"""Compiled modules that are often missing or built for something else, each
after those that it needs."""

FOR_DATA = ('torch', 'xtcocotools._mask')
"""Those that MMPose's data sets and metrics load anyway."""

FOR_MODELS = ('torch', 'torchvision', 'mmcv._ext')
"""Those that MMPose's models load anyway."""


def release(version: str) -> tuple[int, int]:
    """The first two numbers of a version: ``'2.1.0rc4'`` is (2, 1)."""
    numbers = re.findall(r'\d+', version)[:2]
    return int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0


def problems(
    versions: Mapping[str, str | None],
    requirements: Iterable[Requirement] = REQUIREMENTS,
) -> list[str]:
    """What is missing or of a version that will not do.

    Args:
        versions: of each module that is installed, its version; None where
            none can be told, which passes.

    Returns:
        One clause for each problem, with what to install.
    """
    found = []
    for requirement in requirements:
        if requirement.module not in versions:
            state = 'is not installed'
        else:
            version = versions[requirement.module]
            if version is None or requirement.accepts(version):
                continue
            state = f'is of version {version}'
        found.append(
            f'{requirement.wanted()} is needed and {requirement.module} '
            f'{state}: install it with {requirement.install}'
        )
    return found


def installed(
    requirements: Iterable[Requirement] = REQUIREMENTS,
) -> dict[str, str | None]:
    """The versions of the required modules that can be imported."""
    return {
        requirement.module: _version(requirement)
        for requirement in requirements
        if find_spec(requirement.module) is not None
    }


def _version(requirement: Requirement) -> str | None:
    for name in requirement.distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    # A source tree on the path, say.
    return getattr(import_module(requirement.module), '__version__', None)


def extension_problems(
    load: Callable[[str], object] = import_module,
    extensions: Mapping[str, str] = EXTENSIONS,
) -> list[str]:
    """The first compiled module that does not load, with what to install.

    Whatever it raises is told: a missing file, an unknown symbol, NumPy's
    'dtype size changed' and torchvision's missing operator are exceptions of
    four kinds.
    """
    for module, clause in extensions.items():
        try:
            load(module)
        except Exception as error:
            reason = ' '.join(str(error).split())[:120]
            return [clause.format(reason=reason)]
    return []


def check() -> None:
    """Raise a RuntimeError, one sentence, if a version is not as needed."""
    _refuse(problems(installed()))


def check_extensions(modules: Collection[str] = tuple(EXTENSIONS)) -> None:
    """Raise a RuntimeError, one sentence, if one of these does not load.

    Args:
        modules: Some of :data:`EXTENSIONS`.
    """
    chosen = {name: EXTENSIONS[name] for name in EXTENSIONS if name in modules}
    _refuse(extension_problems(extensions=chosen))


def _refuse(found: list[str]) -> None:
    if found:
        raise RuntimeError(
            f'mmpose_occlusion cannot work here: {"; ".join(found)}.'
        )
