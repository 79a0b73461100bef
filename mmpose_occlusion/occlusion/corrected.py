"""The corrected rules, the default of every transform.

What a rule decides: which joints can be hidden, what a random draw chooses
from, which region a target has, how strong a paint is, and which joints lose
their label. :mod:`.paper` overrides the rules that the reference breaks.
"""

import math
from collections.abc import Sequence

import numpy as np

from .joints_under import Joints
from .paint import (
    black,
    disc_blur_ksize,
    grey,
    mean_color,
    part_blur_ksize,
)
from .part_box import corrected_box
from .patch import Point
from .person import Person
from .procedural import THINGS
from .region import Box, Disc, disc_radius


class CorrectedRules:
    """Strength scales with the person, boxes cover their joints."""

    exact_blur = False
    """Whether a blur is the exact one, see :func:`.paint.blur`."""

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
            xy: ``(..., 2)`` in the picture's pixels.
            labelled: ``(...)`` bool.
            filed: ``(..., 2)`` as the annotation file has them, in pixels
                of the whole image; None where nobody knows.
            mpii: Whether they are MPII's joints.
            flipped: Whether the picture was flipped.

        Returns:
            ``(..., 2)`` in the picture's pixels.
        """
        return xy

    def available(
        self,
        names: Sequence[str],
        xy: Sequence[Sequence[float]],
        labelled: Sequence[bool],
        shape: tuple[int, ...],
    ) -> dict[str, Point]:
        """A person's joints that can be hidden: labelled and inside the
        picture, ``0 <= x < W`` and ``0 <= y < H``.

        Args:
            names: Of the joints.
            xy: x and y of each, in the picture's pixels.
            labelled: Whether it has a label.
            shape: The picture's ``(H, W)``.

        Returns:
            Name -> x and y, in the order of the joints.
        """
        height, width = shape[:2]
        return {
            name: (x, y)
            for name, (x, y), known in zip(names, xy, labelled, strict=True)
            if known and 0 <= x < width and 0 <= y < height
        }

    def why_unavailable(self, person: Person, joint: str) -> str:
        """A clause that says why a joint cannot be hidden."""
        if person.labelled[person.skeleton.joint_index(joint)]:
            return f'{joint} is outside the picture'
        return f'{joint} is not labelled'

    def random_keypoints(self, person: Person) -> list[str]:
        """What 'random' draws from: the person's available joints."""
        return list(person.points)

    def random_parts(self, person: Person, every: bool) -> list[str]:
        """What 'random' (or, with ``every``, 'random_all') draws from: the
        parts of which the person has an available joint."""
        skeleton = person.skeleton
        parts = skeleton.parts if every else skeleton.basic_parts
        return [
            part
            for part in parts
            if not person.points.keys().isdisjoint(skeleton.parts[part])
        ]

    def disc(
        self, person: Person, joint: str, radius: float, shape: tuple[int, ...]
    ) -> Disc | str:
        """The disc around an available joint, or why there is none."""
        return Disc(person.points[joint], disc_radius(radius, person.height))

    def sized_disc(self, person: Person, joint: str, diameter: float) -> Disc:
        """The disc around an available joint whose diameter is a part of
        the height of the person's box; it holds at least the joint's pixel.
        """
        radius = diameter * person.box_height / 2
        return Disc(person.points[joint], max(radius, math.sqrt(0.5)))

    def part_box(
        self, person: Person, part: str, shape: tuple[int, ...]
    ) -> Box | str:
        """The box of a part of which the person has an available joint, or
        why there is none."""
        return corrected_box(
            part, person.skeleton, person.points, person.height, shape
        )

    def disc_ksize(self, disc: Disc) -> int:
        """Kernel size of a disc's blur, in pixels."""
        return max(3, disc_blur_ksize(int(disc.radius)))

    def part_ksize(self, person: Person) -> int:
        """Kernel size of a part's blur, in pixels."""
        return part_blur_ksize(person.height)

    def make_paint(
        self, image: np.ndarray, fill: str, ksize: int, seed: int = 0
    ) -> dict:
        """Settle what is painted; see :func:`.paint.make_patch`.

        Args:
            image: The picture.
            fill: One of :data:`.paint.FILLS`, but not 'donor'.
            ksize: Kernel size of a blur in pixels. Squares are as wide as
                its half: either is as coarse.
            seed: Of a paint that leaves something to chance.
        """
        if fill == 'blur':
            return dict(kind='blur', ksize=ksize, exact=self.exact_blur)
        if fill == 'pixelate':
            return dict(kind='pixelate', block=ksize // 2 + 1)
        if fill in ('noise', 'texture'):
            return dict(kind=fill, seed=seed)
        if fill == 'object':
            thing = list(THINGS)[seed % len(THINGS)]
            return dict(kind='object', thing=thing, seed=seed)
        if fill == 'mean':
            return dict(kind='color', color=self.mean_color(image))
        color = black(image) if fill == 'black' else grey(image)
        return dict(kind='color', color=color)

    def mean_color(self, image: np.ndarray) -> list[float]:
        """The picture's mean colour, one number per channel."""
        return mean_color(image)

    def removed(
        self, person: Person, index: int, part: str, hidden: Joints
    ) -> Joints:
        """Joints that lose their label with a part: those under its paint.

        Args:
            person: Whose part was painted.
            index: Which of the people in the picture this is.
            part: Its name.
            hidden: The joints under the paint, of anybody in the picture.
        """
        return hidden
