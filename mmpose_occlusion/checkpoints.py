"""Checkpoints, read without running code that they contain, and loaded into
models completely or not at all.

PyTorch's weights-only reader knows tensors and plain containers. Checkpoints
of the reference and of MMEngine's runner name a few objects more. Each is
allowed by name and replaced by a stand-in that takes data only: MMEngine's
``HistoryBuffer`` needs ``getattr``, which must not be the real one, and a
forged ``numpy.dtype`` could declare numbers to be pointers to objects.

PyTorch before 2.6 cannot allow further names. There ``torch.load`` gets the
standard library's unpickler, restricted as its documentation says (section
"Restricting Globals").
"""

import hashlib
import logging
import os
import pickle
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pickle import UnpicklingError
from textwrap import shorten
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
import torch
from filelock import FileLock
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, _weights_only_unpickler, nn

from mmpose_occlusion.errors import UsageError, printable

CAN_ALLOW_NAMES = torch.__version__ >= (2, 6)
"""Whether ``torch.serialization.safe_globals`` takes names."""

_ZIP, _PICKLE = b'PK\x03\x04', b'\x80'
"""First bytes of files of ``torch.save``: since 1.6, and before."""

PARALLEL = 'module.'
"""Prefix of the keys of models wrapped for several devices."""

PROJECT = Path(__file__).parents[1] / 'projects/tilting_at_windmills'
"""Folder of a checkout with the converter of reference checkpoints."""


def load_checkpoint_safely(
    path: str | os.PathLike, trust: bool = False
) -> Mapping[str, Any]:
    """Read a checkpoint, weights-only, onto the CPU.

    Takes files of MMPose, of the reference and of MMEngine's runner. In the
    latter, ``message_hub`` holds stand-ins.

    Args:
        path: A file or its URL. A download is kept in PyTorch's folder under
            a digest of its whole address.
        trust: Unpickle whatever it holds, which runs any code in it.

    Returns:
        The dictionary in the file, which may be a bare state dict.

    Raises:
        UsageError: It does not exist, is no checkpoint, is damaged, or would
            have to be trusted.
    """
    path = os.fspath(path)
    local = local_file(path)
    with open(local, 'rb') as file:
        start = file.read(4)
    if not start.startswith((_ZIP, _PICKLE)):
        raise UsageError(
            f'checkpoint "{path}" is no file of torch.save (it starts with '
            f'{start!r}): it may be a text file, a web page or an archive, so '
            'unpack it or download it again'
        )
    try:
        if start.startswith(_ZIP):  # whose checksums PyTorch does not check
            with zipfile.ZipFile(local) as archive:
                if damaged := archive.testzip():
                    raise zipfile.BadZipFile(f'checksum of {damaged}')
        checkpoint = _load(local, trust)
    except Exception as error:  # a damaged pickle can raise anything
        raise _refusal(path, error, trust) from error
    if not isinstance(checkpoint, Mapping):
        raise UsageError(
            f'checkpoint "{path}" holds a {type(checkpoint).__name__}, not '
            'a dictionary of weights: give a file that torch.save wrote from '
            'a state dict'
        )
    return checkpoint


def _load(local: str, trust: bool) -> Any:
    if trust:
        return torch.load(local, 'cpu', weights_only=False)
    if CAN_ALLOW_NAMES:
        names: list = [(obj, name) for name, obj in ALLOWED.items()]
        with torch.serialization.safe_globals(names):
            return torch.load(local, 'cpu', weights_only=True)
    module = SimpleNamespace(
        __name__='restricted', Unpickler=_Unpickler, load=_unpickle
    )
    return torch.load(local, 'cpu', module, weights_only=False)


def _refusal(path: str, error: Exception, trust: bool) -> UsageError:
    """The error for a file that a reader refused."""
    text = str(error).rpartition('WeightsUnpickler error: ')[2].strip()
    first = printable(text.split('\n')[0].split('. ')[0].rstrip('.: ')[:160])
    named = re.search(r'GLOBAL (.+?) (?:was|is|whose) ', text, re.DOTALL)
    if named and not trust:
        reason = f'names the Python object "{printable(named[1][:160])}"'
    elif isinstance(error, UnpicklingError) and not (trust or 'trunc' in text):
        reason = f'holds more than weights ({first})'
    else:
        reason = f'{type(error).__name__}: {first}'.rstrip(': ')
        return UsageError(
            f'checkpoint "{path}" is damaged or incomplete ({reason}): '
            'download or copy it again'
        )
    return UsageError(
        f'checkpoint "{path}" {reason}, and reading it could run code: '
        'add --trust-checkpoint if you made the file yourself or trust its '
        'author'
    )


def local_file(path: str) -> str:
    """A checkpoint's path on this machine; a URL is downloaded."""
    url = urlparse(path)
    if url.scheme in ('http', 'https'):
        return _download(path, Path(url.path).name)
    file = url2pathname(url.path) if url.scheme == 'file' else path
    local = Path(file).expanduser()
    if not local.is_file():
        raise UsageError(
            f'checkpoint "{path}" does not exist or is no file: give a .pth '
            'file or its URL'
        )
    return str(local)


def _download(url: str, name: str) -> str:
    """Download into PyTorch's folder, unless the file is there."""
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    address = hashlib.sha256(url.encode()).hexdigest()[:16]
    target = folder / f'{address}-{name}'
    if target.is_file():
        return str(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f'{target}.lock'):  # other processes wait for it
            if not target.is_file():
                torch.hub.download_url_to_file(url, str(target))
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f'checkpoint "{url}" cannot be downloaded ({error}): download it '
            'by other means and give the file'
        ) from error
    return str(target)


