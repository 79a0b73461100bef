"""Reading checkpoints without running code that they contain."""

import hashlib
import os
import pickle
import re
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.utils import digit_version
from mmengine.utils.dl_utils import TORCH_VERSION

from mmpose_occlusion.errors import UsageError

from . import safe_pickle

CAN_ALLOW_NAMES = digit_version(TORCH_VERSION) >= digit_version('2.6.0')
"""Whether ``torch.serialization.safe_globals`` takes names."""

_WEB = ('http', 'https')
_ZIP, _PICKLE = b'PK\x03\x04', b'\x80'
"""First bytes of files of ``torch.save``: since 1.6, and before."""


class CheckpointError(UsageError):
    """A checkpoint that cannot be used; the message is one sentence."""


def load_checkpoint_safely(
    path: str | os.PathLike, trust: bool = False
) -> Mapping[str, Any]:
    """Read a checkpoint, weights-only, onto the CPU.

    Takes files of MMPose, of the reference and of MMEngine's runner. In the
    latter, ``message_hub`` holds stand-ins.

    Args:
        path: A file or its URL. A download is kept in PyTorch's folder under
            a digest of its whole address.
        trust: Whether a file that names other Python objects is unpickled,
            which runs any code in it.

    Returns:
        The dictionary in the file, which may be a bare state dict.

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
        try:
            checkpoint = torch.load(
                local, map_location='cpu', weights_only=False
            )
        except Exception as failure:
            raise CheckpointError(
                f'checkpoint "{path}" cannot be read even as a trusted file '
                f'({_reason(failure)}): install what it needs, or give another'
            ) from failure
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
            pickle_module=safe_pickle,
            weights_only=False,
        )
    names: list = [
        (obj, name) for name, obj in safe_pickle.allowed_globals().items()
    ]
    with torch.serialization.safe_globals(names):
        return torch.load(local, map_location='cpu', weights_only=True)


def _refusal(path: str, error: Exception) -> CheckpointError:
    """The error for a file that the weights-only reader refused."""
    text = str(error)
    named = re.search(r'GLOBAL (.+?) (?:was|is|whose) ', text, re.DOTALL)
    if named:
        reason = f'names the Python object "{_printable(named[1])}"'
    elif isinstance(error, pickle.UnpicklingError) and 'trunc' not in text:
        reason = f'holds more than weights ({_reason(error)})'
    else:
        return _damaged(path, _reason(error))
    return CheckpointError(
        f'checkpoint "{path}" {reason}, and reading it could run code: '
        'add --trust-checkpoint if you made the file yourself or trust its '
        'author'
    )


def _damaged(path: str, reason: str) -> CheckpointError:
    return CheckpointError(
        f'checkpoint "{path}" is damaged or incomplete ({reason}): download '
        'or copy it again'
    )


def _reason(error: Exception) -> str:
    """The informative line of an error."""
    text = str(error).rpartition('WeightsUnpickler error: ')[2].strip()
    first = _printable(text.split('\n')[0].split('. ')[0].rstrip('.: '))
    if isinstance(error, pickle.UnpicklingError) and first:
        return first
    return f'{type(error).__name__}: {first}' if first else repr(error)


def _printable(text: str, length: int = 160) -> str:
    return ''.join(c if c.isprintable() else '?' for c in text)[:length]


def _check_format(local: str, path: str) -> None:
    try:
        with open(local, 'rb') as file:
            start = file.read(4)
        # which weights-only readers before 2.6 do not read safely
        # (CVE-2025-32434) and later refuse
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
            f'{start!r}): it may be a text file or a web page, so download '
            'it again'
        )
    if start.startswith(_ZIP):
        try:  # PyTorch does not compare the checksums
            with zipfile.ZipFile(local) as archive:
                damaged = archive.testzip()
        except (zipfile.BadZipFile, EOFError, OSError, zlib.error) as error:
            damaged = str(error)
        if damaged:
            raise _damaged(path, _printable(damaged))


def local_file(path: str) -> str:
    """A checkpoint's path on this machine; a URL is downloaded.

    Raises:
        CheckpointError: It does not exist or cannot be downloaded.
    """
    url = urlparse(path)
    if url.scheme in _WEB:
        address = hashlib.sha256(path.encode()).hexdigest()[:16]
        return _download(path, f'{address}-{Path(url.path).name}')
    file = url2pathname(url.path) if url.scheme == 'file' else path
    local = Path(file).expanduser()
    if local.is_file():
        return str(local)
    if '://' in file:
        raise CheckpointError(
            f'checkpoint "{path}" is on a storage that cannot be read: '
            f'give a file, or a URL that starts with {", ".join(_WEB)}'
        )
    problem = 'is a folder' if local.is_dir() else 'does not exist'
    raise CheckpointError(
        f'checkpoint "{path}" {problem}: give a .pth file or its URL'
    )


def _download(url: str, name: str) -> str:
    """Download into PyTorch's folder, on the first rank if there are many."""
    target = Path(torch.hub.get_dir()) / 'checkpoints' / name
    if is_main_process():
        _fetch(url, target)
    barrier()
    _fetch(url, target)  # where the ranks share no folder
    return str(target)


def _fetch(url: str, target: Path) -> None:
    if target.is_file():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target))
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f'checkpoint "{url}" cannot be downloaded ({error}): download '
            'it by other means and give the file'
        ) from error
