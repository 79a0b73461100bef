"""The corrected rules, the default: strength scales with the person, boxes
cover their joints."""

from collections.abc import Sequence

import numpy as np

from ..skeleton import MIXED_PARTS
from .paints import mean_color
from .part_box import corrected_box, disc_blur_ksize, part_blur_ksize
from .patch import Point
from .person import Joint, Person
from .regions import Box, Disc, disc_radius


class CorrectedRules:
    """See :class:`.rules.Rules`; the class repairs the reference's defects
    that ``docs/reference.md`` lists."""

    exact_blur = False

    def coordinates(
        self,
        xy: np.ndarray,
        labelled: np.ndarray,
        filed: np.ndarray | None = None,
        *,
        mpii: bool,
        flipped: bool,
    ) -> np.ndarray:
        return xy

    def available(
        self,
        names: Sequence[str],
        xy: Sequence[Sequence[float]],
        labelled: Sequence[bool],
        shape: tuple[int, ...],
    ) -> dict[str, Point]:
        """Labelled joints in the image: 0 <= x < W and 0 <= y < H."""
        height, width = shape[:2]
        return {
            name: (x, y)
            for name, (x, y), known in zip(names, xy, labelled, strict=True)
            if known and 0 <= x < width and 0 <= y < height
        }

    def why_unavailable(self, person: Person, joint: str) -> str:
        if person.labelled[person.skeleton.joint_index(joint)]:
            return f'{joint} is outside the image'
        return f'{joint} is not labelled'

    def random_keypoints(self, person: Person) -> list[str]:
        return list(person.points)

    def random_parts(self, person: Person, every: bool) -> list[str]:
        """Parts of which the person has an available joint."""
        skeleton = person.skeleton
        parts = skeleton.parts if every else skeleton.basic_parts
        return [
            part
            for part in parts
            if not person.points.keys().isdisjoint(skeleton.parts[part])
        ]

    def mixed_parts(self, person: Person) -> list[str]:
        """Of PartMix's parts those of which a joint is available."""
        has = self.random_parts(person, every=True)
        return [part for part in MIXED_PARTS if part in has]

    def mixes(self, person: Person, part: str) -> bool:
        return True

    def disc(
        self, person: Person, joint: str, radius: float, shape: tuple[int, ...]
    ) -> Disc | str:
        return Disc(person.points[joint], disc_radius(radius, person.height))

    def part_box(
        self, person: Person, part: str, shape: tuple[int, ...]
    ) -> Box | str:
        return corrected_box(
            part, person.skeleton, person.points, person.height, shape
        )

    def disc_ksize(self, disc: Disc) -> int:
        return max(3, disc_blur_ksize(int(disc.radius)))

    def part_ksize(self, person: Person) -> int:
        return part_blur_ksize(person.height)

    def mean_color(self, image: np.ndarray) -> list[float]:
        return mean_color(image)

    def removed(
        self, person: Person, index: int, part: str, hidden: list[Joint]
    ) -> list[Joint]:
        """The joints under the paint."""
        return hidden
