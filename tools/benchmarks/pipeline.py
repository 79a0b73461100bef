"""How much slower does an occlusion make MMPose's training pipeline?

    python tools/benchmarks/pipeline.py
    OCCLUSION_REAL_DATA=FOLDER python tools/benchmarks/pipeline.py

The second takes the photographs in FOLDER/coco, the first synthetic people
in JPEGs of 640×480. The pipeline is that of MMPose's HRNet-w32 on COCO at
256×192, from the file of the sample to the packed tensors, as
tools/train.py runs it: with the records of the occlusions.

Every variant of the pipeline takes its turn on the same person with the same
seed, hence with the same flip, box and rotation. Per person and seed the
figure is the median difference to the plain pipeline over all rounds; then
comes the mean over people and seeds, in which samples that an occlusion with
prob 0.5 has drawn and those that it has not weigh half each. The interval is
a bootstrap over people and seeds. Time is that of the processor, one thread.
"""

import argparse
import contextlib
import gc
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli
import cv2
import numpy as np

REAL_DATA = 'OCCLUSION_REAL_DATA'
CONFIG = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
PROB = 0.5
SLOWER = 2.0
"""Per cent that an occlusion may cost."""

PICTURE = (640, 480)
"""Of synthetic people: what most of COCO's pictures have."""

IN_MEMORY = 'PartMix, donors in memory'
PROFILED = 'keypoint blur'
FAST_STEPS = 'all fast steps'
WITH = ' with '


class Case(NamedTuple):
    """A row: a variant of the pipeline."""

    name: str
    run: Callable[[dict], dict]
    steps: list


class Times(NamedTuple):
    """Microseconds (cases, cells, rounds), where a cell is a person with a
    seed, and whether an occlusion had drawn the sample (cases, cells)."""

    micro: np.ndarray
    drawn: np.ndarray


