"""Which targets of a person are hidden: named ones, or drawn ones.

A chooser turns a person and random numbers into targets and fills. Numbers
are in [0, 1); the first says whether the person is occluded at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .person import Person
from .rules import Rules
from .targets import KEYPOINT, PART, Target

Choice = list[tuple[Target, str]]
"""Targets and the fill of each."""


class Chooser(Protocol):
    """Chooses targets.

    Attributes:
        numbers: How many random numbers it takes, with the first.
        label: Kind and name that a record has where nothing was chosen.
    """

    @property
    def numbers(self) -> int:
        """See above."""

    @property
    def label(self) -> Sequence[Target]:
        """Targets of the records of a person who is left alone."""

    def choose(
        self, person: Person, numbers: Sequence[float], rules: Rules
    ) -> Choice | str:
        """Targets, or a clause that says why there is none."""


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
    def label(self) -> Sequence[Target]:
        return self.targets

    def choose(
        self, person: Person, numbers: Sequence[float], rules: Rules
    ) -> Choice | str:
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
    def label(self) -> Sequence[Target]:
        kinds = {'keypoint': KEYPOINT, 'target': 'target'}
        return (Target(kinds.get(self.what, PART), self.word),)

    def candidates(self, person: Person, rules: Rules) -> list[Target]:
        """What is drawn from."""
        keypoints = [
            Target(KEYPOINT, n) for n in rules.random_keypoints(person)
        ]
        if self.what == 'keypoint':
            return keypoints
        if self.what == 'mixed':
            return [Target(PART, n) for n in rules.mixed_parts(person)]
        every = self.what != 'part'
        parts = [Target(PART, n) for n in rules.random_parts(person, every)]
        return [*keypoints, *parts] if self.what == 'target' else parts

    def choose(
        self, person: Person, numbers: Sequence[float], rules: Rules
    ) -> Choice | str:
        known = self.candidates(person, rules)
        if not known:
            (label,) = self.label
            return f'this person has no available {label.kind}'
        return [(known[int(numbers[1] * len(known))], self.fill)]


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

    @property
    def numbers(self) -> int:
        """Three for each round."""
        return 1 + 3 * self.most

    @property
    def fill(self) -> str:
        """Of the records of a person who is left alone."""
        return self.fills[0]

    @property
    def label(self) -> Sequence[Target]:
        return (Target(KEYPOINT, 'random'),)

    def choose(
        self, person: Person, numbers: Sequence[float], rules: Rules
    ) -> Choice | str:
        names = rules.random_keypoints(person)
        if not names:
            return 'this person has no available keypoint'
        out: Choice = []
        for i in range(min(self.most, len(names))):
            drawn, joint, fill = numbers[1 + 3 * i : 4 + 3 * i]
            if drawn < self.prob:
                name = names.pop(int(joint * len(names)))
                chosen = self.fills[int(fill * len(self.fills))]
                out.append((Target(KEYPOINT, name), chosen))
        return out or f'none drawn (keypoint_prob={self.prob})'
