"""Faults of data files: each kind is said once, with examples."""

from collections.abc import Iterator
from dataclasses import dataclass, field

REPAIRED = 'repaired'
LEFT_OUT = 'left out'
NOTED = 'noted'

EXAMPLES = 3


@dataclass
class Fault:
    """One kind of fault in a file.

    Args:
        text: What is wrong, a clause.
        effect: What is done about it: :data:`REPAIRED`, :data:`LEFT_OUT` or
            :data:`NOTED` (used as it is).
        remedy: How it is repaired, or how the user can mend it.
        count: How often it occurs.
        where: JSON paths of the first ones.
    """

    text: str
    effect: str
    remedy: str = ''
    count: int = 0
    where: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """One line for the terminal."""
        times = f'{self.count:,} x ' if self.count > 1 else ''
        places = ', '.join(self.where)
        more = ', ...' if self.count > len(self.where) else ''
        at = f' ({places}{more})' if places else ''
        remedy = f': {self.remedy}' if self.remedy else ''
        return f'{self.effect}: {times}{self.text}{at}{remedy}'


class Faults:
    """Collects faults by kind, in the order of their first occurrence."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Fault] = {}

    def add(
        self, where: str, text: str, effect: str, remedy: str = ''
    ) -> None:
        """Count one in."""
        fault = self._known.setdefault(
            (text, effect), Fault(text, effect, remedy)
        )
        fault.count += 1
        if len(fault.where) < EXAMPLES and where:
            fault.where.append(where)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    @property
    def losses(self) -> list[Fault]:
        """The kinds that leave something out."""
        return [f for f in self if f.effect == LEFT_OUT]

    def summary(self) -> str:
        """The kinds that leave something out, or else all, in a clause."""
        return '; '.join(f.sentence() for f in self.losses or self)
