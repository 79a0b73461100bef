"""What a checkpoint may name, and the stand-ins it gets for it.

PyTorch's weights-only reader knows tensors and plain containers. The
checkpoints of the reference and of MMEngine's runner name a few objects
more. Each is allowed by name, and none of them can run code: NumPy's own
ones build arrays and scalars of numbers, and MMEngine's are replaced by
stand-ins that keep the data. In particular ``getattr``, which MMEngine's
``HistoryBuffer`` asks for (and MMEngine's own list allows), is not the real
one.
"""

from collections.abc import Callable
from functools import cache
from pickle import UnpicklingError
from typing import Any

import numpy as np

_NUMBERS = '?bBhHiIlLqQefdgFDG'
"""Type codes of the dtypes that are allowed: numbers alone, no objects."""


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
    # their home moved between NumPy 1 and 2: take them from a pickle's hands
    reconstruct = np.empty(0).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    allowed: dict[str, Any] = {
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
        'mmengine.logging.history_buffer.HistoryBuffer': History,
        'mmengine.config.config.ConfigDict': plain_dict,
        'builtins.getattr': attribute,
    }
    for core in ('numpy.core', 'numpy._core'):
        allowed[f'{core}.multiarray._reconstruct'] = reconstruct
        allowed[f'{core}.multiarray.scalar'] = scalar
    for code in _NUMBERS:
        cls = type(np.dtype(code))
        allowed[f'numpy.dtypes.{cls.__name__}'] = cls
    return allowed
