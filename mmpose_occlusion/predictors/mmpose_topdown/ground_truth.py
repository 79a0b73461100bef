"""Who is in a data set: boxes, people, joints, as plain arrays."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS, METRICS

from mmpose_occlusion.benchmark.data import UNMATCHED, Boxes, Joints
from mmpose_occlusion.datasets import DetectionMatchedDataset
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import make_person
from mmpose_occlusion.occlusion import labelled_joints
from mmpose_occlusion.skeleton import Skeleton

_PEOPLE = 'people_'
_BOXES = 'boxes_'

_ASKED_OF_METRIC = (
    'score_mode',
    'keypoint_score_thr',
    'nms_mode',
    'nms_thr',
    'use_area',
    'iou_type',
    'thr',
    'offset',
    'norm_item',
)
"""Arguments of a metric that an analysis may need."""


def check_dataset(dataset: Any) -> None:
    """See to it that a data set has one person to a crop.

    Raises:
        UsageError: It has not.
    """
    inner = getattr(dataset, 'dataset', dataset)
    if (
        not isinstance(inner, BaseCocoStyleDataset)
        or inner.data_mode != 'topdown'
    ):
        raise UsageError(
            'test_dataloader.dataset is of type '
            f'"{type(dataset).__name__}", and the benchmark works on single '
            'top-down data sets of MMPose: give the config of a top-down '
            'model on one of them'
        )


def infos_of(dataset: Any) -> list[dict]:
    """What a data set knows of its crops; images are not read."""
    if isinstance(dataset, DetectionMatchedDataset):
        return [dataset.get_data_info(i) for i in range(len(dataset))]
    # the class's own adds metainfo, copied for each crop
    inner = getattr(dataset, 'dataset', dataset)
    return [BaseDataset.get_data_info(inner, i) for i in range(len(inner))]


def read_people(config: Mapping) -> dict[int, dict]:
    """Everybody whom a data set's annotations know, by annotation id.

    Args:
        config: Of a top-down data set; its ``bbox_file`` is left out.
    """
    # a wrapper has nothing that the inner data set has not
    while isinstance(config.get('dataset'), Mapping):
        config = config['dataset']
    annotated = DATASETS.build(
        dict(config, bbox_file=None, pipeline=[], lazy_init=True)
    )
    people, _ = annotated._load_annotations()
    return {int(person['id']): person for person in people}


def make_boxes(
    infos: Iterable[Mapping], people: Mapping[int, Mapping], joints: int
) -> Boxes:
    """The boxes of a data set, and who is in them.

    Args:
        infos: See :func:`infos_of`.
        people: See :func:`read_people`.
        joints: K.
    """
    columns: dict[str, list] = {}
    for info in infos:
        row = dict(
            image_ids=_image_id(info),
            boxes=np.asarray(info['bbox'], np.float64)[0],
            scores=float(np.ravel(info['bbox_score'])[0]),
            **_person_in(info, people, joints),
        )
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    types = dict(image_ids=np.int64, instance_ids=np.int64, visible=np.int8)
    return Boxes(
        **{
            name: np.array(values, types.get(name, np.float64))
            for name, values in columns.items()
        }
    )


def _image_id(info: Mapping) -> int:
    try:
        return int(info['img_id'])
    except (TypeError, ValueError):
        raise UsageError(
            f'image {info["img_id"]!r} ({info.get("img_path")}) has an id '
            'that is no number, which the benchmark cannot store: number '
            'the images in the annotation file'
        ) from None


def _person_in(
    info: Mapping, people: Mapping[int, Mapping], joints: int
) -> dict[str, Any]:
    matched = info.get('matched_person')
    who = info if matched is None else matched
    person = people.get(int(who['id'])) if 'id' in who else None
    if person is None:
        return dict(
            instance_ids=UNMATCHED,
            truth=np.full((joints, 2), np.nan),
            visible=np.zeros(joints),
            areas=np.nan,
            person_boxes=np.full(4, np.nan),
            head_sizes=np.nan,
        )
    labelled = labelled_joints(person['keypoints_visible'])[0]
    visible = 2 * labelled.astype(np.int8)
    raw = person.get('raw_ann_info')
    if raw is not None:
        flags = make_person(raw, joints)['keypoints'][2::3]
        visible = np.where(labelled, np.clip(flags, 1, 2), 0)
    truth = np.asarray(person['keypoints'][0, :, :2], np.float64)
    return dict(
        instance_ids=int(person['id']),
        truth=np.where(labelled[:, None], truth, np.nan),
        visible=visible,
        areas=float(np.ravel(person['area'])[0]),
        person_boxes=np.asarray(person['bbox'], np.float64)[0],
        head_sizes=float(np.ravel(person.get('head_size', np.nan))[0]),
    )


def coco_people(
    people: Iterable[Mapping], joints: int, use_area: bool
) -> list[dict[str, Any]]:
    """People as COCO annotations; none of a data set in another format.

    Args:
        people: As of :func:`read_people`.
        joints: K.
        use_area: False takes areas from boxes, as the metric does.
    """
    out = []
    for person in people:
        raw = person.get('raw_ann_info')
        if raw is not None:
            entry = make_person(raw, joints, use_area)
            labelled = sum(v > 0 for v in entry['keypoints'][2::3])
            count = int(raw.get('num_keypoints', labelled))
            out.append(dict(entry, num_keypoints=count))
    return out


def to_arrays(boxes: Boxes, people: list[dict]) -> dict[str, np.ndarray]:
    """Boxes and people as named arrays, for a file."""
    arrays = {f'{_BOXES}{k}': v for k, v in vars(boxes).items()}
    names = list(people[0]) if people else []
    for name in names:
        arrays[_PEOPLE + name] = np.array([p[name] for p in people])
    return arrays


def from_arrays(
    arrays: Mapping[str, np.ndarray],
) -> tuple[Boxes, list[dict[str, Any]]]:
    """The inverse of :func:`to_arrays`."""
    boxes = Boxes(
        **{
            name.removeprefix(_BOXES): array
            for name, array in arrays.items()
            if name.startswith(_BOXES)
        }
    )
    columns = {
        name.removeprefix(_PEOPLE): array.tolist()
        for name, array in arrays.items()
        if name.startswith(_PEOPLE)
    }
    people = [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]
    return boxes, people


def describe_joints(metainfo: Mapping, skeleton: Skeleton) -> dict[str, Any]:
    """Joints as plain values, for a file.

    Args:
        metainfo: The data set's, parsed.
        skeleton: Its parts.
    """
    return dict(
        names=list(skeleton.names),
        sigmas=np.asarray(metainfo['sigmas'], float).tolist(),
        flip=[int(i) for i in metainfo['flip_indices']],
        links=[[int(a), int(b)] for a, b in metainfo['skeleton_links']],
        parts={
            part: list(skeleton.part_indices(part)) for part in skeleton.parts
        },
    )


def joints_from(described: Mapping[str, Any]) -> Joints:
    """The inverse of :func:`describe_joints`."""
    return Joints(
        names=list(described['names']),
        sigmas=np.array(described['sigmas']),
        flip=np.array(described['flip']),
        links=[(a, b) for a, b in described['links']],
        parts=dict(described['parts']),
    )


def describe_metric(evaluator: Any) -> dict[str, Any]:
    """How a config's evaluator counts.

    Args:
        evaluator: A metric's config, or a list of them, of which the first
            counts.

    Returns:
        ``metric``, the class's name, and those of its arguments that an
        analysis may need, defaults written out.
    """
    if isinstance(evaluator, list | tuple):
        evaluator = evaluator[0] if evaluator else {}
    if evaluator.get('metrics'):
        evaluator = evaluator['metrics'][0]
    type_ = evaluator.get('type')
    if type_ is None:
        return {}
    cls = METRICS.get(type_) if isinstance(type_, str) else type_
    name = type_ if isinstance(type_, str) else type_.__name__
    out: dict[str, Any] = dict(metric=name.rpartition('.')[2])
    for base in reversed(cls.__mro__ if cls else ()):
        if '__init__' not in vars(base):
            continue
        for key, parameter in inspect.signature(base).parameters.items():
            if key in _ASKED_OF_METRIC:
                out[key] = parameter.default
    out.update({k: evaluator[k] for k in _ASKED_OF_METRIC if k in evaluator})
    return {
        key: value
        for key, value in out.items()
        if value is not inspect.Parameter.empty
    }
