"""The occlusions of albumentations and kornia, for transforms.py --others.

It runs in an environment of its own, which others.txt describes, and knows
nothing of this project:

    python3 -m venv FOLDER
    FOLDER/bin/pip install -r tools/benchmarks/others.txt
    python tools/benchmarks/transforms.py --others FOLDER/bin/python

transforms.py starts it with a file of crops. It answers each line of its
input with a round of times in microseconds, a line of JSON, and rests
between them, so that both programs take turns on one core.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable

os.environ['OMP_NUM_THREADS'] = '1'
os.environ['NO_ALBUMENTATIONS_UPDATE'] = '1'

import cv2
import numpy as np

TOGETHER = 64
"""Crops in the one row that is about a batch."""


def yardstick_of(image: np.ndarray) -> Callable[[], object]:
    """What both programs time: a blur that takes no memory of its own."""
    out = np.empty_like(image)
    return lambda: cv2.GaussianBlur(image, (11, 11), 0, dst=out)


def timed(call: Callable[[], object]) -> float:
    """Microseconds of a call, after one that brings its data near."""
    call()
    return once(call)


def once(call: Callable[[], object]) -> float:
    """Microseconds of a call."""
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / 1000


def albumentations_calls(data) -> dict[str, list[Callable]]:
    """ConstrainedCoarseDropout of one box that is known before."""
    import albumentations

    def make(fill, joints: bool = False) -> albumentations.Compose:
        """The hole is the whole box."""
        hole = albumentations.ConstrainedCoarseDropout(
            num_holes_range=(1, 1),
            hole_height_range=(1.0, 1.0),
            hole_width_range=(1.0, 1.0),
            bbox_labels=[0],
            fill=fill,
            p=1,
        )
        points = albumentations.KeypointParams(
            'xy', label_fields=['joints'], remove_invisible=True
        )
        return albumentations.Compose(
            [hole],
            bbox_params=albumentations.BboxParams(
                'pascal_voc', label_fields=['labels']
            ),
            keypoint_params=points if joints else None,
        )

    def calls(
        compose: albumentations.Compose, boxes: str, joints: bool
    ) -> list[Callable]:
        found = []
        for person, *box in data[boxes].tolist():
            sample = dict(
                image=data['images'][person],
                bboxes=_nudged(box, data['images'].shape[1:3]),
                labels=np.zeros(1, int),
            )
            if joints:
                there = data['visible'][person]
                sample['keypoints'] = data['joints'][person][there]
                sample['joints'] = np.flatnonzero(there)
            found.append(lambda sample=sample: compose(**sample))
        return found

    black, color = 0, (104, 116, 124)
    rows = (
        ('joint black', black, 'joint_boxes', False),
        ('joint black, joints told', black, 'joint_boxes', True),
        ('joint one colour', color, 'joint_boxes', False),
        ('joint inpainted (Telea)', 'inpaint_telea', 'joint_boxes', False),
        ('part black', black, 'part_boxes', False),
        ('part one colour', color, 'part_boxes', False),
        ('part inpainted (Telea)', 'inpaint_telea', 'part_boxes', False),
    )
    found = {
        f'ConstrainedCoarseDropout {name}': calls(
            make(fill, joints), boxes, joints
        )
        for name, fill, boxes, joints in rows
    }
    anywhere = []
    for person, x1, y1, x2, y2 in data['joint_boxes'].tolist():
        hole = albumentations.CoarseDropout(
            (1, 1), (y2 - y1,) * 2, (x2 - x1,) * 2, p=1
        )
        image = data['images'][person]
        anywhere.append(lambda hole=hole, image=image: hole(image=image))
    return found | {'CoarseDropout anywhere, image alone': anywhere}


def _nudged(box: list[int], shape: tuple[int, int]) -> np.ndarray:
    """A box as float32 that is cut to the same pixels after its way through
    albumentations' relative coordinates, but for the picture's last row and
    column."""
    x1, y1, x2, y2 = box
    return np.minimum(
        np.array([[x1 + 0.25, y1 + 0.25, x2 + 0.5, y2 + 0.5]], np.float32),
        np.array([[*shape[::-1], *shape[::-1]]], np.float32),
    )


def kornia_calls(data) -> dict[str, list[Callable]]:
    """RandomErasing of a rectangle as large as the joint's box."""
    import torch
    from kornia.augmentation import RandomErasing

    torch.set_num_threads(1)
    names = (
        'RandomErasing black, float CHW given',
        'RandomErasing black, from uint8 HWC',
        f'RandomErasing black, each of {TOGETHER}, float CHW given',
    )
    rows: dict[str, list[Callable]] = {name: [] for name in names}

    def tensor(image: np.ndarray):
        chw = torch.from_numpy(image).permute(2, 0, 1)
        return chw[None].float() / 255

    for person, x1, y1, x2, y2 in data['joint_boxes'].tolist():
        image = data['images'][person]
        height, width = image.shape[:2]
        share = (x2 - x1) * (y2 - y1) / (height * width)
        ratio = (y2 - y1) / (x2 - x1)
        erase = RandomErasing((share, share), (ratio, ratio), p=1.0)
        ready = tensor(image)
        rows[names[0]].append(lambda erase=erase, ready=ready: erase(ready))
        rows[names[1]].append(
            lambda erase=erase, image=image: erase(tensor(image))
        )
    batch = ready.repeat(TOGETHER, 1, 1, 1)
    rows[names[2]].append(lambda: erase(batch))
    return rows


def main() -> None:
    """Load the crops, say the versions, answer."""
    with np.load(sys.argv[1]) as file:
        data = dict(file)
    cv2.setNumThreads(1)
    import albumentations
    import kornia
    import torch

    rows = albumentations_calls(data) | kornia_calls(data)
    sticks = [yardstick_of(image) for image in data['images']]
    versions = dict(
        albumentations=albumentations.__version__,
        kornia=kornia.__version__,
        torch=torch.__version__,
        opencv=cv2.__version__,
        numpy=np.__version__,
    )
    print(json.dumps(versions), flush=True)
    gc.disable()
    for _ in sys.stdin:
        times = {
            name: [timed(call) for call in calls]
            for name, calls in rows.items()
        }
        for name in times:
            if f'each of {TOGETHER}' in name:
                times[name] = [t / TOGETHER for t in times[name]]
        sticks_of = [timed(stick) for stick in sticks]
        print(json.dumps(dict(yardstick=sticks_of, **times)), flush=True)
        gc.collect()


if __name__ == '__main__':
    main()
