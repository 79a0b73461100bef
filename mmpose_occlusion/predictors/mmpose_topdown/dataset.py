"""The data set of a benchmark: crops, people, and how to build it again."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS, METRICS

from mmpose_occlusion.benchmark.data import (
    UNMATCHED,
    Boxes,
    Joints,
    to_arrays,
)
from mmpose_occlusion.benchmark.identity import plain
from mmpose_occlusion.benchmark.work import order_by_image
from mmpose_occlusion.datasets import DetectionMatchedDataset
from mmpose_occlusion.engine.config import (
    class_of,
    scoring_metric,
    type_name,
    walk_metrics,
)
from mmpose_occlusion.engine.pipelines import (
    CROP,
    makes_crop,
    split_pipeline,
    with_defaults,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import AREA_RATIO, make_person
from mmpose_occlusion.metrics.oks import sigmas_or_default
from mmpose_occlusion.occlusion import labelled_joints
from mmpose_occlusion.skeleton import Skeleton

_METRIC_ARGUMENTS = (
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
"""Arguments of a metric that the analysis may use."""


class BenchmarkDataset:
    """A top-down data set; its images are not read.

    Args:
        config: Config of the data set, or of a wrapper of one; the pipeline
            in it is replaced by its first part.
        skeleton: Its joints and parts.
        evaluator: Config of the metric.
        max_images: Use the first images only.

    Attributes:
        dataset: The data set, whose pipeline ends with the crop.
        before, after: Configs of the pipeline up to the crop, and the rest.
        order: ``(N,)`` number of a crop -> its index in the data set.
        paths: Length N, image of each crop.
        boxes: :class:`.data.Boxes` of the crops.
        arrays: Bboxes and annotations for the store.
        info: Further facts for the store.

    Raises:
        UsageError: The data are not top-down, or there are none.
    """

    def __init__(
        self,
        config: dict,
        skeleton: Skeleton,
        evaluator: Any,
        max_images: int | None = None,
    ) -> None:
        source = config.get('dataset', config)
        self.before, self.after = _split(source)
        source['pipeline'] = self.before
        self.dataset = DATASETS.build(config)
        _check_topdown(self.dataset)
        infos = infos_of(self.dataset)
        order = order_by_image(np.array([i['img_id'] for i in infos]))
        infos = [infos[i] for i in order]
        if max_images is not None:
            ids = list(dict.fromkeys(i['img_id'] for i in infos))
            chosen = set(ids[:max_images])
            infos = [i for i in infos if i['img_id'] in chosen]
        if not infos:
            raise UsageError(
                'the test data has no crop: check test_dataloader.dataset '
                'and --max-images'
            )
        self.order = order[: len(infos)]
        self.paths = [info['img_path'] for info in infos]
        joints = len(skeleton.names)
        evaluation = describe_metric(evaluator)
        evaluation['padding'] = _padding(self.before)
        people = read_people(source)
        self.boxes = make_boxes(infos, people, joints)
        if max_images is not None or source.get('indices') is not None:
            here = set(self.boxes.image_ids.tolist())
            people = {k: p for k, p in people.items() if p['img_id'] in here}
        use_area = evaluation.get('use_area', True)
        metainfo = self.dataset.metainfo
        scored = people.values() if len(metainfo['sigmas']) else ()
        self.arrays = to_arrays(
            self.boxes, coco_people(scored, joints, use_area)
        )
        stem = Path(source.get('ann_file') or '').stem
        size = next(
            step['input_size']
            for step in reversed(self.before)
            if 'input_size' in step
        )
        self.info = dict(
            data=metainfo['dataset_name'] + (f' ({stem})' if stem else ''),
            joints=_joints_of(metainfo, skeleton).to_json(),
            evaluation=plain(evaluation),
            crop_size=[int(x) for x in size],
        )


def recipe(cfg: Config, dataset: Mapping) -> dict[str, Any]:
    """How to build a data set of a config, with its whole pipeline, again."""
    return plain(
        dict(
            default_scope=cfg.get('default_scope') or 'mmpose',
            custom_imports=cfg.get('custom_imports'),
            dataset=dataset,
        )
    )


def _split(config: Mapping) -> tuple[list[dict], list[dict]]:
    """A test pipeline up to the crop, and the rest."""
    pipeline = config.get('pipeline') or []
    if not makes_crop(pipeline):
        raise UsageError(
            f'the test pipeline has no "{CROP}", so there are no crops to '
            'attack: give the config of a top-down model, or benchmark this '
            'one on whole images as mmpose:CONFIG,CHECKPOINT'
        )
    try:
        return split_pipeline(pipeline)
    except ValueError as error:
        raise UsageError(f'test_dataloader.dataset: {error}') from error


def _check_topdown(dataset: Any) -> None:
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
    """The data info of each crop; images are not read."""
    if isinstance(dataset, DetectionMatchedDataset):
        return [dataset.get_data_info(i) for i in range(len(dataset))]
    # MMPose's own get_data_info adds a copy of the metainfo to each crop
    inner = getattr(dataset, 'dataset', dataset)
    return [BaseDataset.get_data_info(inner, i) for i in range(len(inner))]


def read_people(config: Mapping) -> dict[int, dict]:
    """Annotation id -> data info of all people in the annotations of a
    top-down data set's config; its ``bbox_file`` is ignored.
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
    """The bboxes of :func:`infos_of`, and the person in each, of
    :func:`read_people`.
    """
    rows = [
        dict(
            image_ids=_image_id(info),
            boxes=np.asarray(info['bbox'], np.float64)[0],
            scores=float(np.ravel(info['bbox_score'])[0]),
            **_person_in(info, people, joints),
        )
        for info in infos
    ]
    types = dict(image_ids=np.int64, instance_ids=np.int64, visible=np.int8)
    return Boxes(
        **{
            name: np.array([r[name] for r in rows], types.get(name, float))
            for name in Boxes.__dataclass_fields__
        }
    )


