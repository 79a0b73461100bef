"""The box of a body part: the reference's formulas, and the corrected one."""

import math
from collections.abc import Mapping

from mmpose_occlusion.skeleton import CROWN, FACE, NECK, Skeleton

from .patch import Point
from .regions import REFERENCE_HEIGHT, Box, disc_radius

Points = Mapping[str, Point]
"""Available joints of one person: name -> x and y in pixels."""

CenterWidths = tuple[Point, Point]
"""A box by its centre, and by its full width and height, in pixels."""

HEAD_SCALE = 1.2
MIN_THICKNESS = 0.25
DEFAULT_RADIUS = 6
"""Of discs, in pixels of a crop of height 256: the reference's."""


def disc_blur_ksize(radius: int) -> int:
    """Kernel size of the blur of a disc: ``2 * radius - 1`` pixels."""
    return 2 * radius - 1


def part_blur_ksize(height: float) -> int:
    """Kernel size of the blur of a part: the odd number nearest to
    ``31 * height / 256``, at least 3 pixels."""
    return max(3, 2 * int(31 * height / REFERENCE_HEIGHT / 2) + 1)


def reference_box(
    part: str, skeleton: Skeleton, points: Points
) -> CenterWidths | None:
    """The box of a part as the reference system computes it.

    Source: the published code of "Tilting at windmills" (ICPR 2020). Heads
    without facial joints take its rule for MPII, others that for COCO; the
    user's parts take the plain bounding box, as corpus, upper and lower
    body and the sides do.

    Returns:
        None where the reference has no box: fewer joints than it needs.
    """
    if part in skeleton.own_parts:
        return _bounding(skeleton.parts[part], points)
    if part == 'head':
        return _head(skeleton, points)
    if part == 'hip':
        return _pair(points.get('left_hip'), points.get('right_hip'), 2, 2)
    side, _, limb = part.partition('_')
    if limb == 'arm':
        return _limb(
            part,
            skeleton,
            points,
            f'{side}_shoulder',
            f'{side}_elbow',
            f'{side}_wrist',
        )
    if limb == 'leg':
        return _limb(
            part,
            skeleton,
            points,
            f'{side}_hip',
            f'{side}_knee',
            f'{side}_ankle',
        )
    return _bounding(skeleton.parts[part], points)


def _gap(a: Point, b: Point) -> Point:
    """Extent of two joints, no side under a quarter of the other."""
    w, h = abs(a[0] - b[0]), abs(a[1] - b[1])
    return max(w, MIN_THICKNESS * h), max(h, MIN_THICKNESS * w)


def _scaled(gap: Point, x: float, y: float) -> Point:
    return x * gap[0], y * gap[1]


def _pair(
    a: Point | None, b: Point | None, x: float = 1, y: float = 1
) -> CenterWidths | None:
    """The box of two joints, widened by x and y."""
    if a is None or b is None:
        return None
    center = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
    return center, _scaled(_gap(a, b), x, y)


def _bounding(names: tuple[str, ...], points: Points) -> CenterWidths | None:
    xy = [points[name] for name in names if name in points]
    if len(xy) < 2:
        return None
    xs, ys = zip(*xy, strict=True)
    x1, y1, x2, y2 = min(xs), min(ys), max(xs), max(ys)
    return ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)


def _head(skeleton: Skeleton, points: Points) -> CenterWidths | None:
    joints = skeleton.parts['head']
    if set(joints).intersection(FACE):
        box = _bounding(joints, points)
        return box and (box[0], _scaled(box[1], HEAD_SCALE, HEAD_SCALE))
    crown = next((points[n] for n in CROWN if n in points), None)
    neck = next((points[n] for n in NECK if n in points), None)
    return _pair(crown, neck, 2, 1)


def _limb(
    part: str,
    skeleton: Skeleton,
    points: Points,
    root: str,
    middle: str,
    end: str,
) -> CenterWidths | None:
    r, m, e = (points.get(name) for name in (root, middle, end))
    if r is not None and m is not None and e is not None:
        return _bounding(skeleton.parts[part], points)
    if m is not None:
        other = r if e is None else e
        return None if other is None else (m, _scaled(_gap(other, m), 2, 2))
    return _pair(r, e)


def corrected_box(
    part: str,
    skeleton: Skeleton,
    points: Points,
    height: float,
    shape: tuple[int, ...],
) -> Box:
    """The box of a part that covers all of its own joints.

    Starts from the reference's box, or the bounding box of the joints where
    that has none (one available joint is enough). It then holds at least the
    disc that :class:`KeypointOcclusion` paints by default, covers the pixels
    of all of the part's available joints, and is never thinner than a
    quarter of its length, even where the image's border clips it.

    Args:
        points: Available joints, at least one of the part's, all inside the
            image.
        height: Height of the person's frame in pixels: the crop's, or on
            whole images that of the person's box.
        shape: The image's ``(H, W)``.

    Returns:
        A box inside the image.
    """
    joints = [n for n in skeleton.parts[part] if n in points]
    xs, ys = zip(*(points[n] for n in joints), strict=True)
    box = reference_box(part, skeleton, points)
    if box is None:
        x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        w, h = max(xs) - min(xs), max(ys) - min(ys)
    else:
        (x, y), (w, h) = box
    smallest = 2.0 * disc_radius(DEFAULT_RADIUS, height) + 1
    w, h = max(w, MIN_THICKNESS * h), max(h, MIN_THICKNESS * w)
    w, h = max(w, smallest) / 2, max(h, smallest) / 2
    x1, x2 = _whole(min(*xs, x - w), max(*xs, x + w), max(xs), shape[1])
    y1, y2 = _whole(min(*ys, y - h), max(*ys, y + h), max(ys), shape[0])
    x1, x2 = _thicken(x1, x2, y2 - y1, shape[1])
    y1, y2 = _thicken(y1, y2, x2 - x1, shape[0])
    return Box((x1, y1, x2, y2))


def _whole(
    low: float, high: float, last_joint: float, size: int
) -> tuple[int, int]:
    """Round an interval outwards, over its last joint's pixel, and clip."""
    stop = max(math.ceil(high), math.floor(last_joint + 0.5) + 1)
    return max(math.floor(low), 0), min(stop, size)


def _thicken(start: int, stop: int, length: int, size: int) -> tuple[int, int]:
    """Widen to a quarter of ``length``, moved inwards at the border."""
    missing = math.ceil(MIN_THICKNESS * length) - (stop - start)
    if missing <= 0:
        return start, stop
    start = max(start - missing // 2, 0)
    stop = min(max(stop, start + math.ceil(MIN_THICKNESS * length)), size)
    return max(min(start, stop - math.ceil(MIN_THICKNESS * length)), 0), stop
