"""Time of each transform on one crop, against the plain way.

    python tools/benchmarks/transforms.py [--others]

The plain way paints the same region as the reference does: GaussianBlur or
the mean of the whole crop, a mask of the whole crop, np.where. Both take
turns; figures are medians. --others adds albumentations and, if it is
installed, kornia: a black box of the same size anywhere. One thread;
OCCLUSION_REAL_DATA names a folder of photographs.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import product
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np

KERNELS = {'keypoint': 11, 'part': 31}
"""Taps of the reference's blur at 256×192."""

WARP = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=(192, 256)),
]


def timed(function: Callable, *args: object, **options: object) -> float:
    """Microseconds of a call."""
    start = time.perf_counter_ns()
    function(*args, **options)
    return (time.perf_counter_ns() - start) / 1000


def painted_box(before: np.ndarray, after: np.ndarray) -> tuple | None:
    """Box x1, y1, x2, y2 (end exclusive) of the pixels that differ."""
    changed = (before != after).any(axis=2).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(changed)
    return (x, y, x + width, y + height) if width else None


def plain(image: np.ndarray, kind: str, fill: str, box: tuple) -> np.ndarray:
    """The reference's way of painting a disc or a box."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    if kind == 'keypoint':
        rows, cols = np.ogrid[:height, :width]
        x, y, radius = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2
        mask = (cols - x) ** 2 + (rows - y) ** 2 <= radius**2
    else:
        mask = np.zeros((height, width), bool)
        mask[y1:y2, x1:x2] = True
    pixels = np.uint8(0)
    if fill == 'blur':
        pixels = cv2.GaussianBlur(image, (KERNELS[kind],) * 2, 0)
    elif fill == 'mean':
        pixels = image.mean(axis=0).mean(axis=0).astype(np.uint8)
    return np.where(mask[..., None], pixels, image)


def others(image: np.ndarray, box: tuple) -> dict[str, float]:
    """Microseconds of other libraries, that are told the box's size."""
    import albumentations

    width, height = int(box[2] - box[0]), int(box[3] - box[1])
    drop = albumentations.CoarseDropout(
        num_holes_range=(1, 1),
        hole_height_range=(height, height),
        hole_width_range=(width, width),
        p=1,
    )
    found = {'CoarseDropout': timed(drop, image=image)}
    if find_spec('kornia'):
        import torch
        from kornia.augmentation import RandomErasing

        scale = (width * height / image[..., 0].size,) * 2
        erase = RandomErasing(scale, (height / width,) * 2, p=1.0)
        chw = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
        found['RandomErasing'] = timed(erase, chw)
    return found


def transform_of(kind: str, fill: str, crop: dict) -> Callable:
    """An occlusion of the trunk, or of the joint nearest to the centre."""
    from mmpose_occlusion import transforms

    if kind == 'part':
        return transforms.PartOcclusion('corpus', fill=fill)
    far = np.abs(crop['transformed_keypoints'][0] - (96, 128)).sum(axis=1)
    far[crop['keypoints_visible'][0] == 0] = np.inf
    name = crop['dataset'].metainfo['keypoint_id2name'][far.argmin()]
    return transforms.KeypointOcclusion(name, fill=fill, size=6)


def measure(args: argparse.Namespace, folder: str) -> None:
    """Print the table."""
    from _data import build, dataset

    from mmpose_occlusion.transforms import MultiKeypointOcclusion, PartMix

    data, warp = dataset(folder), build(WARP)
    rows = range(min(args.people, len(data)))
    crops = [dict(warp(data.get_data_info(i)), dataset=data) for i in rows]
    print(f'{len(crops)} people, {args.turns} turns, 256×192 uint8\n')
    print('| occlusion | µs | plain way µs | times faster |')
    print('|---|--:|--:|--:|')
    rest: dict[str, list[float]] = {}
    for kind, fill in product(KERNELS, ('blur', 'mean', 'black')):
        ours, theirs = [], []
        for crop in crops:
            image, transform = crop['img'], transform_of(kind, fill, crop)
            box = painted_box(image, transform(dict(crop))['img'])
            for _ in range(args.turns if box else 0):
                ours.append(timed(transform, dict(crop)))
                theirs.append(timed(plain, image, kind, fill, box))
                if args.others and fill == 'black':
                    for name, micro in others(image, box).items():
                        rest.setdefault(f'{name}, {kind}', []).append(micro)
        ratio = np.median(np.array(theirs) / ours)
        print(
            f'| {kind} {fill} | {np.median(ours):.0f} | '
            f'{np.median(theirs):.0f} | {ratio:.1f} |'
        )
    for transform in (MultiKeypointOcclusion(size=6), PartMix(prob=1.0)):
        rest[type(transform).__name__] = times = []
        for turn, crop in product(range(args.turns), crops):
            np.random.seed(turn)  # noqa: NPY002
            times.append(timed(transform, dict(crop)))
    for name, times in rest.items():
        print(f'| {name} | {np.median(times):.0f} | | |')


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('--turns', type=int, default=25)
    parser.add_argument('--people', type=int, default=12)
    parser.add_argument('--others', action='store_true')
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        measure(parser.parse_args(argv), folder)


if __name__ == '__main__':
    main()
