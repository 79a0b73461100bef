"""Detector boxes with the joints of the annotated people they match."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import DATASETS

from mmpose_occlusion.metrics.annotations import (
    IOU_THRESHOLD,
    UNMATCHED,
    match_boxes,
    overlaps,
)
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY

from .donors import DatasetWrapper, DonorDataset, DonorIndex


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
        iou_thr: Least overlap (IoU) of a box with its person's box.
        nms_thr: IoU threshold of an NMS before the matching, for detectors
            without NMS; None keeps all boxes.
        donors: Offer the annotated people as donors, as a
            :class:`..donors.DonorDataset` does.
        lazy_init: Leave the loading to ``full_init``.

    Raises:
        ValueError: The data set has no ``bbox_file``.
    """

    def __init__(
        self,
        dataset: Mapping,
        iou_thr: float = IOU_THRESHOLD,
        nms_thr: float | None = None,
        donors: bool = False,
        lazy_init: bool = False,
    ) -> None:
        if not dataset.get('bbox_file'):
            raise ValueError(
                'DetectionMatchedDataset is for boxes of a detector, but its '
                f'data set "{dataset.get("type")}" has no bbox_file: name '
                'one, or use that data set without the wrapper.'
            )
        self.iou_thr, self.nms_thr, self.donors = iou_thr, nms_thr, donors
        self._cfg = dict(dataset, lazy_init=True)
        self.dataset = DATASETS.build(self._cfg)
        _insert_warps(self.dataset.pipeline.transforms)
        self._matched: list[dict] | None = None
        if not lazy_init:
            self.full_init()

    def full_init(self) -> None:
        """Load boxes and annotations, and match them."""
        if self._matched is not None:
            return
        self.dataset.full_init()
        boxes = [
            # the class's own adds metainfo, copied for each box
            BaseDataset.get_data_info(self.dataset, i)
            for i in range(len(self.dataset))
        ]
        self._rows = _after_nms(boxes, self.nms_thr)
        boxes = [boxes[i] for i in self._rows]
        people = self._load_people()
        self._matched = [{}] * len(boxes)
        of_image = _by_image(people)
        for image, found in _by_image(boxes).items():
            here = [people[i] for i in of_image.get(image, ())]
            corners, scores = _stacked(boxes, found)
            iou = overlaps(corners, [person['bbox'] for person in here])
            most = np.float32(iou.max(axis=1, initial=0))
            owners = match_boxes(iou, scores, self.iou_thr)
            for i, owner, overlap in zip(found, owners, most, strict=True):
                person = None if owner == UNMATCHED else here[owner]
                self._matched[i] = self._as_matched(person, overlap)
        matched = self.num_matched
        print_log(
            f'{matched} of the {len(boxes)} boxes of '
            f'{self._cfg["bbox_file"]} match annotated people (IoU of '
            f'{self.iou_thr} or more) and can be attacked; the other '
            f'{len(boxes) - matched} are not attacked.',
            'current',
        )

    def _load_people(self) -> list[dict]:
        """All people except crowds, with or without labelled joints, so that
        a box of an unlabelled person is not matched to a neighbour."""
        annotated = DATASETS.build(
            dict(self._cfg, bbox_file=None, pipeline=[])
        )
        people, _ = annotated._load_annotations()
        if self.donors:
            # the same people, in the same order, as without a bbox_file
            valid = annotated._get_topdown_data_infos(people)
            self.dataset.donors = DonorIndex(valid)
        return [person for person in people if not person.get('iscrowd')]

    def _as_matched(self, person: Mapping | None, overlap: float) -> dict:
        """The part of a person's annotation that the occlusions read."""
        if person is None and overlap >= self.iou_thr:
            return dict(reason='the person in this box has a better box')
        if person is None:
            return dict(
                reason='no annotated person overlaps this box (largest IoU '
                f'{overlap:.2f}, minimum {self.iou_thr})'
            )
        joints, visible = person['keypoints'], person['keypoints_visible']
        visible = visible[:1].reshape(*joints[:1].shape[:2], -1)[..., 0]
        return dict(
            keypoints=np.float32(joints[:1, :, :2]),
            keypoints_visible=np.float32(visible),
            bbox=np.float32(person['bbox'][:1]),
            segmentation=person.get('segmentation'),
            id=person['id'],
        )

    @property
    def num_matched(self) -> int:
        """Number of boxes that match an annotated person."""
        return sum('id' in self.matched_person(i) for i in range(len(self)))

    def matched_person(self, index: int) -> dict:
        """The annotated person of a box, for the occlusions: ``keypoints``
        (1, K, 2) in image pixels, ``keypoints_visible`` (1, K), ``bbox`` (1,
        4) xyxy, ``segmentation`` and ``id`` of the annotation; ``reason``
        alone for an unmatched box."""
        self.full_init()
        assert self._matched is not None
        return dict(self._matched[index])

    def get_data_info(self, index: int) -> dict:
        """The data set's own, and :meth:`matched_person`."""
        person = self.matched_person(index)
        info = self.dataset.get_data_info(int(self._rows[index]))
        return dict(info, **{MATCHED_KEY: person})

    def __len__(self) -> int:
        self.full_init()
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        info = dict(self.get_data_info(index), dataset=self.dataset)
        return self.dataset.pipeline(info)


