"""How times grow: PartMix's donors, people, joints and attacks."""

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PEOPLE = (10_000, 30_000, 75_000, 150_000, 300_000)
IN_PICTURE = (1, 2, 4, 8, 16, 32, 64)
ATTACKS = (1, 2, 4, 8, 16, 32, 64)
JOINTS = (17, 133)
LINEAR = 1.2
"""An exponent up to here is called linear: the rest is noise, and memory that
fits into the processor's caches no longer."""


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Slope of log time over log size: 1 is linear, 2 quadratic.

    Args:
        sizes: At least two different ones.
        times: The time at each, above 0.
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(times), 1)
    return float(slope)


def steepest(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Slope of the upper half of the sizes, where a fixed cost counts less:
    a curve that begins flat and ends quadratic is found."""
    half = min(len(sizes) // 2, len(sizes) - 2)
    return exponent(sizes[half:], times[half:])


def verdict(sizes: Sequence[float], times: Sequence[float]) -> str:
    """A sentence on the growth, in its steepest half."""
    slope = steepest(sizes, times)
    said = 'linear or better' if slope <= LINEAR else 'WORSE THAN LINEAR'
    return (
        f'exponent {exponent(sizes, times):.2f}, in the upper half '
        f'{slope:.2f}: {said}'
    )


def in_turn(
    calls: Mapping[Any, Callable[[], object]], rounds: int, repeats: int = 1
) -> dict[Any, float]:
    """Least seconds of processor time of each call, over rounds in turn."""
    least = dict.fromkeys(calls, math.inf)
    for _ in range(rounds + 1):  # the first warms up, and can hardly win
        for name, call in calls.items():
            start = time.process_time()
            for _ in range(repeats):
                call()
            took = (time.process_time() - start) / repeats
            least[name] = min(least[name], took)
    return least


# --- donors -----------------------------------------------------------------


def people_list(count: int) -> tuple[list[dict], dict[str, int]]:
    """What a data set gives to the index: its list, and first ids."""
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 400, (count, 1, 17, 2)).astype(np.float32)
    seen = (rng.uniform(size=(count, 1, 17)) > 0.3).astype(np.float32)
    box = np.array([10, 10, 100, 200], np.float32)
    people = [
        dict(
            id=number,
            # some 2.3 to a picture, as in COCO
            img_path=f'data/coco/train2017/{number * 3 // 7:012d}.jpg',
            keypoints=xy[number],
            keypoints_visible=seen[number],
            bbox=box[None],
        )
        for number in range(count)
    ]
    first: dict[str, int] = {}
    for person in people:
        first.setdefault(person['img_path'], person['id'])
    return people, first


def objects_of(root: object) -> int:
    """Python objects that can be reached from one, itself included; elements
    of arrays of objects count, modules and types do not."""
    seen: dict[int, object] = {}
    left = [root]
    while left:
        each = left.pop()
        if id(each) in seen or isinstance(each, type | type(gc)):
            continue
        seen[id(each)] = each
        if isinstance(each, np.ndarray) and each.dtype == object:
            left.extend(each.ravel().tolist())
        left.extend(gc.get_referents(each))
    return len(seen)


def make_index(people: list[dict], first: dict[str, int]):
    """An index as ``DonorDataset`` makes it."""
    from mmpose.datasets import CocoDataset
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    from mmpose_occlusion.datasets.donors import DonorIndex
    from mmpose_occlusion.skeleton import Skeleton

    index = DonorIndex(people, first)
    metainfo = parse_pose_metainfo(dict(CocoDataset.METAINFO))
    index.prepare(Skeleton.from_metainfo(metainfo))
    return index


def mixing(index, rounds_of: int = 1) -> Callable[[], object]:
    """A PartMix of a crop; one picture stands for those of all donors."""
    from mmpose.datasets import CocoDataset
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    from mmpose_occlusion.transforms import PartMix

    mix = PartMix(prob=1.0)
    picture = np.random.default_rng(1).integers(
        256, size=(480, 640, 3), dtype=np.uint8
    )
    mix._donation._read = lambda path: picture
    names = parse_pose_metainfo(dict(CocoDataset.METAINFO))
    sample = sample_of(1, 17, names['keypoint_id2name'])
    sample['dataset'] = _With(index)

    def call() -> dict:
        return mix.transform(dict(sample))

    return call


class _With:
    """A data set of which only the donors are asked for."""

    def __init__(self, donors) -> None:
        self.donors = donors


def print_donors(rounds: int, scale: float) -> None:
    """The table of PartMix's index."""
    sizes = [max(70, round(count * scale)) for count in PEOPLE]
    builds, draws, rows = [], {}, []
    for count in sizes:
        people, first = people_list(count)
        gc.collect()
        gc.freeze()  # or collections would look at these people all the time
        took = in_turn(
            {0: lambda p=people, f=first: make_index(p, f)}, min(rounds, 3)
        )[0]
        index = make_index(people, first)
        gc.unfreeze()
        del people, first
        builds.append(took)
        draws[count] = index
        rows.append((count, took, index.nbytes, objects_of(index)))
    rng = np.random.default_rng(0)
    whole = in_turn(
        {count: mixing(index) for count, index in draws.items()}, rounds, 200
    )

    def draw(index) -> object:
        eligible = index.rows_with((5, 7, 9))
        return index[eligible[int(rng.uniform() * len(eligible))]]

    alone = in_turn(
        {c: lambda index=i: draw(index) for c, i in draws.items()},
        rounds,
        2000,
    )
    print(
        '| people | index made in s | µs per person | memory MB '
        '| bytes per person | Python objects | draw µs | PartMix µs |\n'
        '|--:|--:|--:|--:|--:|--:|--:|--:|'
    )
    for count, took, size, objects in rows:
        print(
            f'| {count:,} | {took:.2f} | {took / count * 1e6:.2f} '
            f'| {size / 1e6:.1f} | {size / count:.0f} | {objects} '
            f'| {alone[count] * 1e6:.1f} | {whole[count] * 1e6:.0f} |'
        )
    print(f'\nmaking: {verdict(sizes, builds)}')
    print(f'memory: {verdict(sizes, [size for _, _, size, _ in rows])}')
    print(f'draw: {verdict(sizes, [alone[count] for count in sizes])}')
    print(f'PartMix: {verdict(sizes, [whole[count] for count in sizes])}')


# --- calls ------------------------------------------------------------------


def joint_names(joints: int) -> dict[int, str]:
    """Of COCO, or of COCO-WholeBody."""
    from mmpose.datasets import CocoDataset, CocoWholeBodyDataset
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    cls = {17: CocoDataset, 133: CocoWholeBodyDataset}[joints]
    return parse_pose_metainfo(dict(cls.METAINFO))['keypoint_id2name']


def sample_of(people: int, joints: int, names: Mapping[int, str]) -> dict:
    """A whole picture of people in a grid, or the crop of a single one."""
    rng = np.random.default_rng(people)
    if people == 1:
        shape, edge = (256, 192, 3), np.array([192, 256])
        corners = np.zeros((1, 2))
    else:
        shape, edge = (960, 1280, 3), np.array([150, 110])
        across = np.stack(np.divmod(np.arange(people), 8)[::-1], axis=1)
        corners = across * (158, 118)
    xy = corners[:, None] + rng.uniform(0.05, 0.95, (people, joints, 2)) * edge
    xy = xy.astype(np.float32)
    boxes = np.concatenate([corners, corners + edge], 1).astype(np.float32)
    sample = dict(
        img=rng.integers(256, size=shape, dtype=np.uint8),
        img_shape=shape[:2],
        img_path='picture.jpg',
        img_id=1,
        id=list(range(people)) if people > 1 else 1,
        keypoint_id2name=dict(names),
        keypoints=xy,
        keypoints_visible=np.ones((people, joints), np.float32),
        bbox=boxes,
        bbox_scale=(boxes[:, 2:] - boxes[:, :2]) * 1.25,
    )
    if people == 1:
        sample['transformed_keypoints'] = xy
    return sample


def transforms() -> dict[str, Any]:
    """Those that are measured, in place, so that no copy hides growth."""
    from mmpose_occlusion import transforms as t

    return {
        'KeypointOcclusion black': t.KeypointOcclusion(
            'random', 'black', prob=1.0, inplace=True
        ),
        'KeypointOcclusion blur': t.KeypointOcclusion(
            'random', 'blur', prob=1.0, inplace=True
        ),
        'PartOcclusion mean': t.PartOcclusion(
            'random', 'mean', prob=1.0, inplace=True
        ),
        'MultiKeypointOcclusion': t.MultiKeypointOcclusion(inplace=True),
    }


def measure_calls(
    samples: Mapping[int, dict], rounds: int, repeats: int
) -> dict[str, dict[int, float]]:
    """Seconds of each transform for each sample."""
    out = {}
    for name, transform in transforms().items():
        out[name] = in_turn(
            {
                size: lambda t=transform, s=sample: t.transform(dict(s))
                for size, sample in samples.items()
            },
            rounds,
            repeats,
        )
    return out


def _print_growth(
    what: str, sizes: Sequence[int], found: Mapping[str, Mapping[int, float]]
) -> None:
    print(f'\nµs per call with {what}\n')
    print('| | ' + ' | '.join(map(str, sizes)) + ' | growth |')
    print('|---|' + '--:|' * len(sizes) + '---|')
    for name, times in found.items():
        cells = ' | '.join(f'{times[size] * 1e6:.0f}' for size in sizes)
        growth = verdict(sizes, [times[size] for size in sizes])
        print(f'| {name} | {cells} | {growth} |')


def print_calls(rounds: int, scale: float) -> None:
    """The tables of people, joints and attacks."""
    few = scale < 1
    names = {joints: joint_names(joints) for joints in JOINTS}
    counts = [count for count in IN_PICTURE if count > 1]
    counts = counts[:3] if few else counts
    repeats = 1 if few else 5
    crowds = {n: sample_of(n, 17, names[17]) for n in counts}
    _print_growth(
        'people in a picture of 1280×960',
        counts,
        measure_calls(crowds, rounds, repeats),
    )
    bodies = {k: sample_of(1, k, names[k]) for k in JOINTS}
    _print_growth(
        'joints of one person, crops of 256×192',
        JOINTS,
        measure_calls(bodies, rounds, repeats * 10),
    )
    attacks = ATTACKS[:3] if few else ATTACKS
    _print_growth(
        'attacks on one crop in the benchmark, picture read and warped in '
        'advance',
        attacks,
        {'all views of a crop': measure_attacks(attacks, rounds)},
    )


def measure_attacks(counts: Sequence[int], rounds: int) -> dict[int, float]:
    """Seconds to make a crop and its views under so many attacks."""
    import torch

    from mmpose_occlusion.predictors.mmpose_topdown.batch import Batch, load
    from mmpose_occlusion.predictors.mmpose_topdown.crop_maker import (
        Attack,
        CropMaker,
    )

    names = joint_names(17)
    fills, each = ('black', 'mean', 'blur', 'noise'), []
    for fill in fills:
        for joint in names.values():
            config = dict(type='KeypointOcclusion', target=joint, fill=fill)
            each.append(Attack([config], seed=0))
    maker = CropMaker(
        _With(None),
        [dict(type='mmpose.PackPoseInputs')],
        each,
        {name: number for number, name in names.items()},
        np.arange(1),
    )
    crop = sample_of(1, 17, names)
    crop['bbox_center'] = np.array([[96.0, 128.0]], np.float32)
    crop['bbox_score'] = np.ones(1, np.float32)
    del crop['id']
    crop['id'] = 1
    torch.set_num_threads(1)

    def views(count: int) -> None:
        made = maker._make(dict(crop), range(count))
        clean = load([made], 'cpu')
        for number, outcome in made.outcomes.items():
            if outcome.change is not None:
                Batch(clean, [made], [0], number).inputs()

    return in_turn(
        {count: lambda n=count: views(n) for count in counts}, rounds, 3
    )


if __name__ == '__main__':
    raise SystemExit(f'{Path(__file__).name} is a part of scale.py: run that.')
