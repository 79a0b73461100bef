"""Placement: a region at its target, or as a control at another place, which
measures what disturbing the image costs without hiding the joint; a decoy
beside the joint shows whether the model takes paint for a joint."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from .paints import Donor
from .regions import Array, Disc, Region, Shape, nearest_pixel
from .targets import Person

TARGET = 'target'
ON_PERSON, OFF_PERSON, DECOY = 'on_person', 'off_person', 'decoy'

NOWHERE = {
    ON_PERSON: 'the same region fits nowhere on the person',
    OFF_PERSON: 'the same region fits nowhere off the person',
    DECOY: 'the same region fits nowhere beside the joint',
}
"""Places of controls -> why one was left out."""

PLACES = (TARGET, *NOWHERE)

NEAREST, FARTHEST = 1, 3  # of a decoy's centre from the target's, in radii
THICKNESS = 0.1  # of a limb, as a fraction of the height of the person's box
HULLS = {'corpus': THICKNESS, 'head': 0.12}
"""Parts whose joints' convex hull is the person's -> thickness of its outline,
as a fraction of the height of the person's box."""


class Surroundings:
    """What an occlusion asks of an image ``(H, W)``, of which here only the
    people's joints are known; ``links``: pairs of joint indices, limbs."""

    donor: Callable[..., Donor | str]  # of samples of MMPose's alone

    def __init__(
        self, shape: Shape, people: Sequence[Person], links: Sequence = ()
    ) -> None:
        self._shape, self.people, self._links = shape[:2], people, links

    def segment(self, index: int) -> Array | None:
        """``(H, W)`` bool, a person's annotated segment, if there is one."""
        return None

    def photo_mask(self) -> Array:
        """``(H, W)`` bool, the pixels that show the photograph."""
        return np.ones(self._shape, bool)

    def person_mask(self, index: int) -> Array:
        """``(H, W)`` bool, the pixels of a person: the segment, or else the
        shape of limbs, torso and head; and those under available joints."""
        person, mask = self.people[index], self.segment(index)
        if mask is None or not mask.any():
            mask = body_mask(person, self._links, self._shape)
        return with_joints(mask, person)

    def move(
        self, region: Region, place: str, index: int, number: float
    ) -> Region | None:
        """A person's region at another place, see :func:`move_elsewhere`."""
        if place == DECOY:
            mask = np.zeros(self._shape, bool)
            mask = with_joints(mask, self.people[index])
        else:
            mask = self.person_mask(index)
        return move_elsewhere(region, place, mask, self.photo_mask(), number)


