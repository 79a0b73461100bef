"""Reading checkpoints without running what is in them."""

import os
import pickle
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.utils import digit_version
from mmengine.utils.dl_utils import TORCH_VERSION

from . import unpickling
from .allowed import allowed_globals
from .errors import CheckpointError

CAN_ALLOW_NAMES = digit_version(TORCH_VERSION) >= digit_version('2.6.0')
"""Whether ``torch.serialization.safe_globals`` takes names."""

_WEB = ('http', 'https', 'file')
_ZIP, _PICKLE = b'PK\x03\x04', b'\x80'
"""How files of ``torch.save`` start: zip since 1.6, a pickle before."""


def load_checkpoint_safely(
    path: str | os.PathLike, trust: bool = False
) -> Mapping[str, Any]:
    """Read a checkpoint, weights-only, onto the CPU.

    The reference's files, MMPose's own and those that MMEngine's runner
    writes during training are read so. In the latter, ``message_hub`` holds
    stand-ins, which is enough for testing; ``--resume`` is MMEngine's.

    Args:
        path: A file or its URL (kept in PyTorch's download folder).
        trust: Whether a file that names other Python objects is unpickled
            all the same, which runs whatever code it holds.

    Returns:
        What the file holds: a dictionary, be it a bare state dict.

    Raises:
        CheckpointError: It does not exist, is no checkpoint, is damaged, or
            would have to be trusted.
    """
    path = os.fspath(path)
    local = local_file(path)
    _check_format(local, path)
    try:
        checkpoint = _load_weights_only(local)
    except Exception as error:  # a damaged pickle can raise anything
        if not trust:
            raise _refusal(path, error) from error
        checkpoint = _load_all(local, path)
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(
            f'checkpoint "{path}" holds a {type(checkpoint).__name__}, not '
            'a dictionary of weights: give a file that torch.save wrote from '
            'a state dict'
        )
    return checkpoint


def _load_weights_only(local: str) -> Any:
    if not CAN_ALLOW_NAMES:
        return torch.load(
            local,
            map_location='cpu',
            pickle_module=unpickling,
            weights_only=False,
        )
    names: list = [(obj, name) for name, obj in allowed_globals().items()]
    with torch.serialization.safe_globals(names):
        return torch.load(local, map_location='cpu', weights_only=True)


def _load_all(local: str, path: str) -> Any:
    try:
        return torch.load(local, map_location='cpu', weights_only=False)
    except Exception as error:
        raise CheckpointError(
            f'checkpoint "{path}" cannot be read even as a trusted file '
            f'({_reason(error)}): install what it needs, or give another'
        ) from error


def _refusal(path: str, error: Exception) -> CheckpointError:
    """The sentence for what went wrong while reading weights-only."""
    text = str(error)
    named = re.search(r'GLOBAL (.+?) (?:was|is|whose) ', text, re.DOTALL)
    if named:
        reason = f'names the Python object "{_printable(named[1])}"'
    elif isinstance(error, pickle.UnpicklingError) and 'trunc' not in text:
        reason = f'holds more than weights ({_reason(error)})'
    else:
        return CheckpointError(
            f'checkpoint "{path}" is damaged or was not copied to its end '
            f'({_reason(error)}): get it again'
        )
    return CheckpointError(
        f'checkpoint "{path}" {reason}, and reading it could run code: '
        'add --trust-checkpoint if you made the file yourself or trust who '
        'did'
    )


def _reason(error: Exception) -> str:
    """The line of an error that says what happened."""
    text = str(error).rpartition('WeightsUnpickler error: ')[2].strip()
    first = _printable(text.split('\n')[0].split('. ')[0].rstrip('.: '))
    if isinstance(error, pickle.UnpicklingError) and first:
        return first
    return f'{type(error).__name__}: {first}' if first else repr(error)


def _printable(text: str, length: int = 160) -> str:
    """Text of a file, fit for a terminal."""
    return ''.join(c if c.isprintable() else '?' for c in text)[:length]


def _check_format(local: str, path: str) -> None:
    try:
        with open(local, 'rb') as file:
            start = file.read(4)
        # PyTorch before 0.2 wrote tar files, which weights-only readers
        # before 2.6 do not read safely (CVE-2025-32434) and later refuse
        is_tar = not start.startswith(_ZIP) and tarfile.is_tarfile(local)
    except OSError as error:
        raise CheckpointError(
            f'checkpoint "{path}" cannot be opened: {error.strerror}'
        ) from error
    if is_tar:
        raise CheckpointError(
            f'checkpoint "{path}" is a tar file: unpack it and give the '
            '.pth file inside'
        )
    if not start.startswith((_ZIP, _PICKLE)):
        raise CheckpointError(
            f'checkpoint "{path}" is no file of torch.save (it starts with '
            f'{start!r}): a text file or page may have been saved in its '
            'place, so get it again'
        )


def local_file(path: str) -> str:
    """Where a checkpoint is on this machine, downloaded if need be.

    Raises:
        CheckpointError: It does not exist or cannot be had.
    """
    url = urlparse(path)
    if url.scheme in _WEB:
        return _download(path, Path(url.path).name)
    local = Path(path).expanduser()
    if local.is_file():
        return str(local)
    if '://' in path:
        raise CheckpointError(
            f'checkpoint "{path}" is on storage that is not read from here: '
            f'give a file, or a URL that starts with {", ".join(_WEB)}'
        )
    problem = 'is a folder' if local.is_dir() else 'does not exist'
    raise CheckpointError(
        f'checkpoint "{path}" {problem}: give a .pth file or its URL'
    )


def _download(url: str, name: str) -> str:
    """Into the folder that MMEngine uses; by the first process, if many."""
    target = Path(torch.hub.get_dir()) / 'checkpoints' / name
    if is_main_process():
        _fetch(url, target)
    barrier()
    _fetch(url, target)  # where the processes share no folder
    return str(target)


def _fetch(url: str, target: Path) -> None:
    if target.is_file():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target))
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f'checkpoint "{url}" cannot be downloaded ({error}): fetch '
            'it by other means and give the file'
        ) from error
