"""A pickle module for ``torch.load`` before 2.6, which finds few names.

PyTorch can allow names beyond its own in its weights-only reader since 2.6;
before, the same is done with the standard library's unpickler, restricted as
its documentation says (docs.python.org/3/library/pickle.html, "Restricting
Globals"). Passed as ``pickle_module``.
"""

import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

from torch import _weights_only_unpickler

from .allowed import allowed_globals

_PLAIN: dict[str, Callable] = {
    '_codecs.encode': lambda text, encoding: text.encode(encoding),
    'builtins.bytearray': bytearray,
    'builtins.complex': complex,
    'builtins.set': set,
    'collections.Counter': Counter,
}
"""What PyTorch's own list came to hold later."""


class Unpickler(pickle.Unpickler):
    """Finds what PyTorch's weights-only reader finds, and what is allowed."""

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
        raise pickle.UnpicklingError(f'unsupported GLOBAL {full} is not found')


def load(file: Any, **options: Any) -> Any:
    """Like ``pickle.load``."""
    return Unpickler(file, **options).load()
