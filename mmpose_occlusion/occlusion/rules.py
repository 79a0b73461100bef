"""Rules: which joints can be hidden, where, how strongly, what is removed.

The corrected rules are the default; the paper's (``paper_exact=True``) are
the reference's with its defects, on crops alone. Source of the latter: the
published code of "Tilting at windmills: Data augmentation for deep pose
estimation does not help with occlusions" (Pytel, Kayhan, van Gemert, ICPR
2020, arXiv 2010.10451).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..skeleton import CROWN, FACE, LIMBS, MIXED_PARTS, NECK, Skeleton
from .regions import (
    REFERENCE_HEIGHT,
    REFERENCE_RADIUS,
    Array,
    Box,
    Disc,
    Point,
    Region,
    Shape,
    disc_radius,
    inside,
)
from .targets import Person

REFERENCE_PARTS = ('left_arm', 'right_arm', 'hip', 'left_leg', 'right_leg')
PART_KSIZE = 31
MPII_MISSING = -2.0  # -1 in the file, minus 1 for Matlab's indexing
HEAD_SCALE = 1.2
MIN_THICKNESS = 0.25

CenterWidths = tuple[Point, Point]  # a box: centre; full width and height


class CorrectedRules:
    """Strength scales with the person, and boxes cover their joints: without
    the reference's defects that ``docs/reference.md`` lists."""

    paper = False

    def coordinates(
        self,
        xy: Array,
        labelled: Array,
        filed: Any,
        skeleton: Skeleton,
        flipped: bool,
    ) -> Array:
        """``(..., 2)``, the joints as the other rules see them."""
        return xy

    def available(self, xy: Array, labelled: Array, shape: Shape) -> Array:
        """``(K,)`` bool, the joints ``(K, 2)`` that can be hidden: those that
        are labelled and in the image."""
        return labelled & inside(xy, shape)

    def obstacle(self, labelled: bool) -> str:
        """Why a joint is not available."""
        return 'is outside the image' if labelled else 'is not labelled'

    def random_parts(self, person: Person, drawn: str) -> list[str]:
        """What :class:`.targets.Chooser` draws from: parts of which the
        person has an available joint."""
        parts, basic = person.skeleton.parts, person.skeleton.basic_parts
        among = dict(part=basic, mixed=MIXED_PARTS).get(drawn, parts)
        return [p for p in among if person.points_of(parts.get(p, ()))]

    def disc(
        self, person: Person, joint: str, radius: float, shape: Shape
    ) -> Disc | str:
        """The disc around an available joint, or why there is none;
        ``radius`` is in pixels of a crop of height 256."""
        return Disc(person.points[joint], disc_radius(radius, person.height))

    def part_box(self, person: Person, part: str, shape: Shape) -> Box | str:
        """The box, inside the image, of a part of which a joint is available,
        or why there is none: the reference's, or the bounding box of the
        joints where that has none, extended so that it holds the reference's
        disc and the pixels of all available joints, and is never thinner than
        a quarter of its length, even where the image's border clips it."""
        joints = person.points_of(person.skeleton.parts[part])
        xs, ys = zip(*joints, strict=True)
        (x, y), (w, h) = reference_box(person, part) or bounding_box(joints)
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
        scaled = PART_KSIZE * person.height / REFERENCE_HEIGHT
        return max(3, 2 * int(scaled / 2) + 1)

    def removed(
        self, person: Person, index: int, part: str, hidden: Array
    ) -> Array:
        """``(N, K)`` bool, the joints that lose their label with a part of
        the ``index``-th person: those under the paint, ``hidden``."""
        return hidden


