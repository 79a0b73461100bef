"""What is true of each person in a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from .figure import CARRIERS, Figure
from .raster import View, extent_of
from .stage import SAMPLES, Fronts, Placed, to_pixels

COCO_JOINTS = (
    'nose',
    'left_eye',
    'right_eye',
    'left_ear',
    'right_ear',
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
)


@dataclass
class Person:
    """The truth about one person, in pixels (first pixel's centre = 0, 0).

    Args:
        joints: Name -> (x, y), inside the picture or not.
        visible: Name of COCO joint -> 0 outside the picture, 1 hidden by
            anything (the person's own body too), 2 seen.
        bbox: [x, y, w, h] around the person's pixels inside the picture,
            whether something stands before them or not.
        area: Number of those pixels.
        visible_area: Number of those before which nothing stands.
        head_box: [x1, y1, x2, y2] around skull and jaw, as in MPII.
        stature: Standing height in pixels.
        outline: (H, W) bool mask of the pixels that show.
    """

    joints: dict[str, tuple[float, float]]
    visible: dict[str, int]
    bbox: list[float]
    area: float
    visible_area: float
    head_box: list[float]
    stature: float
    outline: np.ndarray


def is_inside(x: float, y: float, width: int, height: int) -> bool:
    """Whether a point lies between the centres of the outermost pixels."""
    return 0 <= x <= width - 1 and 0 <= y <= height - 1


def describe(
    person: Placed, index: int, fronts: Fronts, size: tuple[int, int]
) -> Person:
    """The truth about a person of a composed picture.

    Args:
        index: The person's place among the layers.
        size: The picture's (width, height) in pixels.
    """
    figure, buffer = person.figure, person.buffer
    points = person.view.project(np.stack(list(figure.joints.values())))
    pixels = np.round(to_pixels(points[:, :2]), 2)
    joints = {
        name: (float(x), float(y))
        for name, (x, y) in zip(figure.joints, pixels, strict=True)
    }
    depths = dict(zip(figure.joints, points, strict=True))
    visible = {}
    for name in COCO_JOINTS:
        if not is_inside(*joints[name], *size):
            visible[name] = 0
        else:
            seen = _is_seen(person, index, fronts, name, depths[name])
            visible[name] = 2 if seen else 1
    drawn = np.zeros(fronts.layer.shape, bool)
    drawn[buffer.window] = buffer.drawn
    whole = _by_majority(drawn, size)
    shown = _by_majority(fronts.layer == index, size)
    return Person(
        joints,
        visible,
        box_of(whole),
        float(whole.sum()),
        float(shown.sum()),
        _head_box(figure, person.view),
        person.unit / SAMPLES,
        shown,
    )


def _by_majority(samples: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels more than half of whose samples are set: (H, W) bool."""
    share = cv2.resize(
        samples.view(np.uint8) * np.uint8(200),
        size,
        interpolation=cv2.INTER_AREA,
    )
    return share > 100


def box_of(mask: np.ndarray) -> list[float]:
    """[x, y, w, h] of a mask in whole pixels; zeros if it is empty."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return [0.0, 0.0, 0.0, 0.0]
    x, y = cols[0], rows[0]
    return [float(v) for v in (x, y, cols[-1] - x + 1, rows[-1] - y + 1)]


def _is_seen(
    person: Placed,
    index: int,
    fronts: Fronts,
    name: str,
    point: np.ndarray,
) -> bool:
    """Whether the surface in front at a joint is that which carries it."""
    height, width = fronts.layer.shape
    col = min(max(round(float(point[0])), 0), width - 1)
    row = min(max(round(float(point[1])), 0), height - 1)
    if fronts.layer[row, col] != index:
        return False
    tags, reach = CARRIERS[name]
    if person.figure.solids[fronts.solid[row, col]].tag not in tags:
        return False
    buffer = person.buffer
    depth = buffer.depth[row - buffer.y0, col - buffer.x0]
    return bool(point[2] - depth <= reach * person.unit)


def _head_box(figure: Figure, view: View) -> list[float]:
    box = extent_of([figure.solids[i] for i in figure.head], view)
    return [float(v) for v in np.round(to_pixels(box), 2).ravel()]
