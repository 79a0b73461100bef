"""Regions, where to paint, in image pixels before any clipping; and patches,
what is painted there."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..errors import UsageError

Array = np.ndarray
Shape = tuple[int, ...]  # of an image, (H, W) or (H, W, C)
Point = tuple[float, float]  # x, y in pixels
PixelBox = tuple[int, int, int, int]  # x1, y1, x2, y2, ends exclusive
Size = int | float | str  # as users write it, see DiscSize

REFERENCE_HEIGHT = 256  # of crops for which radii and kernels are stated
REFERENCE_RADIUS = 6  # of the reference's discs, in pixels of such a crop
DEFAULT_SIZE = '20%'
"""Of discs: of the sizes of suite ``occlusion-1.0`` the one that costs a joint
most nearly as much as natural occlusion (``docs/benchmark_analysis.md``)."""


class Recorded:
    """Base of frozen dataclasses whose record is their fields, as plain
    values, and their ``kind`` under the key ``tag``; a field ``source`` is
    not recorded."""

    tag: ClassVar[str] = 'kind'
    kind: ClassVar[str]

    def to_record(self) -> dict[str, Any]:
        record: dict[str, Any] = {self.tag: self.kind}
        for name, value in vars(self).items():
            if name != 'source':
                record[name] = list(value) if type(value) is tuple else value
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Any:
        """Inverse of :meth:`to_record`."""
        fields = {k: v for k, v in record.items() if k != cls.tag}
        lists = {k: tuple(v) for k, v in fields.items() if type(v) is list}
        return cls(**fields | lists)


@dataclass(frozen=True)
class Disc(Recorded):
    """All pixels (col, row) with (col - x)² + (row - y)² <= radius²; the
    centre is never rounded."""

    tag, kind = 'shape', 'disc'
    center: Point
    radius: float

    def bounds(self, shape: Shape) -> PixelBox | None:
        """The disc's pixel box in an image of ``shape`` (H, W); None where no
        pixel of the image can be in the disc."""
        (x, y), r = self.center, self.radius
        left, top = math.ceil(x - r), math.ceil(y - r)
        right, bottom = math.floor(x + r) + 1, math.floor(y + r) + 1
        return _clipped((left, top, right, bottom), shape)

    def mask(self, box: PixelBox) -> Array:
        """``(y2 - y1, x2 - x1)`` bool: the pixels of ``box`` in the region."""
        x1, y1, x2, y2 = box
        dx = np.arange(x1, x2) - self.center[0]
        dy = np.arange(y1, y2) - self.center[1]
        return np.add.outer(dy * dy, dx * dx) <= self.radius * self.radius

    def moved(self, dx: float, dy: float) -> 'Disc':
        return Disc((self.center[0] + dx, self.center[1] + dy), self.radius)


@dataclass(frozen=True)
class Box(Recorded):
    """All pixels of a box."""

    tag, kind = 'shape', 'box'
    box: PixelBox

    def bounds(self, shape: Shape) -> PixelBox | None:
        return _clipped(self.box, shape)

    def mask(self, box: PixelBox) -> Array:
        return np.ones((box[3] - box[1], box[2] - box[0]), bool)

    @property
    def center(self) -> Point:
        x1, y1, x2, y2 = self.box
        return (x1 + x2 - 1) / 2, (y1 + y2 - 1) / 2

    def moved(self, dx: int, dy: int) -> 'Box':
        x1, y1, x2, y2 = self.box
        return Box((x1 + dx, y1 + dy, x2 + dx, y2 + dy))


Region = Disc | Box
REGIONS: dict[str, type[Region]] = {'disc': Disc, 'box': Box}


def _clipped(box: PixelBox, shape: Shape) -> PixelBox | None:
    (x1, y1, x2, y2), (height, width) = box, shape[:2]
    box = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    return box if box[0] < box[2] and box[1] < box[3] else None


class Patch(NamedTuple):
    """Pixels to put into a box inside an image: an array that broadcasts to
    ``(y2 - y1, x2 - x1, C)``, of the image's dtype; ``mask`` (y2 - y1, x2 -
    x1) bool says which are painted."""

    box: PixelBox
    pixels: Array
    mask: Array

    def apply(self, image: Array) -> None:
        """Paint the patch into ``image``, (H, W, C) or (H, W), in place."""
        x1, y1, x2, y2 = self.box
        where = self.mask if image.ndim == 2 else self.mask[..., None]
        np.copyto(image[y1:y2, x1:x2], self.pixels, where=where)

    def joints_under(
        self, points: Mapping[str, Point], shape: Shape
    ) -> list[str]:
        """Which joints in an image of ``shape`` lie on a painted pixel, see
        :func:`nearest_pixel`."""
        x1, y1, x2, y2 = self.box
        left, top, under = max(x1 - 1, 0), max(y1 - 1, 0), []
        # plain numbers, since NumPy's calls cost more than so few joints
        for joint, (x, y) in points.items():
            if left <= x < x2 and top <= y < y2:
                col = min(math.floor(x + 0.5), shape[1] - 1)
                row = min(math.floor(y + 0.5), shape[0] - 1)
                inside_box = x1 <= col < x2 and y1 <= row < y2
                if inside_box and self.mask[row - y1, col - x1]:
                    under.append(joint)
        return under


def nearest_pixel(xy: Array, shape: Shape) -> tuple[Array, Array]:
    """Columns and rows ``(...)`` of the pixels nearest to points ``(..., 2)``
    in an image, pixel centres at whole numbers; -1 for points outside
    (:func:`inside`)."""
    within = inside(xy, shape)[..., None]
    pixel = np.floor(np.where(within, xy, 0) + 0.5).astype(np.int64)
    last = [shape[1] - 1, shape[0] - 1]
    pixel = np.where(within, np.minimum(pixel, last), -1)
    return pixel[..., 0], pixel[..., 1]


def inside(xy: Array, shape: Shape) -> Array:
    """Which points ``(..., 2)`` are in an image: ``0 <= x < W`` and ``0 <= y <
    H``, not NaN."""
    x, y, (height, width) = xy[..., 0], xy[..., 1], shape[:2]
    return np.asarray((x >= 0) & (x < width) & (y >= 0) & (y < height))


def disc_radius(radius: float, height: float) -> int:
    """``max(2, round(radius * height / 256))`` pixels, for a radius in a crop
    of height 256, and the height of the crop, or on whole images of the
    person's box; a UsageError if that is not finite."""
    if not math.isfinite(height):
        raise UsageError(
            f"the height of a person's box is {height}: give a finite box"
        )
    return max(2, round(radius * height / REFERENCE_HEIGHT))


