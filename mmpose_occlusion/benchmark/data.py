"""The arrays of a benchmark: people, and a model's predictions for them.

The loops make them, the store keeps them, the analysis reads them.

N is the number of bboxes that the model was given, K the number of joints.
Coordinates are pixels of the image, with the centre of its first pixel at
(0, 0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError

from .store import (
    CLEAN,
    PER_CROP,
    BlockResult,
    RunStore,
    joined_predictions,
    open_runs,
)

UNMATCHED = -1
"""Instance id of a detection that no annotated person is matched to."""

_PEOPLE = 'people_'
_BOXES = 'boxes_'


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

    def to_json(self) -> dict[str, Any]:
        """Plain values; inverse of :meth:`from_json`."""
        return dict(
            asdict(self),
            sigmas=np.asarray(self.sigmas).tolist(),
            flip=np.asarray(self.flip).tolist(),
            links=[list(link) for link in self.links],
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> 'Joints':
        """Joints from the plain values of :meth:`to_json`."""
        return cls(
            names=list(values['names']),
            sigmas=np.array(values['sigmas']),
            flip=np.array(values['flip']),
            links=[(a, b) for a, b in values['links']],
            parts=dict(values['parts']),
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
    boxes = {
        name.removeprefix(_BOXES): array
        for name, array in arrays.items()
        if name.startswith(_BOXES)
    }
    columns = {
        name.removeprefix(_PEOPLE): array.tolist()
        for name, array in arrays.items()
        if name.startswith(_PEOPLE)
    }
    rows = zip(*columns.values(), strict=True)
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
    named = names or [
        f'{run.model} ({folder.resolve().name})'
        if own.count(run.model) > 1
        else run.model
        for folder, run in found
    ]
    return [
        replace(run, model=name)
        for (_, run), name in zip(found, named, strict=True)
    ]


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
    info = store.info
    boxes, people = from_arrays(store.people())
    listed = store.attacks
    complete = store.complete()
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
    found = store.read([CLEAN, *(a['key'] for a in listed)])
    blocks = [found[block.number] for block in store.blocks]
    clean = Predictions(
        **joined_predictions([block[CLEAN] for block in blocks])
    )
    return BenchmarkRun(
        model=info['model'],
        data=info['data'],
        joints=Joints.from_json(info['joints']),
        boxes=boxes,
        people=people,
        evaluation=info['evaluation'],
        crop_size=(info['crop_size'][0], info['crop_size'][1]),
        clean=clean,
        attacks=[
            _attacked(attack, [b[attack['key']] for b in blocks], clean)
            for attack in listed
        ],
        seed=info['seed'],
        run=dict(store.last, key=info['key'], depends_on=info['depends_on']),
        dataset=info.get('dataset', {}),
    )


def _attacked(
    attack: Mapping[str, Any],
    results: Sequence[BlockResult],
    clean: Predictions,
) -> Attacked:
    columns = {
        name: np.concatenate([getattr(r, name) for r in results])
        for name in PER_CROP
    }
    columns['pixels'] = columns['pixels'].astype(np.int64)
    predicted = {
        name: array.copy()
        for name, array in vars(clean).items()
        if array is not None
    }
    attacked = joined_predictions(results)
    centres = None
    if 'centres' in attacked:
        centres = np.full((len(columns['changed']), 2), np.nan)
        centres[columns['changed']] = attacked['centres']
    for name, array in predicted.items():
        array[columns['changed']] = attacked.get(name, np.nan)
    configs = attack['configs']
    return Attacked(
        name=attack['name'],
        suite=attack['suite'],
        config=configs[0] if len(configs) == 1 else configs,
        details=attack['details'],
        predictions=Predictions(**predicted),
        checksum=attack.get('checksum', ''),
        centres=centres,
        **columns,
    )