class Cost(NamedTuple):
    """What a case costs more than the first one, per sample."""

    micro: float
    percent: float
    low: float
    high: float


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """How long to measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    for name, default, what in (
        ('people', 12, 'people'),
        ('seeds', 24, 'seeds for each person'),
        ('rounds', 3, 'turns for each person and seed'),
    ):
        parser.add_argument(
            f'--{name}',
            type=int,
            default=default,
            metavar='N',
            help=f'{what} (default: %(default)s)',
        )
    parser.add_argument(
        '--only',
        metavar='TEXT',
        default='',
        help='occlusions and options with this in their name alone',
    )
    return parser.parse_args(argv)


# --- people -----------------------------------------------------------------


def load_people(folder: str, most: int) -> tuple[Any, list[int], str]:
    """A data set with donors, the rows to take, and what they are."""
    from mmpose.datasets import CocoDataset

    from mmpose_occlusion.datasets import DonorDataset

    if real := os.environ.get(REAL_DATA):
        file, images = Path(real) / 'coco' / 'test_coco.json', None
        images, kind = file.parent, 'real'
    else:
        file, images = synthetic_people(Path(folder) / 'people')
        kind = 'synthetic'
    dataset = CocoDataset(
        ann_file=str(file), data_prefix=dict(img=str(images)), lazy_init=True
    )
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools' progress
        DonorDataset(dataset)
    rows = list(range(len(dataset)))[:most]
    paths = sorted({dataset.get_data_info(i)['img_path'] for i in rows})
    shapes = [cv2.imread(path).shape for path in paths]
    sizes = ', '.join(sorted({f'{w}×{h}' for h, w, _ in shapes}))
    what = f'{len(rows)} {kind} people in {len(paths)} JPEGs of {sizes}'
    return dataset, rows, what


def synthetic_people(root: Path) -> tuple[Path, Path]:
    """Synthetic people in pictures of 640×480: annotations and pictures."""
    from mmpose_occlusion.datasets.synthetic_people import generate

    generate(root, train=0, val=8, workers=0)
    file, images = root / 'annotations/person_keypoints_val.json', root / 'val'
    content = json.loads(file.read_text())
    scales = {}
    for entry in content['images']:
        path = str(images / entry['file_name'])
        scales[entry['id']] = (
            PICTURE[0] / entry['width'],
            PICTURE[1] / entry['height'],
        )
        entry['width'], entry['height'] = PICTURE
        resized = cv2.resize(cv2.imread(path), PICTURE)
        cv2.imwrite(path, resized, [cv2.IMWRITE_JPEG_QUALITY, 95])
    for person in content['annotations']:
        x, y = scales[person['image_id']]
        person['area'] *= x * y
        person['bbox'] = (person['bbox'] * np.array([x, y, x, y])).tolist()
        joints = np.reshape(person['keypoints'], (-1, 3)) * (x, y, 1)
        person['keypoints'] = joints.ravel().tolist()
        person['segmentation'] = []
    file.write_text(json.dumps(content))
    return file, images


# --- the clock --------------------------------------------------------------


def clock_cost() -> float:
    """Microseconds that looking at the clock takes."""
    looks = [time.thread_time_ns() for _ in range(1001)]
    return float(np.median(np.diff(looks))) / 1000


def in_turns(
    cases: list[Case], dataset, rows: list[int], seeds: int, rounds: int
) -> Times:
    """Run all cases on all cells, in another order each round."""
    order = np.random.default_rng(0)
    cells = [(row, seed) for row in rows for seed in range(seeds)]
    micro = np.zeros((len(cases), len(cells), rounds))
    drawn = np.zeros((len(cases), len(cells)), bool)
    for cell, (row, seed) in enumerate(cells):
        for turn in range(-1, rounds):  # one to warm up
            for number in order.permutation(len(cases)):
                results = sample(dataset, row, seed)
                start = time.thread_time_ns()
                packed = cases[number].run(results)
                taken = time.thread_time_ns() - start
                micro[number, cell, turn] = taken / 1000
                drawn[number, cell] = was_drawn(packed)
                del packed  # not while the clock runs
        gc.collect()
    return Times(micro, drawn)


def sample(dataset, row: int, seed: int) -> dict:
    """A sample, and the generator as it always is for this one."""
    np.random.seed(1000 * row + seed)  # noqa: NPY002
    return dict(dataset.get_data_info(row), dataset=dataset)


def was_drawn(packed: dict) -> bool:
    """Whether an occlusion was to act here (prob)."""
    records = packed['data_samples'].metainfo.get('occlusions', ())
    return any(
        not str(record['reason']).startswith('not drawn') for record in records
    )


def cost(taken: np.ndarray, plain: np.ndarray, drawn: np.ndarray) -> Cost:
    """Mean over cells of the median paired difference.

    Args:
        taken, plain: (cells, rounds) microseconds of two cases.
        drawn: (cells,) bool; where some are and some are not, each kind
            weighs as much as PROB says, whatever the lot was.

    Returns:
        The difference in microseconds and in per cent of ``plain``, with
        the 95 % interval of the latter over cells.
    """
    more = np.median(taken - plain, axis=1)
    least = np.median(plain, axis=1)
    kinds = [np.flatnonzero(drawn), np.flatnonzero(~drawn)]
    shares = [PROB, 1 - PROB]
    if not all(map(len, kinds)):
        kinds, shares = [np.arange(len(more))], [1.0]

    def mean(values: np.ndarray, cells: list[np.ndarray]) -> float:
        means = [values[kind].mean() for kind in cells]
        return float(np.dot(shares, means))

    def percent(cells: list[np.ndarray]) -> float:
        return 100 * mean(more, cells) / mean(least, cells)

    rng = np.random.default_rng(0)
    again = [
        percent([rng.choice(kind, len(kind)) for kind in kinds])
        for _ in range(1000)
    ]
    low, high = np.percentile(again, [2.5, 97.5]).tolist()
    return Cost(mean(more, kinds), percent(kinds), low, high)


def step_times(
    cases: list[Case], dataset, rows: list[int], seeds: int
) -> list[dict[str, float]]:
    """Mean microseconds of each step of each case, in turn, per sample."""
    look = clock_cost()
    names = [_names(case.steps) for case in cases]
    taken: list[list] = [[] for _ in cases]
    for row in rows:
        for seed in range(seeds):
            for number, case in enumerate(cases):
                results: Any = sample(dataset, row, seed)
                each = []
                for step in case.steps:
                    start = time.thread_time_ns()
                    results = step(results)
                    each.append((time.thread_time_ns() - start) / 1000 - look)
                taken[number].append(each)
    return [
        dict(zip(names[i], _trimmed(np.array(taken[i])), strict=True))
        for i in range(len(cases))
    ]


def _trimmed(times: np.ndarray) -> list[float]:
    """Means of columns without the slowest hundredth of each."""
    keep = max(1, len(times) - len(times) // 100)
    return np.sort(times, axis=0)[:keep].mean(axis=0).tolist()


def _names(steps: list) -> list[str]:
    return [type(step).__name__ for step in steps]


# --- the variants -----------------------------------------------------------


def make_case(name: str, pipeline: list) -> Case:
    """Build a pipeline."""
    from mmengine.dataset import Compose
    from mmpose.registry import TRANSFORMS

    steps = [
        TRANSFORMS.build(step) if isinstance(step, dict) else step
        for step in pipeline
    ]
    return Case(name, Compose(steps), steps)


def occlusions(pipeline: list[dict], folder: str, chosen: str) -> list[Case]:
    """The pipeline with each occlusion behind the step that makes the crop,
    recorded as tools/train.py has it."""
    from mmpose_occlusion.attacks import with_occlusion_record

    few = ('blur', 'mean', 'black')
    many = (*few, 'grey', 'pixelate', 'noise', 'texture', 'object')
    rows: list[tuple[str, dict]] = [
        (f'{name} {fill}', dict(type=type_, fill=fill))
        for name, type_, fills in (
            ('keypoint', 'KeypointOcclusion', many),
            ('part', 'PartOcclusion', few),
            ('keypoint or part', 'RandomOcclusion', few),
        )
        for fill in fills
    ]
    rows += [
        ('MultiKeypoint', dict(type='MultiKeypointOcclusion')),
        ('PartMix', dict(type='PartMix')),
        (
            'PartMix, donors decoded before',
            dict(type='PartMix', backend_args=decoded(folder)),
        ),
        (IN_MEMORY, dict(type='PartMix')),
    ]
    crop = place_of(pipeline, 'TopdownAffine') + 1
    cases = []
    for name, step in rows:
        if chosen in name:
            new = [*pipeline[:crop], dict(step, prob=PROB), *pipeline[crop:]]
            cases.append(make_case(name, with_occlusion_record(new)))
            if name == IN_MEMORY:
                _remember(cases[-1].steps[crop]._donation)
    return cases


def place_of(pipeline: list[dict], type_: str) -> int:
    return [step['type'] for step in pipeline].index(type_)


def _remember(donation) -> None:
    """Have donors' pictures read and decoded once."""
    read, pictures = donation._read, {}

    def from_memory(path: str) -> np.ndarray:
        if path not in pictures:
            pictures[path] = read(path)
        return pictures[path]

    donation._read = from_memory