class DType:
    """In place of ``numpy.dtype``: numbers only, of any byte order."""

    def __init__(self, code: str, *_: Any) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in 'biufc':
            raise UnpicklingError(f'it holds data of type {code!r}')

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class Array(np.ndarray):
    """In place of ``numpy.ndarray``: filled by its state, from neither a
    buffer nor strides."""

    def __new__(cls) -> 'Array':
        return super().__new__(cls, 0, np.int8)

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        numbers: Any = (1, shape, dtype.dtype, bool(fortran), data)
        super().__setstate__(numbers)


class History:
    """In place of MMEngine's ``HistoryBuffer``: its attributes, no methods."""


ALLOWED: dict[str, Any] = {
    'numpy.ndarray': Array,
    'numpy.dtype': DType,
    'mmengine.logging.history_buffer.HistoryBuffer': History,
    'mmengine.config.config.ConfigDict': lambda entries=(): dict(entries),
    'builtins.getattr': lambda owner, name: name,  # of a history's methods
    'builtins.bytes': lambda: b'',  # as protocol 2 writes it
    # these PyTorch itself allows, but not before 2.6
    '_codecs.encode': lambda text, encoding: text.encode(encoding),
    'builtins.bytearray': bytearray,
    'builtins.complex': complex,
    'builtins.set': set,
    'collections.Counter': Counter,
}
"""Full name in the checkpoint -> what it stands for."""

for _core in ('numpy.core', 'numpy._core'):  # of NumPy 1 and 2
    ALLOWED[f'{_core}.multiarray._reconstruct'] = lambda *_: Array()
    ALLOWED[f'{_core}.multiarray.scalar'] = lambda dtype, data: np.frombuffer(
        data, dtype.dtype, count=1
    )[0]


class _Unpickler(pickle.Unpickler):
    """Finds the names of PyTorch's weights-only reader and those above."""

    def find_class(self, module: str, name: str) -> Any:
        # torch.save writes the names of Python 2
        module = 'builtins' if module == '__builtin__' else module
        full = f'{module}.{name}'
        usual = _weights_only_unpickler._get_allowed_globals()
        for known in (usual, ALLOWED):
            if full in known:
                return known[full]
        raise UnpicklingError(f'unsupported GLOBAL {full} is not found')


def _unpickle(file: Any, **options: Any) -> Any:
    return _Unpickler(file, **options).load()


def load_into(
    model: nn.Module, path: str | os.PathLike, trust: bool = False
) -> Mapping[str, Any]:
    """Load a checkpoint into a model, or a wrapper of one for several
    processes; all keys and shapes must match.

    A file of the reference code is converted first in a checkout of this
    project. MMPose's own conversions of its older formats apply.
    Arguments are those of :func:`load_checkpoint_safely`.

    Returns:
        The checkpoint, after conversion.

    Raises:
        UsageError: It cannot be read safely, cannot be converted, or does not
            match the model, which may then have taken a part.
    """
    checkpoint, path = load_checkpoint_safely(path, trust), os.fspath(path)
    what = f'checkpoint "{path}"'
    model = model.module if is_model_wrapper(model) else model
    converter = _converter()
    if converter and converter.is_reference(checkpoint):
        checkpoint = converter.convert(checkpoint, path)
        source = checkpoint['meta']['converted_from']['weights']
        _log(f"Converted {what} of the reference, {source}, to MMPose's keys")
    meta = checkpoint.get('meta')
    if converter and isinstance(meta, Mapping) and 'converted_from' in meta:
        for text in converter.differences(model, meta):
            _log(f'{what}: {text}', logging.WARNING)
    try:
        state = without_wrapper(checkpoint.get('state_dict', checkpoint))
        model.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        # its first line is the name of the model
        lines = str(error).splitlines()
        lines = [shorten(line, 200).strip('. ') for line in lines[1:] or lines]
        raise UsageError(
            f'{what} does not match the model of the config: '
            f'{_first(lines)}: give the config of its training'
        ) from error
    broken = [
        f'"{key}"'
        for key, value in model.state_dict().items()
        if value.is_floating_point() and not value.isfinite().all()
    ]
    if broken:
        raise UsageError(
            f'{what} holds NaN or infinite numbers in {len(broken):,} weights '
            f'({_first(broken)}): its training has diverged, give an earlier '
            'one'
        )
    _log(f'Loaded {what}')
    return checkpoint


def _converter() -> Any:
    """The module that knows reference checkpoints; None outside a checkout."""
    if not (PROJECT / 'reference_checkpoints.py').is_file():
        return None
    if str(PROJECT) not in sys.path:
        sys.path.append(str(PROJECT))
    return import_module('reference_checkpoints')


def without_wrapper(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The state dict without the prefix of a wrapper, if it has one."""
    if not all(key.startswith(PARALLEL) for key in state):
        return state
    return {key[len(PARALLEL) :]: value for key, value in state.items()}


def _first(items: list[str]) -> str:
    """``a, b, c and 4 more``."""
    rest = f' and {len(items) - 3:,} more' if len(items) > 3 else ''
    return ', '.join(items[:3]) + rest


def _log(text: str, level: int = logging.INFO) -> None:
    print_log(text, logger='current', level=level)