def _by_image(entries: Sequence[Mapping]) -> dict[Any, list[int]]:
    """Image id -> indices of its boxes or people."""
    out: dict[Any, list[int]] = {}
    for i, entry in enumerate(entries):
        out.setdefault(entry['img_id'], []).append(i)
    return out


def _stacked(boxes: list[dict], indices: list[int]) -> list[np.ndarray]:
    """Corners and scores of some boxes."""
    keys = 'bbox', 'bbox_score'
    return [np.concatenate([boxes[i][k] for i in indices]) for k in keys]


def _after_nms(boxes: list[dict], threshold: float | None) -> np.ndarray:
    """Indices of the remaining boxes, in order."""
    if threshold is None:
        return np.arange(len(boxes))
    from mmcv.ops import nms  # compiled, and used here alone

    kept = []
    for found in _by_image(boxes).values():
        _, left = nms(*_stacked(boxes, found), threshold)
        kept += [found[i] for i in left]
    return np.array(sorted(kept), int)


class WarpMatchedPerson(BaseTransform):
    """Warp the matched person's joints into the crop, as the transform
    ``crop``, which made it, warped the dummies: ``matched_person`` gains
    ``transformed_keypoints``, (1, K, 2) crop pixels.

    Raises:
        ValueError: The image was flipped, and the joints were not.
    """

    def __init__(self, crop: TopdownAffine) -> None:
        self.crop = crop

    def transform(self, results: dict) -> dict:
        person = results.get(MATCHED_KEY)
        if person is None or 'keypoints' not in person:
            return results
        if results.get('flip'):
            raise ValueError(
                f'Image {results.get("img_id")} was flipped, and the joints '
                'of people matched to detector boxes were not: remove the '
                'flip from the test pipeline.'
            )
        keys = ('bbox_center', 'bbox_scale', 'bbox_rotation')
        beside = {key: results[key] for key in keys if key in results}
        beside['keypoints'] = person['keypoints']
        beside['img'] = np.zeros((1, 1, 3), np.uint8)
        warped = self.crop.transform(beside)['transformed_keypoints']
        results[MATCHED_KEY] = dict(person, transformed_keypoints=warped)
        return results


def _insert_warps(transforms: list) -> None:
    """After each ``TopdownAffine`` of a built pipeline, at any depth."""
    for i in reversed(range(len(transforms))):
        if isinstance(transforms[i], TopdownAffine):
            transforms.insert(i + 1, WarpMatchedPerson(transforms[i]))
            continue
        inner = getattr(transforms[i], 'transforms', None)
        inner = getattr(inner, 'transforms', inner)
        if isinstance(inner, list):
            _insert_warps(inner)


def is_matched(dataset: Mapping) -> bool:
    """Whether a config is that of a :class:`DetectionMatchedDataset`."""
    return _is_a(dataset, DetectionMatchedDataset)


def match_detections(dataset: Mapping, **options: Any) -> dict:
    """A new config of a data set, or of a wrapper around some, in which each
    data set with a ``bbox_file`` is inside a :class:`DetectionMatchedDataset`
    with these options."""
    if is_matched(dataset):
        return dict(dataset, **options)
    if dataset.get('bbox_file'):
        return _wrapped(dataset, DetectionMatchedDataset, **options)
    return _inside(dataset, lambda inner: match_detections(inner, **options))


def offer_donors(dataset: Mapping) -> dict:
    """A new config of a data set, or of a wrapper around some, in which each
    data set with an ``ann_file`` is inside a :class:`.donors.DonorDataset`, or
    offers donors itself; with detector boxes after :func:`match_detections`.
    """
    if is_matched(dataset):
        return dict(dataset, donors=True)
    if dataset.get('ann_file'):
        return _wrapped(dataset, DonorDataset)
    if _is_a(dataset, DonorDataset):
        return dict(dataset)
    return _inside(dataset, offer_donors)


def _wrapped(dataset: Mapping, cls: type, **options: Any) -> dict:
    return dict(type=cls.__name__, dataset=dict(dataset), **options)


def _inside(wrapper: Mapping, change: Callable[[Mapping], dict]) -> dict:
    """A config whose inner data sets are changed."""
    new = dict(wrapper)
    if isinstance(new.get('dataset'), Mapping):
        new['dataset'] = change(new['dataset'])
    if new.get('datasets'):
        new['datasets'] = [change(inner) for inner in new['datasets']]
    return new


def _is_a(dataset: Mapping, cls: type) -> bool:
    name = cls.__name__
    return dataset.get('type') in (cls, name, f'mmpose.{name}')
