"""Measures of predictions, with every resampled set of images.

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
from typing import TYPE_CHECKING

import numpy as np

from mmpose_occlusion.benchmark.data import UNMATCHED, Predictions
from mmpose_occlusion.metrics.average_precision import (
    ComparedPoses,
    average_precision,
)
from mmpose_occlusion.metrics.nms import pose_scores, surviving_poses
from mmpose_occlusion.metrics.oks import keypoint_oks
from mmpose_occlusion.metrics.pck import (
    NOT_IN_PCKH,
    PCKH_THRESHOLD,
    is_correct,
    joint_errors,
)

from .bootstrap import Draws, weighted_mean

if TYPE_CHECKING:
    from .run_measures import RunMeasures

OKS50 = 0.5
"""Least per-keypoint OKS of a joint that is right."""


class PredictionMeasures:
    """Measures of predictions for all bboxes of a run, which are compared with
    the truth once."""

    def __init__(
        self, run_measures: 'RunMeasures', predictions: Predictions
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

    def config_pck(self) -> dict[str, float]:
        """PCK as each ``PCKAccuracy`` of the config counts and names it: at
        its threshold, the mean over joints of the fraction that is right."""
        labelled = self.of_run.labelled
        known = labelled.any(axis=0)
        out = {}
        for metric in self.of_run.run.evaluation.get('pck', ()):
            prefix = f'{metric["prefix"]}/' if metric['prefix'] else ''
            right = is_correct(self.errors, self.of_run.sizes, metric['thr'])
            joints = (right & labelled).sum(axis=0)[known]
            mean = (joints / labelled.sum(axis=0)[known]).mean()
            out[f'{prefix}PCK'] = float(mean)
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
        """Indices ``(S,)`` of the poses that are left after NMS, and the
        scores of all ``(N,)``. The poses of people who are not in ``who``
        ``(N,)`` are dropped before NMS, those of unmatched bboxes stay."""
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
        weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """``(B,)`` AP of one joint, as ``PerKeypointMetric`` has it; NaN where
        no person counts.

        People and poses consist of this joint alone; people of bboxes that are
        not in ``who`` ``(N,)`` are ignored and their poses dropped. Rows and
        scores are of :meth:`survivors`, weights ``(B, I)`` of the images, each
        once by default."""
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
        return average_precision(matches, weights)[0]

    def oracle_gap(self, who: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``(B,)`` AP of the poses of chosen bboxes ranked by their true OKS,
        minus that by their scores (Ronchi and Perona 2017): what better scores
        could gain. NaN without COCO's evaluation."""
        of_run = self.of_run
        if 'AP' not in of_run.measures:
            return np.full(len(weights), np.nan)
        chosen = of_run.people_in(who)
        labelled = of_run.people.labelled & chosen[:, None]
        counts = of_run.people.counting(labelled)
        rows, scores = self.survivors(who)
        oracle = self.compared.greatest_oks(labelled, counts)
        by_oracle, by_score = (
            average_precision(
                self.compared.match(rows, ranked, labelled, counts), weights
            )[0]
            for ranked in (oracle, scores)
        )
        return by_oracle - by_score

    def _in_pckh(self, mask: np.ndarray) -> np.ndarray:
        run = self.of_run.run
        counts = [name not in NOT_IN_PCKH for name in run.joints.names]
        return mask & counts & np.isfinite(run.boxes.head_sizes)[:, None]
