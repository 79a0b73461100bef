"""Benchmark runs made up by hand, without a model."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mmpose_occlusion.benchmark.data import (
    UNMATCHED,
    Attacked,
    BenchmarkRun,
    Boxes,
    Joints,
    Predictions,
)

COCO = ['nose']
COCO += [
    f'{side}_{joint}'
    for joint in ('eye', 'ear', 'shoulder', 'elbow', 'wrist')
    + ('hip', 'knee', 'ankle')
    for side in ('left', 'right')
]
SIGMAS = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]
)
LIMBS = [(15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12)]
LIMBS += [(5, 6), (5, 7), (6, 8), (7, 9), (8, 10), (1, 2), (0, 1), (0, 2)]
POSE = np.array(
    [
        (50, 18), (53, 15), (47, 15), (57, 17), (43, 17), (64, 34), (36, 34),
        (72, 56), (28, 56), (76, 78), (24, 78), (59, 84), (41, 84), (61, 120),
        (39, 120), (62, 154), (38, 154),
    ],
    float,
)  # fmt: skip


def joints(count: int = 17) -> Joints:
    """COCO's first joints."""
    flip = [0, *(i + 1 if i % 2 else i - 1 for i in range(1, count))]
    return Joints(
        names=COCO[:count],
        sigmas=SIGMAS[:count] / 1000,
        flip=np.minimum(flip, count - 1),
        links=[link for link in LIMBS if max(link) < count],
        parts=dict(head=list(range(min(5, count)))),
    )


def people(
    images: int = 6, each: int = 2, seed: int = 0, spread: float = 3.0
) -> Boxes:
    """Standing people, 100 x 160 pixels and more, some joints unlabelled."""
    generator = np.random.default_rng(seed)
    count = images * each
    size = generator.uniform(1, 2, count)
    corner = generator.uniform(0, 60, (count, 2))
    corner[:, 0] += 130 * (np.arange(count) % each)
    truth = POSE + generator.normal(0, spread, (count, 17, 2))
    truth = truth * size[:, None, None] + corner[:, None]
    visible = generator.choice([0, 1, 2], (count, 17), p=[0.15, 0.15, 0.7])
    visible[:, 5] = 2
    low = corner + size[:, None] * (18, 5)
    high = corner + size[:, None] * (82, 160)
    boxes = np.concatenate([low, high], axis=1)
    return Boxes(
        image_ids=100 + np.repeat(np.arange(images), each),
        instance_ids=1000 + np.arange(count),
        boxes=boxes,
        scores=np.ones(count),
        truth=np.where(visible[..., None] > 0, truth, np.nan),
        visible=visible.astype(np.int8),
        areas=np.prod(high - low, axis=1) * 0.6,
        person_boxes=boxes.copy(),
        head_sizes=np.full(count, np.nan),
    )


def annotations(boxes: Boxes) -> list[dict]:
    """The people in boxes as COCO's annotations."""
    out = []
    for i in range(len(boxes)):
        if boxes.instance_ids[i] == UNMATCHED:
            continue
        seen = boxes.visible[i]
        points = np.where(seen[:, None] > 0, boxes.truth[i], 0)
        x1, y1, x2, y2 = boxes.person_boxes[i].tolist()
        out.append(
            dict(
                id=int(boxes.instance_ids[i]),
                image_id=int(boxes.image_ids[i]),
                category_id=1,
                bbox=[x1, y1, x2 - x1, y2 - y1],
                area=float(boxes.areas[i]),
                iscrowd=0,
                num_keypoints=int((seen > 0).sum()),
                keypoints=np.column_stack([points, seen]).ravel().tolist(),
            )
        )
    return out


def perfect(boxes: Boxes) -> Predictions:
    """The truth; where there is none, the middle of the box."""
    middle = (boxes.boxes[:, :2] + boxes.boxes[:, 2:]) / 2
    keypoints = np.where(
        np.isfinite(boxes.truth), boxes.truth, middle[:, None]
    )
    scores = np.ones(keypoints.shape[:2], np.float32)
    return Predictions(keypoints.astype(np.float32), scores)


def noisy(
    boxes: Boxes, pixels: float, seed: int = 0, lost: float = 0.0
) -> Predictions:
    """The truth with noise, different scores and some poses far away."""
    generator = np.random.default_rng(seed)
    exact = perfect(boxes).keypoints
    noise = generator.normal(0, pixels, exact.shape)
    noise[generator.random(len(noise)) < lost] += 90
    scores = generator.uniform(0.3, 1, exact.shape[:2])
    return Predictions(
        (exact + noise).astype(np.float32), scores.astype(np.float32)
    )


def attack(
    clean: Predictions,
    boxes: Boxes,
    target: str = 'nose',
    paint: str = 'black',
    fault: Callable | None = None,
    changed: np.ndarray | None = None,
    **more,
) -> Attacked:
    """An attack on one joint of everybody who has it.

    Args:
        clean: What the model says without it.
        boxes: Whom it says it of.
        target: Joint.
        paint: Fill.
        fault: Changes the ``(N', K, 2)`` predictions of those attacked.
        changed: Whose crop changed; None are those with a label.
        **more: Other fields.
    """
    index = COCO.index(target)
    if changed is None:
        changed = boxes.visible[:, index] > 0
    targets = np.zeros(boxes.visible.shape, bool)
    targets[:, index] = changed
    keypoints = clean.keypoints.copy()
    if fault:
        keypoints[changed] = fault(keypoints[changed])
    fields = dict(
        name=f'keypoint:{target}:{paint}',
        suite='paper',
        config=dict(type='KeypointOcclusion', target=target, fill=paint),
        details={},
        predictions=Predictions(keypoints, clean.scores),
        changed=changed,
        excluded=np.zeros(len(changed), bool),
        targets=targets,
        bystanders=np.zeros_like(targets),
        pixels=np.where(changed, 113, 0),
    )
    return Attacked(**{**fields, **more})


def run(
    boxes: Boxes,
    clean: Predictions,
    attacks: list[Attacked],
    **more,
) -> BenchmarkRun:
    """A run on COCO-like data."""
    fields = dict(
        model='made-up',
        data='people',
        joints=joints(boxes.visible.shape[1]),
        boxes=boxes,
        people=annotations(boxes),
        evaluation=dict(metric='CocoMetric'),
        crop_size=(96, 128),
        clean=clean,
        attacks=attacks,
    )
    return BenchmarkRun(**{**fields, **more})


def take(boxes: Boxes, rows: np.ndarray) -> Boxes:
    """Some of the boxes."""
    return replace(
        boxes, **{name: value[rows] for name, value in vars(boxes).items()}
    )
