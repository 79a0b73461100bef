"""A plain, slow implementation of the reference system's occlusions.

Written from the published behaviour (one paragraph below for each rule), with
all defects that ``paper_exact=True`` keeps. No code is shared with the
package. Joints are ``{name: (x, y)}`` in crop pixels, as Python floats; an
image is an (H, W, 3) uint8 array.
"""

import cv2
import numpy as np

SIDES = ('left', 'right')
LIMBS = {
    'arm': ('shoulder', 'elbow', 'wrist'),
    'leg': ('hip', 'knee', 'ankle'),
}
PARTS = (
    'head',
    'left_arm',
    'right_arm',
    'hip',
    'left_leg',
    'right_leg',
    'corpus',
    'upper_body',
    'lower_body',
    'left_side',
    'right_side',
)
RANDOM_PARTS = ('left_arm', 'right_arm', 'hip', 'left_leg', 'right_leg')
MIXED_PARTS = (
    'head',
    'left_arm',
    'right_arm',
    'left_leg',
    'right_leg',
    'corpus',
)


def both(*joints):
    """Names of these joints on both sides."""
    return [f'{side}_{joint}' for joint in joints for side in SIDES]


def members(part, layout):
    """Names of the joints whose extent makes the box of ``part``."""
    if layout == 'coco':
        head = ['nose', *both('eye', 'ear')]
        side = [
            'ankle',
            'knee',
            'hip',
            'wrist',
            'elbow',
            'shoulder',
            'ear',
            'eye',
        ]
    else:
        head = ['upper_neck', 'head_top']
        side = ['ankle', 'knee', 'hip', 'wrist', 'elbow', 'shoulder']
    if part == 'head':
        return head
    if part == 'hip':
        return both('hip')
    if part == 'corpus':
        return both('shoulder', 'hip')
    if part == 'upper_body':
        return head + both('shoulder', 'elbow', 'wrist', 'hip')
    if part == 'lower_body':
        return both('hip', 'knee', 'ankle')
    which, kind = part.split('_')
    names = side if kind == 'side' else LIMBS[kind]
    return [f'{which}_{name}' for name in names]


def reference_joints(
    names, xy, visible, layout, flipped=False, removed=(), filed=()
):
    """One person's coordinates as the reference stores them.

    Labelled joints are warped into the crop. A missing one keeps what its file
    says: (0, 0) in COCO, unless ``filed``, {name: (x, y)}, has something else;
    (-1, -1) less 1 in MPII; a flip multiplies it by its visibility, which
    gives (0, 0), and so does an earlier removal.
    """
    joints = {}
    for name, point, seen in zip(names, xy, visible, strict=True):
        if name in removed:
            joints[name] = (0.0, 0.0)
        elif seen:
            joints[name] = (float(point[0]), float(point[1]))
        elif layout == 'mpii' and not flipped:
            joints[name] = (-2.0, -2.0)
        elif name in filed and not flipped:
            joints[name] = filed[name]
        else:
            joints[name] = (0.0, 0.0)
    return joints


def is_available(point):
    """Neither coordinate is exactly zero; nothing else is asked."""
    x, y = point
    return x != 0 and y != 0


def extent(points):
    """Centre and full widths of the points, zero for fewer than two."""
    if len(points) < 2:
        return (0.0, 0.0), (0.0, 0.0)
    xs = [x for x, _ in points]
    ys = [y for _, y in points]
    centre = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    return centre, (max(xs) - min(xs), max(ys) - min(ys))


def gap(a, b):
    """Distance per axis, at least a quarter of the other axis' distance."""
    dx, dy = abs(a[0] - b[0]), abs(a[1] - b[1])
    return max(dx, 0.25 * dy), max(dy, 0.25 * dx)


def midpoint(a, b):
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def times(factor, widths):
    return factor * widths[0], factor * widths[1]


def part_box(part, joints, layout):
    """Centre (cx, cy) and full widths (wx, wy) of a part, zeros for none."""
    nothing = (0.0, 0.0), (0.0, 0.0)
    points = {
        name: joints[name]
        for name in members(part, layout)
        if is_available(joints[name])
    }

    if part == 'head' and layout == 'coco':
        centre, widths = extent(list(points.values()))
        return centre, times(1.2, widths)

    if part == 'head':
        if len(points) < 2:
            return nothing
        top, neck = points['head_top'], points['upper_neck']
        wide, high = gap(top, neck)
        return midpoint(top, neck), (2 * wide, 1 * high)

    if part == 'hip':
        if len(points) < 2:
            return nothing
        left, right = points['left_hip'], points['right_hip']
        return midpoint(left, right), times(2, gap(left, right))

    which, kind = part.split('_') if '_' in part else ('', '')
    if kind in LIMBS:
        # shoulder, elbow, wrist or hip, knee, ankle
        near, middle, far = (
            points.get(f'{which}_{joint}') for joint in LIMBS[kind]
        )
        if near and middle and far:
            return extent([near, middle, far])
        if middle and far:
            return middle, times(2, gap(far, middle))
        if middle and near:
            return middle, times(2, gap(near, middle))
        if near and far:
            return midpoint(near, far), gap(far, near)
        return nothing

    return extent(list(points.values()))


