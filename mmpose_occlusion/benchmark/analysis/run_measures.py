"""Measures of a run's predictions, with every resampled set of images.

All are over the labelled joints of the people in chosen bboxes:

=======  ==============================================================
AP, AR   COCO's, over OKS thresholds .50 to .95; all other people are
         ignored and their poses dropped before NMS (data with COCO's
         evaluation)
PCKh     fraction of joints nearer to the truth than half the head's size,
         without pelvis and thorax (data with head sizes)
PCK      fraction of joints nearer than 0.2 of the bbox's longer side
OKS50    fraction of joints with a per-keypoint OKS of at least 0.5
EPE      mean distance to the truth, as a fraction of the bbox's longer side
EPE_px   the same in pixels of the image
=======  ==============================================================

A joint that the model did not find is wrong; it has no distance, and EPE is
over the joints that were found.
"""

from functools import cached_property

import numpy as np

from mmpose_occlusion.benchmark.data import (
    UNMATCHED,
    Attacked,
    BenchmarkRun,
    Predictions,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import People, make_person
from mmpose_occlusion.metrics.average_precision import (
    ComparedPoses,
    PosePairs,
    average_precision,
)
from mmpose_occlusion.metrics.nms import pose_scores, surviving_poses
from mmpose_occlusion.metrics.oks import keypoint_oks
from mmpose_occlusion.metrics.pck import (
    NOT_IN_PCKH,
    PCKH_THRESHOLD,
    box_size,
    is_correct,
    joint_errors,
)

from .bootstrap import DRAWS, Draws, draw_weights, weighted_mean

OKS50 = 0.5
"""Least per-keypoint OKS of a joint that is found."""

MAIN = ('AP', 'PCKh', 'PCK')
"""The first that the data has is a report's main measure."""

CHOICES = ('AP', 'AR', 'PCKh', 'PCK', 'OKS50')
"""Measures that a report can be led by."""

FLOOR = 0.05
"""A report is not led by an AP below it without an attack."""

LOWER_IS_BETTER = frozenset(('EPE', 'EPE_px'))

PADDING = 1.25
"""Of bboxes, as in MMPose's ``GetBBoxCenterScale``."""


class RunMeasures:
    """Measures of one run's predictions.

    Args:
        run: The run.
        draws: B, resampled sets of images.
        seed: Of the resampling; runs on the same images with the same seed
            are resampled alike.
        measure: Main measure, one of :data:`CHOICES`; by default chosen by
            :data:`MAIN` and :data:`FLOOR`.

    Attributes:
        people: All annotated people; none for data without COCO's
            evaluation.
        image: ``(N,)`` index of each bbox's image.
        owner: ``(N,)`` index of each bbox's person, or ``UNMATCHED``.
        pairs: Bboxes with the people of their images.
        weights: ``(1 + B, I)``, see :func:`.bootstrap.draw_weights`.
        labelled: ``(N, K)`` bool, joints with a label.
        sizes: ``(N,)`` longer side of the annotated bboxes, NaN if unmatched.
    """

    def __init__(
        self,
        run: BenchmarkRun,
        draws: int = DRAWS,
        seed: int = 0,
        measure: str | None = None,
    ) -> None:
        self.run = run
        self._measure = measure
        boxes, joints = run.boxes, len(run.joints.names)
        use_area = run.evaluation.get('use_area', True)
        self.people = People.from_dicts(
            [
                make_person(ann, joints, use_area)
                for ann in run.people
                if 'keypoints' in ann and 'bbox' in ann
            ],
            boxes.image_ids.tolist(),
            joints,
        )
        self.image = np.searchsorted(self.people.images, boxes.image_ids)
        index = {n: i for i, n in enumerate(self.people.ids.tolist())}
        self.owner = np.array(
            [index.get(n, UNMATCHED) for n in boxes.instance_ids.tolist()], int
        )
        categories = self.people.categories.tolist()
        person = categories.index(1) if 1 in categories else 0
        category = np.full(len(boxes), person)
        known = self.owner != UNMATCHED
        category[known] = self.people.category[self.owner[known]]
        self.pairs = PosePairs(self.people, self.image, category)
        self.weights = draw_weights(len(self.people.images), draws, seed)
        truth = np.isfinite(boxes.truth).all(axis=-1)
        self.labelled = (boxes.visible > 0) & truth
        self.sizes = box_size(boxes.person_boxes)
        self._of_all: Draws = {}
        self._known: dict[tuple[str, bytes], Draws] = {}

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that the data has."""
        out = ['PCK', 'OKS50', 'EPE', 'EPE_px']
        if np.isfinite(self.run.boxes.head_sizes).any():
            out = ['PCKh', *out]
        if len(self.people):
            out = ['AP', 'AR', *out]
        return tuple(out)

    @cached_property
    def main(self) -> str:
        """The measure that figures show.

        Raises:
            UsageError: The data lacks the chosen one.
        """
        if self._measure is None:
            first = next(name for name in MAIN if name in self.measures)
            if first != 'AP' or not self._is_low('AP'):
                return first
            return 'PCK' if self._is_low('OKS50') else 'OKS50'
        if self._measure not in self.measures:
            known = ', '.join(m for m in CHOICES if m in self.measures)
            raise UsageError(
                f'"{self.run.data}" has no {self._measure}: give --measure '
                f'one of {known}'
            )
        return self._measure

    @property
    def why_main(self) -> str:
        """Why the main measure is not AP although the data has it; empty
        where AP would do."""
        ap = self.all_people().get('AP', [1])[0]
        if self.main == 'AP' or not ap < FLOOR:
            return ''
        return (
            f'AP is {ap:.3f} without occlusion, so low that it can hardly '
            'fall: this report is led by a measure of single joints.'
        )

    def _is_low(self, measure: str) -> bool:
        return bool(self.all_people()[measure][0] < FLOOR)

    def all_people(self) -> Draws:
        """Measures of the clean predictions as the data set's own metric
        has them: people without a bbox count as missed."""
        if not self._of_all:
            clean = self.clean_predictions
            everyone = np.ones(len(self.run.boxes), bool)
            self._of_all = clean.measures(
                *clean.survivors(everyone),
                np.ones(len(self.people), bool),
                self.labelled,
            )
        return self._of_all

    def clean(self, who: np.ndarray) -> Draws:
        """Measures of the clean predictions of chosen ``(N,)`` bboxes."""
        return self._measures('', self.clean_predictions, who)

    def attacked(self, attack: Attacked, who: np.ndarray) -> Draws:
        """Measures of the attacked predictions of chosen bboxes."""
        measures = PredictionMeasures(self, attack.predictions)
        return self._measures(attack.name, measures, who)

    @cached_property
    def clean_predictions(self) -> 'PredictionMeasures':
        """Of the clean predictions."""
        return PredictionMeasures(self, self.run.clean)

    def _measures(
        self, name: str, measures: 'PredictionMeasures', who: np.ndarray
    ) -> Draws:
        key = name, who.tobytes()
        if key not in self._known:
            self._known[key] = measures.measures(
                *measures.survivors(who),
                self.people_in(who),
                self.labelled & who[:, None],
            )
        return self._known[key]

    def people_in(self, who: np.ndarray) -> np.ndarray:
        """``(P,)`` bool: the people of chosen ``(N,)`` bboxes."""
        owner = self.owner[who]
        counts = np.zeros(len(self.people), bool)
        counts[owner[owner != UNMATCHED]] = True
        return counts

    @cached_property
    def input_areas(self) -> np.ndarray:
        """``(N,)`` square pixels of the image that go into the model, which
        MMPose's NMS takes as the poses' areas."""
        boxes = self.run.boxes.boxes
        padding = self.run.evaluation.get('padding', PADDING)
        width, height = ((boxes[:, 2:] - boxes[:, :2]) * padding).T
        ratio = self.run.crop_size[0] / self.run.crop_size[1]
        wide = np.maximum(width, height * ratio)
        return wide * np.maximum(height, width / ratio)

    @property
    def frame_areas(self) -> np.ndarray | float:
        """Square pixels of which painted pixels are a fraction: of the crop,
        or of the image in the region around each bbox."""
        if self.run.evaluation.get('frame') == 'image':
            return self.input_areas
        return float(np.prod(self.run.crop_size))

    @cached_property
    def row_order(self) -> np.ndarray:
        """``(N,)`` bboxes by image, and there in the order of CocoMetric: by
        annotation ids, if each bbox has its own."""
        ids = self.run.boxes.instance_ids
        by_id = UNMATCHED not in ids and len(np.unique(ids)) == len(ids)
        return np.lexsort((ids if by_id else np.arange(len(ids)), self.image))


class PredictionMeasures:
    """Measures of predictions, which are compared with the truth once.

    Args:
        run_measures: Of the run.
        predictions: For all bboxes of the run.
    """

    def __init__(
        self, run_measures: RunMeasures, predictions: Predictions
    ) -> None:
        self.of_run = run_measures
        self.predictions = predictions
        self.keypoints = np.asarray(predictions.keypoints, np.float64)

    @cached_property
    def errors(self) -> np.ndarray:
        """``(N, K)`` pixels; 0 for joints without a label."""
        errors = joint_errors(self.keypoints, self.of_run.run.boxes.truth)
        return np.where(self.of_run.labelled, errors, 0)

    @cached_property
    def similar(self) -> np.ndarray:
        """``(N, K)`` per-keypoint OKS; 1 for joints without a label."""
        run = self.of_run.run
        known = self.of_run.labelled[..., None]
        offsets = np.where(known, self.keypoints - run.boxes.truth, 0)
        return keypoint_oks(offsets, run.boxes.areas, run.joints.sigmas)

    @cached_property
    def compared(self) -> ComparedPoses:
        """The poses against all people of their images."""
        sigmas = self.of_run.run.joints.sigmas
        return self.of_run.pairs.compare(self.keypoints, sigmas)

    @cached_property
    def joint_values(self) -> dict[str, np.ndarray]:
        """Measure -> ``(N, K)`` values, of which the measure is the mean."""
        of_run, run = self.of_run, self.of_run.run
        out = dict(
            PCK=is_correct(self.errors, of_run.sizes).astype(float),
            OKS50=(self.similar >= OKS50).astype(float),
            EPE=self.errors / of_run.sizes[:, None],
            EPE_px=self.errors,
        )
        if 'PCKh' in of_run.measures:
            offset = run.evaluation.get('offset', 0.0)
            errors = joint_errors(self.keypoints + offset, run.boxes.truth)
            heads = run.boxes.head_sizes
            correct = is_correct(errors, heads, PCKH_THRESHOLD)
            out['PCKh'] = correct.astype(float)
        return out

    def measures(
        self,
        rows: np.ndarray,
        scores: np.ndarray,
        counts: np.ndarray,
        mask: np.ndarray,
    ) -> Draws:
        """All measures, with every resampled set.

        Args:
            rows: Indices of the bboxes whose poses take part in AP.
            scores: ``(N,)`` of the poses.
            counts: ``(P,)`` bool, the people who count in AP.
            mask: ``(N, K)`` bool, the joints that count in all others.
        """
        of_run = self.of_run
        out: Draws = {}
        if 'AP' in of_run.measures:
            labelled = of_run.people.labelled & counts[:, None]
            counts = of_run.people.counting(labelled)
            matches = self.compared.match(rows, scores, labelled, counts)
            out['AP'], out['AR'] = average_precision(matches, of_run.weights)
        for name, values in self.joint_values.items():
            out[name] = weighted_mean(
                of_run.weights,
                of_run.image,
                values,
                self._in_pckh(mask) if name == 'PCKh' else mask,
            )
        return {name: out[name] for name in of_run.measures}

    def survivors(self, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Poses that are left after NMS.

        Args:
            who: ``(N,)`` bool; the poses of other people are dropped before
                NMS, those of unmatched bboxes stay.

        Returns:
            ``(S,)`` indices of the bboxes, and the scores of all ``(N,)``.
        """
        of_run, run = self.of_run, self.of_run.run
        how = run.evaluation
        said = self.predictions.person_scores
        scores = pose_scores(
            run.boxes.scores if said is None else said,
            self.predictions.scores,
            how.get('score_mode', 'bbox_keypoint'),
            how.get('keypoint_score_thr', 0.2),
        )
        ids = run.boxes.instance_ids
        keep = np.isin(ids, ids[who]) | (of_run.owner == UNMATCHED)
        placed = np.isfinite(self.predictions.keypoints).all(axis=-1)
        keep &= placed.any(axis=1)
        rows = surviving_poses(
            of_run.row_order[keep[of_run.row_order]],
            of_run.image,
            self.predictions.keypoints,
            scores,
            of_run.input_areas,
            run.joints.sigmas,
            how.get('nms_mode', 'oks_nms'),
            how.get('nms_thr', 0.9),
        )
        return rows, scores

    def joint_ap(
        self,
        joint: int,
        who: np.ndarray,
        rows: np.ndarray,
        scores: np.ndarray,
    ) -> tuple[float | None, float | None]:
        """AP and AR of one joint, as ``PerKeypointMetric`` has them.

        People and poses consist of this joint alone; people who do not count
        are ignored and their poses dropped.

        Args:
            joint: Index.
            who: ``(N,)`` bool, the bboxes whose people count.
            rows: From :meth:`survivors`.
            scores: From :meth:`survivors`.
        """
        of_run = self.of_run
        owner = of_run.owner[rows]
        chosen = of_run.people_in(who)
        labelled = of_run.people.labelled[:, [joint]] & chosen[:, None]
        matches = self.compared.of_joint(joint).match(
            rows[(owner == UNMATCHED) | chosen[owner]],
            scores,
            labelled,
            of_run.people.counting(labelled),
        )
        (ap,), (ar,) = average_precision(matches)
        return (None, None) if np.isnan(ap) else (float(ap), float(ar))

    def _in_pckh(self, mask: np.ndarray) -> np.ndarray:
        run = self.of_run.run
        counts = [name not in NOT_IN_PCKH for name in run.joints.names]
        return mask & counts & np.isfinite(run.boxes.head_sizes)[:, None]
