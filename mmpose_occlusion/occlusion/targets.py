"""Targets: the joints or body parts that are to be hidden, named or drawn.

A chooser turns a person and random numbers into targets and the fill of each.
It has

- ``numbers``: how many random numbers it takes; they are in [0, 1), and the
  first says whether the person is occluded at all;
- ``fills``: all fills that it may choose;
- ``label``: kind and name in the records of a person who is left alone;
- ``choose(person, numbers, rules)``: targets and the fill of each, or a
  clause that says why there is none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..skeleton import Skeleton
from .person import Person
from .rules import Rules

KEYPOINT, PART, CELL = 'keypoint', 'part', 'cell'
KINDS = (KEYPOINT, PART, CELL)

CELLS, WIDEST = 5, 100
"""Spacing of the grid of cells, and the farthest to each side, in per cent of
the height of the person's box."""


def cell_position(name: str) -> tuple[float, float]:
    """Where a cell is in a person's box, as fractions of the box's height: to
    the right of the box's middle, and below its top.

    Raises:
        ValueError: The name does not have the form.

    >>> cell_position('x-10y35')
    (-0.1, 0.35)
    """
    found = re.fullmatch(r'x(-?\d{1,3})y(\d{1,3})', name)
    if not found:
        raise ValueError(
            f'cell "{name}" must look like x-10y35: per cent of the height '
            "of the person's box, right of its middle and below its top"
        )
    return int(found[1]) / 100, int(found[2]) / 100


def cell_names(spacing: int) -> list[str]:
    """The cells of a grid, its spacing in per cent, from the top left."""
    columns = range(-WIDEST, WIDEST + 1, spacing)
    rows = range(0, 101, spacing)
    return [f'x{x}y{y}' for y in rows for x in columns]


@dataclass(frozen=True)
class Target:
    """A joint, a body part or a cell of the person's box, by name.

    Args:
        kind: One of :data:`KINDS`.
        name: Of a joint or part of the data set, or see
            :func:`cell_position`.

    >>> str(Target('part', 'head'))
    'part:head'
    """

    kind: str
    name: str

    def joints(self, skeleton: Skeleton) -> tuple[int, ...]:
        """Indices of the target's joints; a cell has none.

        Raises:
            ValueError: The data set lacks the target; the sentence lists
                those it has.
        """
        if self.kind == CELL:
            cell_position(self.name)
            return ()
        if self.kind == KEYPOINT:
            return (skeleton.joint_index(self.name),)
        return skeleton.part_indices(self.name)

    def __str__(self) -> str:
        return f'{self.kind}:{self.name}'


Numbers = Sequence[float]
Choice = list[tuple[Target, str]] | str


@dataclass(frozen=True)
class Named:
    """All of some targets, by name.

    Args:
        targets: At least one.
        fill: Of all of them.
    """

    targets: tuple[Target, ...]
    fill: str
    numbers: int = 2

    @property
    def fills(self) -> tuple[str, ...]:
        return (self.fill,)

    @property
    def label(self) -> Sequence[Target]:
        return self.targets

    def choose(self, person: Person, numbers: Numbers, rules: Rules) -> Choice:
        return [(target, self.fill) for target in self.targets]


@dataclass(frozen=True)
class Drawn:
    """One target out of those that the person has.

    Args:
        what: 'keypoint', 'part', 'part_all' (any part), 'mixed' (PartMix's
            parts) or 'target' (all joints and all parts together).
        fill: Of the target.
        word: The value of ``target`` that asked for it.
    """

    what: str
    fill: str
    word: str = 'random'
    numbers: int = 2

    @property
    def fills(self) -> tuple[str, ...]:
        return (self.fill,)

    @property
    def label(self) -> Sequence[Target]:
        kind = self.what if self.what in (KEYPOINT, 'target') else PART
        return (Target(kind, self.word),)

    def choose(self, person: Person, numbers: Numbers, rules: Rules) -> Choice:
        known, joints = [], 0
        if self.what in (KEYPOINT, 'target'):
            known = list(person.points)
            joints = len(known)
        if self.what != KEYPOINT:
            known += rules.random_parts(person, self.what)
        if not known:
            return f'this person has no available {self.label[0].kind}'
        at = int(numbers[1] * len(known))
        kind = KEYPOINT if at < joints else PART
        return [(Target(kind, known[at]), self.fill)]


@dataclass(frozen=True)
class Several:
    """Up to a number of joints, each with a fill of its own.

    ``min(available joints, most)`` rounds; in each, with probability ``prob``,
    one of the joints that are left and one of the fills is drawn.

    Args:
        most: The most joints.
        prob: Probability of each round.
        fills: To draw from.
    """

    most: int
    prob: float
    fills: tuple[str, ...]
    label: Sequence[Target] = (Target(KEYPOINT, 'random'),)

    @property
    def numbers(self) -> int:
        """Three for each round."""
        return 1 + 3 * self.most

    def choose(self, person: Person, numbers: Numbers, rules: Rules) -> Choice:
        names = list(person.points)
        if not names:
            return 'this person has no available keypoint'
        out: list[tuple[Target, str]] = []
        for i in range(min(self.most, len(names))):
            drawn, joint, fill = numbers[1 + 3 * i : 4 + 3 * i]
            if drawn < self.prob:
                name = names.pop(int(joint * len(names)))
                chosen = self.fills[int(fill * len(self.fills))]
                out.append((Target(KEYPOINT, name), chosen))
        return out or f'none drawn (keypoint_prob={self.prob})'


Chooser = Named | Drawn | Several