def decoded(folder: str) -> dict:
    """Where pictures are that were decoded before."""
    return dict(backend='decoded', folder=f'{folder}/decoded')


def options(pipeline: list[dict], folder: str, chosen: str) -> list[Case]:
    """Other ways to the same sample, or to nearly the same one."""
    from mmpose_occlusion.attacks import with_occlusion_record
    from mmpose_occlusion.datasets.fast_steps import with_fast_steps

    fast = with_fast_steps(pipeline)
    variants: list[tuple[str, list]] = []
    for number, step in enumerate(pipeline):
        if fast[number] != step:
            new = [*pipeline[:number], fast[number], *pipeline[number + 1 :]]
            kind = step.get('encoder', step)['type']
            variants.append((f'fast {kind}', new))
    variants.append((FAST_STEPS, fast))
    hide = dict(type='KeypointOcclusion', fill='blur', prob=PROB)
    crop = place_of(fast, 'TopdownAffine') + 1
    new = with_occlusion_record([*fast[:crop], hide, *fast[crop:]])
    variants.append((f'{FAST_STEPS}{WITH}{PROFILED}', new))
    load = place_of(pipeline, 'LoadImage')
    before = dict(pipeline[load], backend_args=decoded(folder))
    for name, steps in (('', pipeline), (f' and {FAST_STEPS}', fast)):
        new = [*steps]
        new[load] = before
        variants.append((f'decoded before{name}', new))
    for backend in ('pillow', 'turbojpeg'):
        if decodes(backend):
            new = [*pipeline]
            new[load] = dict(pipeline[load], imdecode_backend=backend)
            variants.append((f'decoder {backend}', new))
    pack = place_of(pipeline, 'PackPoseInputs')
    new = [*pipeline]
    new[pack] = dict(pipeline[pack], meta_keys=without_annotation())
    variants.append(('raw_ann_info not packed', new))
    half = dict(pipeline[load], color_type=cv2.IMREAD_REDUCED_COLOR_2)
    variants.append(
        (
            'decoded at half the size',
            [*pipeline[:load], half, halve, *pipeline[load + 1 :]],
        )
    )
    return [make_case(*each) for each in variants if chosen in each[0]]


