"""The arrays of a benchmark: people, and a model's predictions for them.

The loops make them, the store keeps them, the analysis reads them.

N is the number of bboxes that the model was given, K the number of joints.
Coordinates are pixels of the image, with the centre of its first pixel at
(0, 0).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import plain
from mmpose_occlusion.skeleton import Skeleton

from .store import CLEAN, OPTIONAL, BlockResult, RunStore, open_runs

UNMATCHED = -1
"""Instance id of a detection that no annotated person is matched to."""

_PEOPLE = 'people_'
_BOXES = 'boxes_'
_PREDICTIONS = ('keypoints', 'scores', 'person_scores', 'visibility')


@dataclass(frozen=True)
class Joints:
    """The joints of a data set.

    Args:
        names: Length K.
        sigmas: ``(K,)`` of OKS.
        flip: ``(K,)`` index of each joint's left-right counterpart, or its
            own.
        links: Pairs of indices, the limbs of the skeleton drawing.
        parts: Name of each body part -> indices of its joints.
    """

    names: list[str]
    sigmas: np.ndarray
    flip: np.ndarray
    links: list[tuple[int, int]]
    parts: dict[str, list[int]]

    @classmethod
    def of(
        cls,
        skeleton: Skeleton,
        sigmas: np.ndarray,
        flip: np.ndarray,
        links: Iterable[tuple[int, int]],
    ) -> 'Joints':
        """The joints and parts of a skeleton."""
        pairs = [(int(a), int(b)) for a, b in links]
        parts = {p: list(skeleton.part_indices(p)) for p in skeleton.parts}
        return cls(list(skeleton.names), sigmas, flip, pairs, parts)

    def to_json(self) -> dict[str, Any]:
        """Plain values; inverse of :meth:`from_json`."""
        return plain(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> 'Joints':
        """Joints from the plain values of :meth:`to_json`."""
        return cls(
            list(values['names']),
            np.array(values['sigmas']),
            np.array(values['flip']),
            [(a, b) for a, b in values['links']],
            dict(values['parts']),
        )


@dataclass(frozen=True)
class Boxes:
    """The N bboxes that a model was given, and the person in each.

    Args:
        image_ids: ``(N,)`` int64.
        instance_ids: ``(N,)`` int64 annotation ids, or :data:`UNMATCHED`.
        boxes: ``(N, 4)`` float64 xyxy, the model's input; NaN in rows that
            are kept free for people whom a whole-image model finds beyond
            those who are annotated.
        scores: ``(N,)`` float64 detection scores, 1 for annotated bboxes.
        truth: ``(N, K, 2)`` float64 annotated joints, NaN for joints without
            a label and for unmatched bboxes.
        visible: ``(N, K)`` int8: 0 not labelled, 1 labelled and occluded, 2
            labelled and visible (also where the data set does not distinguish
            the last two).
        areas: ``(N,)`` float64 square pixels, the person's segment area.
        person_boxes: ``(N, 4)`` float64 xyxy, the person's annotated bbox,
            whose longer side normalises PCK and EPE; NaN for unmatched
            bboxes.
        head_sizes: ``(N,)`` float64 pixels, which normalise PCKh; NaN where
            the data set has none.
    """

    image_ids: np.ndarray
    instance_ids: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    truth: np.ndarray
    visible: np.ndarray
    areas: np.ndarray
    person_boxes: np.ndarray
    head_sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.image_ids)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple], joints: int) -> 'Boxes':
        """Collect rows of image id, person, the model's bbox and its score.

        A person is None, or has ``id``, ``keypoints`` (x, y and flag of K
        joints), ``area``, ``box`` (xyxy) and, where known, ``head_size``.
        """
        nowhere, nan = np.full(4, np.nan), float('nan')
        nobody = dict(id=UNMATCHED, area=nan, box=nowhere)
        nobody['keypoints'] = np.zeros((joints, 3))
        ids, found, boxes, scores = zip(*rows, strict=True)
        people = [nobody if person is None else person for person in found]
        points = np.array([p['keypoints'] for p in people], float)
        points = points.reshape(-1, joints, 3)
        visible = points[..., 2].astype(np.int8)
        return cls(
            image_ids=np.array(ids, np.int64),
            instance_ids=np.array([p['id'] for p in people], np.int64),
            boxes=np.array(
                [nowhere if b is None else b for b in boxes], float
            ),
            scores=np.array(scores, float),
            truth=np.where(visible[..., None] > 0, points[..., :2], np.nan),
            visible=visible,
            areas=np.array([p['area'] for p in people], float),
            person_boxes=np.array([p['box'] for p in people], float),
            head_sizes=np.array([p.get('head_size', nan) for p in people]),
        )


@dataclass(frozen=True)
class Predictions:
    """A model's predictions for N bboxes.

    Args:
        keypoints: ``(N, K, 2)`` float32; NaN for those that were not found.
        scores: ``(N, K)`` float32.
        person_scores: ``(N,)`` float32 of models that find people by
            themselves, 0 for people who were not found; None for others,
            whose people have the scores of their bboxes.
        visibility: ``(N, K)`` float32 probability that a keypoint is visible,
            of models that have such an output.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    person_scores: np.ndarray | None = None
    visibility: np.ndarray | None = None


