"""The people of a benchmark's crops, and how the data set's metric scores."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmpose.registry import METRICS

from mmpose_occlusion.benchmark.data import Boxes, Joints
from mmpose_occlusion.datasets.donors import load_people
from mmpose_occlusion.engine.config import (
    scoring_metric,
    type_name,
    walk_metrics,
)
from mmpose_occlusion.engine.pipelines import with_defaults
from mmpose_occlusion.metrics.annotations import AREA_RATIO, make_person
from mmpose_occlusion.metrics.oks_pck import sigmas_or_default
from mmpose_occlusion.occlusion import labelled_joints
from mmpose_occlusion.skeleton import Skeleton

from .mmpose_crops import Crops

_METRIC_ARGUMENTS = (
    *('score_mode', 'keypoint_score_thr', 'nms_mode', 'nms_thr', 'use_area'),
    *('iou_type', 'thr', 'offset', 'norm_item'),
)
"""Arguments of a metric that the analysis may use."""


def describe_data(
    crops: Crops, skeleton: Skeleton, evaluator: Any
) -> tuple[Boxes, list[dict[str, Any]], dict[str, Any]]:
    """The bboxes of crops, all annotated people of their images as COCO
    annotations (none without sigmas or COCO's annotations), and what
    ``run.json`` says of the data set and of its metric's config."""
    infos, everybody = crops.infos(), load_people(crops.inner)
    joints, metainfo = len(skeleton.names), crops.dataset.metainfo
    boxes = make_boxes(infos, everybody, joints)
    evaluation = describe_metric(evaluator)
    # of bboxes; MMPose's NMS takes areas that include it
    frames = [s for s in crops.before if 'BBoxCenterScale' in type_name(s)]
    paddings = [with_defaults(s).get('padding', 1.0) for s in frames]
    evaluation['padding'] = float([*paddings, 1.0][0])
    shown = set(crops.image_ids.tolist())
    people = [
        _coco_person(person['raw_ann_info'], joints)
        for person in everybody
        if len(metainfo['sigmas']) and person.get('raw_ann_info')
        # of a whole data set also those in images without a bbox
        if crops.whole or person['img_id'] in shown
    ]
    stem = Path(crops.inner.ann_file).stem
    sizes = [s['input_size'] for s in crops.before if 'input_size' in s]
    about = dict(
        data=metainfo['dataset_name'] + (f' ({stem})' if stem else ''),
        joints=Joints.of(
            skeleton,
            sigmas_or_default(metainfo['sigmas'], skeleton.names),
            np.asarray(metainfo['flip_indices'], int),
            metainfo['skeleton_links'],
        ),
        evaluation=evaluation,
        crop_size=[int(x) for x in sizes[-1]],
    )
    return boxes, people, about


def make_boxes(
    infos: Iterable[Mapping], people: Iterable[Mapping], joints: int
) -> Boxes:
    """The bboxes of :meth:`.mmpose_crops.Crops.infos`, with people of
    :func:`.donors.load_people`."""
    known, rows = {int(person['id']): person for person in people}, []
    for info in infos:
        source = info.get('matched_person') or info
        person = known.get(int(source['id'])) if 'id' in source else None
        box = np.asarray(info['bbox'], np.float64)[0]
        found = None if person is None else _person_of(person, joints)
        score = _first(info['bbox_score'])
        rows.append((int(info['img_id']), found, box, score))
    return Boxes.from_rows(rows, joints)


def _first(value: Any) -> float:
    return float(np.ravel(value)[0])


def _person_of(person: Mapping, joints: int) -> dict[str, Any]:
    """As :meth:`.data.Boxes.from_rows` takes it."""
    labelled = labelled_joints(person['keypoints_visible'])[0]
    visible = 2 * labelled
    raw = person.get('raw_ann_info')
    if raw is not None:
        flags = make_person(raw, joints)['keypoints'][2::3]
        visible = np.where(labelled, np.clip(flags, 1, 2), 0)
    box = np.asarray(person['bbox'], np.float64)[0]
    extent = (box[2] - box[0]) * (box[3] - box[1])
    return dict(
        id=int(person['id']),
        keypoints=np.c_[person['keypoints'][0, :, :2], visible],
        area=_first(person.get('area', AREA_RATIO * extent)),
        box=box,
        head_size=_first(person.get('head_size', np.nan)),
    )


def _coco_person(raw: Mapping, joints: int) -> dict[str, Any]:
    """A COCO annotation with all its entries."""
    entry = make_person(raw, joints)
    labelled = sum(v > 0 for v in entry['keypoints'][2::3])
    return dict(entry, num_keypoints=int(raw.get('num_keypoints', labelled)))


def describe_metric(evaluator: Any) -> dict[str, Any]:
    """How a config's evaluator, the first of a list, scores: ``metric``, its
    class, and the arguments that the analysis may use, with defaults; and
    ``pck``, prefix and threshold of each ``PCKAccuracy``."""
    metric = scoring_metric(evaluator)
    if not metric:
        return {}
    found = with_defaults(metric, METRICS)
    out = {name: found[name] for name in _METRIC_ARGUMENTS if name in found}
    out['metric'] = type_name(metric)
    pck = [
        dict(prefix=m.get('prefix') or '', thr=float(m.get('thr', 0.05)))
        for _, m in walk_metrics(evaluator)
        if type_name(m) == 'PCKAccuracy'
    ]
    if pck:
        out['pck'] = pck
    if out['metric'] == 'MpiiPCKAccuracy':
        out['offset'] = 1  # it counts pixels from one, as MPII's own code
    return out
