"""Placement: a region at its target, or as a control at another place.

Hiding a joint costs more than disturbing the image does; the same painted area
at another place, on the person or off it, measures the latter.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from .paints import Donor
from .person import Person, body_mask, with_joints
from .regions import Array, Region, Shape
from .targets import Target

TARGET = 'target'
ON_PERSON, OFF_PERSON = 'on_person', 'off_person'
PLACES = (TARGET, ON_PERSON, OFF_PERSON)


class Surroundings:
    """What an occlusion asks of an image beyond its people's joints; here,
    that only the joints are known.

    Args:
        shape: The image's ``(H, W)``.
        people: All people.
        links: Pairs of joint indices between which there are limbs.
    """

    def __init__(
        self,
        shape: Shape,
        people: Sequence[Person],
        links: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._shape = shape[:2]
        self._people = people
        self._links = links

    def segment(self, index: int) -> Array | None:
        """``(H, W)`` bool, a person's annotated segment, if there is one."""
        return None

    def person_mask(self, index: int) -> Array:
        """``(H, W)`` bool, the pixels of a person: the segment, or else the
        shape of limbs, torso and head; and those under available joints."""
        person, mask = self._people[index], self.segment(index)
        if mask is None or mask.shape != self._shape or not mask.any():
            mask = body_mask(person, self._links, self._shape)
        return with_joints(mask, person)

    def photo_mask(self) -> Array:
        """``(H, W)`` bool, the pixels that show the photograph."""
        return np.ones(self._shape, bool)

    def donor(
        self,
        index: int,
        target: Target,
        numbers: Sequence[float],
        rng: np.random.Generator | None,
    ) -> Donor | str:
        """Pixels of another person, or why there are none.

        Args:
            index: Of the person whose target is hidden.
            target: The target.
            numbers: All random numbers of the person.
            rng: For the target, where the fill is drawn at random.
        """
        return 'there is no data set of donors'


def move_elsewhere(
    region: Region, place: str, person: Array, photo: Array, number: float
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
    fits = _fitting(blocked[top0 : rows[-1] + 1, left0 : cols[-1] + 1], stamp)
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


def _fitting(mask: Array, stamp: Array) -> Array:
    """Where a stamp shares no pixel with a mask.

    Returns:
        ``(H - h + 1, W - w + 1)`` bool, by the stamp's first row and column.
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
    return np.rint(counts) == 0
