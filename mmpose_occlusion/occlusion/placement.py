"""Placement: a region at its target, or as a control at another place.

Hiding a joint costs more than disturbing the image does; the same painted area
at another place, on the person or off it, measures the latter. A decoy, the
same area beside the joint, shows whether the model takes paint for a joint.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from .paints import Donor
from .person import Person, body_mask, with_joints
from .regions import Array, Disc, Region, Shape
from .targets import Target

TARGET = 'target'
ON_PERSON, OFF_PERSON, DECOY = 'on_person', 'off_person', 'decoy'
PLACES = (TARGET, ON_PERSON, OFF_PERSON, DECOY)

NEAREST, FARTHEST = 1, 3
"""Distances of a decoy's centre from the target's, in radii."""


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

    def joint_mask(self, index: int) -> Array:
        """``(H, W)`` bool, the pixels under a person's available joints."""
        return with_joints(np.zeros(self._shape, bool), self._people[index])

    def photo_mask(self) -> Array:
        """``(H, W)`` bool, the pixels that show the photograph."""
        return np.ones(self._shape, bool)

    def donor(
        self,
        index: int,
        target: Target,
        numbers: Sequence[float],
        rng: np.random.Generator,
    ) -> Donor | str:
        """Pixels of another person, or why there are none.

        Args:
            index: Of the person whose target is hidden.
            target: The target.
            numbers: All random numbers of the person.
            rng: For the target.
        """
        return 'there is no data set of donors'


def move_elsewhere(
    region: Region, place: str, person: Array, photo: Array, number: float
) -> Region | None:
    """Move a region, by whole pixels, to a place where it fits.

    It fits where all of its pixels are in the image. On the person, its
    centre must be one of the person's pixels and it must not overlap the
    region that it is a control of; off the person, none of its pixels may be
    the person's. A decoy covers no joint of the person, and its centre is 1 to
    3 radii (of a box, half its longer side) from the region's. All such places
    are equally likely.

    Args:
        region: At the target.
        place: One of :data:`PLACES` but the target.
        person: ``(H, W)`` bool, the person's pixels; for a decoy, those under
            the available joints.
        photo: ``(H, W)`` bool, the pixels that show the photograph, not the
            padding around it.
        number: In [0, 1), which of the places.

    Returns:
        None where it fits nowhere, or where the image's border cuts the
        region at the target, so that no whole one is as large.
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
    blocked = ~photo
    if place == ON_PERSON:
        blocked[y1:y2, x1:x2] |= stamp
    else:
        blocked |= person
    # only near the photograph; a disc's box has up to a row or column without
    # its pixels on each side
    rows, cols = (np.flatnonzero(photo.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top0, left0 = max(int(rows[0]) - 1, 0), max(int(cols[0]) - 1, 0)
    near = blocked[top0 : rows[-1] + 2, left0 : cols[-1] + 2]
    if near.shape[0] < stamp.shape[0] or near.shape[1] < stamp.shape[1]:
        return None
    fits = _fitting(near, stamp)
    if place == ON_PERSON:
        col, row = (math.floor(value + 0.5) for value in region.center)
        height, width = fits.shape
        down, right = row - y1 + top0, col - x1 + left0
        fits &= person[down : down + height, right : right + width]
    elif place == DECOY:
        rows = np.arange(fits.shape[0]) + top0 - y1
        cols = np.arange(fits.shape[1]) + left0 - x1
        radius = max(stamp.shape) / 2
        if isinstance(region, Disc):
            radius = region.radius
        far = np.hypot(*np.meshgrid(cols, rows)) / radius
        fits &= (far >= NEAREST) & (far <= FARTHEST)
    spots = np.flatnonzero(fits)
    if not len(spots):
        return None
    top, left = divmod(int(spots[int(number * len(spots))]), fits.shape[1])
    return region.moved(left + left0 - x1, top + top0 - y1)


def move_aside(
    disc: Disc, offset: float, stay_covered: bool, numbers: Array
) -> Disc:
    """Move the centre of a disc by a vector that is uniform in a disc.

    Args:
        disc: Around its joint.
        offset: Radius of the disc of vectors, as a fraction of its radius.
        stay_covered: Whether that is limited so that the pixel of the joint,
            the nearest one, is in the moved disc.
        numbers: Two in [0, 1).
    """
    x, y = disc.center
    reach = offset * disc.radius
    if stay_covered:
        to_pixel = math.floor(x + 0.5) - x, math.floor(y + 0.5) - y
        # a hair less, for sums of floats
        free = disc.radius - math.hypot(*to_pixel) - 1e-9
        reach = min(reach, max(free, 0))
    distance = reach * math.sqrt(numbers[0])
    angle = 2 * math.pi * numbers[1]
    return disc.moved(distance * math.cos(angle), distance * math.sin(angle))


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