@dataclass(frozen=True)
class Attacked:
    """One attack on N crops, and the predictions under it.

    Where the attack did not change a crop, the clean prediction is repeated.

    Args:
        name: Short form, such as ``keypoint:nose:black``; unique in a run.
        suite: Name of the suite that it comes from.
        config: Config of the attack's transform, or a list of several.
        details: Plain values that the suite gives its attacks, such as
            ``severity``, the diameter as a fraction of the bbox height.
        predictions: Under the attack.
        changed: ``(N,)`` bool, crops of which the attack changed a pixel.
        excluded: ``(N,)`` bool, crops in which the attack found no place
            although the person has the target.
        targets: ``(N, K)`` bool, joints that the attack asks for and that lie
            under painted pixels.
        bystanders: ``(N, K)`` bool, other joints under painted pixels.
        pixels: ``(N,)`` int64 number of painted pixels in the crop.
        centres: ``(N, 2)`` float, pixels of the image: centre of the disc of
            an attack on one joint, NaN without one; None where it was not
            stored.
        checksum: Of the suite, see :func:`.suite.checksum`; empty where it
            is unknown.
    """

    name: str
    suite: str
    config: Any
    details: dict[str, Any]
    predictions: Predictions
    changed: np.ndarray
    excluded: np.ndarray
    targets: np.ndarray
    bystanders: np.ndarray
    pixels: np.ndarray
    checksum: str = ''
    centres: np.ndarray | None = None

    @property
    def hidden(self) -> np.ndarray:
        """``(N, K)`` bool, targets and bystanders."""
        return self.targets | self.bystanders


@dataclass(frozen=True)
class BenchmarkRun:
    """One model on one data set, clean and under attacks.

    Args:
        model: Displayed name.
        data: Name of the data set and split.
        joints: See :class:`Joints`.
        boxes: See :class:`Boxes`.
        people: All people annotated in the images, with or without a bbox, as
            COCO annotations: ``id``, ``image_id``, ``category_id``, ``bbox``
            (xywh), ``area``, ``iscrowd``, ``num_keypoints``, ``keypoints``.
            Empty for data without COCO's evaluation, such as MPII.
        evaluation: ``metric``, the class name of the config's metric
            ('CocoMetric', 'PCKAccuracy', ...), and those of its arguments that
            the analysis uses (``score_mode``, ``keypoint_score_thr``,
            ``nms_mode``, ``nms_thr``); ``frame`` is 'image' where attacks
            acted on whole images instead of crops.
        crop_size: (width, height) of the model's input in pixels; of whole
            images, the aspect ratio of the region around each bbox.
        clean: Predictions without an attack.
        attacks: In the order of the suites.
        seed: Of the attacks' random draws.
        run: Facts about the command: arguments, versions, hashes, times.
        dataset: How to build the data set again, plain values; see
            :func:`mmpose_occlusion.predictors.mmpose_topdown.dataset.recipe`.
    """

    model: str
    data: str
    joints: Joints
    boxes: Boxes
    people: list[dict[str, Any]]
    evaluation: dict[str, Any]
    crop_size: tuple[int, int]
    clean: Predictions
    attacks: list[Attacked]
    seed: int = 0
    run: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)


def to_arrays(boxes: Boxes, people: list[dict]) -> dict[str, np.ndarray]:
    """Named arrays of bboxes and people, inverse of :func:`from_arrays`."""
    arrays = {f'{_BOXES}{k}': v for k, v in vars(boxes).items()}
    for name in people[0] if people else ():
        arrays[_PEOPLE + name] = np.array([p[name] for p in people])
    return arrays


def from_arrays(
    arrays: Mapping[str, np.ndarray],
) -> tuple[Boxes, list[dict[str, Any]]]:
    """Bboxes and people from the arrays of :func:`to_arrays`."""
    boxes, columns = (
        {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        }
        for prefix in (_BOXES, _PEOPLE)
    )
    rows = zip(*(c.tolist() for c in columns.values()), strict=True)
    people = [dict(zip(columns, row, strict=True)) for row in rows]
    return Boxes(**boxes), people


