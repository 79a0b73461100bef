"""What an occlusion may ask of a sample beyond its people's joints."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .paints import Donor
from .person import Person
from .placement import body_mask, with_joints
from .targets import Target


class Surroundings(Protocol):
    """What an occlusion may ask of the sample beyond its people's joints."""

    def person_mask(self, index: int) -> np.ndarray:
        """``(H, W)`` bool, the pixels of a person."""

    def photo_mask(self) -> np.ndarray:
        """``(H, W)`` bool, the pixels that show the photograph."""

    def donor(
        self,
        index: int,
        target: Target,
        numbers: Sequence[float],
        rng: np.random.Generator | None,
    ) -> 'Donor | str':
        """Pixels of another person, or why there are none.

        Args:
            index: Of the person whose target is hidden.
            target: The target.
            numbers: All random numbers of the person.
            rng: For the target, where the fill is drawn at random.
        """


class BareImage:
    """Surroundings of an image of which only people's joints are known.

    Args:
        shape: The image's ``(H, W)``.
        people: All people.
        links: Pairs of joint indices between which there are limbs.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        people: Sequence[Person],
        links: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._shape = shape[:2]
        self._people = people
        self._links = links

    def person_mask(self, index: int) -> np.ndarray:
        """The shape of limbs, torso and head around the labelled joints."""
        person = self._people[index]
        mask = body_mask(person, self._links, self._shape)
        return with_joints(mask, np.array(person.xy), person.available)

    def photo_mask(self) -> np.ndarray:
        """The whole image."""
        return np.ones(self._shape, bool)

    def donor(
        self,
        index: int,
        target: Target,
        numbers: Sequence[float],
        rng: np.random.Generator | None,
    ) -> Donor | str:
        """There are none."""
        return 'there is no data set of donors'
