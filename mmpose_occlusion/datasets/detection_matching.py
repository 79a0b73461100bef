"""Detector boxes with the joints of the annotated people they match."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import DATASETS

from mmpose_occlusion.engine.config import type_name
from mmpose_occlusion.metrics.annotations import (
    IOU_THRESHOLD,
    UNMATCHED,
    match_boxes,
    overlaps,
)
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY

from .donors import DatasetWrapper, DonorDataset, DonorIndex, load_people


@DATASETS.register_module()
class DetectionMatchedDataset(DatasetWrapper):
    """A test set with detector boxes in which people can be occluded.

    MMPose's data sets give each box of a ``bbox_file`` dummy joints. Here
    the boxes of an image are matched to its annotated people, as COCOeval
    would (see :func:`..metrics.annotations.match_boxes`), and a person's
    joints are stored beside the dummies, in ``results['matched_person']``,
    which only the occlusions of this package read. Inputs of model and
    metrics are as without this wrapper, except for painted pixels and
    records. Random draws are keyed by the annotation's id: a person is
    attacked in the same way in the box of any detector.

    A box without a matched person, or of one who has a better box, is not
    attacked: its record gives the reason, and the log counts such boxes.

    Args:
        dataset: Config of a top-down data set with ``bbox_file``.
        nms_thr: IoU threshold of an NMS before the matching, for detectors
            without NMS; None keeps all boxes.
        donors: Offer the annotated people as donors, as a
            :class:`..donors.DonorDataset` does.
    """

    def __init__(
        self,
        dataset: Mapping,
        nms_thr: float | None = None,
        donors: bool = False,
    ) -> None:
        self.nms_thr, self.donors = nms_thr, donors
        super().__init__(dataset)
        steps = self.dataset.pipeline.transforms
        for step in [s for s in steps if isinstance(s, TopdownAffine)]:
            steps.insert(steps.index(step) + 1, partial(_warp_matched, step))

    def full_init(self) -> None:
        """Load boxes and annotations, and match them."""
        dataset = self.dataset
        if dataset._fully_initialized:
            return
        serialize, dataset.serialize_data = dataset.serialize_data, False
        dataset.full_init()
        dataset.data_list = self._with_people(dataset.data_list)
        dataset.serialize_data = serialize
        if serialize:
            packed = dataset._serialize_data()
            dataset.data_bytes, dataset.data_address = packed

    def _with_people(self, boxes: list[dict]) -> list[dict]:
        """The boxes after the NMS, with their people."""
        people = load_people(self.dataset)
        if self.donors:
            # the same people, in the same order, as without a bbox_file
            valid = self.dataset._get_topdown_data_infos(people)
            self.dataset.donors = DonorIndex(valid, people)
        # also without labelled joints, or a neighbour would get their box
        of_image = _by_image([p for p in people if not p.get('iscrowd')])
        for image, found in _by_image(boxes).items():
            if self.nms_thr is not None:
                from mmcv.ops import nms  # compiled, and used here alone

                _, left = nms(*_stacked(found), self.nms_thr)
                found = [found[i] for i in sorted(left)]
            here = of_image.get(image, [])
            corners, scores = _stacked(found)
            iou = overlaps(corners, [person['bbox'] for person in here])
            most = np.float32(iou.max(axis=1, initial=0))
            owners = match_boxes(iou, scores)
            for box, owner, overlap in zip(found, owners, most, strict=True):
                person = None if owner == UNMATCHED else here[owner]
                box[MATCHED_KEY] = _as_matched(person, overlap)
        boxes = [box for box in boxes if MATCHED_KEY in box]
        matched = sum('id' in box[MATCHED_KEY] for box in boxes)
        print_log(
            f'{matched} of the {len(boxes)} boxes of '
            f'{self.dataset.bbox_file} match annotated people (IoU of '
            f'{IOU_THRESHOLD} or more) and can be attacked; the other '
            f'{len(boxes) - matched} are not attacked.',
            'current',
        )
        return boxes


def _as_matched(person: Mapping | None, overlap: float) -> dict:
    """The part of a person's annotation that the occlusions read."""
    if person is None and overlap >= IOU_THRESHOLD:
        return dict(reason='the person in this box has a better box')
    if person is None:
        return dict(
            reason='no annotated person overlaps this box (largest IoU '
            f'{overlap:.2f}, minimum {IOU_THRESHOLD})'
        )
    return dict(
        keypoints=np.float32(person['keypoints']),
        keypoints_visible=np.float32(person['keypoints_visible']),
        bbox=np.float32(person['bbox']),
        segmentation=person.get('segmentation'),
        id=person['id'],
    )


