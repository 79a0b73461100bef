"""What a checkpoint may name, and the stand-ins it gets for it.

PyTorch's weights-only reader knows tensors and plain containers. The
checkpoints of the reference and of MMEngine's runner name a few objects
more. Each is allowed by name, and each gets a stand-in, which takes data and
nothing else:

- MMEngine's ``HistoryBuffer`` asks for ``getattr``, which MMEngine's own list
  of what is safe allows. Here it is not the real one.
- NumPy's ``dtype`` takes its flags from the file. A forged one says that
  numbers are pointers to objects, and NumPy believes it. Here only plain
  numbers are taken.
"""

import re
from collections.abc import Callable
from functools import cache
from pickle import UnpicklingError
from typing import Any

import numpy as np


class DType:
    """In place of ``numpy.dtype``: of numbers alone."""

    def __init__(self, code: str, *_: Any) -> None:
        if type(code) is not str or not re.fullmatch(r'[biufc]\d{1,2}', code):
            raise UnpicklingError(f'it holds data of type {code!r}')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        """Take the byte order, and nothing that differs from the usual."""
        if (
            type(state) is not tuple
            or state[1:2] not in (('<',), ('>',), ('|',), ('=',))
            or state[2:] != (None, None, None, -1, -1, 0)
        ):
            raise UnpicklingError(f'it holds data of the layout {state!r}')
        self.dtype = self.dtype.newbyteorder(state[1])


class Array(np.ndarray):
    """In place of ``numpy.ndarray``: an array once its state is set."""

    def __new__(cls) -> 'Array':
        """Take nothing: no buffer, no strides."""
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
    """In place of ``bytes``: protocol 2 has no other way to say ``b''``."""
    return b''


def _check_data(dtype: Any, data: Any) -> None:
    if type(dtype) is not DType or type(data) is not bytes:
        raise UnpicklingError('it holds an array of other than numbers')


class History:
    """In place of MMEngine's ``HistoryBuffer``: its attributes, no methods."""

    def __setstate__(self, state: dict) -> None:
        if type(state) is not dict:
            raise UnpicklingError('the state of a history is no dictionary')
        # names of its statistics, which MMEngine registers by itself
        state.pop('statistics_methods', None)
        self.__dict__.update(state)


def attribute(owner: Any, name: str) -> str:
    """In place of ``getattr``: the name, and only of a history's method.

    Raises:
        UnpicklingError: Asked for anything else.
    """
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
    """Full name in the checkpoint -> what it gets.

    NumPy's module is called ``numpy.core`` in files written with NumPy 1 and
    ``numpy._core`` in those written with NumPy 2; both names serve both.
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