def load_runs(folder: str | Path) -> list[BenchmarkRun]:
    """All runs of a benchmark's folder that are complete without an attack,
    each with the attacks that are complete.

    Args:
        folder: The ``--out`` of ``occlusion-benchmark``.

    Returns:
        Sorted by model name, then by key.

    Raises:
        UsageError: There is none, or a file is damaged.
    """
    stores = [s for s in open_runs(folder) if CLEAN in s.complete()]
    if not stores:
        raise UsageError(
            f'no benchmark in folder "{folder}" is complete: run its command '
            'again, which resumes it'
        )
    stores.sort(key=lambda store: (store.info['model'], store.info['key']))
    return [load_run(store) for store in stores]


def load_named_runs(
    folders: Sequence[str | Path], names: Sequence[str] = ()
) -> list[BenchmarkRun]:
    """The runs of several folders, with one of ``names`` each; by default
    with their own, and the folder's where several are equal.

    Raises:
        UsageError: As of :func:`load_runs`, or the number of names is another.
    """
    found = [(Path(each), run) for each in folders for run in load_runs(each)]
    own = [run.model for _, run in found]
    if names and len(names) != len(own):
        raise UsageError(
            f'{len(names)} names for {len(own)} models ({", ".join(own)}): '
            'give one for each, in this order'
        )
    out = []
    for i, (folder, run) in enumerate(found):
        name = names[i] if names else run.model
        if not names and own.count(name) > 1:
            name = f'{name} ({folder.resolve().name})'
        out.append(replace(run, model=name))
    return out


def load_run(
    store: RunStore, names: Sequence[str] | None = None
) -> BenchmarkRun:
    """One run.

    Args:
        store: Its part of a benchmark's folder.
        names: Names of the attacks to load, in this order; by default all
            that are complete.

    Raises:
        UsageError: One of them, or the clean run, is incomplete.
    """
    info, listed, complete = store.info, store.attacks, store.complete()
    boxes, people = from_arrays(store.people())
    if names is None:
        listed = [a for a in listed if a['key'] in complete]
    else:
        by_name = {attack['name']: attack for attack in listed}
        listed = [by_name[name] for name in names]
    wanted = [('clean', CLEAN), *((a['name'], a['key']) for a in listed)]
    missing = [name for name, key in wanted if key not in complete]
    if missing:
        raise UsageError(
            f'{len(missing)} of {len(wanted)} parts of the benchmark in '
            f'"{store.path}" are incomplete, for example "{missing[0]}": run '
            'its command again, which resumes it'
        )
    found = store.read(key for _, key in wanted)
    blocks = [found[block.number] for block in store.blocks]
    clean = _joined(blocks, CLEAN)
    return BenchmarkRun(
        model=info['model'],
        data=info['data'],
        joints=Joints.from_json(info['joints']),
        boxes=boxes,
        people=people,
        evaluation=info['evaluation'],
        crop_size=(info['crop_size'][0], info['crop_size'][1]),
        clean=Predictions(**{name: clean[name] for name in _PREDICTIONS}),
        attacks=[
            _attacked(each, _joined(blocks, each['key']), clean)
            for each in listed
        ],
        seed=info['seed'],
        run=dict(store.last, key=info['key'], depends_on=info['depends_on']),
        dataset=info.get('dataset', {}),
    )


def _joined(
    blocks: Sequence[Mapping[str, BlockResult]], key: str
) -> dict[str, Any]:
    """The results of all blocks, by field; None for an optional one that is
    NaN throughout."""
    out: dict[str, Any] = {
        name: np.concatenate([vars(block[key])[name] for block in blocks])
        for name in vars(blocks[0][key])
    }
    for name in OPTIONAL:
        if np.isnan(out[name]).all():
            out[name] = None
    return out


def _attacked(
    attack: Mapping[str, Any], found: dict[str, Any], clean: Mapping[str, Any]
) -> Attacked:
    changed, predicted = found['changed'], {}
    for name in _PREDICTIONS:
        before, after = clean[name], found.pop(name)
        if before is not None:
            rows = changed.reshape(-1, *[1] * (before.ndim - 1))
            new = np.float32(np.nan) if after is None else after
            before = np.where(rows, new, before)
        predicted[name] = before
    if found['centres'] is not None:
        found['centres'] = found['centres'].astype(float)
    found['pixels'] = found['pixels'].astype(np.int64)
    configs = attack['configs']
    return Attacked(
        name=attack['name'],
        suite=attack['suite'],
        config=configs[0] if len(configs) == 1 else configs,
        details=attack['details'],
        predictions=Predictions(**predicted),
        checksum=attack.get('checksum', ''),
        **found,
    )
