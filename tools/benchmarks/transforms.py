"""Time of each transform on one crop, against the plain way.

    python tools/benchmarks/transforms.py [--others PYTHON]

The plain way paints the same region as the reference does: GaussianBlur or
the mean of the whole crop, a mask of the whole crop, np.where. Both take
turns; figures are medians. --others adds albumentations and kornia, timed by
an interpreter that has them (pip install albumentations kornia). One thread;
OCCLUSION_REAL_DATA names a folder of photographs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np

KERNELS = {'keypoint': 11, 'part': 31}
"""Taps of the reference's blur at 256×192."""


def timed(function: Callable, *args: object, **options: object) -> float:
    """Microseconds of a call."""
    start = time.perf_counter_ns()
    function(*args, **options)
    return (time.perf_counter_ns() - start) / 1000


def yardstick(image: np.ndarray) -> float:
    """Microseconds of a blur, by which other interpreters are compared."""
    out = np.empty_like(image)
    return timed(cv2.GaussianBlur, image, (11, 11), 0, dst=out)


def load_crops(folder: str, people: int) -> tuple[list[dict], list[str]]:
    """Results of MMPose's warp to 256×192, and the joints' names."""
    from _data import build, dataset

    data = dataset(folder)
    warp = build(
        [
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=(192, 256)),
        ]
    )
    crops = [warp(data.get_data_info(i)) for i in range(len(data))]
    names = data.metainfo['keypoint_id2name']
    for crop in crops:
        crop['dataset'] = data
    return crops[:people], [names[k] for k in range(len(names))]


def painted_box(before: np.ndarray, after: np.ndarray) -> list[int] | None:
    """Box x1, y1, x2, y2 (end exclusive) of the pixels that differ."""
    rows, cols = np.nonzero((before != after).any(axis=2))
    if not len(rows):
        return None
    corners = cols.min(), rows.min(), cols.max() + 1, rows.max() + 1
    return [int(value) for value in corners]


def plain(image: np.ndarray, kind: str, fill: str, box: list[int]):
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


def measure(args: argparse.Namespace) -> None:
    """Print the table."""
    from mmpose_occlusion import transforms as t

    with tempfile.TemporaryDirectory() as folder:
        crops, names = load_crops(folder, args.people)
        print(f'{len(crops)} people, {args.turns} turns, 256×192 uint8\n')
        print('| occlusion | µs | plain way µs | times faster |')
        print('|---|--:|--:|--:|')
        boxes: dict[str, list] = {}
        black: dict[str, float] = {}
        for kind in KERNELS:
            for fill in ('blur', 'mean', 'black'):
                ours, theirs = [], []
                for index, crop in enumerate(crops):
                    transform = (
                        t.KeypointOcclusion(
                            _joint(crop, names), fill=fill, size=6
                        )
                        if kind == 'keypoint'
                        else t.PartOcclusion('corpus', fill=fill)
                    )
                    image = crop['img']
                    box = painted_box(image, transform(dict(crop))['img'])
                    if box is None:
                        continue
                    if fill == 'black':
                        boxes.setdefault(kind, []).append((index, *box))
                    for _ in range(args.turns):
                        ours.append(timed(transform, dict(crop)))
                        theirs.append(timed(plain, image, kind, fill, box))
                ratio = np.median(np.array(theirs) / ours)
                print(
                    f'| {kind} {fill} | {np.median(ours):.0f} | '
                    f'{np.median(theirs):.0f} | {ratio:.1f} |'
                )
                black[kind] = float(np.median(ours))
        for transform in (
            t.MultiKeypointOcclusion(size=6),
            t.PartMix(prob=1.0),
        ):
            times = []
            for turn in range(args.turns):
                for crop in crops:
                    np.random.seed(turn)  # noqa: NPY002
                    times.append(timed(transform, dict(crop)))
            name = type(transform).__name__
            print(f'| {name} | {np.median(times):.0f} | | |')
        if args.others:
            images = np.stack([crop['img'] for crop in crops])
            stick = np.median([yardstick(image) for image in images])
            _print_others(args, folder, images, boxes, black, stick)


def _joint(crop: dict, names: list[str]) -> str:
    """The labelled joint nearest to the crop's centre."""
    far = np.abs(crop['transformed_keypoints'][0] - (96, 128)).sum(axis=1)
    far[crop['keypoints_visible'][0] == 0] = np.inf
    return names[int(far.argmin())]


def _print_others(args, folder, images, boxes, black, stick) -> None:
    path = f'{folder}/crops.npz'
    np.savez(path, images=images, **boxes)
    command = [args.others, __file__, '--turns', str(args.turns)]
    done = subprocess.run(
        [*command, '--worker', path], stdout=subprocess.PIPE, check=True
    )
    found = json.loads(done.stdout)
    theirs = found.pop('yardstick')
    print('\n| other library | µs | times ours, by the yardstick |')
    print('|---|--:|--:|')
    for name, micro in found.items():
        kind = 'part' if 'part' in name else 'keypoint'
        ratio = micro / theirs / (black[kind] / stick)
        print(f'| {name} | {micro:.0f} | {ratio:.1f} of {kind} black |')


def work(path: str, turns: int) -> dict[str, float]:
    """Median microseconds of the other libraries, in their interpreter."""
    import albumentations
    import kornia.augmentation
    import torch

    torch.set_num_threads(1)
    data = dict(np.load(path))
    # the hole is the whole box, which the caller has worked out
    hole = albumentations.ConstrainedCoarseDropout(
        num_holes_range=(1, 1),
        hole_height_range=(1.0, 1.0),
        hole_width_range=(1.0, 1.0),
        bbox_labels=[0],
        fill=0,
        p=1,
    )
    boxed = albumentations.BboxParams('pascal_voc', label_fields=['labels'])
    drop = albumentations.Compose([hole], bbox_params=boxed)
    found: dict[str, list[float]] = {'yardstick': []}
    for kind in KERNELS:
        for index, x1, y1, x2, y2 in data[kind].tolist() * turns:
            image = data['images'][index]
            height, width = image.shape[:2]
            share = (y2 - y1) * (x2 - x1) / (height * width)
            ratio = (y2 - y1) / (x2 - x1)
            erase = kornia.augmentation.RandomErasing(
                (share, share), (ratio, ratio), p=1.0
            )
            chw = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
            sample = dict(image=image, labels=[0], bboxes=[[x1, y1, x2, y2]])
            taken = {
                'ConstrainedCoarseDropout': timed(drop, **sample),
                'RandomErasing': timed(erase, chw),
            }
            for name, micro in taken.items():
                found.setdefault(f'{name}, {kind} black', []).append(micro)
            found['yardstick'].append(yardstick(image))
    return {name: float(np.median(times)) for name, times in found.items()}


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('--turns', type=int, default=25)
    parser.add_argument('--people', type=int, default=12)
    parser.add_argument('--others', metavar='PYTHON')
    parser.add_argument('--worker', help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    if args.worker:
        print(json.dumps(work(args.worker, args.turns)))
    else:
        measure(args)


if __name__ == '__main__':
    main()
