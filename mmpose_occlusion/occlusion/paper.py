"""The reference's rules, defects included: ``paper_exact=True``.

Source: the published code of "Tilting at windmills: Data augmentation for
deep pose estimation does not help with occlusions" (Pytel, Kayhan, van
Gemert, ICPR 2020, arXiv 2010.10451). It works on crops alone.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..skeleton import MIXED_PARTS
from .paints import channels
from .part_box import disc_blur_ksize, reference_box
from .patch import Point
from .person import Joint, Person
from .regions import Box, Disc

REFERENCE_PARTS = ('left_arm', 'right_arm', 'hip', 'left_leg', 'right_leg')
PART_KSIZE = 31
MPII_MISSING = -2.0
"""A missing MPII joint is -1 in the file, minus 1 for Matlab's indexing."""


class PaperRules:
    """See :class:`.rules.Rules`: pixel radii, availability by coordinates,
    swapped bounds."""

    exact_blur = True

    def coordinates(
        self,
        xy: np.ndarray,
        labelled: np.ndarray,
        filed: np.ndarray | None = None,
        *,
        mpii: bool,
        flipped: bool,
    ) -> np.ndarray:
        """Unlabelled joints keep the coordinates that their file gives.

        They are never warped: on MPII they are (-2, -2) in crop pixels,
        too, and on COCO (0, 0), or whatever a file has there. A flip
        multiplies them by the visibility, which makes them (0, 0), and so
        is a joint that an earlier occlusion removed.
        """
        erased = (xy == 0).all(axis=-1)
        missing = np.zeros_like(xy)
        if mpii and not flipped:
            missing[...] = MPII_MISSING
        elif filed is not None and not flipped:
            missing[...] = filed
        return np.where((labelled | erased)[..., None], xy, missing)

    def available(
        self,
        names: Sequence[str],
        xy: Sequence[Sequence[float]],
        labelled: Sequence[bool],
        shape: tuple[int, ...],
    ) -> dict[str, Point]:
        """Neither coordinate is zero; label and border are not considered.
        (Coordinates that are not finite are never available.)"""
        return {
            name: (x, y)
            for name, (x, y) in zip(names, xy, strict=True)
            if x != 0 and y != 0 and math.isfinite(x) and math.isfinite(y)
        }

    def why_unavailable(self, person: Person, joint: str) -> str:
        return f'{joint} has a coordinate that is zero'

    def random_keypoints(self, person: Person) -> list[str]:
        return list(person.points)

    def random_parts(self, person: Person, every: bool) -> list[str]:
        """Five parts, or all, whether or not the person has them; none for a
        person without any available joint."""
        if not person.points:
            return []
        parts = person.skeleton.parts
        if every:
            return list(parts)
        return [part for part in REFERENCE_PARTS if part in parts]

    def mixed_parts(self, person: Person) -> list[str]:
        """All of PartMix's parts."""
        if not person.points:
            return []
        return [p for p in MIXED_PARTS if p in person.skeleton.parts]

    def mixes(self, person: Person, part: str) -> bool:
        """Only with all joints of the part available."""
        return person.points.keys() >= set(person.skeleton.parts[part])

    def disc(
        self, person: Person, joint: str, radius: float, shape: tuple[int, ...]
    ) -> Disc | str:
        """The radius is in crop pixels, and the test for the crop's border
        swaps its height and width."""
        x, y = person.points[joint]
        if not (0 <= x < shape[0] and 0 <= y < shape[1]):
            return (
                f'the reference paints no disc at ({x:.1f}, {y:.1f}): '
                'its bounds test swaps height and width'
            )
        return Disc((x, y), int(radius))

    def part_box(
        self, person: Person, part: str, shape: tuple[int, ...]
    ) -> Box | str:
        """The tight box, its ends truncated after clipping."""
        box = reference_box(part, person.skeleton, person.points)
        if box is None:
            return f'the reference has no box for the {part} of this person'
        (x, y), (w, h) = box
        x1, x2 = (_clipped(edge, shape[1]) for edge in (x - w / 2, x + w / 2))
        y1, y2 = (_clipped(edge, shape[0]) for edge in (y - h / 2, y + h / 2))
        if x1 >= x2 or y1 >= y2:
            return f"the reference's box for the {part} is empty"
        return Box((x1, y1, x2, y2))

    def disc_ksize(self, disc: Disc) -> int:
        return disc_blur_ksize(int(disc.radius))

    def part_ksize(self, person: Person) -> int:
        """31 pixels whatever the crop's size."""
        return PART_KSIZE

    def mean_color(self, image: np.ndarray) -> list[float]:
        """The mean over all pixels, truncated to the image's dtype."""
        flat = image.reshape(-1, channels(image))
        mean = flat.mean(axis=0, dtype=np.float64)
        return mean.astype(image.dtype).tolist()

    def removed(
        self, person: Person, index: int, part: str, hidden: list[Joint]
    ) -> list[Joint]:
        """The person's joints in twice the box in each direction (full
        widths taken for half widths), open at its left end, whether or not
        a pixel was painted."""
        box = reference_box(part, person.skeleton, person.points)
        if box is None or box[1][0] == 0:
            return []
        (cx, cy), (w, h) = box
        return [
            (index, joint)
            for joint, (x, y) in zip(
                person.skeleton.names, person.xy, strict=True
            )
            if cx - w < x <= cx + w and cy - h <= y <= cy + h
        ]


def _clipped(edge: float, size: int) -> int:
    """An edge inside the image, truncated."""
    return int(min(max(edge, 0), size))
