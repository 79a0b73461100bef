"""The Python objects that a checkpoint may name, and their stand-ins.

PyTorch's weights-only reader knows tensors and plain containers. Checkpoints
of the reference and of MMEngine's runner name a few objects more. Each is
allowed by name and replaced by a stand-in that takes data only: MMEngine's
``HistoryBuffer`` needs ``getattr``, which must not be the real one, and a
forged ``numpy.dtype`` could declare numbers to be pointers to objects.

PyTorch before 2.6 cannot allow further names. There this module is passed to
``torch.load`` as ``pickle_module``: the standard library's unpickler,
restricted as its documentation says (section "Restricting Globals").
"""

import pickle
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pickle import UnpicklingError
from typing import Any

import numpy as np
from torch import _weights_only_unpickler


class DType:
    """In place of ``numpy.dtype``: numbers only."""

    def __init__(self, code: str, *_: Any) -> None:
        if type(code) is not str or not re.fullmatch(r'[biufc]\d{1,2}', code):
            raise UnpicklingError(f'it holds data of type {code!r}')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        """Take the byte order; anything else unusual is refused."""
        if (
            type(state) is not tuple
            or state[1:2] not in (('<',), ('>',), ('|',), ('=',))
            or state[2:] != (None, None, None, -1, -1, 0)
        ):
            raise UnpicklingError(f'it holds data of the layout {state!r}')
        self.dtype = self.dtype.newbyteorder(state[1])


class Array(np.ndarray):
    """In place of ``numpy.ndarray``: filled by its state."""

    def __new__(cls) -> 'Array':
        """Take neither buffer nor strides."""
        return super().__new__(cls, 0, np.int8)

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        _check_data(dtype, data)
        checked: Any = (1, shape, dtype.dtype, bool(fortran), data)
        super().__setstate__(checked)


def new_array(cls: type, *_: Any) -> Array:
    """In place of NumPy's ``_reconstruct``."""
    if cls is not Array:
        raise UnpicklingError(f'it holds an array of type {cls!r}')
    return Array()


def scalar(dtype: DType, data: bytes) -> np.generic:
    """In place of NumPy's ``scalar``."""
    _check_data(dtype, data)
    return np.frombuffer(data, dtype.dtype, count=1)[0]


def no_bytes() -> bytes:
    """In place of ``bytes``: how protocol 2 writes ``b''``."""
    return b''


def _check_data(dtype: Any, data: Any) -> None:
    if type(dtype) is not DType or type(data) is not bytes:
        raise UnpicklingError('it holds an array of other than numbers')


class History:
    """In place of MMEngine's ``HistoryBuffer``: its attributes, no methods."""

    def __setstate__(self, state: dict) -> None:
        if type(state) is not dict:
            raise UnpicklingError('the state of a history is no dictionary')
        state.pop('statistics_methods', None)
        self.__dict__.update(state)


def attribute(owner: Any, name: str) -> str:
    """In place of ``getattr``: the name of a history's method."""
    if owner is not History or name not in ('min', 'max', 'current', 'mean'):
        raise UnpicklingError(f'it asks for the attribute {name!r}')
    return name


def plain_dict(entries: dict | None = None) -> dict:
    """In place of MMEngine's ``ConfigDict``."""
    if entries is not None and type(entries) is not dict:
        raise UnpicklingError('the entries of a config are no dictionary')
    return entries or {}


@cache
def allowed_globals() -> dict[str, Callable]:
    """Full name in the checkpoint -> its stand-in.

    NumPy 1 writes ``numpy.core``, NumPy 2 ``numpy._core``.
    """
    allowed: dict[str, Any] = {
        'numpy.ndarray': Array,
        'numpy.dtype': DType,
        'mmengine.logging.history_buffer.HistoryBuffer': History,
        'mmengine.config.config.ConfigDict': plain_dict,
        'builtins.getattr': attribute,
        'builtins.bytes': no_bytes,
    }
    for core in ('numpy.core', 'numpy._core'):
        allowed[f'{core}.multiarray._reconstruct'] = new_array
        allowed[f'{core}.multiarray.scalar'] = scalar
    return allowed


_PLAIN: dict[str, Callable] = {
    '_codecs.encode': lambda text, encoding: text.encode(encoding),
    'builtins.bytearray': bytearray,
    'builtins.complex': complex,
    'builtins.set': set,
    'collections.Counter': Counter,
}
"""Names that PyTorch's own list has since 2.6 only."""


class Unpickler(pickle.Unpickler):
    """Finds the names of PyTorch's weights-only reader and those above."""

    def find_class(self, module: str, name: str) -> Any:
        # torch.save writes the names of Python 2
        module = 'builtins' if module == '__builtin__' else module
        full = f'{module}.{name}'
        for known in (
            _weights_only_unpickler._get_allowed_globals(),
            allowed_globals(),
            _PLAIN,
        ):
            if full in known:
                return known[full]
        raise UnpicklingError(f'unsupported GLOBAL {full} is not found')


def load(file: Any, **options: Any) -> Any:
    """Like ``pickle.load``."""
    return Unpickler(file, **options).load()
