"""A patch, its record, and its replay.

A record says what was done, or why nothing was. It holds plain numbers,
strings, lists and None, so that it can be written to JSON, and is enough to
make its patch again.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import cv2
import numpy as np

from .paints import PAINTS, Paint, ReadImage
from .regions import Array, PixelBox, Point, Region, Shape, region_from_record
from .targets import Target


class Patch(NamedTuple):
    """Pixels to put into a box of an image.

    Args:
        box: The box, inside the image.
        pixels: Array that broadcasts to ``(y2 - y1, x2 - x1, C)``, of the
            image's dtype.
        mask: ``(y2 - y1, x2 - x1)`` bool, the pixels of the box that are
            painted; None paints the whole box.
    """

    box: PixelBox
    pixels: Array
    mask: Array | None = None

    @property
    def num_pixels(self) -> int:
        """Number of painted pixels."""
        if self.mask is not None:
            return int(np.count_nonzero(self.mask))
        x1, y1, x2, y2 = self.box
        return (x2 - x1) * (y2 - y1)

    def apply(self, image: Array) -> None:
        """Paint the patch into ``image``, (H, W, C) or (H, W), in place."""
        x1, y1, x2, y2 = self.box
        view = image[y1:y2, x1:x2]
        where = True if self.mask is None else self.mask
        if self.mask is not None and view.ndim == 3:
            where = self.mask[..., None]
        np.copyto(view, self.pixels, where=where)

    def joints_under(
        self, points: Mapping[str, Point], shape: Shape
    ) -> list[str]:
        """Which joints lie on a painted pixel.

        A joint lies on the pixel whose centre is nearest; pixel centres are
        at whole numbers. Those that are not finite or outside the image of
        ``shape`` are on none.
        """
        x1, y1, x2, y2 = self.box
        height, width = shape[:2]
        under = []
        for joint, (x, y) in points.items():
            # most are far away; NaN is in no interval
            if not (x1 - 1 <= x <= x2 and y1 - 1 <= y <= y2):
                continue
            if not (0 <= x < width and 0 <= y < height):
                continue
            col = min(math.floor(x + 0.5), width - 1)
            row = min(math.floor(y + 0.5), height - 1)
            if (
                x1 <= col < x2
                and y1 <= row < y2
                and (self.mask is None or self.mask[row - y1, col - x1])
            ):
                under.append(joint)
        return under


def make_patch(image: Array, region: Region, paint: Paint) -> Patch | None:
    """The patch of a paint in a region; None where the region has no pixel in
    the image, ``(H, W, C)`` or ``(H, W)``, which is not modified."""
    box = region.bounds(image.shape)
    if box is None:
        return None
    mask = region.mask(box)
    if mask is not None and not np.count_nonzero(mask):
        return None
    return Patch(box, paint.render(image, region, box), mask)


class Record(dict):
    """What :func:`make_record` makes: an entry of ``results['occlusions']``.

    Not to be modified: deep copies of a sample, such as ``PackPoseInputs``
    makes, share it.
    """

    def __deepcopy__(self, memo: dict) -> 'Record':
        return self


def make_record(
    *,
    transform: str,
    call: int,
    instance: int | None,
    target: Target,
    fill: str,
    place: str = 'target',
    turn: int = 0,
    region: Region | None = None,
    paint: Paint | None = None,
    patch: Patch | None = None,
    targets: Sequence = (),
    bystanders: Sequence = (),
    removed: Sequence = (),
    reason: str | None = None,
    excluded: bool = False,
    offset: Point | None = None,
) -> Record:
    """One record.

    Args:
        transform: Class of the transform.
        call: Number of occlusions before it.
        instance: Index of the person in the image.
        target: Its ``kind``, 'keypoint' or 'part', and its name, 'random'
            where none was drawn.
        fill: The fill that was asked for.
        place: One of :data:`.placement.PLACES`.
        turn: Targets of one call and turn are made from the same image; only
            under ``paper_exact`` there is more than one turn.
        region: Where, before clipping.
        paint: What.
        patch: What was painted.
        targets: ``[instance, joint]`` of the labelled joints that were asked
            for and lie on painted pixels.
        bystanders: The same of all other joints on painted pixels, of any
            person.
        removed: ``[instance, joint]`` of the joints that lost their label.
        reason: Why nothing was done, a clause without a full stop.
        excluded: Whether that is so although the person has the target: a
            control fits nowhere.
        offset: From the joint to the centre of its disc, x and y in pixels,
            before the disc went to another ``place``; only discs with an
            offset have it.

    Returns:
        These values as plain ones; in place of ``patch`` the painted pixel
        ``box``, ends exclusive, and the number of painted ``pixels``.
    """
    record = Record(
        transform=transform,
        call=call,
        turn=turn,
        instance=instance,
        kind=target.kind,
        target=target.name,
        fill=fill,
        place=place,
        region=region.to_record() if region else None,
        paint=paint.to_record() if paint else None,
        box=list(patch.box) if patch else None,
        pixels=patch.num_pixels if patch else 0,
        targets=list(targets),
        bystanders=list(bystanders),
        removed=list(removed),
        reason=reason,
        excluded=excluded,
    )
    if offset is not None:
        record['offset'] = list(offset)
    return record


def replay(
    image: Array, record: Mapping[str, Any], read: ReadImage = cv2.imread
) -> Patch | None:
    """Make a record's patch again.

    Args:
        image: The image as the transform found it; not modified.
        record: An entry of ``results['occlusions']``.
        read: Reads a donor's image, (H, W, 3) BGR, from its path.

    Returns:
        The patch, to be applied with :meth:`.Patch.apply`; None where the
        transform did nothing.
    """
    given = record['paint']
    if given is None:
        return None
    paint = PAINTS[given['kind']].from_record(given, read)
    return make_patch(image, region_from_record(record['region']), paint)


def replay_all(image: Array, records: Iterable[Mapping[str, Any]]) -> Array:
    """Apply all records, in order, to a copy of an image.

    All patches of one call and turn are made from the image before them.
    """
    out = image.copy()
    by_turn: Callable = lambda r: (r['call'], r['turn'])  # noqa: E731
    for _, turn in groupby(records, key=by_turn):
        for patch in [replay(out, record) for record in list(turn)]:
            if patch is not None:
                patch.apply(out)
    return out