class PaperRules:
    """Pixel radii, availability by coordinates, swapped bounds; see
    :class:`CorrectedRules` for what each method is."""

    paper = True

    def coordinates(
        self,
        xy: Array,
        labelled: Array,
        filed: Any,
        skeleton: Skeleton,
        flipped: bool,
    ) -> Array:
        """Unlabelled joints keep the coordinates that their file gives,
        ``filed`` (..., 2 or 3), if it has as many: on MPII (-2, -2) in crop
        pixels, too, on COCO (0, 0), or whatever a file has there. A flip
        makes them (0, 0), and so is a joint that an earlier occlusion
        removed."""
        erased = (xy == 0).all(axis=-1)
        missing = np.zeros_like(xy)
        if skeleton.is_mpii and not flipped:
            missing[...] = MPII_MISSING
        elif not flipped and np.shape(filed)[:2] == xy.shape[:2]:
            missing[...] = np.asarray(filed)[..., :2]
        return np.where((labelled | erased)[..., None], xy, missing)

    def available(self, xy: Array, labelled: Array, shape: Shape) -> Array:
        """Those without a coordinate that is zero (or not finite); label and
        border are not considered."""
        return ((xy != 0) & np.isfinite(xy)).all(axis=-1)

    def obstacle(self, labelled: bool) -> str:
        return 'has a coordinate that is zero'

    def random_parts(self, person: Person, drawn: str) -> list[str]:
        """Whether or not the person has them; none for a person without any
        available joint."""
        parts = person.skeleton.parts if person.points else {}
        among = dict(part=REFERENCE_PARTS, mixed=MIXED_PARTS)
        return [part for part in among.get(drawn, parts) if part in parts]

    def disc(
        self, person: Person, joint: str, radius: float, shape: Shape
    ) -> Disc | str:
        """The radius is in crop pixels, and the test for the crop's border
        swaps its height and width."""
        x, y = person.points[joint]
        if 0 <= x < shape[0] and 0 <= y < shape[1]:
            return Disc((x, y), int(radius))
        return (
            f'the reference paints no disc at ({x:.1f}, {y:.1f}): '
            'its bounds test swaps height and width'
        )

    def part_box(self, person: Person, part: str, shape: Shape) -> Box | str:
        """The tight box, its ends truncated after clipping."""
        box = reference_box(person, part)
        if box is None:
            return f'the reference has no box for the {part} of this person'
        (x, y), (w, h) = box
        edges = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
        size = [shape[1], shape[0]] * 2
        x1, y1, x2, y2 = np.clip(edges, 0, size).astype(int).tolist()
        if x1 >= x2 or y1 >= y2:
            return f"the reference's box for the {part} is empty"
        return Box((x1, y1, x2, y2))

    def ksize(self, person: Person, region: Region) -> int:
        """Of a part 31 pixels, whatever the crop's size."""
        if isinstance(region, Disc):
            return 2 * int(region.radius) - 1
        return PART_KSIZE

    def removed(
        self, person: Person, index: int, part: str, hidden: Array
    ) -> Array:
        """The person's joints in twice the box in each direction (full
        widths taken for half widths), open at its left end, whether or not
        a pixel was painted."""
        gone, box = np.zeros_like(hidden), reference_box(person, part)
        if box is not None and box[1][0]:
            (cx, cy), (w, h), (x, y) = *box, person.xy.T
            gone[index] = (cx - w < x) & (x <= cx + w)
            gone[index] &= (cy - h <= y) & (y <= cy + h)
        return gone


Rules = CorrectedRules | PaperRules
"""The two rule sets have the same methods, which the first one describes."""


def person_from_joints(
    rules: Rules,
    skeleton: Skeleton,
    xy: Array,
    labelled: Array,
    shape: Shape,
    *box: Any,
) -> Person:
    """A person with joints ``xy`` (K, 2) and labels (K,), in an image of
    ``shape``; ``box``: the last fields of :class:`.targets.Person`."""
    xy = np.asarray(xy, np.float64)
    available = rules.available(xy, labelled, shape)
    return Person(skeleton, xy, labelled, available, *box)


def reference_box(person: Person, part: str) -> CenterWidths | None:
    """The box of a part as the reference system computes it; None with fewer
    joints than it needs. Heads without facial joints take its rule for MPII,
    others that for COCO; the user's parts take the plain bounding box."""
    skeleton, of = person.skeleton, person.points_of
    joints, own = skeleton.parts[part], part in skeleton.own_parts
    side, _, limb = part.partition('_')
    if part == 'hip' and not own:
        return _pair(of(['left_hip']), of(['right_hip']), 2, 2)
    if part == 'head' and not own and set(joints).isdisjoint(FACE):
        return _pair(of(CROWN), of(NECK), 2, 1)
    if limb in LIMBS and not own:
        root, mid, end = (of([f'{side}_{name}']) for name in LIMBS[limb])
        if not mid:
            return _pair(root, end)
        if not root or not end:
            # around the middle joint, as wide as to the other
            box = _pair(mid, root or end, 2, 2)
            return box and (mid[0], box[1])
    found = of(joints)
    if len(found) < 2:
        return None
    center, (w, h) = bounding_box(found)
    scale = HEAD_SCALE if part == 'head' and not own else 1
    return center, (scale * w, scale * h)


def bounding_box(points: Sequence[Point]) -> CenterWidths:
    """The bounding box of points."""
    xs, ys = zip(*points, strict=True)
    x1, y1, x2, y2 = min(xs), min(ys), max(xs), max(ys)
    return ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)


def _pair(
    a: list[Point], b: list[Point], x: float = 1, y: float = 1
) -> CenterWidths | None:
    """The box of the first of some joints and of others, no side under a
    quarter of the other, widened by x and y; None if there is none."""
    if not a or not b:
        return None
    center, (w, h) = bounding_box([a[0], b[0]])
    wide, high = max(w, MIN_THICKNESS * h), max(h, MIN_THICKNESS * w)
    return center, (x * wide, y * high)


def _whole(
    low: float, high: float, last_joint: float, size: int
) -> tuple[int, int]:
    """Round an interval outwards, over its last joint's pixel, and clip."""
    stop = max(math.ceil(high), math.floor(last_joint + 0.5) + 1)
    return max(math.floor(low), 0), min(stop, size)


def _thicken(start: int, stop: int, length: int, size: int) -> tuple[int, int]:
    """Widen to a quarter of ``length``, moved inwards at the border."""
    least = math.ceil(MIN_THICKNESS * length)
    missing = least - (stop - start)
    if missing <= 0:
        return start, stop
    start = max(start - missing // 2, 0)
    stop = min(max(stop, start + least), size)
    return max(min(start, stop - least), 0), stop
