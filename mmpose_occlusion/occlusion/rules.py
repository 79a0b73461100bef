"""What a rule set decides; two exist, the corrected one and the paper's."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .patch import Point
from .person import Joint, Person
from .regions import Box, Disc


class Rules(Protocol):
    """Which joints can be hidden, where, how strongly, and what is removed.

    Attributes:
        exact_blur: Whether a blur is the exact one, see
            :class:`.paints.Blur`.
    """

    exact_blur: bool

    def coordinates(
        self,
        xy: np.ndarray,
        labelled: np.ndarray,
        filed: np.ndarray | None = None,
        *,
        mpii: bool,
        flipped: bool,
    ) -> np.ndarray:
        """The joints as the other rules are to see them.

        Args:
            xy: ``(..., 2)`` image pixels.
            labelled: ``(...)`` bool.
            filed: ``(..., 2)`` as the annotation file has them, in pixels of
                the whole image; None where they are not known.
            mpii: Whether they are MPII's joints.
            flipped: Whether the image was flipped.

        Returns:
            ``(..., 2)`` image pixels.
        """

    def available(
        self,
        names: Sequence[str],
        xy: Sequence[Sequence[float]],
        labelled: Sequence[bool],
        shape: tuple[int, ...],
    ) -> dict[str, Point]:
        """The joints of a person that can be hidden.

        Args:
            names: Of the joints.
            xy: x and y of each in image pixels.
            labelled: Whether it has a label.
            shape: The image's ``(H, W)``.

        Returns:
            Name -> x and y, in the order of the joints.
        """

    def why_unavailable(self, person: Person, joint: str) -> str:
        """A clause that says why a joint cannot be hidden."""

    def random_keypoints(self, person: Person) -> list[str]:
        """The joints that 'random' draws from."""

    def random_parts(self, person: Person, every: bool) -> list[str]:
        """The parts that 'random' draws from; with ``every``, all parts."""

    def mixed_parts(self, person: Person) -> list[str]:
        """The parts that PartMix draws from."""

    def mixes(self, person: Person, part: str) -> bool:
        """Whether PartMix pastes over a drawn part."""

    def disc(
        self, person: Person, joint: str, radius: float, shape: tuple[int, ...]
    ) -> Disc | str:
        """The disc around an available joint, or why there is none.

        Args:
            person: The person.
            joint: Name.
            radius: In pixels of a crop of height 256.
            shape: The image's ``(H, W)``.
        """

    def part_box(
        self, person: Person, part: str, shape: tuple[int, ...]
    ) -> Box | str:
        """The box of a part of which a joint is available, or why there is
        none."""

    def disc_ksize(self, disc: Disc) -> int:
        """Kernel size of a disc's blur in pixels."""

    def part_ksize(self, person: Person) -> int:
        """Kernel size of a part's blur in pixels."""

    def mean_color(self, image: np.ndarray) -> list[float]:
        """The image's mean colour, a number per channel."""

    def removed(
        self, person: Person, index: int, part: str, hidden: list[Joint]
    ) -> list[Joint]:
        """Joints that lose their label with a part.

        Args:
            person: The person.
            index: Of the person in the image.
            part: Name.
            hidden: Joints of all people under the paint.
        """
