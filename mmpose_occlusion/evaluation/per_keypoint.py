"""AP, AR and PCK of every joint."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from mmengine.fileio import get_local_path
from mmengine.logging import MessageHub, MMLogger
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS
from mmpose.structures.bbox import bbox_xywh2xyxy
from xtcocotools.coco import COCO

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import (
    UNMATCHED,
    make_person,
    match_boxes,
    overlaps,
)
from mmpose_occlusion.metrics.coco_evaluation import CocoEvaluation
from mmpose_occlusion.metrics.oks import sigmas_or_default
from mmpose_occlusion.metrics.pck import (
    PCK_THRESHOLD,
    box_size,
    clip_box,
    joint_errors,
    pck,
)

MEASURES = ('AP', 'AR', 'PCK')

Results = Sequence[tuple[dict, dict]]
"""Prediction and ground truth of each sample, as ``CocoMetric`` keeps them."""


@METRICS.register_module()
class PerKeypointMetric(CocoMetric):
    """AP, AR and PCK of each joint.

    - AP and AR of a joint are COCOeval's on people and predictions that
      consist of this joint alone: its sigma, the number of labelled joints
      and the ignore flags are those of the joint, and predictions of people
      without a label of it are dropped. A perfect model scores 1 on every
      joint.
    - PCK of a joint is the fraction of the people with a label of it whose
      prediction is nearer to the truth than ``pck_thr`` times the longer
      side of the bbox that the data set gives, as in MMPose's
      ``PCKAccuracy``. A person without a prediction counts as wrong; NMS
      plays no part.

    For every data set whose joints have names and sigmas, with annotated and
    with detected bboxes. Models that predict the presence of joints are
    scored by the positions alone. Rescoring, OKS-NMS and the sources of the
    annotations are those of MMPose's ``CocoMetric``; a data set that is not in
    COCO's format (MPII) gives its annotations with its samples. A prediction
    from an annotated bbox belongs to that person; one from a detected bbox (or
    of a model without bboxes, where it is the bbox of the predicted joints) to
    the person with whose annotated bbox it is matched.

    The metrics are ``<joint>/AP``, ``<joint>/AR``, ``<joint>/PCK`` and their
    means over joints, ``mean/AP`` and so on. Undefined ones (no person has a
    label) are left out.

    Args:
        pck_thr: Fraction of the bbox's longer side.
        paper_exact: AP and AR as in the paper's reference code, see
            :meth:`.CocoEvaluation.reference_precision`; PCK is the same.
        **kwargs: ``ann_file``, ``use_area``, ``score_mode``,
            ``keypoint_score_thr``, ``nms_mode``, ``nms_thr``,
            ``collect_device`` and ``prefix`` of ``CocoMetric``.
    """

    default_prefix = ''

    def __init__(
        self,
        pck_thr: float = PCK_THRESHOLD,
        paper_exact: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not pck_thr > 0:
            raise ValueError(
                f'PerKeypointMetric: pck_thr={pck_thr!r} must be a fraction '
                'of the bbox above 0, such as 0.2'
            )
        self.pck_thr = pck_thr
        self.paper_exact = paper_exact

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

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all processed results; see the class."""
        people = self._people(results)
        boxes = self._boxes(people, results)
        annotated = {
            (pred['img_id'], pred['id'])
            for pred, _ in results
            if pred['annotated']
        }
        found = self._survivors(results)
        owners = self._owners(found, people, boxes, annotated)
        evaluation = CocoEvaluation(people, found, self.dataset_meta['sigmas'])
        crowd = evaluation.people.crowd[:, None]
        labelled = evaluation.people.labelled & ~crowd
        # PCK is of all predictions, before NMS
        found = [
            _prediction(
                pred['id'],
                pred['img_id'],
                joints[:, :2],
                float(pred['bbox_scores'][i]),
                pred.get('bbox', {i: None})[i],
            )
            for pred, _ in results
            for i, joints in enumerate(pred['keypoints'])
        ]
        predicted = np.full((len(people), labelled.shape[1], 2), np.inf)
        best = self._owners(found, people, boxes, annotated, one_to_one=True)
        for entry, owner in zip(found, best, strict=True):
            if owner != UNMATCHED:
                predicted[owner] = entry['keypoints']
        errors = joint_errors(predicted, evaluation.people.keypoints)
        sizes = box_size(boxes)
        table = {}
        for j, name in sorted(self.dataset_meta['keypoint_id2name'].items()):
            mask = labelled[:, [j]]
            if self.paper_exact:
                precision = evaluation.reference_precision(j)
            else:
                lacking = np.append(~mask, False)  # the last for UNMATCHED
                precision = evaluation.precision(j, keep=~lacking[owners])
            score = pck(errors[:, [j]], sizes, mask, self.pck_thr)
            table[name] = (precision.ap, precision.ar, score)
        columns = zip(*table.values(), strict=True)
        table['mean'] = tuple(_mean(column) for column in columns)
        heading = 'AP, AR and PCK of each joint'
        if self.paper_exact:
            heading += ', AP and AR as the reference code counts them'
        MMLogger.get_current_instance().info(_text(heading, table))
        return {
            f'{name}/{measure}': value
            for name, row in table.items()
            for measure, value in zip(MEASURES, row, strict=True)
            if value is not None
        }

    def _people(self, results: Results) -> list[dict]:
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
            people = make(anns.values())
            images = [p['image_id'] for p in people]
            images += [pred['img_id'] for pred, _ in results]
            self.coco = COCO()
            self.coco.dataset = dict(
                images=[dict(id=i) for i in dict.fromkeys(images)],
                categories=[
                    dict(id=c)
                    for c in sorted({p['category_id'] for p in people})
                ],
                annotations=people,
            )
            self.coco.createIndex()
        return make(self.coco.anns.values())

    def _boxes(self, people: Sequence[dict], results: Results) -> np.ndarray:
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

    def _survivors(self, results: Results) -> list[dict]:
        """The predictions after rescoring and NMS, in COCO's format, with
        the ``id`` of their samples."""
        self._kept: dict = {}
        super().compute_metrics(list(results))
        return [
            dict(
                _prediction(
                    instance['id'],
                    image,
                    instance['keypoints'],
                    float(instance['score']),
                    instance.get('bbox'),
                ),
                category_id=int(np.ravel(instance['category_id'])[0]),
                keypoints=np.ravel(instance['keypoints']).tolist(),
            )
            for image, instances in self._kept.items()
            for instance in instances
        ]

    def results2json(self, keypoints: dict, outfile_prefix: str) -> None:
        """CocoMetric's step after NMS; nothing is written here."""
        self._kept = keypoints

    def _do_python_keypoint_eval(self, outfile_prefix: str) -> list:
        return []

    def _owners(
        self,
        found: Sequence[dict],
        people: Sequence[dict],
        boxes: np.ndarray,
        annotated: set,
        one_to_one: bool = False,
    ) -> np.ndarray:
        """``(D,)`` int, the person of each prediction, or ``UNMATCHED``.

        Args:
            found: See :func:`_prediction`.
            people: See :meth:`_people`.
            boxes: See :meth:`_boxes`.
            annotated: Image and id of the samples with an annotated bbox.
            one_to_one: Whether a person has one prediction at most.
        """
        index = {person['id']: i for i, person in enumerate(people)}
        owner = np.full(len(found), UNMATCHED)
        loose, here = defaultdict(list), defaultdict(list)
        for i, entry in enumerate(found):
            image, number = entry['image_id'], entry['id']
            if np.isscalar(number) and (image, number) in annotated:
                owner[i] = index[number]
            else:
                loose[image].append(i)
        for i, person in enumerate(people):
            if not person['iscrowd']:
                here[person['image_id']].append(i)
        for image, rows in loose.items():
            iou = overlaps(
                bbox_xywh2xyxy(np.array([found[i]['bbox'] for i in rows])),
                boxes[np.array(here[image], int)],
            )
            scores = np.array([found[i]['score'] for i in rows])
            matched = match_boxes(iou, scores, one_to_one=one_to_one)
            owner[rows] = np.array([*here[image], UNMATCHED])[matched]
        return owner


def _is_coco(path: str) -> bool:
    """Whether a JSON file holds a dict, as COCO's do."""
    with get_local_path(path) as local, open(local, encoding='utf-8') as file:
        return file.read(64).lstrip().startswith('{')


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


def _prediction(
    number: object,
    image: object,
    joints: np.ndarray,
    score: float,
    bbox: np.ndarray | None,
) -> dict:
    """A prediction; its bbox, xywh, is else that of its joints."""
    if bbox is None:
        low, high = joints[:, :2].min(axis=0), joints[:, :2].max(axis=0)
        bbox = np.concatenate([low, high - low])
    return dict(
        id=number,
        image_id=image,
        keypoints=joints,
        score=score,
        bbox=[float(x) for x in bbox],
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _text(heading: str, table: dict[str, tuple]) -> str:
    """The table as lines of text."""
    width = max(len(name) for name in table)
    lines = [heading, ' ' * width + ''.join(f'{m:>8}' for m in MEASURES)]
    for name, row in table.items():
        cells = ('–' if x is None else f'{x:.3f}' for x in row)
        lines.append(name.ljust(width) + ''.join(f'{c:>8}' for c in cells))
    return '\n'.join(lines)
