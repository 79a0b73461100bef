"""A patch: where an image is painted over, and with what."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]
"""``(x, y)`` in pixels."""

PixelBox = tuple[int, int, int, int]
"""Columns x1:x2 and rows y1:y2 as ``(x1, y1, x2, y2)``, ends exclusive."""


@dataclass(frozen=True)
class Patch:
    """Pixels to put into a box of an image.

    Args:
        box: The box, inside the image.
        pixels: Array that broadcasts to ``(y2 - y1, x2 - x1, C)``, of the
            image's dtype.
        mask: ``(y2 - y1, x2 - x1)`` bool, the pixels of the box that are
            painted; None paints the whole box.
    """

    box: PixelBox
    pixels: np.ndarray
    mask: np.ndarray | None = None

    @property
    def num_pixels(self) -> int:
        """Number of painted pixels."""
        if self.mask is not None:
            return int(np.count_nonzero(self.mask))
        x1, y1, x2, y2 = self.box
        return (x2 - x1) * (y2 - y1)

    def apply(self, image: np.ndarray) -> None:
        """Paint the patch into ``image``, (H, W, C) or (H, W), in place."""
        x1, y1, x2, y2 = self.box
        view = image[y1:y2, x1:x2]
        if self.mask is None:
            view[...] = self.pixels
        else:
            mask = self.mask
            np.copyto(
                view,
                self.pixels,
                where=mask[..., None] if view.ndim == 3 else mask,
            )

    def joints_under(
        self, points: Mapping[str, Point], shape: tuple[int, ...]
    ) -> list[str]:
        """Which joints lie on a painted pixel.

        A joint lies on the pixel whose centre is nearest; pixel centres are
        at whole numbers. Plain numbers: for a person's few joints arrays
        take many times as long.

        Args:
            points: Joints in image pixels; those not finite or outside
                the image are on no pixel.
            shape: The image's ``(H, W)``.
        """
        x1, y1, x2, y2 = self.box
        height, width = shape[:2]
        left, top = max(x1 - 1, 0), max(y1 - 1, 0)
        under = []
        for joint, (x, y) in points.items():
            # most are far away; NaN is in no interval
            if not (left <= x <= x2 and top <= y <= y2):
                continue
            col = min(math.floor(x + 0.5), width - 1)
            row = min(math.floor(y + 0.5), height - 1)
            if (
                x < width
                and y < height
                and x1 <= col < x2
                and y1 <= row < y2
                and (self.mask is None or self.mask[row - y1, col - x1])
            ):
                under.append(joint)
        return under


def inside_image(xy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Which points are in an image: ``0 <= x < W`` and ``0 <= y < H``.

    Args:
        xy: ``(..., 2)`` points in pixels; NaN is outside.
        shape: The image's ``(H, W)``.
    """
    x, y = xy[..., 0], xy[..., 1]
    return (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])


def nearest_pixel(
    xy: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the pixels nearest to points in an image.

    Returns:
        Two ``(...)`` int arrays, -1 for points outside the image.
    """
    inside = inside_image(xy, shape)
    safe = np.where(inside[..., None], xy, 0)
    pixel = np.floor(safe + 0.5).astype(np.int64)
    col = np.minimum(pixel[..., 0], shape[1] - 1)
    row = np.minimum(pixel[..., 1], shape[0] - 1)
    return np.where(inside, col, -1), np.where(inside, row, -1)
