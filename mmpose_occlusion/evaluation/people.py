"""Base of the metrics over annotated people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.fileio import get_local_path
from mmengine.logging import MessageHub
from mmpose.evaluation.metrics import CocoMetric
from mmpose.structures.bbox import bbox_xywh2xyxy
from xtcocotools.coco import COCO

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import (
    IOU_THRESHOLD,
    UNMATCHED,
    make_person,
    match_boxes,
    overlaps,
)
from mmpose_occlusion.metrics.oks import sigmas_or_default
from mmpose_occlusion.metrics.pck import clip_box


class PeopleMetric(CocoMetric):
    """Predictions of annotated people, for metrics of each person.

    Rescoring, OKS-NMS and the sources of the annotations are those of
    MMPose's ``CocoMetric``; a data set that is not in COCO's format (MPII)
    gives its annotations with its samples. A prediction from an annotated
    bbox belongs to that person; one from a detected bbox (or of a model
    without bboxes, where it is the bbox of the predicted joints) to the
    person with whose annotated bbox it is matched.

    Args:
        iou_thr: Least overlap (IoU) of a detected bbox with its person's.
        **kwargs: ``ann_file``, ``use_area``, ``score_mode``,
            ``keypoint_score_thr``, ``nms_mode``, ``nms_thr``,
            ``collect_device`` and ``prefix`` of ``CocoMetric``.
    """

    default_prefix = ''

    def __init__(self, iou_thr: float = IOU_THRESHOLD, **kwargs) -> None:
        super().__init__(**kwargs)
        self.iou_thr = iou_thr
        self._kept: dict[Any, list[dict]] = {}

    @property
    def dataset_meta(self) -> dict | None:
        """Metainfo of the data set."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        names = dataset_meta['keypoint_id2name'].values()
        dataset_meta = dict(
            dataset_meta,
            sigmas=sigmas_or_default(dataset_meta['sigmas'], names),
        )
        # CocoMetric loads the data set's own file, whatever its format is
        path = MessageHub.get_current_instance().get_info(
            f'{dataset_meta["dataset_name"]}_ann_file', None
        )
        if self.coco is None and path is not None and not _is_coco(path):
            self._dataset_meta = dataset_meta
        else:
            CocoMetric.dataset_meta.fset(self, dataset_meta)

    def process(
        self, data_batch: Sequence[dict], data_samples: Sequence[dict]
    ) -> None:
        """Keep predictions and annotations of a batch.

        Raises:
            UsageError: A sample has no annotation.
        """
        for sample in data_samples:
            if self.coco is None and 'raw_ann_info' not in sample:
                sample = dict(sample, raw_ann_info=_annotation(sample))
            super().process(data_batch, [sample])
            pred, _ = self.results[-1]
            # one annotation, one crop, one prediction
            pred['annotated'] = isinstance(sample.get('raw_ann_info'), Mapping)
            pred['input_box'] = sample['gt_instances'].get('bboxes')
            pred['image_size'] = sample['ori_shape'][1::-1]

    def people(self, results: Sequence[tuple[dict, dict]]) -> list[dict]:
        """All annotated people, see :func:`..annotations.make_person`."""
        joints = self.dataset_meta['num_keypoints']

        def make(anns: Iterable[Mapping]) -> list[dict]:
            return [
                make_person(ann, joints, self.use_area)
                for ann in anns
                if 'keypoints' in ann and 'bbox' in ann
            ]

        if self.coco is None:
            anns = {
                ann['id']: ann
                for _, gt in results
                for ann in gt['raw_ann_info']
                if ann is not None
            }
            images = [pred['img_id'] for pred, _ in results]
            self.coco = _as_coco(make(anns.values()), images)
        return make(self.coco.anns.values())

    def boxes(
        self, people: Sequence[dict], results: Sequence[tuple[dict, dict]]
    ) -> np.ndarray:
        """``(P, 4)`` xyxy pixels, the bboxes of people: that of the sample,
        or the annotated one, cut to the image as MMPose's data sets do."""
        given = {
            pred['id']: pred['input_box'][0]
            for pred, _ in results
            if pred['annotated'] and pred['input_box'] is not None
        }
        shapes = {pred['img_id']: pred['image_size'] for pred, _ in results}
        boxes = []
        for person in people:
            number = person['image_id']
            image = self.coco.imgs.get(number, {})
            shape = image.get('width'), image.get('height')
            if None in shape:
                shape = shapes.get(number, (np.inf, np.inf))
            clipped = clip_box(person['bbox'], *shape)
            boxes.append(given.get(person['id'], clipped))
        return np.array(boxes, np.float64).reshape(-1, 4)

    def survivors(self, results: Sequence[tuple[dict, dict]]) -> list[dict]:
        """The predictions after rescoring and NMS, in COCO's format, with
        the ``id`` of their samples."""
        super().compute_metrics(list(results))
        return [
            dict(
                id=instance['id'],
                image_id=image,
                category_id=int(np.ravel(instance['category_id'])[0]),
                keypoints=np.ravel(instance['keypoints']).tolist(),
                score=float(instance['score']),
                bbox=_box(instance['keypoints'], instance.get('bbox')),
            )
            for image, instances in self._kept.items()
            for instance in instances
        ]

    def results2json(self, keypoints: dict, outfile_prefix: str) -> None:
        """CocoMetric's step after NMS; nothing is written here."""
        self._kept = keypoints

    def _do_python_keypoint_eval(self, outfile_prefix: str) -> list:
        return []

    def owners(
        self,
        found: Sequence[dict],
        people: Sequence[dict],
        boxes: np.ndarray,
        results: Sequence[tuple[dict, dict]],
        one_to_one: bool,
    ) -> np.ndarray:
        """``(D,)`` int, the person of each prediction, or ``UNMATCHED``.

        Args:
            found: Predictions: ``id``, ``image_id``, ``bbox`` (xywh) and
                ``score``.
            people: See :meth:`people`.
            boxes: See :meth:`boxes`.
            results: The metric's.
            one_to_one: Whether a person has one prediction at most.
        """
        annotated = {
            (pred['img_id'], pred['id'])
            for pred, _ in results
            if pred['annotated']
        }
        index = {person['id']: i for i, person in enumerate(people)}
        owner = np.full(len(found), UNMATCHED)
        loose = defaultdict(list)
        for i, entry in enumerate(found):
            image, number = entry['image_id'], entry['id']
            if np.isscalar(number) and (image, number) in annotated:
                owner[i] = index[number]
            else:
                loose[image].append(i)
        here = defaultdict(list)
        for i, person in enumerate(people):
            if not person['iscrowd']:
                here[person['image_id']].append(i)
        for image, rows in loose.items():
            iou = overlaps(
                bbox_xywh2xyxy(np.array([found[i]['bbox'] for i in rows])),
                boxes[np.array(here[image], int)],
            )
            scores = np.array([found[i]['score'] for i in rows])
            matched = match_boxes(iou, scores, self.iou_thr, one_to_one)
            owner[rows] = np.array([*here[image], UNMATCHED])[matched]
        return owner

    def predicted(
        self,
        people: Sequence[dict],
        boxes: np.ndarray,
        results: Sequence[tuple[dict, dict]],
    ) -> np.ndarray:
        """``(P, K, 2)`` image pixels, the joints that were predicted for
        each person, before NMS; infinite without a prediction."""
        found = [
            dict(
                id=pred['id'],
                image_id=pred['img_id'],
                keypoints=joints[:, :2],
                score=float(pred['bbox_scores'][i]),
                bbox=_box(joints, pred.get('bbox', {i: None})[i]),
            )
            for pred, _ in results
            for i, joints in enumerate(pred['keypoints'])
        ]
        out = np.full(
            (len(people), self.dataset_meta['num_keypoints'], 2), np.inf
        )
        owners = self.owners(found, people, boxes, results, one_to_one=True)
        for entry, owner in zip(found, owners, strict=True):
            if owner != UNMATCHED:
                out[owner] = entry['keypoints']
        return out


