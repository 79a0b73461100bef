"""Annotations as COCO, MPII and person detectors write them.

Pixel frames: COCO's and the detections' are ours (the centre of the first
pixel is (0, 0)). MPII's files count from one, all of them, and so do these:
MMPose's ``MpiiPCKAccuracy`` adds that one to the predictions. (Its
``MpiiDataset`` takes the one off centres but not off joints, so a model that
is trained on MPII's layout by MMPose answers one pixel too far right and
down; that is so for MPII itself too.)
"""

from typing import Any

import cv2
import numpy as np

from .truth import COCO_JOINTS, Person, is_inside

COCO_SKELETON = [
    [16, 14],
    [14, 12],
    [17, 15],
    [15, 13],
    [12, 13],
    [6, 12],
    [7, 13],
    [6, 7],
    [6, 8],
    [7, 9],
    [8, 10],
    [9, 11],
    [2, 3],
    [1, 2],
    [1, 3],
    [2, 4],
    [3, 5],
    [4, 6],
    [5, 7],
]

COCO_CATEGORY = dict(
    id=1,
    name='person',
    supercategory='person',
    keypoints=list(COCO_JOINTS),
    skeleton=COCO_SKELETON,
)

MPII_JOINTS = (
    'right_ankle',
    'right_knee',
    'right_hip',
    'left_hip',
    'left_knee',
    'left_ankle',
    'pelvis',
    'thorax',
    'upper_neck',
    'head_top',
    'right_wrist',
    'right_elbow',
    'right_shoulder',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
)

MPII_MISSING = -1.0
"""Both coordinates of a joint outside the picture."""


def coco_annotation(
    person: Person, image_id: int, annotation_id: int
) -> dict[str, Any]:
    """One entry of COCO's ``annotations``.

    A joint outside the picture has x = y = v = 0. ``visible_area`` is ours:
    the pixels that show; the polygons of ``segmentation`` run around them.
    """
    keypoints: list[float] = []
    for name in COCO_JOINTS:
        flag = person.visible[name]
        x, y = person.joints[name] if flag else (0, 0)
        keypoints += [x, y, flag]
    return dict(
        id=annotation_id,
        image_id=image_id,
        category_id=1,
        iscrowd=0,
        bbox=person.bbox,
        area=person.area,
        visible_area=person.visible_area,
        num_keypoints=sum(v > 0 for v in person.visible.values()),
        keypoints=keypoints,
        segmentation=polygons(person.outline),
    )


def polygons(mask: np.ndarray) -> list[list[float]]:
    """COCO polygons around the islands of a mask, small ones left out."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    out = []
    for contour in contours:
        ring = cv2.approxPolyDP(contour, 0.7, True).reshape(-1, 2)
        if len(ring) >= 3:
            out.append([int(v) for v in ring.ravel()])
    return out


def mpii_annotation(
    person: Person, image: str, width: int, height: int
) -> dict[str, Any]:
    """One entry of MPII's JSON: centre, scale (x 200 px), 16 joints."""
    joints, flags = [], []
    for name in MPII_JOINTS:
        x, y = person.joints[name]
        inside = is_inside(x, y, width, height)
        flags.append(int(inside))
        place = [x + 1, y + 1] if inside else [MPII_MISSING] * 2
        joints.append([round(v, 2) for v in place])
    x, y, w, h = person.bbox
    # MpiiDataset moves the centre down by 15 * scale; MPII's own centres are
    # on the body's middle, so it is taken back here.
    scale = max(h, w) / 200.0
    return dict(
        image=image,
        center=[round(x + w / 2 + 1, 3), round(y + h / 2 + 1 - 15 * scale, 3)],
        scale=round(scale, 6),
        joints=joints,
        joints_vis=flags,
    )


def mpii_head_boxes(
    boxes: list[list[float]], flags: list[list[int]]
) -> dict[str, np.ndarray]:
    """The arrays of ``mpii_gt_val.mat`` that MMPose reads.

    Args:
        boxes: [x1, y1, x2, y2] per person.
        flags: ``joints_vis`` per person.

    Returns:
        ``headboxes_src`` (2, 2, N), corner first, counted from one, and
        ``jnt_missing`` (16, N), 1 where a joint is missing.
    """
    corners = np.asarray(boxes, float).reshape(-1, 2, 2) + 1
    return dict(
        headboxes_src=corners.transpose(1, 2, 0),
        jnt_missing=1 - np.asarray(flags, float).reshape(-1, 16).T,
    )


def detections(
    rng: np.random.Generator,
    people: list[Person],
    image_id: int,
    width: int,
    height: int,
) -> list[dict[str, Any]]:
    """What a person detector might find in a picture.

    Boxes are the true ones with edges moved by a few per cent; those of
    hidden people more, with lower scores, and sometimes missed; now and then
    there is a second box on a person, or one on nobody.
    """
    found = []

    def add(box: np.ndarray, score: float) -> None:
        x0, y0 = np.maximum(box[:2], 0)
        x1, y1 = np.minimum(box[2:], (width, height))
        if x1 - x0 >= 4 and y1 - y0 >= 4:
            found.append(
                dict(
                    image_id=image_id,
                    category_id=1,
                    bbox=[
                        round(float(v), 2) for v in (x0, y0, x1 - x0, y1 - y0)
                    ],
                    score=round(float(np.clip(score, 0.01, 0.999)), 4),
                )
            )

    for person in people:
        x, y, w, h = person.bbox
        box = np.array([x, y, x + w, y + h])
        size = np.array([w, h, w, h])
        shown = person.visible_area / max(person.area, 1)
        if rng.random() < 0.15 * (1 - shown):
            continue
        wobble = 0.02 + 0.05 * (1 - shown)
        add(
            box + size * rng.normal(0, wobble, 4),
            0.55 + 0.43 * shown - abs(rng.normal(0, 0.06)),
        )
        if rng.random() < 0.08:
            add(box + size * rng.normal(0, 0.15, 4), rng.uniform(0.05, 0.5))
    for _ in range(rng.poisson(0.6)):
        h = rng.uniform(0.2, 0.8) * height
        w = h * rng.uniform(0.25, 0.7)
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        add(np.array([x, y, x + w, y + h]), rng.beta(1.2, 5))
    return found
