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

from collections.abc import Sequence
from dataclasses import dataclass

from ..skeleton import Skeleton
from .person import Person
from .rules import Rules

KEYPOINT, PART = 'keypoint', 'part'
KINDS = (KEYPOINT, PART)


@dataclass(frozen=True)
class Target:
    """A joint or a body part, by name.

    Args:
        kind: :data:`KEYPOINT` or :data:`PART`.
        name: Of a joint or part of the data set.

    >>> str(Target('part', 'head'))
    'part:head'
    """

    kind: str
    name: str

    def joints(self, skeleton: Skeleton) -> tuple[int, ...]:
        """Indices of the target's joints.

        Raises:
            ValueError: The data set lacks the target; the sentence lists
                those it has.
        """
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
