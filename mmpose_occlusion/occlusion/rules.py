"""Rules: which joints can be hidden, where, how strongly, what is removed.

Two sets exist, the corrected rules, the default, and the paper's.
"""

import math
from collections.abc import Sequence
from typing import Any

from ..skeleton import MIXED_PARTS
from .paints import mean_color
from .paper import MIN_THICKNESS, PaperRules, bounding_box, reference_box
from .person import Person
from .regions import (
    REFERENCE_HEIGHT,
    REFERENCE_RADIUS,
    Array,
    Box,
    Disc,
    Joint,
    Point,
    Region,
    Shape,
    disc_radius,
)


class CorrectedRules:
    """Strength scales with the person, and boxes cover their joints.

    They repair the reference's defects that ``docs/reference.md`` lists.

    Attributes:
        exact_blur: Whether a blur is the exact one, see
            :class:`.paints.Blur`.
        mean_color: Image -> its mean colour, a number per channel.
    """

    exact_blur = False
    mean_color = staticmethod(mean_color)

    def coordinates(
        self, xy: Array, labelled: Array, filed: Any = None, **_: Any
    ) -> Array:
        """The joints as the other rules are to see them: as they are.

        Args:
            xy: ``(..., 2)`` image pixels.
            labelled: ``(...)`` bool.

        Returns:
            ``(..., 2)`` image pixels.
        """
        return xy

    def available(
        self,
        names: Sequence[str],
        xy: Sequence[Sequence[float]],
        labelled: Sequence[bool],
        shape: Shape,
    ) -> dict[str, Point]:
        """The joints of a person that can be hidden, in their order: name ->
        x and y in image pixels.

        They are labelled and in the image: 0 <= x < W and 0 <= y < H.
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
            return f'{joint} is outside the image'
        return f'{joint} is not labelled'

    def random_parts(self, person: Person, what: str) -> list[str]:
        """What :class:`.targets.Drawn` draws from: parts of which the person
        has an available joint."""
        parts = person.skeleton.parts
        known = {'part': person.skeleton.basic_parts, 'mixed': MIXED_PARTS}
        among = known.get(what, tuple(parts))
        return [part for part in among if part in parts and person.has(part)]

    def mixes(self, person: Person, part: str) -> bool:
        """Whether PartMix pastes over a drawn part."""
        return True

    def disc(
        self, person: Person, joint: str, radius: float, shape: Shape
    ) -> Disc | str:
        """The disc around an available joint, or why there is none;
        ``radius`` is in pixels of a crop of height 256."""
        return Disc(person.points[joint], disc_radius(radius, person.height))

    def part_box(self, person: Person, part: str, shape: Shape) -> Box | str:
        """The box of a part of which a joint is available, or why there is
        none.

        A box inside the image that covers all of the part's joints. It
        starts from the reference's box, or the bounding box of the joints
        where that has none. It then holds at least the reference's disc
        (:data:`.regions.REFERENCE_RADIUS`), covers the pixels of all of the
        part's available joints, and is never thinner than a quarter of its
        length, even where the image's border clips it.
        """
        points = person.points
        joints = [n for n in person.skeleton.parts[part] if n in points]
        xs, ys = zip(*(points[n] for n in joints), strict=True)
        box = reference_box(part, person.skeleton, points)
        (x, y), (w, h) = box or bounding_box(xs, ys)
        smallest = 2.0 * disc_radius(REFERENCE_RADIUS, person.height) + 1
        w, h = max(w, MIN_THICKNESS * h), max(h, MIN_THICKNESS * w)
        w, h = max(w, smallest) / 2, max(h, smallest) / 2
        x1, x2 = _whole(min(*xs, x - w), max(*xs, x + w), max(xs), shape[1])
        y1, y2 = _whole(min(*ys, y - h), max(*ys, y + h), max(ys), shape[0])
        x1, x2 = _thicken(x1, x2, y2 - y1, shape[1])
        y1, y2 = _thicken(y1, y2, x2 - x1, shape[0])
        return Box((x1, y1, x2, y2))

    def ksize(self, person: Person, region: Region) -> int:
        """Kernel size of a region's blur in pixels: of a disc ``2 R - 1``, of
        a part's box the odd number nearest to ``31 * height / 256``, at least
        3."""
        if isinstance(region, Disc):
            return max(3, 2 * int(region.radius) - 1)
        return max(3, 2 * int(31 * person.height / REFERENCE_HEIGHT / 2) + 1)

    def removed(
        self, person: Person, index: int, part: str, hidden: list[Joint]
    ) -> list[Joint]:
        """Joints that lose their label with a part of the ``index``-th
        person: those of all people under the paint, ``hidden``."""
        return hidden


def _whole(
    low: float, high: float, last_joint: float, size: int
) -> tuple[int, int]:
    """Round an interval outwards, over its last joint's pixel, and clip."""
    stop = max(math.ceil(high), math.floor(last_joint + 0.5) + 1)
    return max(math.floor(low), 0), min(stop, size)


def _thicken(start: int, stop: int, length: int, size: int) -> tuple[int, int]:
    """Widen to a quarter of ``length``, moved inwards at the border."""
    missing = math.ceil(MIN_THICKNESS * length) - (stop - start)
    if missing <= 0:
        return start, stop
    start = max(start - missing // 2, 0)
    stop = min(max(stop, start + math.ceil(MIN_THICKNESS * length)), size)
    return max(min(start, stop - math.ceil(MIN_THICKNESS * length)), 0), stop


Rules = CorrectedRules | PaperRules
"""The two rule sets have the same methods, which the first one describes."""
