"""MPII's annotations and a detector's boxes of synthetic people.

The detections' pixel frame is the images' (the centre of the first pixel is
(0, 0)). MPII's files count from one, as MPII's own do: MMPose's
``MpiiPCKAccuracy`` adds that one to the predictions.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat
from synthetic_people import Person, make_scene
from synthetic_people.dataset import SPLITS
from synthetic_people.scene import is_inside

MPII_JOINTS = (
    *('right_ankle', 'right_knee', 'right_hip'),
    *('left_hip', 'left_knee', 'left_ankle'),
    *('pelvis', 'thorax', 'upper_neck', 'head_top'),
    *('right_wrist', 'right_elbow', 'right_shoulder'),
    *('left_shoulder', 'left_elbow', 'left_wrist'),
)
MPII_MISSING = -1.0
"""Both coordinates of a joint outside the image."""


def write(root: Path, seed: int, **counts: int) -> None:
    """Files of a generated set, beside its own: ``annotations/mpii_*.json``
    and ``mpii_gt_*.mat``, ``person_detection_results/detections_*.json``."""
    (root / 'person_detection_results').mkdir()
    for split, count in counts.items():
        mpii, heads, found = [], [], []
        for index in range(count):
            rng = np.random.default_rng([seed, SPLITS[split], index])
            scene = make_scene(rng)
            height, width = scene.image.shape[:2]
            number = SPLITS[split] + index + 1
            size = width, height
            found += detections(rng, scene.people, number, *size)
            for person in scene.people:
                entry = mpii_annotation(person, f'{number:012d}.jpg', *size)
                mpii.append(entry)
                heads.append(head_box(person))
        flags = [entry['joints_vis'] for entry in mpii]
        notes = root / 'annotations'
        (notes / f'mpii_{split}.json').write_text(json.dumps(mpii))
        boxes = f'person_detection_results/detections_{split}.json'
        (root / boxes).write_text(json.dumps(found))
        savemat(notes / f'mpii_gt_{split}.mat', mpii_head_boxes(heads, flags))


def head_box(person: Person) -> list[float]:
    """[x1, y1, x2, y2], a square between the ends of the head."""
    ends = np.array([person.joints[n] for n in ('upper_neck', 'head_top')])
    (x, y), half = ends.mean(axis=0), np.ptp(ends, axis=0).max() / 2
    return [x - half, y - half, x + half, y + half]


def mpii_annotation(
    person: Person, image: str, width: int, height: int
) -> dict[str, Any]:
    """One entry of MPII's JSON: centre, scale (x 200 px), 16 joints."""
    joints, flags = [], []
    for name in MPII_JOINTS:
        x, y = person.joints[name]
        flags.append(int(is_inside(x, y, width, height)))
        place = [x + 1, y + 1] if flags[-1] else [MPII_MISSING] * 2
        joints.append([round(v, 2) for v in place])
    x, y, w, h = person.bbox
    # MpiiDataset moves the centre down by 15 * scale, as MPII's own centres
    # need it; these are the boxes'.
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
    """Boxes of a simulated person detector.

    True boxes with noise of a few per cent, more noise, lower scores and some
    misses for occluded people; second boxes, and boxes without a person.
    """
    found = []
    for person in people:
        x, y, w, h = person.bbox
        box, size = np.array([x, y, x + w, y + h]), np.array([w, h, w, h])
        hidden = 1 - person.visible_area / max(person.area, 1)
        score = 0.98 - 0.43 * hidden - abs(rng.normal(0, 0.06))
        noise = rng.normal(0, 0.02 + 0.05 * hidden, 4)
        if rng.random() > 0.15 * hidden:
            found.append((box + size * noise, score))
        if rng.random() < 0.08:
            noise = rng.normal(0, 0.15, 4)
            found.append((box + size * noise, rng.uniform(0.05, 0.5)))
    for _ in range(rng.poisson(0.6)):
        h = rng.uniform(0.2, 0.8) * height
        w = h * rng.uniform(0.25, 0.7)
        x, y = rng.uniform(0, (width - w, height - h))
        found.append((np.array([x, y, x + w, y + h]), rng.beta(1.2, 5)))
    entries = []
    for box, score in found:
        x0, y0, x1, y1 = np.clip(box, 0, [width, height, width, height])
        bbox = np.round([x0, y0, x1 - x0, y1 - y0], 2).tolist()
        score = round(float(np.clip(score, 0.01, 0.999)), 4)
        entry = dict(image_id=image_id, category_id=1, bbox=bbox, score=score)
        if min(bbox[2:]) >= 4:
            entries.append(entry)
    return entries
