"""Paints: what to put into a region, from the picture itself."""

from functools import lru_cache

import cv2
import numpy as np

from .patch import Patch, PixelBox
from .region import REFERENCE_HEIGHT, Region

FILLS = ('blur', 'mean', 'black')


def disc_blur_ksize(radius: int) -> int:
    """Kernel size of the blur of a disc: ``2 * radius - 1`` pixels."""
    return 2 * radius - 1


def part_blur_ksize(height: float) -> int:
    """Kernel size of the blur of a part: the odd number nearest to
    ``31 * height / 256``, at least 3 pixels."""
    return max(3, 2 * int(31 * height / REFERENCE_HEIGHT / 2) + 1)


@lru_cache(maxsize=64)
def _gaussian_taps(ksize: int) -> np.ndarray:
    return cv2.getGaussianKernel(ksize, 0, cv2.CV_32F)


def blur(
    image: np.ndarray, box: PixelBox, ksize: int, exact: bool = False
) -> np.ndarray:
    """The pixels of a box of the blurred picture.

    Gaussian of ``ksize`` taps with OpenCV's automatic sigma, border
    reflect-101 at the picture's border.

    Args:
        image: ``(H, W, C)`` or ``(H, W)``, uint8 or float32.
        exact: False filters only the box and its kernel margin, with float
            taps: within one grey level of True, which takes
            ``cv2.GaussianBlur`` of the whole picture.

    Returns:
        ``(y2 - y1, x2 - x1, C)`` of the picture's dtype.
    """
    x1, y1, x2, y2 = box
    if exact:
        blurred = cv2.GaussianBlur(image, (ksize, ksize), 0)
        return blurred.reshape(image.shape)[y1:y2, x1:x2]
    margin = ksize // 2
    left, top = max(x1 - margin, 0), max(y1 - margin, 0)
    cut = image[top : y2 + margin, left : x2 + margin]
    taps = _gaussian_taps(ksize)
    blurred = cv2.sepFilter2D(
        cut, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101
    )
    blurred = blurred.reshape(cut.shape)
    return blurred[y1 - top : y2 - top, x1 - left : x2 - left]


def mean_color(image: np.ndarray) -> list[float]:
    """The picture's mean per channel, rounded where its dtype is whole."""
    channels = image.shape[2] if image.ndim == 3 else 1
    mean = cv2.mean(image)[:channels]
    if image.dtype.kind in 'ui':
        return [round(value) for value in mean]
    return list(mean)


def black(image: np.ndarray) -> list[float]:
    """Zero for every channel of the picture."""
    return [0] * (image.shape[2] if image.ndim == 3 else 1)


def cut_out(donor: np.ndarray, paint: dict, box: PixelBox) -> np.ndarray:
    """A donor's pixels, resized (area interpolation) to a box.

    Args:
        donor: The donor's picture, ``(H, W, C)``.
        paint: Its ``box`` in that picture, and whether to swap the order of
            the channels, ``swap_channels``.
        box: Where the pixels are to go.
    """
    x1, y1, x2, y2 = paint['box']
    size = (box[2] - box[0], box[3] - box[1])
    pixels = cv2.resize(
        donor[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA
    )
    return pixels[..., ::-1] if paint['swap_channels'] else pixels


def make_patch(
    image: np.ndarray,
    region: Region,
    paint: dict,
    donor: np.ndarray | None = None,
) -> Patch | None:
    """The patch that a paint gives in a region of a picture.

    Args:
        image: ``(H, W, C)`` or ``(H, W)``; not modified.
        region: Where.
        paint: What: ``dict(kind='blur', ksize=..., exact=...)``,
            ``dict(kind='color', color=[...])``, a number per channel, or
            ``dict(kind='donor', box=..., swap_channels=...)``.
        donor: The donor's picture, for the last kind.

    Returns:
        None where the region has no pixel in the picture.
    """
    box = region.bounds(image.shape)
    if box is None:
        return None
    mask = region.mask(box)
    if mask is not None and not mask.any():
        return None
    if paint['kind'] == 'blur':
        pixels = blur(image, box, paint['ksize'], paint['exact'])
    elif donor is not None:
        pixels = cut_out(donor, paint, box).astype(image.dtype, copy=False)
    else:
        pixels = np.array(paint['color'], image.dtype)
    return Patch(box, pixels, mask)
