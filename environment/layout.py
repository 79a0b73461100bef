"""Where the environment lies: outside the checkout, keyed by what it is."""

import hashlib
import os
import platform
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RECIPE = 1
"""Raised when the same lock must be installed in another way."""


@dataclass(frozen=True)
class Layout:
    """The folders of one environment.

    Args:
        cache: the cache folder of this project.
        key: names the environment; see :func:`environment_key`.
    """

    cache: Path
    key: str

    @property
    def root(self) -> Path:
        """The virtual environment."""
        return self.cache / f'env-{self.key}'

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / 'bin' / 'python'

    @property
    def steps(self) -> Path:
        """One empty file per finished step."""
        return self.root / 'finished-steps'

    @property
    def log(self) -> Path:
        """What pip and the compilers said."""
        return self.cache / f'env-{self.key}.log'

    @property
    def temporary(self) -> Path:
        """Downloads on their way; emptied by each run."""
        return self.cache / f'tmp-{self.key}'

    @property
    def lock(self) -> Path:
        """Held by the one run that may write to the cache."""
        return self.cache / 'lock'

    @property
    def complete(self) -> bool:
        """Whether all steps have finished and the interpreter is there."""
        return (self.steps / 'all').exists() and self.python.exists()


def cache_folder(environ: Mapping[str, str]) -> Path:
    """``$XDG_CACHE_HOME/mmpose_occlusion``, below ``~/.cache`` by default."""
    base = environ.get('XDG_CACHE_HOME', '')
    folder = Path(base) if base else Path.home() / '.cache'
    return folder.absolute() / 'mmpose_occlusion'


def environment_key(lock: str, environ: Mapping[str, str]) -> str:
    """The key of an environment.

    It depends on the text of the lock, on the interpreter's ABI and the
    machine, and on the variables that ask for another build.
    """
    tag = sysconfig.get_config_var('SOABI') or sys.implementation.cache_tag
    parts = [str(RECIPE), lock, str(tag), platform.machine()]
    parts += [environ.get(name, '') for name in BUILD_VARIABLES]
    digest = hashlib.sha256('\0'.join(parts).encode()).hexdigest()
    return f'py{sys.version_info[0]}{sys.version_info[1]}-{digest[:12]}'


BUILD_VARIABLES = ('TORCH', 'TORCH_INDEX', 'FORCE_CUDA')
"""Other torch requirements, their index, and mmcv's switch for CUDA."""


def layout(checkout: Path, environ: Mapping[str, str] = os.environ) -> Layout:
    """The layout for a checkout's lock under the variables given."""
    text = (checkout / 'requirements.lock').read_text()
    return Layout(cache_folder(environ), environment_key(text, environ))
