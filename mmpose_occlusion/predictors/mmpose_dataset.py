"""The people of a benchmark's crops, and how the data set's metric scores."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmpose.registry import METRICS

from mmpose_occlusion.benchmark.data import Boxes, Joints, to_arrays
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


class BenchmarkDataset(Crops):
    """The crops of a data set and the people in them: ``boxes``, and
    ``arrays`` and ``info`` for the store.

    Args:
        config, max_images: See :class:`.mmpose_crops.Crops`.
        skeleton: Joints and parts.
        evaluator: Config of the metric.
    """

    def __init__(
        self,
        config: Mapping,
        skeleton: Skeleton,
        evaluator: Any,
        max_images: int | None = None,
    ) -> None:
        super().__init__(config, max_images)
        self.skeleton = skeleton
        infos, people = self.infos(), read_people(self.inner)
        self.paths = [info['img_path'] for info in infos]
        joints, metainfo = len(skeleton.names), self.dataset.metainfo
        self.boxes = make_boxes(infos, people, joints)
        before, evaluation = self.pipeline[0], describe_metric(evaluator)
        # of bboxes; MMPose's NMS takes areas that include it
        frames = [s for s in before if 'BBoxCenterScale' in type_name(s)]
        paddings = [with_defaults(s).get('padding', 1.0) for s in frames]
        evaluation['padding'] = float([*paddings, 1.0][0])
        shown = set(self.boxes.image_ids.tolist())
        whole = max_images is None and self.inner._indices is None
        annotated = [
            _coco_person(person['raw_ann_info'], joints)
            for person in people.values()
            if len(metainfo['sigmas']) and person.get('raw_ann_info')
            if whole or person['img_id'] in shown
        ]
        self.arrays = to_arrays(self.boxes, annotated)
        stem = Path(self.inner.ann_file).stem
        sizes = [s['input_size'] for s in before if 'input_size' in s]
        self.info = dict(
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


def read_people(dataset: Any) -> dict[int, dict]:
    """Annotation id -> data info of all people in the annotations of a
    top-down data set of MMPose, also where it has boxes of a detector."""
    return {int(person['id']): person for person in load_people(dataset)}


def make_boxes(
    infos: Iterable[Mapping], people: Mapping[int, Mapping], joints: int
) -> Boxes:
    """The bboxes of :meth:`.mmpose_crops.Crops.infos`, with people of
    :func:`read_people`."""
    rows = []
    for info in infos:
        source = info.get('matched_person') or info
        person = people.get(int(source['id'])) if 'id' in source else None
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
