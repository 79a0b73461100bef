"""AP, AR and PCK of every joint."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from mmengine.logging import MMLogger
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS
from mmpose.structures.bbox import bbox_xywh2xyxy
from xtcocotools.coco import COCO

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics import oks_pck
from mmpose_occlusion.metrics.annotations import (
    UNMATCHED,
    People,
    match_boxes,
    overlaps,
)
from mmpose_occlusion.metrics.average_precision import (
    compare_poses,
    reference_precision,
)

MEASURES = ('AP', 'AR', 'PCK')


@METRICS.register_module()
class PerKeypointMetric(CocoMetric):
    """AP, AR and PCK of each joint: ``<joint>/AP`` and so on, and their means
    ``mean/AP``. Undefined ones (no person has a label) are left out.

    - AP and AR of a joint are COCOeval's on people and predictions that
      consist of this joint alone; predictions of people without a label of it
      are dropped. A perfect model scores 1 on every joint.
    - PCK is the fraction of the people with a label of the joint whose
      prediction is nearer to the truth than ``pck_thr`` times the longer
      side of the bbox that the data set gives, as in MMPose's
      ``PCKAccuracy``. A person without a prediction counts as wrong; NMS
      plays no part.

    Rescoring, OKS-NMS and the sources of the annotations are those of
    MMPose's ``CocoMetric``. A prediction from an annotated bbox belongs to
    that person; one from a detected bbox (without bboxes, that of the
    predicted joints) to the person with whose bbox it is matched.

    Args:
        pck_thr: Fraction of the bbox's longer side.
        paper_exact: AP and AR as in the paper's reference code, see
            :func:`.average_precision.reference_precision`; PCK is the same.
        **kwargs: Of ``CocoMetric``.
    """

    default_prefix = ''

    def __init__(
        self,
        pck_thr: float = oks_pck.PCK_THRESHOLD,
        paper_exact: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.pck_thr = pck_thr
        self.paper_exact = paper_exact

    @CocoMetric.dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        """Metainfo of the data set."""
        names = dataset_meta['keypoint_id2name'].values()
        sigmas = oks_pck.sigmas_or_default(dataset_meta['sigmas'], names)
        try:
            meta = dict(dataset_meta, sigmas=sigmas)
            CocoMetric.dataset_meta.fset(self, meta)
        except AssertionError as error:
            raise UsageError(
                'PerKeypointMetric: the annotations of data set '
                f'"{dataset_meta["dataset_name"]}" are not in COCO\'s format; '
                "MPII's own metric, MpiiPCKAccuracy, has PCKh of each joint"
            ) from error

    def process(
        self, data_batch: Sequence[dict], data_samples: Sequence[dict]
    ) -> None:
        """Keep predictions and annotations of a batch."""
        for sample in data_samples:
            super().process(data_batch, [sample])
            # one annotation, one crop, one prediction
            own = isinstance(sample.get('raw_ann_info'), Mapping)
            self.results[-1][0]['annotated'] = own

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all processed results; see the class."""
        if self.coco is None:
            self.coco = COCO()
            given = (ann for _, gt in results for ann in gt['raw_ann_info'])
            self.coco.anns = {a['id']: a for a in given if a is not None}
            self.coco.imgs = {gt['img_id']: gt for _, gt in results}
        # sets _found before NMS and _left after it
        super().compute_metrics(results)
        names, found = self.dataset_meta['keypoint_id2name'], self._found
        people = People.from_dicts(
            self.coco.anns.values(),
            [pose['img_id'] for pose in found],
            len(names),
            self.use_area,
        )
        keypoints = np.array([pose['keypoints'][:, :2] for pose in found])
        keypoints = keypoints.astype(np.float64).reshape(-1, len(names), 2)
        boxes = self._boxes(people)
        annotated = {
            (p['img_id'], p['id']) for p, _ in results if p['annotated']
        }
        owner, single = self._owners(people, boxes, annotated)
        # PCK is of all predictions, before NMS
        predicted = np.full(people.keypoints.shape, np.inf)
        mine = single != UNMATCHED
        predicted[single[mine]] = keypoints[mine]
        errors = oks_pck.joint_errors(predicted, people.keypoints)
        sizes = oks_pck.box_size(boxes)
        correct = oks_pck.is_correct(errors, sizes, self.pck_thr)
        counts = people.labelled & ~people.crowd[:, None]
        precision = self._precision(people, keypoints, owner, counts)
        table = {
            names[j]: (*pair, oks_pck.masked_mean(correct[:, j], counts[:, j]))
            for j, pair in enumerate(precision)
        }
        columns = np.array(list(table.values()), float).T  # None is NaN
        table['mean'] = tuple(
            oks_pck.masked_mean(column, np.isfinite(column))
            for column in columns
        )
        MMLogger.get_current_instance().info(_text(table, self.paper_exact))
        return {
            f'{name}/{measure}': value
            for name, row in table.items()
            for measure, value in zip(MEASURES, row, strict=True)
            if value is not None
        }

    def _precision(
        self,
        people: People,
        keypoints: np.ndarray,
        owner: np.ndarray,
        counts: np.ndarray,
    ) -> Iterator[list[float | None]]:
        """AP and AR of each joint, from predictions ``(D, K, 2)`` and indices
        ``(D,)`` of their people, who count for a joint or not, ``(P, K)``."""
        found, sigmas = self._found, self.dataset_meta['sigmas']
        images = [pose['img_id'] for pose in found]
        kinds = [int(np.ravel(pose['category_id'])[0]) for pose in found]
        compared = compare_poses(
            people,
            np.searchsorted(people.images, images),
            np.searchsorted(people.categories, kinds),
            keypoints,
            sigmas,
        )
        rows = np.array(self._left, int)
        rows = rows[np.isin(kinds, people.categories)[rows]]
        scores = np.array([pose.get('score', np.nan) for pose in found], float)
        for j in range(len(sigmas)):
            if self.paper_exact:
                pair = reference_precision(
                    compared, keypoints, sigmas, rows, scores, j
                )
            else:
                wanted = np.append(counts[:, j], True)  # last, for UNMATCHED
                pair = compared.of_joint(j).precision(
                    rows[wanted[owner[rows]]], scores, people.labelled[:, [j]]
                )
            yield [float(x) if np.isfinite(x) else None for (x,) in pair]

    def _boxes(self, people: People) -> np.ndarray:
        """Bboxes ``(P, 4)`` xyxy of people, cut to the image as MMPose's data
        sets do."""
        boxes = []
        for image, box in zip(people.image, people.boxes, strict=True):
            size = self.coco.imgs.get(people.images[image], {})
            limits = (size.get(key, np.inf) for key in ('width', 'height'))
            boxes.append(oks_pck.clip_box(box, *limits))
        return np.array(boxes, np.float64).reshape(-1, 4)

    def _owners(
        self, people: People, boxes: np.ndarray, annotated: set[tuple]
    ) -> np.ndarray:
        """``(2, D)`` index of each prediction's person, or ``UNMATCHED``, and
        the same where a person has one prediction at most. Image and id of
        predictions from annotated bboxes are in ``annotated``."""
        index = {number: i for i, number in enumerate(people.ids.tolist())}
        owners = np.full((2, len(self._found)), UNMATCHED)
        loose = defaultdict(list)
        for i, pose in enumerate(self._found):
            image, number = pose['img_id'], pose['id']
            if np.isscalar(number) and (image, number) in annotated:
                owners[:, i] = index[number]
            else:
                loose[image].append(i)
        for image, rows in loose.items():
            mine = (people.images[people.image] == image) & ~people.crowd
            here = np.flatnonzero(mine)
            found = [_bbox(self._found[i]) for i in rows]
            iou = overlaps(bbox_xywh2xyxy(np.array(found)), boxes[here])
            scores = np.array([self._found[i]['bbox_score'] for i in rows])
            for each, single in zip(owners, (False, True), strict=True):
                matched = match_boxes(iou, scores, one_to_one=single)
                each[rows] = np.append(here, UNMATCHED)[matched]
        return owners

    def _sort_and_unique_bboxes(self, kpts: dict, key: str = 'id') -> dict:
        """CocoMetric's step before rescoring."""
        self._found = [pose for poses in kpts.values() for pose in poses]
        for i, pose in enumerate(self._found):
            pose['index'] = i
        return super()._sort_and_unique_bboxes(kpts, key)

    def results2json(self, keypoints: dict, outfile_prefix: str) -> None:
        """CocoMetric's step after NMS; nothing is written here."""
        self._left = [
            p['index'] for poses in keypoints.values() for p in poses
        ]

    def _do_python_keypoint_eval(self, outfile_prefix: str) -> list:
        return []


def _bbox(pose: Mapping) -> list[float]:
    """A prediction's bbox, xywh; it is else that of its joints."""
    if 'bbox' in pose:
        return [float(x) for x in pose['bbox']]
    low, high = (f(pose['keypoints'][:, :2], axis=0) for f in (np.min, np.max))
    return [float(x) for x in (*low, *(high - low))]


def _text(table: Mapping[str, tuple], paper_exact: bool) -> str:
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
