"""One person as an occlusion sees them: joints, and estimated pixels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..skeleton import Skeleton
from .regions import Array, Point, Shape

THICKNESS = 0.1
"""Of a limb, as a fraction of the height of the person's box."""

HULLS = {'corpus': THICKNESS, 'head': 0.12}
"""Parts whose joints' convex hull is the person's -> thickness of its outline,
as a fraction of the height of the person's box."""


def labelled_joints(visible: Array) -> Array:
    """``(N, K)`` bool, which joints are labelled, from MMPose's
    ``keypoints_visible``: ``(N, K)``, or ``(N, K, 2)`` with weights."""
    visible = np.asarray(visible)
    return (visible[..., 0] if visible.ndim == 3 else visible) > 0


class Person(NamedTuple):
    """The joints of one person in an image.

    Plain numbers: a person has so few joints that NumPy's calls cost more
    than their work.

    Args:
        skeleton: Names of the K joints and the parts.
        xy: K pairs x and y in image pixels.
        labelled: K bools, whether the joint has a label.
        points: The available joints, those that can be hidden: name -> x and
            y in pixels, in the order of the joints.
        height: Height of the person's frame in pixels: the crop's, or on
            whole images that of the person's box.
        box_height: Height of the person's box in image pixels; NaN where it
            is not known, see :func:`joints_height`.
        box: The person's box, xyxy in image pixels, or None.
    """

    skeleton: Skeleton
    xy: Sequence[Sequence[float]]
    labelled: Sequence[bool]
    points: dict[str, Point]
    height: float
    box_height: float = math.nan
    box: Sequence[float] | None = None

    @property
    def zoom(self) -> float:
        """Height of the frame as a multiple of the box's; 1 if unknown."""
        known = math.isfinite(self.box_height) and self.box_height > 0
        return self.height / self.box_height if known else 1.0

    @property
    def available(self) -> Array:
        """``(K,)`` bool, the joints that can be hidden."""
        return np.array([n in self.points for n in self.skeleton.names])

    def has(self, part: str) -> bool:
        """Whether a joint of a part is available."""
        return not self.points.keys().isdisjoint(self.skeleton.parts[part])


def joints_height(points: Mapping[str, Point], image_height: float) -> float:
    """What stands for the height of a person's box that is not known.

    Args:
        points: The available joints, in image pixels.
        image_height: In pixels.

    Returns:
        Height of the joints' bounding box in pixels; the image's where they
        have none.
    """
    rows = [y for _, y in points.values()]
    return (max(rows) - min(rows) if rows else 0) or image_height


def nearest_pixel(xy: Array, shape: Shape) -> tuple[Array, Array]:
    """Columns and rows of the pixels nearest to points in an image.

    Args:
        xy: ``(..., 2)`` points in pixels.
        shape: The image's ``(H, W)``.

    Returns:
        Two ``(...)`` int arrays, -1 for points outside the image, ``0 <= x <
        W`` and ``0 <= y < H``, and for NaN.
    """
    size = np.array([shape[1], shape[0]])
    inside = ((xy >= 0) & (xy < size)).all(axis=-1, keepdims=True)
    pixel = np.floor(np.where(inside, xy, 0) + 0.5).astype(np.int64)
    pixel = np.where(inside, np.minimum(pixel, size - 1), -1)
    return pixel[..., 0], pixel[..., 1]


def with_joints(mask: Array, person: Person) -> Array:
    """A copy of a person's mask ``(H, W)`` with the pixels under the
    available joints."""
    out = mask.copy()
    xy = np.array(person.xy, float)[person.available]
    col, row = nearest_pixel(xy, mask.shape)
    out[row, col] = True
    return out


def body_mask(
    person: Person, links: Sequence[tuple[int, int]], shape: Shape
) -> Array:
    """``(H, W)`` bool, a person's pixels, estimated from the labelled joints:
    torso, head and limbs of :data:`THICKNESS` along ``links``, pairs of joint
    indices."""
    height = person.box_height
    if not math.isfinite(height):
        height = person.height
    xy = np.array(person.xy, float)
    known = np.array(person.labelled) & np.isfinite(xy).all(axis=1)
    known &= (np.abs(np.nan_to_num(xy)) < 1e5).all(axis=1)
    limbs = [
        (list(link), THICKNESS) for link in links if known[list(link)].all()
    ]
    limbs += [([k], THICKNESS) for k in np.flatnonzero(known).tolist()]
    for part, thick in HULLS.items():
        if part in person.skeleton.parts:
            joints = person.skeleton.part_indices(part)
            limbs.append(([k for k in joints if known[k]], thick))
    out = np.zeros(shape[:2], np.uint8)
    for ends, thick in limbs:
        if not ends:
            continue
        points = np.rint(xy[ends]).astype(np.int32)
        hull = cv2.convexHull(points.reshape(-1, 1, 2))
        cv2.fillConvexPoly(out, hull, 1)
        width = max(1, round(thick * height))
        cv2.polylines(out, [hull], True, 1, width)
        if len(ends) == 1:
            x, y = points[0].tolist()
            cv2.circle(out, (x, y), max(1, width // 2), 1, cv2.FILLED)
    return out > 0


def segment_mask(
    segment: Any, shape: Shape, warp: Array | None = None
) -> Array:
    """The pixels of an annotated segment.

    Args:
        segment: COCO's polygons, or run lengths.
        shape: ``(H, W)`` of the mask.
        warp: ``(2, 3)`` from pixels of the image to those of the mask.

    Returns:
        ``(H, W)`` bool.
    """
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