@dataclass(frozen=True)
class DiscSize:
    """A radius in pixels of a crop of height 256 (on whole images: where the
    person's box has that height), or else a diameter as a fraction of the
    height of the person's box."""

    radius: float | None = None
    fraction: float | None = None

    @classmethod
    def of(cls, size: Any, paper_exact: bool = False) -> 'DiscSize':
        """Read a size, to six digits: ``6``, or ``'10%'``; None for the
        default, :data:`DEFAULT_SIZE` or the reference's.

        Raises:
            ValueError: It is neither.

        >>> DiscSize.of('10%').fraction
        0.1
        """
        if size is None:
            size = REFERENCE_RADIUS if paper_exact else DEFAULT_SIZE
        text = str(size).strip()
        number = text.removesuffix('%')
        percent = number != text
        try:
            # six digits, so that a size is written in one way
            value = float(f'{float(number):.6g}')
        except ValueError:
            value = math.nan
        if not 0 < value <= (400 if percent else 9999):
            raise UsageError(
                f'size={size!r} must be a positive number of pixels, the '
                'radius of a disc in a crop of height 256, or a diameter '
                "such as '10%' of the height of the person's box"
            )
        if percent:
            return cls(fraction=value / 100)
        return cls(int(value) if value.is_integer() else value)

    @property
    def plain(self) -> Size:
        """As users write it."""
        return self.radius or f'{100 * (self.fraction or 0):.6g}%'

    def __str__(self) -> str:
        return str(self.plain)


DEFAULT_DISC = DiscSize.of(DEFAULT_SIZE)
