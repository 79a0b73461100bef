"""Placement: a region at its target, or as a control at another place.

Hiding a joint costs more than disturbing the image does; the same painted area
at another place, on the person or off it, measures the latter.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from .patch import nearest_pixel
from .person import Person
from .regions import Region

TARGET = 'target'
ON_PERSON, OFF_PERSON = 'on_person', 'off_person'
PLACES = (TARGET, ON_PERSON, OFF_PERSON)

THICKNESS = 0.1
"""Of a limb, as a fraction of the height of the person's box."""

HEAD_THICKNESS = 0.12
"""Of the outline around the head's joints."""


def move_elsewhere(
    region: Region,
    place: str,
    person: np.ndarray,
    photo: np.ndarray,
    number: float,
) -> Region | None:
    """Move a region, by whole pixels, to a place where it fits.

    It fits where all of its pixels are in the image. On the person, its
    centre must be one of the person's pixels and it must not overlap the
    region that it is a control of; off the person, none of its pixels may be
    the person's. All such places are equally likely.

    Args:
        region: At the target.
        place: :data:`ON_PERSON` or :data:`OFF_PERSON`.
        person: ``(H, W)`` bool, the person's pixels.
        photo: ``(H, W)`` bool, the pixels that show the photograph, not the
            padding around it.
        number: In [0, 1), which of the places.

    Returns:
        None where it fits nowhere, where it has no pixels, or where the
        image's border cuts the region at the target, so that no whole one is
        as large.
    """
    shape = person.shape
    box = region.bounds(shape)
    roomy = (shape[0] + 2, shape[1] + 2)
    if box is None or region.moved(1, 1).bounds(roomy) != tuple(
        edge + 1 for edge in box
    ):
        return None
    x1, y1, x2, y2 = box
    own = region.mask(box)
    stamp = np.ones((y2 - y1, x2 - x1), bool) if own is None else own
    # a disc's box may begin or end with a row or column without its pixels
    used = np.argwhere(stamp)
    if not len(used):
        return None
    (up, left), (down, right) = used.min(0).tolist(), used.max(0).tolist()
    stamp = stamp[up : down + 1, left : right + 1]
    x1, y1, x2, y2 = x1 + left, y1 + up, x1 + right + 1, y1 + down + 1
    blocked = ~photo
    if place == OFF_PERSON:
        blocked |= person
    else:
        blocked[y1:y2, x1:x2] |= stamp
    # it fits nowhere but between the photograph's outermost pixels
    rows, cols = (np.flatnonzero(photo.any(axis=axis)) for axis in (1, 0))
    if len(rows) < 1 or rows[-1] + 1 - rows[0] < y2 - y1:
        return None
    if cols[-1] + 1 - cols[0] < x2 - x1:
        return None
    top0, left0 = int(rows[0]), int(cols[0])
    blocked = blocked[top0 : rows[-1] + 1, left0 : cols[-1] + 1]
    fits = _overlap(blocked, stamp) == 0
    if place == ON_PERSON:
        col, row = (math.floor(value + 0.5) for value in region.center)
        height, width = fits.shape
        down, right = row - y1 + top0, col - x1 + left0
        fits &= person[down : down + height, right : right + width]
    spots = np.flatnonzero(fits)
    if not len(spots):
        return None
    top, left = divmod(int(spots[int(number * len(spots))]), fits.shape[1])
    return region.moved(left + left0 - x1, top + top0 - y1)


def _overlap(mask: np.ndarray, stamp: np.ndarray) -> np.ndarray:
    """Pixels that a mask shares with a stamp, for each of its places.

    Returns:
        ``(H - h + 1, W - w + 1)`` int, by the stamp's first row and column.
    """
    height, width = stamp.shape
    counts = cv2.filter2D(
        mask.astype(np.float32),
        cv2.CV_32F,
        stamp.astype(np.float32),
        anchor=(0, 0),
        borderType=cv2.BORDER_CONSTANT,
    )
    counts = counts[: mask.shape[0] - height + 1, : mask.shape[1] - width + 1]
    return np.rint(counts).astype(np.int64)


def body_shape(
    xy: np.ndarray,
    labelled: np.ndarray,
    links: Sequence[tuple[int, int]],
    hulls: Sequence[tuple[Sequence[int], float]],
    height: float,
    shape: tuple[int, ...],
) -> np.ndarray:
    """A person's pixels, estimated from the joints: limbs, torso and head.

    Args:
        xy: ``(K, 2)`` joints in the image's pixels.
        labelled: ``(K,)`` bool, joints that are known.
        links: Pairs of joints between which there is a limb of
            :data:`THICKNESS`.
        hulls: Joints whose convex hull is the person's, and how thick the
            outline around them is, as a fraction of ``height``.
        height: Of the person's box in pixels.
        shape: The image's ``(H, W)``.

    Returns:
        ``(H, W)`` bool.
    """
    out = np.zeros(shape[:2], np.uint8)
    known = labelled & np.isfinite(xy).all(axis=1)
    known &= (np.abs(np.nan_to_num(xy)) < 1e5).all(axis=1)
    limbs = [
        (list(link), THICKNESS) for link in links if known[list(link)].all()
    ]
    limbs += [([k], THICKNESS) for k in np.flatnonzero(known).tolist()]
    limbs += [
        ([k for k in joints if known[k]], thick) for joints, thick in hulls
    ]
    for joints, thick in limbs:
        if not joints:
            continue
        points = np.rint(xy[joints]).astype(np.int32)
        hull = cv2.convexHull(points.reshape(-1, 1, 2))
        cv2.fillConvexPoly(out, hull, 1)
        width = max(1, round(thick * height))
        cv2.polylines(out, [hull], True, 1, width)
        if len(joints) == 1:
            x, y = points[0].tolist()
            cv2.circle(out, (x, y), max(1, width // 2), 1, cv2.FILLED)
    return out > 0


def body_mask(
    person: Person,
    links: Sequence[tuple[int, int]],
    shape: tuple[int, ...],
) -> np.ndarray:
    """A person's pixels from limbs, torso and head, see :func:`body_shape`.

    Args:
        person: The person.
        links: Pairs of joint indices between which there are limbs.
        shape: The image's ``(H, W)``.
    """
    skeleton = person.skeleton
    hulls = [
        (skeleton.part_indices(part), thick)
        for part, thick in (('corpus', THICKNESS), ('head', HEAD_THICKNESS))
        if part in skeleton.parts
    ]
    height = person.box_height
    if not math.isfinite(height):
        height = person.height
    xy, labelled = np.array(person.xy), np.array(person.labelled)
    return body_shape(xy, labelled, links, hulls, height, shape)


def with_joints(
    person: np.ndarray, xy: np.ndarray, available: np.ndarray
) -> np.ndarray:
    """A person's pixels and those under the available joints."""
    out = person.copy()
    col, row = nearest_pixel(xy[available], person.shape)
    out[row, col] = True
    return out
