"""Methods of a single object, replaced for a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def wrapped(
    part: Any, name: str, make: Callable[[Callable], Callable]
) -> Iterator[None]:
    """Have an object use another method.

    Args:
        part: The object; one that is None or has no such method is left as
            it is.
        name: Of the method.
        make: Makes the new one from the old one.
    """
    method = getattr(part, name, None)
    if method is None:
        yield
        return
    kept = vars(part).get(name)
    setattr(part, name, make(method))
    try:
        yield
    finally:
        if kept is None:
            delattr(part, name)
        else:
            setattr(part, name, kept)
