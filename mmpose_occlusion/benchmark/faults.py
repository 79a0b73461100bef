"""What is wrong in a data file: each kind of fault is said once, with
examples; and tests of JSON values."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

REPAIRED, NOTED, LEFT_OUT = 'repaired', 'noted', 'left out'
"""What is done about a fault; an entry with a noted one is used as it is."""

MAX_ID = 2**53  # greatest whole number that JSON readers keep exactly
EXAMPLES = 3  # whose paths are shown, of each kind of fault


@dataclass
class Fault:
    """One kind of fault in a file: what is wrong and, after a colon, how it is
    repaired or can be mended; what is done about it, how often it occurs, and
    the JSON paths of the first ones."""

    text: str
    effect: str
    count: int = 0
    where: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """One line for the terminal."""
        what, colon, remedy = self.text.partition(': ')
        times = f'{self.count:,} x ' if self.count > 1 else ''
        more = ', ...' if self.count > len(self.where) else ''
        at = ', '.join(self.where) + more
        return f'{self.effect}: {times}{what} ({at}){colon}{remedy}'


class UnusableError(Exception):
    """An entry is left out: text, and where known key and value, as of
    :meth:`Faults.add`."""


class Faults(list[Fault]):
    """Each kind once, in the order of their first occurrence."""

    def add(
        self,
        where: str,
        text: str,
        key: str = '',
        value: Any = None,
        effect: str = REPAIRED,
    ) -> None:
        """Count one at a JSON path and a key below it; the value is shown if
        it is not None."""
        for fault in self:
            if (fault.text, fault.effect) == (text, effect):
                break
        else:
            fault = Fault(text, effect)
            self.append(fault)
        fault.count += 1
        if len(fault.where) < EXAMPLES:
            shown = '' if value is None else f' = {json.dumps(value)[:40]}'
            fault.where.append(where + key + shown)

    @contextmanager
    def entry(self, where: str) -> Iterator[Callable[..., None]]:
        """While an entry is read: :meth:`add` at its JSON path. An
        :class:`UnusableError` is counted and ends the reading."""
        try:
            yield partial(self.add, where)
        except UnusableError as error:
            partial(self.add, where, effect=LEFT_OUT)(*error.args)

    @property
    def losses(self) -> list[Fault]:
        """The kinds that leave something out."""
        return [fault for fault in self if fault.effect == LEFT_OUT]

    def summary(self) -> str:
        """The kinds that leave something out, or else all, in a clause."""
        return '; '.join(f.sentence() for f in self.losses or self)


def as_dict(value: Any) -> dict[str, Any]:
    """An entry of a list, which is a dict or cannot be used."""
    if not isinstance(value, dict):
        raise UnusableError('an entry is no dict')
    return value


def as_whole(value: Any) -> int | None:
    """A whole number, also from a text or a float."""
    if isinstance(value, str) and len(value) < 20 and value.isdecimal():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def is_number(value: Any) -> bool:
    """Also NaN and infinite ones, but no whole number beyond floats."""
    return isinstance(value, float) or (
        isinstance(value, int) and abs(value) <= MAX_ID
    )


def is_finite(value: Any) -> bool:
    """Whether it is a finite number."""
    return is_number(value) and math.isfinite(value)


def is_box(value: Any) -> bool:
    """Whether it is a list of four finite numbers."""
    is_list = isinstance(value, list) and len(value) == 4
    return is_list and all(map(is_finite, value))


def fault_of_box(value: Any) -> str:
    """What is wrong with a bbox xywh; empty if it can be used."""
    if is_box(value):
        return '' if min(value[2:]) > 0 else 'bbox has no width or height'
    return f'bbox is {"missing" if value is None else "not four numbers"}'
