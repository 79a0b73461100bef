"""Paints: what is put into a region.

A *fill* is the word by which users ask for a paint; the class that
:func:`paint` registers for it resolves it for an image.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np

from .regions import REGIONS, Array, Patch, PixelBox, Recorded, Region

GREY = 128


class Request(NamedTuple):
    """What a fill is resolved for."""

    image: Array
    ksize: int  # of a blur, in pixels; pixelated squares are half as wide
    seed: int  # of a paint that is drawn at random
    paper: bool  # whether blur and mean are the reference's


class Paint(Recorded):
    """Base of paints, frozen dataclasses."""

    random: ClassVar[bool]

    @classmethod
    def resolve(cls, fill: str, request: Request) -> 'Paint':
        """The paint for one of the class's fills; here, of a seed alone."""
        return cls(seed=request.seed)  # type: ignore[call-arg]

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        """Pixels of ``box``, a region's bounds in an image ``(H, W, C)`` or
        ``(H, W)``, which is not modified: an array that broadcasts to ``(y2 -
        y1, x2 - x1[, C])``, of the image's dtype."""
        raise NotImplementedError


PAINTS: dict[str, type[Paint]] = {}  # kind in a record -> class
FILLS: dict[str, type[Paint]] = {}  # word of users -> class
REFERENCE_FILLS = ('blur', 'mean', 'black')  # of the reference system


def paint(kind: str, *fills: str, random: bool = False) -> Callable[..., Any]:
    """Register a class of paints, by its kind in records and the words that
    users write, by default the kind; a ``random`` one is drawn."""

    def register(cls: Any) -> Any:
        cls.kind, cls.random, PAINTS[kind] = kind, random, cls
        FILLS.update(dict.fromkeys(fills or (kind,), cls))
        return cls

    return register


@paint('blur')
@dataclass(frozen=True)
class Blur(Paint):
    """Gaussian blur with OpenCV's automatic sigma, border reflect-101.

    Args:
        ksize: Taps, in pixels.
        exact: False filters only the box and its margin, with float taps:
            within one grey level of True, which takes ``cv2.GaussianBlur``
            of the whole image.
    """

    ksize: int
    exact: bool = False

    @classmethod
    def resolve(cls, fill: str, request: Request) -> 'Blur':
        return cls(request.ksize, request.paper)

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        x1, y1, x2, y2 = box
        if self.exact:
            blurred = cv2.GaussianBlur(image, (self.ksize, self.ksize), 0)
            return blurred.reshape(image.shape)[y1:y2, x1:x2]
        margin = self.ksize // 2
        left, top = max(x1 - margin, 0), max(y1 - margin, 0)
        cut = image[top : y2 + margin, left : x2 + margin]
        taps = cv2.getGaussianKernel(self.ksize, 0, cv2.CV_32F)
        blurred = cv2.sepFilter2D(
            cut, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101
        ).reshape(cut.shape)
        return blurred[y1 - top : y2 - top, x1 - left : x2 - left]


@paint('color', 'black', 'grey', 'mean')
@dataclass(frozen=True)
class Color(Paint):
    """One colour, a number per channel."""

    color: list[float]

    @classmethod
    def resolve(cls, fill: str, request: Request) -> 'Color':
        image, size = request.image, channels(request.image)
        if fill != 'mean':
            return cls([GREY if fill == 'grey' else 0] * size)
        if request.paper:  # truncated
            mean = image.reshape(-1, size).mean(axis=0, dtype=np.float64)
            return cls(mean.astype(image.dtype).tolist())
        whole = image.dtype.kind in 'ui'
        values = cv2.mean(image)[:size]
        return cls([round(value) if whole else value for value in values])

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        return np.array(self.color, image.dtype)


