"""AP, AR and PCK of every joint."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

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
from mmpose_occlusion.metrics.oks_pck import (
    PCK_THRESHOLD,
    box_size,
    clip_box,
    joint_errors,
    pck,
    sigmas_or_default,
)

MEASURES = ('AP', 'AR', 'PCK')


@METRICS.register_module()
class PerKeypointMetric(CocoMetric):
    """AP, AR and PCK of each joint: ``<joint>/AP`` and so on, and their means
    ``mean/AP``. Undefined ones (no person has a label) are left out.

    - AP and AR of a joint are COCOeval's on people and predictions that
      consist of this joint alone: sigma, number of labelled joints and ignore
      flags are those of the joint, and predictions of people without a label
      of it are dropped. A perfect model scores 1 on every joint.
    - PCK of a joint is the fraction of the people with a label of it whose
      prediction is nearer to the truth than ``pck_thr`` times the longer
      side of the bbox that the data set gives, as in MMPose's
      ``PCKAccuracy``. A person without a prediction counts as wrong; NMS
      plays no part.

    Rescoring, OKS-NMS and the sources of the annotations are those of
    MMPose's ``CocoMetric``; a data set that is not in COCO's format (MPII)
    gives its annotations with its samples. A prediction from an annotated bbox
    belongs to that person; one from a detected bbox (or of a model without
    bboxes, where it is that of the predicted joints) to the person with whose
    annotated bbox it is matched.

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
        sigmas = sigmas_or_default(dataset_meta['sigmas'], names)
        dataset_meta = dict(dataset_meta, sigmas=sigmas)
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
            self.results[-1][0].update(
                # one annotation, one crop, one prediction
                annotated=isinstance(sample.get('raw_ann_info'), Mapping),
                input_box=sample['gt_instances'].get('bboxes'),
                image_size=sample['ori_shape'][1::-1],
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all processed results; see the class."""
        coco = self.coco
        if coco is None:
            self.coco = coco = COCO()
            given = (ann for _, gt in results for ann in gt['raw_ann_info'])
            coco.anns = {ann['id']: ann for ann in given if ann is not None}
        preds = [pred for pred, _ in results]
        people = [
            make_person(ann, self.dataset_meta['num_keypoints'], self.use_area)
            for ann in coco.anns.values()
            if 'keypoints' in ann and 'bbox' in ann
        ]
        boxes = _boxes(people, preds, coco.imgs)
        survivors = self._survivors(results)
        evaluation = CocoEvaluation(
            people, survivors, self.dataset_meta['sigmas']
        )
        crowd = evaluation.people.crowd[:, None]
        labelled = evaluation.people.labelled & ~crowd
        owners = _owners(survivors, people, boxes, preds)
        # PCK is of all predictions, before NMS
        found = [
            _prediction(
                pred['id'],
                pred['img_id'],
                joints[:, :2],
                pred['bbox_scores'][i],
                pred['bbox'][i] if 'bbox' in pred else None,
            )
            for pred in preds
            for i, joints in enumerate(pred['keypoints'])
        ]
        predicted = np.full((len(people), labelled.shape[1], 2), np.inf)
        best = _owners(found, people, boxes, preds, one_to_one=True)
        for entry, owner in zip(found, best, strict=True):
            if owner != UNMATCHED:
                predicted[owner] = entry['keypoints']
        errors = joint_errors(predicted, evaluation.people.keypoints)
        table = {}
        for j, name in sorted(self.dataset_meta['keypoint_id2name'].items()):
            mask = labelled[:, [j]]
            if self.paper_exact:
                precision = evaluation.reference_precision(j)
            else:
                lacking = np.append(~mask, False)  # the last for UNMATCHED
                precision = evaluation.precision(j, keep=~lacking[owners])
            score = pck(errors[:, [j]], box_size(boxes), mask, self.pck_thr)
            table[name] = (*precision, score)
        columns = zip(*table.values(), strict=True)
        table['mean'] = tuple(_mean(column) for column in columns)
        MMLogger.get_current_instance().info(_text(table, self.paper_exact))
        return {
            f'{name}/{measure}': value
            for name, row in table.items()
            for measure, value in zip(MEASURES, row, strict=True)
            if value is not None
        }

    def _survivors(self, results: list) -> list[dict]:
        """The predictions after rescoring and NMS, in COCO's format, with
        the ``id`` of their samples."""
        self._kept: dict = {}
        super().compute_metrics(results)
        return [
            dict(
                _prediction(
                    instance['id'],
                    image,
                    instance['keypoints'],
                    instance['score'],
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


def _is_coco(path: str) -> bool:
    """Whether a JSON file holds a dict, as COCO's do."""
    with get_local_path(path) as local, open(local, encoding='utf-8') as file:
        return file.read(64).lstrip().startswith('{')


def _annotation(sample: dict) -> dict:
    """A person's annotation from the ground truth of a sample."""
    truth = sample['gt_instances']
    joints, visible = truth['keypoints'], truth['keypoints_visible']
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
        score=float(score),
        bbox=[float(x) for x in bbox],
    )


def _boxes(
    people: Sequence[dict], preds: Sequence[dict], images: Mapping
) -> np.ndarray:
    """``(P, 4)`` xyxy pixels, the bboxes of people: that of the sample, or the
    annotated one, cut to the image as MMPose's data sets do."""
    given = {
        pred['id']: pred['input_box'][0]
        for pred in preds
        if pred['annotated'] and pred['input_box'] is not None
    }
    sizes = {pred['img_id']: pred['image_size'] for pred in preds}
    for number, image in images.items():
        size = image.get('width'), image.get('height')
        if None not in size:
            sizes[number] = size
    boxes = []
    for person in people:
        size = sizes.get(person['image_id'], (np.inf, np.inf))
        clipped = clip_box(person['bbox'], *size)
        boxes.append(given.get(person['id'], clipped))
    return np.array(boxes, np.float64).reshape(-1, 4)


def _owners(
    found: Sequence[dict],
    people: Sequence[dict],
    boxes: np.ndarray,
    preds: Sequence[dict],
    one_to_one: bool = False,
) -> np.ndarray:
    """``(D,)`` int, the person of each prediction, or ``UNMATCHED``; with
    ``one_to_one`` a person has one prediction at most."""
    index = {person['id']: i for i, person in enumerate(people)}
    annotated = {(p['img_id'], p['id']) for p in preds if p['annotated']}
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


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _text(table: dict[str, tuple], paper_exact: bool) -> str:
    """The table as lines of text."""
    heading = 'AP, AR and PCK of each joint'
    if paper_exact:
        heading += ', AP and AR as the reference code counts them'
    width = max(len(name) for name in table)
    lines = [heading, ' ' * width + ''.join(f'{m:>8}' for m in MEASURES)]
    for name, row in table.items():
        cells = ('–' if x is None else f'{x:.3f}' for x in row)
        lines.append(name.ljust(width) + ''.join(f'{c:>8}' for c in cells))
    return '\n'.join(lines)
