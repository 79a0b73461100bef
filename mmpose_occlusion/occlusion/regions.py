"""Regions: where to paint, in image pixels, before any clipping."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .patch import PixelBox

REFERENCE_HEIGHT = 256
"""Crop height in pixels at which radii and kernels are stated."""

Frame = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Position of each pixel of a box within a region, each (H, W) float64:
to the right and down, from -1 to 1 across the region, and the depth, 0 at its
outline and 1 at its centre; negative outside."""


def _spread(
    box: PixelBox, center: tuple[float, float], half: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    x1, y1, x2, y2 = box
    u = (np.arange(x1, x2) - center[0]) / half[0]
    v = (np.arange(y1, y2) - center[1]) / half[1]
    return tuple(np.meshgrid(u, v))


@dataclass(frozen=True)
class Disc:
    """All pixels (col, row) with (col - x)² + (row - y)² <= radius².

    Args:
        center: ``(x, y)`` in pixels, never rounded.
        radius: In pixels.
    """

    center: tuple[float, float]
    radius: float

    def bounds(self, shape: tuple[int, ...]) -> PixelBox | None:
        """The disc's pixel box in an image of ``shape`` (H, W); None where no
        pixel of the image can be in the disc."""
        (x, y), r = self.center, self.radius
        box = (
            max(math.ceil(x - r), 0),
            max(math.ceil(y - r), 0),
            min(math.floor(x + r) + 1, shape[1]),
            min(math.floor(y + r) + 1, shape[0]),
        )
        return box if box[0] < box[2] and box[1] < box[3] else None

    def mask(self, box: PixelBox) -> np.ndarray:
        """``(y2 - y1, x2 - x1)`` bool: the pixels of ``box`` in the disc."""
        x1, y1, x2, y2 = box
        dx = np.arange(x1, x2) - self.center[0]
        dy = np.arange(y1, y2) - self.center[1]
        return np.add.outer(dy * dy, dx * dx) <= self.radius * self.radius

    def frame(self, box: PixelBox) -> Frame:
        """Positions of the pixels of a box, see :data:`Frame`."""
        r = self.radius
        u, v = _spread(box, self.center, (r, r))
        return u, v, 1 - np.sqrt(u * u + v * v)

    def moved(self, dx: int, dy: int) -> 'Disc':
        """The disc at another place, with the same pixels."""
        return Disc((self.center[0] + dx, self.center[1] + dy), self.radius)

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return dict(shape='disc', center=list(self.center), radius=self.radius)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> 'Disc':
        """Inverse of :meth:`to_record`."""
        x, y = record['center']
        return cls((x, y), record['radius'])


@dataclass(frozen=True)
class Box:
    """All pixels of a box ``(x1, y1, x2, y2)``, ends exclusive."""

    box: PixelBox

    def bounds(self, shape: tuple[int, ...]) -> PixelBox | None:
        """The box in an image of ``shape``; None where it is outside."""
        x1, y1, x2, y2 = self.box
        box = (max(x1, 0), max(y1, 0), min(x2, shape[1]), min(y2, shape[0]))
        return box if box[0] < box[2] and box[1] < box[3] else None

    def mask(self, box: PixelBox) -> None:
        """None: the whole box is painted."""

    @property
    def center(self) -> tuple[float, float]:
        """``(x, y)`` in pixels."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2 - 1) / 2, (y1 + y2 - 1) / 2

    def frame(self, box: PixelBox) -> Frame:
        """Positions of the pixels of a box, see :data:`Frame`."""
        x1, y1, x2, y2 = self.box
        u, v = _spread(box, self.center, ((x2 - x1) / 2, (y2 - y1) / 2))
        return u, v, 1 - np.maximum(np.abs(u), np.abs(v))

    def moved(self, dx: int, dy: int) -> 'Box':
        """The box at another place."""
        x1, y1, x2, y2 = self.box
        return Box((x1 + dx, y1 + dy, x2 + dx, y2 + dy))

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return dict(shape='box', box=list(self.box))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> 'Box':
        """Inverse of :meth:`to_record`."""
        x1, y1, x2, y2 = record['box']
        return cls((x1, y1, x2, y2))


Region = Disc | Box

REGIONS: dict[str, type[Disc] | type[Box]] = {'disc': Disc, 'box': Box}
"""Shape in a record -> class."""


def region_from_record(record: Mapping[str, Any]) -> Region:
    """The region of a record."""
    return REGIONS[record['shape']].from_record(record)


def disc_radius(radius: float, height: float) -> int:
    """Radius of a disc where the person's frame is ``height`` pixels high.

    Args:
        radius: In pixels of a crop of height 256.
        height: The crop's height, or on whole images the height of the
            person's box, in pixels.

    Returns:
        ``max(2, round(radius * height / 256))`` pixels.

    Raises:
        ValueError: The height is NaN or infinite.
    """
    if not math.isfinite(height):
        raise ValueError(
            f"the height of a person's box is {height}: give a finite box"
        )
    return max(2, round(radius * height / REFERENCE_HEIGHT))