def decodes(backend: str) -> bool:
    """Whether mmcv's decoder is installed; this makes it ready."""
    import mmcv

    try:
        mmcv.use_backend(backend)
    except (ImportError, RuntimeError):
        return False
    finally:
        mmcv.use_backend('cv2')
    return True


def without_annotation() -> list[str]:
    """What MMPose packs by default, without the annotation as it was read,
    which only metrics want."""
    from mmpose.datasets.transforms import PackPoseInputs

    keys = PackPoseInputs().meta_keys
    return [key for key in keys if key != 'raw_ann_info']


def halve(results: dict) -> dict:
    """The annotation of a picture that was decoded at half its size."""
    results['bbox'] = results['bbox'] / 2
    results['keypoints'] = results['keypoints'] / 2
    return results


# --- the tables -------------------------------------------------------------


def agreement(
    plain: Case, case: Case, dataset, rows: list[int], seeds: int
) -> str:
    """How far the packed samples of two cases are from each other."""
    pixels, targets = [], []
    for row in rows:
        for seed in range(seeds):
            one, other = (
                each.run(sample(dataset, row, seed)) for each in (plain, case)
            )
            pixels.append(_difference(one['inputs'], other['inputs']))
            for part in (
                'gt_fields.heatmaps',
                'gt_instance_labels.keypoint_weights',
            ):
                field, name = part.split('.')
                both = [
                    getattr(getattr(each['data_samples'], field), name)
                    for each in (one, other)
                ]
                targets.append(_difference(*both))
    count = len(rows) * seeds
    if not np.any(pixels) and not np.any(targets):
        return f'same bits ({count} samples)'
    mean, most = np.mean(pixels, axis=0)[0], np.max(pixels, axis=0)[1]
    return (
        f'pixels differ by {mean:.1f} grey levels on average, {most:.0f} '
        f'at most; targets by {np.max(targets):.2g}'
    )


def _difference(one, other) -> tuple[float, float]:
    far = (one.float() - other.float()).abs()
    return float(far.mean()), float(far.max())


def occlusion_table(cases: list[Case], found: Times) -> None:
    """Print what each occlusion costs."""
    print(
        f'| occlusion, prob {PROB} | slower, aim {SLOWER:g} % | 95 % ', end=''
    )
    print('| µs per sample | if drawn | if not |')
    print('|---|--:|--:|--:|--:|--:|')
    plain = found.micro[0]
    for number, case in enumerate(cases):
        drawn = found.drawn[number]
        if number == 0:
            continue
        taken = found.micro[number]
        each = cost(taken, plain, drawn)
        met = 'met' if each.percent <= SLOWER else 'missed'
        kinds = ' | '.join(
            f'{cost(taken[k], plain[k], drawn[k]).micro:.0f}'
            if k.any()
            else ''
            for k in (drawn, ~drawn)
        )
        print(
            f'| {case.name} | {each.percent:+.1f} % ({met}) '
            f'| {each.low:+.1f} to {each.high:+.1f} '
            f'| {each.micro:.0f} | {kinds} |'
        )