def _by_image(entries: Sequence[dict]) -> dict[Any, list[dict]]:
    """Image id -> its boxes or people."""
    out: dict[Any, list[dict]] = {}
    for entry in entries:
        out.setdefault(entry['img_id'], []).append(entry)
    return out


def _stacked(boxes: list[dict]) -> list[np.ndarray]:
    """Corners and scores."""
    keys = 'bbox', 'bbox_score'
    return [np.concatenate([box[key] for box in boxes]) for key in keys]


def _warp_matched(crop: TopdownAffine, results: dict) -> dict:
    """Warp the matched person's joints into the crop, as the transform that
    made it warped the dummies: ``matched_person`` gains
    ``transformed_keypoints``, (1, K, 2) crop pixels."""
    person = results.get(MATCHED_KEY)
    if person is None or 'keypoints' not in person:
        return results
    if results.get('flip'):
        raise ValueError(
            f'Image {results.get("img_id")} was flipped, and the joints of '
            'people matched to detector boxes were not: remove the flip from '
            'the test pipeline.'
        )
    keys = ('bbox_center', 'bbox_scale', 'bbox_rotation')
    beside = {key: results[key] for key in keys if key in results}
    beside['keypoints'] = person['keypoints']
    beside['img'] = np.zeros((1, 1, 3), np.uint8)
    warped = crop.transform(beside)['transformed_keypoints']
    results[MATCHED_KEY] = dict(person, transformed_keypoints=warped)
    return results


def is_matched(dataset: Mapping) -> bool:
    """Whether a config is that of a :class:`DetectionMatchedDataset`."""
    return type_name(dataset) == DetectionMatchedDataset.__name__


def match_detections(dataset: Mapping, **options: Any) -> dict:
    """A new config of a data set, or of a wrapper around some, in which each
    data set with a ``bbox_file`` is inside a :class:`DetectionMatchedDataset`
    with these options."""
    if is_matched(dataset):
        return dict(dataset, **options)
    if dataset.get('bbox_file'):
        name = DetectionMatchedDataset.__name__
        return dict(type=name, dataset=dict(dataset), **options)
    return _inside(dataset, partial(match_detections, **options))


def offer_donors(dataset: Mapping) -> dict:
    """A new config of a data set, or of a wrapper around some, in which each
    data set with an ``ann_file`` is inside a :class:`.donors.DonorDataset`, or
    offers donors itself; with detector boxes after :func:`match_detections`.
    """
    name = DonorDataset.__name__
    if is_matched(dataset):
        return dict(dataset, donors=True)
    if dataset.get('ann_file'):
        return dict(type=name, dataset=dict(dataset))
    if type_name(dataset) == name:
        return dict(dataset)
    return _inside(dataset, offer_donors)


def _inside(wrapper: Mapping, change: Callable[[Mapping], dict]) -> dict:
    """A config whose inner data sets are changed."""
    new = dict(wrapper)
    if isinstance(new.get('dataset'), Mapping):
        new['dataset'] = change(new['dataset'])
    if new.get('datasets'):
        new['datasets'] = [change(inner) for inner in new['datasets']]
    return new