def _is_coco(path: str) -> bool:
    """Whether a JSON file holds a dict, as COCO's do."""
    with get_local_path(path) as local, open(local, encoding='utf-8') as file:
        return file.read(64).lstrip().startswith('{')


def _as_coco(people: Sequence[dict], images: Iterable) -> COCO:
    """People and images as a COCO data set in memory."""
    ids = dict.fromkeys([*(p['image_id'] for p in people), *images])
    categories = sorted({p['category_id'] for p in people})
    coco = COCO()
    coco.dataset = dict(
        images=[dict(id=i) for i in ids],
        categories=[dict(id=c) for c in categories],
        annotations=list(people),
    )
    coco.createIndex()
    return coco


def _annotation(sample: dict) -> dict:
    """A person's annotation from the ground truth of a sample."""
    truth = sample['gt_instances']
    joints = truth['keypoints']
    visible = truth['keypoints_visible']
    if visible.ndim == 3:
        visible = visible[..., 0]
    if len(joints) != 1 or not np.any(joints):
        raise UsageError(
            f'image {sample["img_id"]} comes without the joints of its '
            'people (are its bboxes detected ones?): name the annotation '
            'file in the metric, ann_file=...'
        )
    x1, y1, x2, y2 = (float(x) for x in truth['bboxes'][0])
    return dict(
        id=sample['id'],
        image_id=sample['img_id'],
        category_id=1,
        bbox=[x1, y1, x2 - x1, y2 - y1],
        iscrowd=0,
        keypoints=np.column_stack([joints[0], visible[0]]).ravel().tolist(),
    )


def _box(joints: np.ndarray, bbox: np.ndarray | None) -> list[float]:
    """xywh of a prediction: its bbox, or else that of its joints."""
    if bbox is None:
        low, high = joints[:, :2].min(axis=0), joints[:, :2].max(axis=0)
        bbox = np.concatenate([low, high - low])
    return [float(x) for x in bbox]