def option_table(cases: list[Case], found: Times, agreed: list[str]) -> None:
    """Print what each option saves, and what it changes."""
    print('| option | time of a sample | 95 % | µs per sample | results |')
    print('|---|--:|--:|--:|---|')
    for number, case in enumerate(cases):
        if number == 0:
            continue
        each = cost(found.micro[number], found.micro[0], found.drawn[number])
        print(
            f'| {case.name} | {each.percent:+.1f} % '
            f'| {each.low:+.1f} to {each.high:+.1f} '
            f'| {each.micro:+.0f} | {agreed[number]} |'
        )


def step_table(cases: list[Case], taken: list[dict[str, float]]) -> None:
    """Print what each step takes."""
    rows: list[str] = []
    for case in cases:
        for number, name in enumerate(_names(case.steps)):
            name = name.removeprefix('Fast')
            if name not in rows:
                rows.insert(number, name)
    print(f'| step, µs | {" | ".join(case.name for case in cases)} |')
    print('|---|' + '--:|' * len(cases))
    columns = [
        {name.removeprefix('Fast'): value for name, value in each.items()}
        for each in taken
    ]
    for name in rows:
        values = (f'{c[name]:.0f}' if name in c else '' for c in columns)
        print(f'| `{name}` | {" | ".join(values)} |')
    sums = ' | '.join(f'{sum(c.values()):.0f}' for c in columns)
    print(f'| all | {sums} |')


def train_pipeline() -> list[dict]:
    """MMPose's."""
    from mmpose_occlusion.engine.config import load_config

    return load_config(CONFIG, find_data=False).to_dict()['train_pipeline']


def threads_line(case: Case, dataset, rows: list[int], seeds: int) -> str:
    """What a second thread of OpenCV does for the step that uses it."""
    names = _names(case.steps)
    crop = names.index('TopdownAffine')
    found: dict[int, list[float]] = {1: [], 2: []}
    for row in rows:
        for seed in range(seeds):
            results: Any = sample(dataset, row, seed)
            for step in case.steps[:crop]:
                results = step(results)
            for threads, taken in found.items():
                cv2.setNumThreads(threads)
                copied = dict(results)
                start = time.perf_counter_ns()
                case.steps[crop](copied)
                taken.append((time.perf_counter_ns() - start) / 1000)
    cv2.setNumThreads(1)
    one, two = (np.median(found[threads]) for threads in (1, 2))
    return (
        f"{case.name}, TopdownAffine by the wall's clock: {one:.0f} µs with "
        f'one thread of OpenCV, {two:.0f} with two'
    )


def measure(args: argparse.Namespace) -> None:
    """Print the tables."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    gc.disable()
    try:
        _measure(args)
    finally:
        gc.enable()
        cv2.setNumThreads(threads)


def _measure(args: argparse.Namespace) -> None:
    pipeline = train_pipeline()
    plain = make_case('plain', pipeline)
    with tempfile.TemporaryDirectory() as folder:
        dataset, rows, what = load_people(folder, args.people)
        print(
            f'{what}; {args.seeds} seeds each, {args.rounds} rounds, '
            'one thread, time of the processor\n'
        )
        times = (dataset, rows, args.seeds, args.rounds)
        if cases := occlusions(pipeline, folder, args.only):
            cases = [plain, *cases]
            found = in_turns(cases, *times)
            occlusion_table(cases, found)
            print()
        if cases := options(pipeline, folder, args.only):
            cases = [plain, *cases]
            few = (dataset, rows, min(args.seeds, 4))
            agreed = [
                '' if WITH in case.name else agreement(plain, case, *few)
                for case in cases
            ]
            option_table(cases, in_turns(cases, *times), agreed)
            print()
        cases = [plain, *occlusions(pipeline, folder, PROFILED)[:1]]
        cases += options(pipeline, folder, FAST_STEPS)
        step_table(cases, step_times(cases, *times[:3]))
        print(f'\n{threads_line(cases[2], *times[:3])}')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(measure, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
