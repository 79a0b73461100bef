"""The arrays of a benchmark: people, and a model's predictions for them.

N is the number of bboxes that the model was given, K the number of joints.
Coordinates are pixels of the image, with the centre of its first pixel at
(0, 0).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .store import CLEAN, OPTIONAL, PER_CROP, RunStore

UNMATCHED = -1
"""Instance id of a detection that no annotated person is matched to."""


@dataclass(frozen=True)
class Joints:
    """The K joints of a data set."""

    names: list[str]
    sigmas: np.ndarray  # (K,) of OKS
    flip: np.ndarray
    """``(K,)`` index of the left-right counterpart, or the joint's own."""
    links: list[tuple[int, int]]
    """Pairs of indices, the limbs of the skeleton drawing."""
    parts: dict[str, list[int]]
    """Name of each body part -> indices of its joints."""

    @classmethod
    def of(
        cls, skeleton: Skeleton, sigmas: Any, flip: Any, links: Any
    ) -> 'Joints':
        """The joints and parts of a skeleton."""
        parts = {p: list(skeleton.part_indices(p)) for p in skeleton.parts}
        return cls(list(skeleton.names), sigmas, flip, list(links), parts)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> 'Joints':
        """Joints from their plain values, see :func:`.files.plain`."""
        arrays = {k: np.array(values[k]) for k in ('sigmas', 'flip')}
        links = [(a, b) for a, b in values['links']]
        return cls(**dict(values, links=links, **arrays))


@dataclass(frozen=True)
class Boxes:
    """The N bboxes that a model was given, and the person in each."""

    image_ids: np.ndarray  # (N,) int64
    instance_ids: np.ndarray  # (N,) int64 annotation ids, or UNMATCHED
    boxes: np.ndarray
    """``(N, 4)`` float64 xyxy, the model's input; NaN in rows that are kept
    free for people whom a whole-image model finds beyond the annotated ones.
    """
    scores: np.ndarray  # (N,) float64, 1 for annotated bboxes
    truth: np.ndarray
    """``(N, K, 2)`` float64 annotated joints, NaN for joints without a label
    and for unmatched bboxes."""
    visible: np.ndarray
    """``(N, K)`` int8: 0 not labelled, 1 labelled and occluded, 2 labelled and
    visible (also where the data set does not distinguish the last two)."""
    areas: np.ndarray  # (N,) float64 square pixels, the segment's
    person_boxes: np.ndarray
    """``(N, 4)`` float64 xyxy, the person's annotated bbox, whose longer side
    normalises PCK and EPE; NaN for unmatched bboxes."""
    head_sizes: np.ndarray  # (N,) float64 pixels for PCKh, or NaN

    def __len__(self) -> int:
        return len(self.image_ids)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple], joints: int) -> 'Boxes':
        """Collect rows of image id, person, the model's bbox and its score.

        A person is None, or has ``id``, ``keypoints`` (x, y and flag of K
        joints), ``area``, ``box`` (xyxy) and, where known, ``head_size``.
        """
        nan, nowhere = float('nan'), np.full(4, np.nan)
        nobody = dict(id=UNMATCHED, area=nan, box=nowhere)
        nobody['keypoints'] = np.zeros((joints, 3))
        ids, found, boxes, scores = zip(*rows, strict=True)
        people = [nobody if person is None else person for person in found]

        def column(name: str, dtype: type = float) -> np.ndarray:
            return np.array([p.get(name, nan) for p in people], dtype)

        points = column('keypoints').reshape(-1, joints, 3)
        visible = points[..., 2].astype(np.int8)
        return cls(
            np.array(ids, np.int64),
            column('id', np.int64),
            np.array([nowhere if b is None else b for b in boxes], float),
            np.array(scores, float),
            np.where(visible[..., None] > 0, points[..., :2], np.nan),
            visible,
            column('area'),
            column('box'),
            column('head_size'),
        )


@dataclass(frozen=True)
class Predictions:
    """A model's predictions for N bboxes."""

    keypoints: np.ndarray  # (N, K, 2) float32, NaN where not found
    scores: np.ndarray  # (N, K) float32
    person_scores: np.ndarray | None = None
    """``(N,)`` float32 of models that find people by themselves, 0 for people
    who were not found; None for others, whose people have the scores of their
    bboxes."""
    visibility: np.ndarray | None = None
    """``(N, K)`` float32 probability that a keypoint is visible, of models
    that have such an output."""


@dataclass(frozen=True)
class Attacked:
    """One attack on N crops, and the predictions under it.

    Where the attack did not change a crop, the clean prediction is repeated.
    """

    name: str  # the short form or the suite's name, unique in a run
    suite: str
    config: Any  # of the attack's transform
    details: dict[str, Any]
    """Of the suite, such as ``severity``, the diameter as a fraction of the
    bbox height."""
    predictions: Predictions
    changed: np.ndarray  # (N,) bool, crops with a changed pixel
    excluded: np.ndarray
    """``(N,)`` bool, crops in which the attack found no place although the
    person has the target."""
    targets: np.ndarray  # (N, K) bool, joints asked for, under paint
    bystanders: np.ndarray  # (N, K) bool, other joints under paint
    pixels: np.ndarray  # (N,) int64 number of painted pixels in the crop
    checksum: str = ''  # of the suite
    centres: np.ndarray | None = None
    """``(N, 2)`` float, pixels of the image: centre of the disc of an attack
    on one joint, NaN without one."""

    @property
    def hidden(self) -> np.ndarray:
        """``(N, K)`` bool, targets and bystanders."""
        return self.targets | self.bystanders


