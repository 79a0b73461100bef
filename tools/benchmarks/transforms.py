"""What does an occlusion of one crop cost?

    python tools/benchmarks/transforms.py
    OCCLUSION_REAL_DATA=FOLDER python tools/benchmarks/transforms.py

The second takes real people, from the photographs in FOLDER/coco, the first
synthetic ones. Every call of a transform, with its record, is timed next to
two others that paint the same regions of the same crop:

floor   a copy of the crop (none for ``inplace``), OpenCV's filter on the
        region with its margin or the mean, and the masked assignment; the
        masks are ready
plain   the way of the reference: blur the whole crop with GaussianBlur or
        take two ndarray.mean, a mask of the whole crop, np.where

One thread; the three take turns, and each figure is the median over all
turns and people, of ratios as of microseconds.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli
import cv2
import numpy as np

REAL_DATA = 'OCCLUSION_REAL_DATA'
OF_FLOOR = 2.5
"""A call may cost this many times its floor."""


class Crop(NamedTuple):
    """One person's sample, as a transform finds it."""

    results: dict
    joints: list[str]


class Case(NamedTuple):
    """One row: a transform, and how many times faster than the plain way
    it is to be (None: no aim)."""

    name: str
    make: Callable[[str], object]
    targets: tuple[str, ...] = ()
    faster: float | None = None


def parse_args() -> argparse.Namespace:
    """How long to measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument(
        '--turns', type=int, default=100, help='default: %(default)s'
    )
    parser.add_argument(
        '--people', type=int, default=12, help='default: %(default)s'
    )
    parser.add_argument(
        '--others',
        metavar='PYTHON',
        help='add rows of albumentations and kornia, by the interpreter of '
        'an environment that has them (others.py says how to make it)',
    )
    return parser.parse_args()


# --- people -----------------------------------------------------------------


def load_people(folder: str, size: tuple[int, int], most: int) -> list[Crop]:
    """Crops of people with at least six joints in them."""
    from mmengine.dataset import Compose
    from mmpose.datasets import CocoDataset
    from mmpose.registry import TRANSFORMS

    from mmpose_occlusion.datasets import DonorDataset

    if real := os.environ.get(REAL_DATA):
        root, file = Path(real) / 'coco', 'test_coco.json'
        images = root
    else:
        from synthetic_people import generate

        root = generate(Path(folder) / 'people', train=0, val=20, workers=0)
        file, images = 'annotations/person_keypoints_val.json', root / 'val'
    dataset = CocoDataset(
        ann_file=str(root / file),
        data_prefix=dict(img=str(images)),
        lazy_init=True,
    )
    DonorDataset(dataset)
    warp = Compose([
        TRANSFORMS.build(cfg)
        for cfg in (
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=size),
        )
    ])  # fmt: skip
    names = dataset.metainfo['keypoint_id2name']
    crops = []
    for index in range(len(dataset)):
        results = warp(dataset.get_data_info(index))
        results['dataset'] = dataset
        seen = results['keypoints_visible'][0] > 0
        xy = results['transformed_keypoints'][0]
        seen &= (xy >= 0).all(axis=1) & (xy < size).all(axis=1)
        joints = [names[k] for k in np.flatnonzero(seen)]
        if len(joints) >= 6:
            crops.append(Crop(results, joints))
    return crops[:most]


# --- the two others ---------------------------------------------------------


def floor_of(
    records: list[dict], image: np.ndarray, inplace: bool, cuts: dict
) -> Callable[[], None]:
    """OpenCV's and NumPy's share of what the records say."""
    from mmpose_occlusion.occlusion.regions import region_from_record

    jobs = []
    for record in records:
        paint, box = record['paint'], record['box']
        if paint is None:
            continue
        mask = region_from_record(record['region']).mask(box)
        mask = None if mask is None else mask[..., None]
        jobs.append((*box, mask, paint, _taps(paint), cuts.get(_path(paint))))

    def run() -> None:
        out = image if inplace else image.copy()
        for x1, y1, x2, y2, mask, paint, taps, donor in jobs:
            if taps is not None:
                margin = paint['ksize'] // 2
                left, top = max(x1 - margin, 0), max(y1 - margin, 0)
                cut = image[top : y2 + margin, left : x2 + margin]
                pixels = cv2.sepFilter2D(cut, -1, taps, taps)
                pixels = pixels[y1 - top : y2 - top, x1 - left : x2 - left]
            elif donor is not None:
                a, b, c, d = paint['box']
                pixels = cv2.resize(
                    donor[b:d, a:c],
                    (x2 - x1, y2 - y1),
                    interpolation=cv2.INTER_AREA,
                )
            elif any(paint['color']):
                pixels = cv2.mean(image)[:3]
            else:
                pixels = 0
            if mask is None:
                out[y1:y2, x1:x2] = pixels
            else:
                np.copyto(
                    out[y1:y2, x1:x2], pixels, where=mask, casting='unsafe'
                )

    return run


def _taps(paint: dict) -> np.ndarray | None:
    if paint['kind'] != 'blur':
        return None
    return cv2.getGaussianKernel(paint['ksize'], 0, cv2.CV_32F)


def _path(paint: dict) -> str | None:
    return paint.get('image_path')


def plain_of(
    records: list[dict], image: np.ndarray
) -> Callable[[], np.ndarray] | None:
    """The reference's way of doing what the records say."""
    jobs = [
        (record['region'], record['box'], record['paint'])
        for record in records
        if record['paint'] is not None
    ]
    if any(paint['kind'] == 'donor' for _, _, paint in jobs):
        return None

    def run() -> np.ndarray:
        out = image
        for region, box, paint in jobs:
            height, width = image.shape[:2]
            if region['shape'] == 'disc':
                (x, y), r = region['center'], region['radius']
                rows, cols = np.ogrid[:height, :width]
                mask = (cols - x) ** 2 + (rows - y) ** 2 <= r**2
            else:
                x1, y1, x2, y2 = box
                mask = np.zeros((height, width), bool)
                mask[y1:y2, x1:x2] = True
            if paint['kind'] == 'blur':
                pixels = cv2.GaussianBlur(
                    out, (paint['ksize'], paint['ksize']), 0
                )
            elif any(paint['color']):
                pixels = out.mean(axis=0).mean(axis=0).astype(np.uint8)
            else:
                pixels = np.uint8(0)
            out = np.where(mask[..., None], pixels, out)
        return out

    return run