def _image_id(info: Mapping) -> int:
    try:
        return int(info['img_id'])
    except (TypeError, ValueError):
        raise UsageError(
            f'image {info["img_id"]!r} ({info.get("img_path")}) has an id '
            'that is not a number, which the benchmark cannot store: number '
            'the images in the annotation file'
        ) from None


def _person_in(
    info: Mapping, people: Mapping[int, Mapping], joints: int
) -> dict[str, Any]:
    source = info.get('matched_person') or info
    person = people.get(int(source['id'])) if 'id' in source else None
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
    x1, y1, x2, y2 = np.asarray(person['bbox'], np.float64)[0]
    extent = (x2 - x1) * (y2 - y1)
    return dict(
        instance_ids=int(person['id']),
        truth=np.where(labelled[:, None], truth, np.nan),
        visible=visible,
        areas=float(np.ravel(person.get('area', AREA_RATIO * extent))[0]),
        person_boxes=np.asarray(person['bbox'], np.float64)[0],
        head_sizes=float(np.ravel(person.get('head_size', np.nan))[0]),
    )


def coco_people(
    people: Iterable[Mapping], joints: int, use_area: bool
) -> list[dict[str, Any]]:
    """People as COCO annotations; empty for data sets in another format.

    Without ``use_area``, areas are computed from bboxes, as the metric does.
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


def _joints_of(metainfo: Mapping, skeleton: Skeleton) -> Joints:
    return Joints(
        names=list(skeleton.names),
        sigmas=sigmas_or_default(metainfo['sigmas'], skeleton.names),
        flip=np.asarray(metainfo['flip_indices'], int),
        links=[(int(a), int(b)) for a, b in metainfo['skeleton_links']],
        parts={
            part: list(skeleton.part_indices(part)) for part in skeleton.parts
        },
    )


def describe_metric(evaluator: Any) -> dict[str, Any]:
    """How a config's evaluator, the first of a list, scores: ``metric``, its
    class, and the arguments that the analysis may use, with defaults; and
    ``pck``, prefix and threshold of each ``PCKAccuracy``.
    """
    given, evaluator = evaluator, scoring_metric(evaluator)
    if not evaluator:
        return {}
    cls = class_of(evaluator, METRICS)
    out: dict[str, Any] = dict(metric=type_name(evaluator))
    for base in reversed(cls.__mro__ if cls else ()):
        if '__init__' in vars(base):
            for key, argument in inspect.signature(base).parameters.items():
                if key in _METRIC_ARGUMENTS:
                    out[key] = argument.default
    out.update({k: evaluator[k] for k in _METRIC_ARGUMENTS if k in evaluator})
    pck = [
        dict(prefix=m.get('prefix') or '', thr=float(m.get('thr', 0.05)))
        for _, m in walk_metrics(given)
        if type_name(m) == 'PCKAccuracy'
    ]
    if pck:
        out['pck'] = pck
    empty = inspect.Parameter.empty
    if out['metric'] == 'MpiiPCKAccuracy':
        out['offset'] = 1  # it counts pixels from one, as MPII's own code
    return {key: value for key, value in out.items() if value is not empty}


def _padding(pipeline: Sequence[Mapping]) -> float:
    """Of bboxes, which the areas that MMPose's NMS takes include."""
    for step in pipeline:
        if 'BBoxCenterScale' in type_name(step):
            return float(with_defaults(step).get('padding', 1.0))
    return 1.0