@dataclass(frozen=True)
class BenchmarkRun:
    """One model on one data set, clean and under attacks."""

    model: str
    data: str  # data set and split
    joints: Joints
    boxes: Boxes
    people: list[dict[str, Any]]
    """All people annotated in the images, with or without a bbox, as COCO
    annotations: ``id``, ``image_id``, ``category_id``, ``bbox`` (xywh),
    ``area``, ``iscrowd``, ``num_keypoints``, ``keypoints``. Empty for data
    without COCO's evaluation, such as MPII."""
    evaluation: dict[str, Any]
    """``metric``, the class name of the config's metric ('CocoMetric', ...),
    and those of its arguments that the analysis uses (``score_mode``,
    ``keypoint_score_thr``, ``nms_mode``, ``nms_thr``); ``frame`` is 'image'
    where attacks acted on whole images instead of crops."""
    crop_size: tuple[int, int]
    """(width, height) of the model's input in pixels; of whole images, the
    aspect ratio of the region around each bbox."""
    clean: Predictions
    attacks: list[Attacked]
    seed: int = 0
    run: dict[str, Any] = field(default_factory=dict)
    """Facts about the command: arguments, versions, hashes, times."""
    dataset: dict[str, Any] = field(default_factory=dict)
    """How to build the data set again, plain values."""


def to_arrays(boxes: Boxes, people: list[dict]) -> dict[str, np.ndarray]:
    """Named arrays of bboxes and people, inverse of :func:`from_arrays`."""
    arrays = {f'boxes_{name}': array for name, array in vars(boxes).items()}
    for name in people[0] if people else ():
        arrays[f'people_{name}'] = np.array([p[name] for p in people])
    return arrays


def from_arrays(
    arrays: Mapping[str, np.ndarray],
) -> tuple[Boxes, list[dict[str, Any]]]:
    """Bboxes and people from the arrays of :func:`to_arrays`."""
    boxes, columns = (
        {k.removeprefix(p): v for k, v in arrays.items() if k.startswith(p)}
        for p in ('boxes_', 'people_')
    )
    rows = zip(*(c.tolist() for c in columns.values()), strict=True)
    people = [dict(zip(columns, row, strict=True)) for row in rows]
    return Boxes(**boxes), people


def load_runs(folder: str | Path) -> list[BenchmarkRun]:
    """All runs of a benchmark's folder that are complete without an attack,
    each with the attacks that are complete; by model name, then by key."""
    paths = sorted(Path(folder).glob('store/[!.]*/run.json'))
    if not paths:
        raise UsageError(
            f'folder "{folder}" holds no benchmark (it has no '
            'store/*/run.json): give the --out of occlusion-benchmark'
        )
    found = [RunStore.open(path.parent) for path in paths]
    stores = [store for store in found if CLEAN in store.complete()]
    if not stores:
        raise UsageError(
            f'no benchmark in folder "{folder}" is complete: run its command '
            'again, which resumes it'
        )
    stores.sort(key=lambda store: (store.info['model'], store.info['key']))
    return [load_run(store) for store in stores]


def load_run(
    store: RunStore, names: Sequence[str] | None = None
) -> BenchmarkRun:
    """One run, with those of some attacks, in this order, or of all that are
    complete."""
    info, listed = store.info, store.attacks
    if names is not None:
        listed = [a for n in names for a in listed if a['name'] == n]
    found = store.read({CLEAN, *(a['key'] for a in listed)})
    listed = [a for a in listed if a['key'] in found]
    boxes, people = from_arrays(store.people())
    clean = found[CLEAN]
    return BenchmarkRun(
        **{key: info[key] for key in ('model', 'data', 'evaluation', 'seed')},
        joints=Joints.from_json(info['joints']),
        boxes=boxes,
        people=people,
        crop_size=tuple(info['crop_size']),
        clean=_predictions(clean, clean),
        attacks=[_attacked(a, found[a['key']], clean) for a in listed],
        run=dict(store.last, key=info['key'], depends_on=info['depends_on']),
        dataset=info.get('dataset', {}),
    )


def _column(found: np.ndarray, name: str, clean: np.ndarray) -> Any:
    """A field of a result; None for an optional one that the clean
    predictions lack."""
    if name in OPTIONAL and np.isnan(clean[name]).all():
        return None
    return np.ascontiguousarray(found[name])


def _predictions(found: np.ndarray, clean: np.ndarray) -> Predictions:
    names = [each.name for each in fields(Predictions)]
    return Predictions(*(_column(found, name, clean) for name in names))


def _attacked(
    attack: Mapping[str, Any], found: np.ndarray, clean: np.ndarray
) -> Attacked:
    arrays: Any = {name: found[name].copy() for name in PER_CROP}
    arrays['pixels'] = arrays['pixels'].astype(np.int64)
    centres = found['centres'].astype(float)
    return Attacked(
        **{key: attack[key] for key in ('name', 'suite', 'details')},
        config=attack['configs'][0],
        predictions=_predictions(
            np.where(found['changed'], found, clean), clean
        ),
        checksum=attack.get('checksum', ''),
        centres=None if np.isnan(centres).all() else centres,
        **arrays,
    )
