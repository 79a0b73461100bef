"""Paints: what to put into a region."""

from functools import lru_cache

import cv2
import numpy as np

from .patch import Patch, PixelBox
from .procedural import THINGS, texture
from .region import REFERENCE_HEIGHT, Region

REFERENCE_FILLS = ('blur', 'mean', 'black')
"""The reference's own."""

DRAWN_FILLS = ('noise', 'texture', 'object', 'donor')
"""Those that leave something to chance."""

FILLS = (*REFERENCE_FILLS, 'grey', 'pixelate', *DRAWN_FILLS)

GREY = 128


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


def pixelate(image: np.ndarray, box: PixelBox, block: int) -> np.ndarray:
    """The pixels of a box of the picture in squares of their mean colour.

    The squares start at the picture's first pixel; those at its right and
    lower border may be narrower.

    Args:
        image: ``(H, W, C)`` or ``(H, W)``, uint8 or float32.
        box: In the picture.
        block: Side of the squares in pixels.

    Returns:
        ``(y2 - y1, x2 - x1, C)`` of the picture's dtype.
    """
    x1, y1, x2, y2 = box
    left, top = x1 // block * block, y1 // block * block
    right, bottom = -(-x2 // block) * block, -(-y2 // block) * block
    squares = image[top:bottom, left:right].astype(np.float64)
    for axis in (0, 1):
        size = squares.shape[axis]
        starts = np.arange(0, size, block)
        sums = np.add.reduceat(squares, starts, axis=axis)
        counts = np.minimum(block, size - starts)
        squares = sums / counts.reshape([-1, *[1] * (sums.ndim - axis - 1)])
    if image.dtype.kind in 'ui':
        squares = np.rint(squares)
    rows = np.arange(y1, y2) // block - top // block
    cols = np.arange(x1, x2) // block - left // block
    return squares[rows][:, cols].astype(image.dtype)


def noise(image: np.ndarray, box: PixelBox, seed: int) -> np.ndarray:
    """Every channel of every pixel drawn from 0 to 255."""
    shape = (box[3] - box[1], box[2] - box[0], *image.shape[2:])
    values = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    return values.astype(image.dtype, copy=False)


def _drawn(
    image: np.ndarray, region: Region, box: PixelBox, paint: dict
) -> np.ndarray:
    """A texture or a thing, in as many channels as the picture has."""
    kind = paint['kind']
    formula = texture if kind == 'texture' else THINGS[paint['thing']]
    rng = np.random.default_rng(paint['seed'])
    color = formula(*region.places(box), rng)
    if image.shape[2:] != (3,):
        luminance = color.mean(axis=2)
        color = np.stack([luminance] * len(black(image)), axis=2)
    return (
        np.rint(color)
        .astype(image.dtype)
        .reshape(*color.shape[:2], *image.shape[2:])
    )


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


def grey(image: np.ndarray) -> list[float]:
    """Half of the range for every channel of the picture."""
    return [GREY] * len(black(image))


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
            ``dict(kind='pixelate', block=...)``,
            ``dict(kind='color', color=[...])``, a number per channel,
            ``dict(kind='noise', seed=...)``,
            ``dict(kind='texture', seed=...)``,
            ``dict(kind='object', thing=..., seed=...)``, a thing of
            :data:`.procedural.THINGS`, or
            ``dict(kind='donor', box=..., swap_channels=...)``.
        donor: The donor's picture, for the last kind.

    Returns:
        None where the region has no pixel in the picture.
    """
    box = region.bounds(image.shape)
    if box is None:
        return None
    mask = region.mask(box)
    if mask is not None and not np.count_nonzero(mask):
        return None
    return Patch(box, _pixels(image, region, box, paint, donor), mask)


def _pixels(
    image: np.ndarray,
    region: Region,
    box: PixelBox,
    paint: dict,
    donor: np.ndarray | None,
) -> np.ndarray:
    kind = paint['kind']
    if kind == 'blur':
        return blur(image, box, paint['ksize'], paint['exact'])
    if kind == 'pixelate':
        return pixelate(image, box, paint['block'])
    if kind == 'noise':
        return noise(image, box, paint['seed'])
    if kind in ('texture', 'object'):
        return _drawn(image, region, box, paint)
    if donor is not None:
        return cut_out(donor, paint, box).astype(image.dtype, copy=False)
    return np.array(paint['color'], image.dtype)
