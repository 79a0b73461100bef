"""A patch: where a picture is painted over, and with what."""

from dataclasses import dataclass

import numpy as np

PixelBox = tuple[int, int, int, int]
"""Columns x1:x2 and rows y1:y2 as ``(x1, y1, x2, y2)``, ends exclusive."""


@dataclass(frozen=True)
class Patch:
    """Pixels to put into a box of a picture.

    Args:
        box: The box, inside the picture.
        pixels: Array that broadcasts to ``(y2 - y1, x2 - x1, C)``, of the
            picture's dtype.
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

    def covers(self, xy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Which points lie on a painted pixel.

        A point lies on the pixel whose centre is nearest; pixel centres are
        at whole numbers.

        Args:
            xy: ``(..., 2)`` points in the picture's pixels; points that are
                not finite or not in the picture are on no pixel.
            shape: The picture's ``(H, W)``.

        Returns:
            ``(...)`` bool.
        """
        x1, y1, x2, y2 = self.box
        col, row = nearest_pixel(xy, shape)
        inside = (col >= x1) & (col < x2) & (row >= y1) & (row < y2)
        if self.mask is not None and inside.any():
            inside[inside] = self.mask[row[inside] - y1, col[inside] - x1]
        return inside


def inside_picture(xy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Which points are in a picture: ``0 <= x < W`` and ``0 <= y < H``.

    Args:
        xy: ``(..., 2)`` points in pixels; NaN is outside.
        shape: The picture's ``(H, W)``.
    """
    x, y = xy[..., 0], xy[..., 1]
    return (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])


def nearest_pixel(
    xy: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the pixels nearest to points in a picture.

    Returns:
        Two ``(...)`` int arrays, -1 for points outside the picture.
    """
    inside = inside_picture(xy, shape)
    safe = np.where(inside[..., None], xy, 0)
    pixel = np.floor(safe + 0.5).astype(np.int64)
    col = np.minimum(pixel[..., 0], shape[1] - 1)
    row = np.minimum(pixel[..., 1], shape[0] - 1)
    return np.where(inside, col, -1), np.where(inside, row, -1)