def move_elsewhere(
    region: Region, place: str, person: Array, photo: Array, number: float
) -> Region | None:
    """Move a region, by whole pixels, to a place where all of its pixels are
    in the photograph.

    On the person, its centre must be one of the person's pixels and it must
    not overlap the region that it is a control of; off the person, none of its
    pixels may be the person's. A decoy covers no joint of the person, and its
    centre is 1 to 3 radii (of a box, half its longer side) from the region's.
    All such places are equally likely; ``number`` in [0, 1) says which it is.

    Args:
        region: At the target.
        person: ``(H, W)`` bool, the person's pixels; for a decoy, those under
            the available joints.
        photo: ``(H, W)`` bool, the pixels that are not padding.

    Returns:
        None where it fits nowhere, or where the image's border cuts the
        region at the target.
    """
    box = region.bounds(person.shape)
    roomy = region.moved(1, 1).bounds(np.add(person.shape, 2).tolist())
    if box is None or roomy != tuple(edge + 1 for edge in box):
        return None
    x1, y1, x2, y2 = box
    stamp = region.mask(box)
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
    top, left = max(int(rows[0]) - 1, 0), max(int(cols[0]) - 1, 0)
    near = blocked[top : rows[-1] + 2, left : cols[-1] + 2]
    height, width = np.subtract(near.shape, stamp.shape).tolist()
    if height < 0 or width < 0:
        return None
    # of the stamp with what is blocked, by its first row and column
    pixels, kernel = near.astype(np.float32), stamp.astype(np.float32)
    how: Any = dict(anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    overlap = cv2.filter2D(pixels, cv2.CV_32F, kernel, **how)
    fits = np.rint(overlap[: height + 1, : width + 1]) == 0
    height, width = fits.shape
    down, right = top - y1, left - x1  # of the first place
    if place == ON_PERSON:
        col, row = (math.floor(value + 0.5) for value in region.center)
        row, col = row + down, col + right
        fits &= person[row : row + height, col : col + width]
    elif place == DECOY:
        moves = np.meshgrid(np.arange(width) + right, np.arange(height) + down)
        half = max(stamp.shape) / 2
        far = np.hypot(*moves) / getattr(region, 'radius', half)
        fits &= (far >= NEAREST) & (far <= FARTHEST)
    spots = np.flatnonzero(fits)
    if not len(spots):
        return None
    row, col = divmod(int(spots[int(number * len(spots))]), width)
    return region.moved(col + right, row + down)


def move_aside(
    disc: Disc, offset: float, stay_covered: bool, numbers: Array
) -> Disc:
    """Move the centre of a disc around its joint by a vector that is uniform
    in a disc of the fraction ``offset`` of its radius, by two numbers in
    [0, 1). ``stay_covered`` limits that so that the pixel of the joint, the
    nearest one, is in the moved disc."""
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


def with_joints(mask: Array, person: Person) -> Array:
    """A copy of a person's mask ``(H, W)`` with the pixels under the
    available joints."""
    out = mask.copy()
    col, row = nearest_pixel(person.xy[person.available], mask.shape)
    out[row, col] = True
    return out


def body_mask(person: Person, links: Sequence, shape: Shape) -> Array:
    """``(H, W)`` bool, a person's pixels, estimated from the labelled joints:
    torso, head and limbs of :data:`THICKNESS` along ``links``, pairs of joint
    indices."""
    height, xy = person.box_height, person.xy
    if not math.isfinite(height):
        height = person.height
    known = person.labelled & (np.abs(xy) < 1e5).all(axis=1)
    alone = [[k] for k in np.flatnonzero(known).tolist()]
    limbs = [list(link) for link in links if known[list(link)].all()]
    shapes = [(joints, THICKNESS) for joints in limbs + alone]
    for part, thick in HULLS.items():
        names = person.skeleton.parts.get(part, ())
        indices = map(person.skeleton.joint_index, names)
        shapes.append(([k for k in indices if known[k]], thick))
    out = np.zeros(shape[:2], np.uint8)
    for joints, thick in shapes:
        if not joints:
            continue
        points = np.rint(xy[joints]).astype(np.int32)
        hull = cv2.convexHull(points.reshape(-1, 1, 2))
        cv2.fillConvexPoly(out, hull, 1)
        width = max(1, round(thick * height))
        cv2.polylines(out, [hull], True, 1, width)
        if len(joints) == 1:
            center = points[0].tolist()
            cv2.circle(out, center, max(1, width // 2), 1, cv2.FILLED)
    return out > 0


def segment_mask(segment: Any, shape: Shape, warp: Any = None) -> Array:
    """``(H, W)`` bool, the pixels of an annotated segment, COCO's polygons or
    run lengths; ``warp`` (2, 3) leads from pixels of the image to those of the
    mask."""
    warp = np.eye(3)[:2] if warp is None else warp
    if isinstance(segment, Mapping):
        from pycocotools import mask as coco_mask

        if not isinstance(segment['counts'], bytes | str):
            size = segment['size']
            segment = coco_mask.frPyObjects(dict(segment), *size)
        pixels = coco_mask.decode(segment)
        size = (shape[1], shape[0])
        return cv2.warpAffine(pixels, warp, size, flags=cv2.INTER_NEAREST) > 0
    rings = [np.reshape(ring, (-1, 2)) for ring in segment if len(ring) >= 6]
    return filled([ring @ warp[:, :2].T + warp[:, 2] for ring in rings], shape)


def filled(rings: Sequence[Array], shape: Shape) -> Array:
    """The pixels inside any of some rings of points ``(M, 2)``."""
    out = np.zeros(shape[:2], np.uint8)
    for ring in rings:
        # sixteenths of a pixel
        cv2.fillPoly(out, [np.rint(16 * ring).astype(np.int32)], 1, shift=4)
    return out > 0