def clip(value, low, high):
    return min(max(value, low), high)


def painted_box(centre, widths, height, width):
    """``(x1, y1, x2, y2)`` of the painted pixels, ends exclusive."""
    (cx, cy), (wx, wy) = centre, widths
    x1 = int(clip(cx - wx / 2, 0, width))
    x2 = int(clip(cx + wx / 2, 0, width))
    y1 = int(clip(cy - wy / 2, 0, height))
    y2 = int(clip(cy + wy / 2, 0, height))
    return x1, y1, x2, y2


def removed_joints(joints, centre, widths):
    """All joints within the *full* widths of the centre (twice the box).

    The left end of the interval is open, the other three are closed.
    """
    (cx, cy), (wx, wy) = centre, widths
    if wx == 0:
        return set()
    return {
        name
        for name, (x, y) in joints.items()
        if cx - wx < x <= cx + wx and cy - wy <= y <= cy + wy
    }


def box_pixels(box):
    """(row, col) of every pixel of a box."""
    x1, y1, x2, y2 = box
    return [(row, col) for row in range(y1, y2) for col in range(x1, x2)]


def disc_pixels(point, height, width, radius=6):
    """(row, col) of every painted pixel; the bounds test swaps H and W."""
    x, y = point
    if not (0 <= x < height and 0 <= y < width):
        return []
    return [
        (row, col)
        for row in range(height)
        for col in range(width)
        if (col - x) ** 2 + (row - y) ** 2 <= radius**2
    ]


def mean_colour(image):
    """Mean over all pixels of the crop, per channel, truncated."""
    height, width, channels = image.shape
    return [
        int(sum(image[:, :, c].ravel().tolist()) / (height * width))
        for c in range(channels)
    ]


def paint(image, pixels, fill, kernel):
    """A copy of the image with these pixels blurred, averaged or black."""
    painted = image.copy()
    if fill == 'blur':
        source = cv2.GaussianBlur(image, (kernel, kernel), 0)
    elif fill == 'mean':
        source = np.empty_like(image)
        source[:] = mean_colour(image)
    else:
        source = np.zeros_like(image)
    for row, col in pixels:
        painted[row, col] = source[row, col]
    return painted


def occlude_keypoint(image, joints, name, fill, radius=6):
    """The crop after a keypoint occlusion; labels are never removed."""
    if not is_available(joints[name]):
        return image.copy()
    pixels = disc_pixels(joints[name], *image.shape[:2], radius)
    return paint(image, pixels, fill, 2 * radius - 1)


def occlude_part(image, joints, part, fill, layout):
    """The crop after a part occlusion, and the joints that removal takes."""
    centre, widths = part_box(part, joints, layout)
    box = painted_box(centre, widths, *image.shape[:2])
    painted = paint(image, box_pixels(box), fill, 31)
    return painted, removed_joints(joints, centre, widths)


def drawn_from(mode, joints):
    """What a random target is drawn from, each as likely as the others."""
    available = [name for name in joints if is_available(joints[name])]
    if not available:
        return []
    return {
        'keypoint': available,
        'parts': list(RANDOM_PARTS),
        'all': [*available, *PARTS],
        'mix': list(MIXED_PARTS),
    }[mode]


def rounds(joints, most):
    """How often multi-keypoint may draw a joint."""
    return min(len(drawn_from('keypoint', joints)), most)


def occlude_keypoints(image, joints, drawn, radius=6):
    """The crop after multi-keypoint, which has drawn these (name, fill)."""
    for name, fill in drawn:
        image = occlude_keypoint(image, joints, name, fill, radius)
    return image


def is_empty(box):
    x1, y1, x2, y2 = box
    return x1 >= x2 or y1 >= y2


def mix_part(image, joints, part, donor, donor_joints, donor_part, layout):
    """The crop after PartMix, and the joints that removal takes.

    Both images come in the same order of channels, and the reference mixes
    the two orders up, so that the pasted pixels are swapped.
    """
    nothing = image.copy(), set()
    if not all(is_available(joints[n]) for n in members(part, layout)):
        return nothing
    centre, widths = part_box(part, joints, layout)
    target = painted_box(centre, widths, *image.shape[:2])
    source = painted_box(
        *part_box(donor_part, donor_joints, layout), *donor.shape[:2]
    )
    if is_empty(target) or is_empty(source):
        return nothing
    x1, y1, x2, y2 = source
    left, top, right, bottom = target
    cut = cv2.resize(
        donor[y1:y2, x1:x2],
        (right - left, bottom - top),
        interpolation=cv2.INTER_AREA,
    )
    painted = image.copy()
    for row, col in box_pixels(target):
        for channel in range(3):
            swapped = cut[row - top, col - left, 2 - channel]
            painted[row, col, channel] = swapped
    return painted, removed_joints(joints, centre, widths)