# --- the clock --------------------------------------------------------------


def timed(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / 1000


def whole_call(transform, crop: Crop, seed: int) -> Callable[[], dict]:
    """A call on a sample of its own, whose draw is always the same."""
    results = dict(crop.results)
    if transform.inplace:
        results['img'] = results['img'].copy()
    np.random.seed(seed)  # noqa: NPY002
    return lambda: transform(results)


def in_turns(
    transform, crops: list[Crop], turns: int, cuts: dict
) -> dict[str, np.ndarray]:
    """Microseconds of the call, its floor and the plain way, (T,) each."""
    times: dict[str, list[float]] = dict(call=[], floor=[], plain=[])
    for number, crop in enumerate(crops):
        records = whole_call(transform, crop, number)()['occlusions']
        if all(record['paint'] is None for record in records):
            continue
        image = crop.results['img']
        # the very same source: where two blocks of whole pages lie behind
        # one another, some processors copy several times as slowly
        source = image.copy() if transform.inplace else image
        floor = floor_of(records, source, transform.inplace, cuts)
        plain = plain_of(records, image)
        for turn in range(turns + 2):
            taken = (
                timed(whole_call(transform, crop, number)),
                timed(floor),
                timed(plain) if plain else np.nan,
            )
            if turn >= 2:
                for name, value in zip(times, taken, strict=True):
                    times[name].append(value)
    return {name: np.array(values) for name, values in times.items()}


def merged(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The times of several targets in one row."""
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def median(values: np.ndarray) -> float:
    return float(np.median(values))


# --- the table --------------------------------------------------------------


def cases() -> list[Case]:
    """The rows."""
    from mmpose_occlusion import transforms as t

    limbs = ('left_arm', 'left_leg', 'corpus')
    rows = []
    for inplace in (False, True):
        where = ', inplace' if inplace else ''
        for fill, faster in (('blur', 8), ('mean', 3), ('black', 2.5)):
            rows.append(
                Case(
                    f'keypoint {fill}{where}',
                    lambda name, fill=fill, inplace=inplace: (
                        t.KeypointOcclusion(name, fill, inplace=inplace)
                    ),
                    ('JOINT',),
                    None if inplace else faster,
                )
            )
        for fill, faster in (('blur', 10), ('mean', 1.5), ('black', None)):
            rows.append(
                Case(
                    f'part {fill}{where}',
                    lambda name, fill=fill, inplace=inplace: t.PartOcclusion(
                        name, fill, inplace=inplace
                    ),
                    limbs,
                    None if inplace else faster,
                )
            )
    rows.append(
        Case('MultiKeypoint', lambda _: t.MultiKeypointOcclusion(), ('',), 5)
    )
    return rows


def verdict(met: bool | None) -> str:
    return '' if met is None else ' (met)' if met else ' (missed)'


def row(case: Case, times: dict[str, np.ndarray]) -> str:
    """A line of the table."""
    of_floor = median(times['call'] / times['floor'])
    faster = median(times['plain'] / times['call'])
    aim = '' if case.faster is None else f', aim {case.faster:g}'
    met = None if case.faster is None else faster >= case.faster
    return (
        f'| {case.name} | {median(times["call"]):.0f} '
        f'| {median(times["floor"]):.0f} | {median(times["plain"]):.0f} '
        f'| {of_floor:.1f}{verdict(of_floor <= OF_FLOOR)} '
        f'| {faster:.1f}{aim}{verdict(met)} |'
    )


def measure_case(
    case: Case, crops: list[Crop], turns: int
) -> dict[str, np.ndarray]:
    """All targets of a row; JOINT stands for each person's own."""
    parts = []
    for target in case.targets:
        if target != 'JOINT':
            parts.append(in_turns(case.make(target), crops, turns, {}))
            continue
        for number, crop in enumerate(crops):
            joint = crop.joints[number % len(crop.joints)]
            parts.append(in_turns(case.make(joint), [crop], turns, {}))
    return merged([part for part in parts if len(part['call'])])


def partmix(crops: list[Crop], turns: int) -> str:
    """PartMix, its donors' pictures read before, and a part cutout."""
    from mmpose_occlusion.transforms import PartMix, PartOcclusion

    mix = PartMix(prob=1.0)
    read, pictures = mix._donation._read, {}

    def remember(path: str) -> np.ndarray:
        if path not in pictures:
            pictures[path] = read(path)
        return pictures[path]

    mix._donation._read = remember
    ratios, calls, floors = [], [], []
    for number, crop in enumerate(crops):
        (record,) = whole_call(mix, crop, number)()['occlusions']
        if record['paint'] is None:
            continue
        cutout = PartOcclusion(record['name'], 'mean')
        image = crop.results['img']
        floor = floor_of([record], image, False, pictures)
        for turn in range(turns + 2):
            one = timed(whole_call(mix, crop, number))
            other = timed(whole_call(cutout, crop, number))
            least = timed(floor)
            if turn >= 2:
                ratios.append(one / other)
                calls.append(one)
                floors.append(one / least)
    share = median(np.array(ratios))
    of_floor = median(np.array(floors))
    return (
        f'PartMix without reading: {median(np.array(calls)):.0f} µs, '
        f'{share:.2f} part cutouts (mean), aim 3{verdict(share <= 3)}; '
        f'{of_floor:.1f} floors{verdict(of_floor <= OF_FLOOR)}'
    )


def sizes(small: list[Crop], large: list[Crop], turns: int, fill: str) -> str:
    """In-place discs at 384×288 against those at 256×192."""
    from mmpose_occlusion.transforms import KeypointOcclusion

    ratios = []
    for number, (few, many) in enumerate(zip(small, large, strict=True)):
        both = [joint for joint in few.joints if joint in many.joints]
        disc = KeypointOcclusion(both[number % len(both)], fill, inplace=True)
        for turn in range(turns + 2):
            ratio = timed(whole_call(disc, many, 0)) / timed(
                whole_call(disc, few, 0)
            )
            if turn >= 2:
                ratios.append(ratio)
    growth = median(np.array(ratios))
    return (
        f'In-place {fill} disc, 384×288 / 256×192: {growth:.2f}, aim 2.5'
        f'{verdict(growth <= 2.5)}'
    )


def measure(args: argparse.Namespace) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        small = load_people(folder, (192, 256), args.people)
        large = load_people(folder, (288, 384), args.people)
        kind = 'real' if os.environ.get(REAL_DATA) else 'synthetic'
        print(
            f'{len(small)} {kind} people, 256×192 uint8, '
            f'{args.turns} turns each, one thread\n'
        )
        print('| occlusion | call µs | floor µs | plain µs ', end='')
        print(f'| call / floor, aim {OF_FLOOR} | plain / call |')
        print('|---|---|---|---|---|---|')
        gc.disable()
        for case in cases():
            print(row(case, measure_case(case, small, args.turns)), flush=True)
            gc.collect()
        if args.others:
            import beside_others

            for line in beside_others.rows(
                args.others, small, args.turns, whole_call
            ):
                print(line, flush=True)
        print(f'\n{partmix(small, args.turns)}')
        for fill in ('black', 'blur'):
            print(sizes(small, large, args.turns, fill))


if __name__ == '__main__':
    sys.exit(_cli.run(measure, parse_args()))
