"""Regions: where to paint, in pixels of the picture, before any clipping."""

import math
from dataclasses import dataclass

import numpy as np

from .patch import PixelBox

REFERENCE_HEIGHT = 256
"""Crop height in pixels at which radii and kernels are stated."""


@dataclass(frozen=True)
class Disc:
    """All pixels (col, row) with (col-x)² + (row-y)² <= radius².

    Args:
        center: ``(x, y)`` in pixels, never rounded.
        radius: In pixels.
    """

    center: tuple[float, float]
    radius: float

    def bounds(self, shape: tuple[int, ...]) -> PixelBox | None:
        """The pixel box of the disc in a picture of ``shape`` (H, W).

        None where no pixel of the picture can be in the disc.
        """
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
        return dx * dx + (dy * dy)[:, None] <= self.radius * self.radius

    def as_record(self) -> dict:
        return dict(shape='disc', center=list(self.center), radius=self.radius)


@dataclass(frozen=True)
class Box:
    """All pixels of a box, ``(x1, y1, x2, y2)``, ends exclusive."""

    box: PixelBox

    def bounds(self, shape: tuple[int, ...]) -> PixelBox | None:
        """The part of the box in a picture of ``shape``; None where none."""
        x1, y1, x2, y2 = self.box
        box = (max(x1, 0), max(y1, 0), min(x2, shape[1]), min(y2, shape[0]))
        return box if box[0] < box[2] and box[1] < box[3] else None

    def mask(self, box: PixelBox) -> None:
        """None: the whole box is painted."""

    def as_record(self) -> dict:
        return dict(shape='box', box=list(self.box))


Region = Disc | Box


def region_from_record(record: dict) -> Region:
    """The inverse of ``as_record``."""
    if record['shape'] == 'disc':
        x, y = record['center']
        return Disc((x, y), record['radius'])
    x1, y1, x2, y2 = record['box']
    return Box((x1, y1, x2, y2))


def disc_radius(radius: float, height: float) -> int:
    """A disc's radius in a picture where the person's frame is ``height``.

    Args:
        radius: In pixels of a crop of height 256.
        height: The crop's height, or on whole images the height of the
            person's box, in pixels.

    Returns:
        ``max(2, round(radius * height / 256))`` pixels.
    """
    return max(2, round(radius * height / REFERENCE_HEIGHT))