@paint('pixelate')
@dataclass(frozen=True)
class Pixelate(Paint):
    """Squares of their mean colour, ``block`` pixels wide from the image's
    first pixel on."""

    block: int

    @classmethod
    def resolve(cls, fill: str, request: Request) -> 'Pixelate':
        return cls(request.ksize // 2 + 1)

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        x1, y1, x2, y2 = box
        block = self.block
        left, top = x1 // block * block, y1 // block * block
        right, bottom = -(-x2 // block) * block, -(-y2 // block) * block
        squares = image[top:bottom, left:right].astype(np.float64)
        for axis in (0, 1):
            size = squares.shape[axis]
            starts = np.arange(0, size, block)
            sums = np.add.reduceat(squares, starts, axis=axis)
            counts = np.minimum(block, size - starts)
            ones = [1] * (sums.ndim - axis - 1)
            squares = sums / counts.reshape(-1, *ones)
        if image.dtype.kind in 'ui':
            squares = np.rint(squares)
        rows = np.arange(y1, y2) // block - top // block
        cols = np.arange(x1, x2) // block - left // block
        return squares[rows][:, cols].astype(image.dtype)


@paint('noise', random=True)
@dataclass(frozen=True)
class Noise(Paint):
    """Each channel of each pixel drawn from 0 to 255."""

    seed: int

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        shape = (box[3] - box[1], box[2] - box[0], *image.shape[2:])
        rng = np.random.default_rng(self.seed)
        values = rng.integers(0, 256, shape, np.uint8)
        return values.astype(image.dtype, copy=False)


@paint('donor', random=True)
@dataclass(frozen=True)
class Donor(Paint):
    """Pixels of another person, resized by area interpolation.

    Args:
        part: Name of the donor's joint or part, which is in
        image_path, annotation, box: that file, by that id, in those pixels.
        swap_channels: Whether to swap red and blue.
        source: The donor's image, ``(H, W, C)``.
    """

    part: str
    image_path: str
    annotation: Any
    box: PixelBox
    swap_channels: bool = False
    source: Array | None = field(default=None, repr=False, compare=False)

    def render(self, image: Array, region: Region, box: PixelBox) -> Array:
        assert self.source is not None
        x1, y1, x2, y2 = self.box
        size = (box[2] - box[0], box[3] - box[1])
        pixels = cv2.resize(
            self.source[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA
        )
        order = slice(None, None, -1 if self.swap_channels else 1)
        return as_channels(pixels[..., order], image)


def channels(image: Array) -> int:
    """Channels of an ``(H, W)`` or ``(H, W, C)`` image."""
    return image.shape[2] if image.ndim == 3 else 1


def as_channels(pixels: Array, image: Array) -> Array:
    """BGR pixels ``(h, w, 3)`` in the channels and dtype of an image, whose
    channels are their mean unless it has three."""
    if image.shape[2:] != (3,):
        grey = pixels.mean(axis=2, keepdims=True)
        pixels = grey.repeat(channels(image), axis=2)
    shape = (*pixels.shape[:2], *image.shape[2:])
    return np.rint(pixels).astype(image.dtype).reshape(shape)


def make_patch(image: Array, region: Region, paint: Paint) -> Patch | None:
    """The patch of a paint in a region; None where the region has no pixel in
    the image, ``(H, W, C)`` or ``(H, W)``, which is not modified."""
    box = region.bounds(image.shape)
    if box is None:
        return None
    mask = region.mask(box)
    if not mask.any():
        return None
    pixels = paint.render(image, region, box)
    if np.may_share_memory(pixels, image):  # which is painted in place
        pixels = pixels.copy()
    return Patch(box, pixels, mask)


def replay(
    image: Array,
    record: Mapping[str, Any],
    read: Callable[[str], Array | None] = cv2.imread,
) -> Patch | None:
    """Make the patch of a record, an entry of ``results['occlusions']``,
    again, from the image as the transform found it; None where it did
    nothing. ``read`` reads a donor's image, (H, W, 3) BGR, from its path."""
    given, where = record['paint'], record['region']
    if given is None:
        return None
    paint = PAINTS[given['kind']].from_record(given)
    if isinstance(paint, Donor):
        paint = replace(paint, source=read(paint.image_path))
    return make_patch(image, REGIONS[where['shape']].from_record(where), paint)


def replay_all(image: Array, records: Iterable[Mapping[str, Any]]) -> Array:
    """Apply all records, in order, to a copy of an image; all patches of one
    call and turn are made from the image before them."""
    out = image.copy()
    for _, turn in groupby(records, lambda r: (r['call'], r['turn'])):
        for patch in [replay(out, record) for record in turn]:
            if patch is not None:
                patch.apply(out)
    return out
