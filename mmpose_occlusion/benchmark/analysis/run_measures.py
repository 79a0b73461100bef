"""Measures of a run's predictions, with every resampled set of its images;
docs/benchmark_analysis.md defines them.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from mmpose_occlusion.benchmark.data import (
    UNMATCHED,
    Attacked,
    BenchmarkRun,
    Predictions,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics import average_precision as ap
from mmpose_occlusion.metrics import oks_pck as pck
from mmpose_occlusion.metrics.annotations import People

from .bootstrap import DRAWS, Draws, difference, draw_weights, weighted_mean

FLOOR, CEILING = 0.05, 0.995
"""A report is not led by a measure that is below the former without an
attack, or above the latter under all attacks, if there is another."""

OCCLUDED, VISIBLE = 1, 2
"""COCO's flags of labelled keypoints."""

OKS50 = 0.5
"""Least per-keypoint OKS of a joint that is right."""

PADDING = 1.25
"""Of bboxes, as in MMPose's ``GetBBoxCenterScale``."""


class RunMeasures:
    """Measures of one run's predictions, in B = ``draws`` resampled sets of
    images; runs on the same images with the same ``seed`` are resampled alike.
    ``measure`` chooses the :attr:`main` one.

    Attributes: all annotated ``people`` (none without COCO's evaluation);
    index ``(N,)`` of each bbox's ``image``, ``category`` and ``owner`` among
    those of the people, or ``UNMATCHED``; ``weights`` ``(1 + B, I)``;
    ``labelled`` joints ``(N, K)`` bool; ``sizes`` ``(N,)``, longer sides of
    the annotated bboxes, NaN if unmatched; names of the ``measures`` that the
    data has, first the usual main one."""

    def __init__(
        self,
        run: BenchmarkRun,
        draws: int = DRAWS,
        seed: int = 0,
        measure: str | None = None,
    ) -> None:
        self.run, self._chosen = run, measure
        boxes, joints = run.boxes, len(run.joints.names)
        use_area = run.evaluation.get('use_area', True)
        images = boxes.image_ids.tolist()
        self.people = People.from_dicts(run.people, images, joints, use_area)
        self.image = np.searchsorted(self.people.images, boxes.image_ids)
        index = {n: i for i, n in enumerate(self.people.ids.tolist())}
        owners = [index.get(n, UNMATCHED) for n in boxes.instance_ids.tolist()]
        self.owner = np.array(owners, int)
        categories = self.people.categories.tolist()
        person = categories.index(1) if 1 in categories else 0
        self.category = np.full(len(boxes), person)
        mine = self.owner != UNMATCHED
        self.category[mine] = self.people.category[self.owner[mine]]
        self.weights = draw_weights(len(self.people.images), draws, seed)
        truth = np.isfinite(boxes.truth).all(axis=-1)
        self.labelled = (boxes.visible > 0) & truth
        self.sizes = pck.box_size(boxes.person_boxes)
        self.measures = (
            *(('AP', 'AR') if len(self.people) else ()),
            *(('PCKh',) if np.isfinite(boxes.head_sizes).any() else ()),
            *('PCK', 'OKS50', 'EPE', 'EPE_px'),
        )
        self._last: PredictionMeasures | None = None
        self._known: dict[tuple[str, bytes], Draws] = {}

    @cached_property
    def main(self) -> str:
        """The measure that figures show: the chosen one, or the first that is
        neither below :data:`FLOOR` nor above :data:`CEILING`.

        Raises:
            UsageError: The data lacks the chosen one.
        """
        if self._chosen is None:
            usual = self.measures[0]
            names = (usual, 'OKS50', 'PCK')
            return next((n for n in names if not self._why_not(n)), usual)
        if self._chosen not in self.measures:
            known = [name for name in self.measures if 'EPE' not in name]
            raise UsageError(
                f'"{self.run.data}" has no {self._chosen}: give --measure '
                f'one of {", ".join(known)}'
            )
        return self._chosen

    @property
    def why_main(self) -> str:
        """Why this is not the usual main measure; empty where it is."""
        usual = self.measures[0]
        why = '' if self.main == usual else self._why_not(usual)
        return why and f'{why}: this report is led by another measure.'

    def _why_not(self, name: str) -> str:
        """Why a report should not be led by a measure, or an empty string."""
        clean = float(self.all_people[name][0])
        if np.isnan(clean) or not self.run.attacks:
            return ''
        if clean < FLOOR:
            return (
                f'{name} is {clean:.3f} without occlusion, so low that it can '
                'hardly fall'
            )
        under = [clean]
        for attack in self.run.attacks if clean > CEILING else ():
            found = self.scores(self.attacked_people(attack), attack)
            under.append(float(found[name][0]))
        if np.nanmin(under) > CEILING:
            return f'{name} is above {CEILING} under every attack'
        return ''

    @cached_property
    def all_people(self) -> Draws:
        """Measures of the clean predictions as the data set's own metric
        has them: people without a bbox count as missed."""
        everyone = np.ones(len(self.run.boxes), bool)
        people = np.ones(len(self.people), bool)
        return self.clean_predictions.measures(everyone, people)

    def scores(self, who: np.ndarray, attack: Attacked | None = None) -> Draws:
        """Measures of the predictions of chosen ``(N,)`` bboxes, clean or
        under an attack."""
        key = attack.name if attack else '', who.tobytes()
        if key not in self._known:
            found = self.under(attack) if attack else self.clean_predictions
            self._known[key] = found.measures(who, self.people_in(who))
        return self._known[key]

    def attacked_people(self, attack: Attacked) -> np.ndarray:
        """``(N,)`` bool: changed crops of people with a labelled joint."""
        return attack.changed & self.labelled.any(axis=1)

    def change(self, attack: Attacked) -> Draws:
        """Attacked minus clean measures of the attacked people."""
        who = self.attacked_people(attack)
        return difference(self.scores(who, attack), self.scores(who))

    def under(self, attack: Attacked) -> 'PredictionMeasures':
        """Of the predictions under an attack; that of the last is kept."""
        last, found = self._last, attack.predictions
        if last is None or last.predictions is not found:
            last = self._last = PredictionMeasures(self, found)
        return last

    @cached_property
    def clean_predictions(self) -> 'PredictionMeasures':
        """Of the clean predictions."""
        return PredictionMeasures(self, self.run.clean)

    def mean(
        self, values: np.ndarray, mask: np.ndarray, by_joint: bool = False
    ) -> np.ndarray:
        """Mean of values ``(N, K)`` in a mask, see
        :func:`.bootstrap.weighted_mean`."""
        return weighted_mean(self.weights, self.image, values, mask, by_joint)

    def people_in(self, who: np.ndarray) -> np.ndarray:
        """``(P,)`` bool: the people of chosen ``(N,)`` bboxes."""
        return np.isin(np.arange(len(self.people)), self.owner[who])

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

    @cached_property
    def row_order(self) -> np.ndarray:
        """``(N,)`` bboxes by image, and there in the order of CocoMetric: by
        annotation ids, if each bbox has its own."""
        ids = self.run.boxes.instance_ids
        by_id = UNMATCHED not in ids and len(np.unique(ids)) == len(ids)
        return np.lexsort((ids if by_id else np.arange(len(ids)), self.image))


class PredictionMeasures:
    """Measures of predictions for all bboxes of a run, which are compared with
    the truth once."""

    def __init__(self, of_run: RunMeasures, predictions: Predictions) -> None:
        self.of_run, self.predictions = of_run, predictions
        self.keypoints = np.asarray(predictions.keypoints, np.float64)
        self._survivors: dict[bytes, np.ndarray] = {}

    @cached_property
    def errors(self) -> np.ndarray:
        """``(N, K)`` pixels; 0 for joints without a label."""
        errors = pck.joint_errors(self.keypoints, self.of_run.run.boxes.truth)
        return np.where(self.of_run.labelled, errors, 0)

    @cached_property
    def similar(self) -> np.ndarray:
        """``(N, K)`` per-keypoint OKS; 1 for joints without a label."""
        run = self.of_run.run
        known = self.of_run.labelled[..., None]
        offsets = np.where(known, self.keypoints - run.boxes.truth, 0)
        return pck.keypoint_oks(offsets, run.boxes.areas, run.joints.sigmas)

    @cached_property
    def compared(self) -> ap.ComparedPoses:
        """The poses against all people of their images."""
        of_run, sigmas = self.of_run, self.of_run.run.joints.sigmas
        return ap.compare_poses(
            of_run.people,
            of_run.image,
            of_run.category,
            self.keypoints,
            sigmas,
        )

    @cached_property
    def joint_values(self) -> dict[str, np.ndarray]:
        """Measure -> ``(N, K)`` values, of which the measure is the mean; OKS
        is the per-keypoint OKS, 0 for joints that were not found; PCKh is NaN
        for those that it leaves out."""
        of_run, run = self.of_run, self.of_run.run
        out = dict(
            PCK=pck.is_correct(self.errors, of_run.sizes).astype(float),
            OKS50=(self.similar >= OKS50).astype(float),
            OKS=np.nan_to_num(self.similar),
            EPE=self.errors / of_run.sizes[:, None],
            EPE_px=self.errors,
        )
        if 'PCKh' in of_run.measures:
            offset = run.evaluation.get('offset', 0.0)
            errors = pck.joint_errors(self.keypoints + offset, run.boxes.truth)
            heads = run.boxes.head_sizes
            correct = pck.is_correct(errors, heads, pck.PCKH_THRESHOLD)
            counts = [n not in pck.NOT_IN_PCKH for n in run.joints.names]
            counts = counts & np.isfinite(heads)[:, None]
            out['PCKh'] = np.where(counts, correct, np.nan)
        return out

    @cached_property
    def keypoint_table(self) -> np.recarray:
        """Labelled keypoints of the annotated people that have a score, n
        rows: index of bbox, joint and image, COCO's flag v, whether the
        per-keypoint OKS is at least :data:`OKS50`, score, per-keypoint OKS (0
        for keypoints not found), the model's visibility output, NaN without.
        """
        of_run, predictions = self.of_run, self.predictions
        scores = predictions.scores.astype(float)
        row, joint = at = np.nonzero(of_run.labelled & np.isfinite(scores))
        visible = np.full(len(row), np.nan)
        if predictions.visibility is not None:
            visible = predictions.visibility[at].astype(float)
        columns: dict[str, np.ndarray] = dict(
            row=row,
            joint=joint,
            image=of_run.image[row],
            flag=of_run.run.boxes.visible[at],
            right=self.joint_values['OKS50'][at] > 0,
            score=scores[at],
            similar=self.joint_values['OKS'][at],
            visible=visible,
        )
        types = [(name, column.dtype) for name, column in columns.items()]
        return np.rec.fromarrays(columns.values(), types)

    def measures(self, who: np.ndarray, people: np.ndarray) -> Draws:
        """All measures of chosen ``(N,)`` bboxes, with every resampled set;
        ``(P,)`` bool are the people who count in AP."""
        of_run, out = self.of_run, Draws()
        if 'AP' in of_run.measures:
            rows, scores = self.survivors(who), self.pose_scores
            labelled = of_run.people.labelled & people[:, None]
            out['AP'], out['AR'] = self.compared.precision(
                rows, scores, labelled, of_run.weights
            )
        mask = of_run.labelled & who[:, None]
        for name in of_run.measures[len(out) :]:
            out[name] = of_run.mean(self.joint_values[name], mask)
        return out

    def by_joint(
        self,
        names: Sequence[str],
        mask: np.ndarray,
        who: np.ndarray,
        weights: np.ndarray,
    ) -> Draws:
        """Measure -> ``(K, 1 + B)`` of the labelled joints in a mask ``(N,
        K)``, each by itself; NaN where the mask has none.

        ``names`` are keys of :attr:`joint_values`. AP, where the data has it,
        has weights of its own and is that of ``PerKeypointMetric``: the poses
        of people outside of ``who`` ``(N,)`` are dropped before NMS, then all
        outside of the mask.
        """
        of_run, known = self.of_run, np.flatnonzero(mask.any(axis=0)).tolist()
        out: Draws = {}
        for name in names:
            values = self.joint_values[name][:, known]
            out[name] = np.full((mask.shape[1], len(of_run.weights)), np.nan)
            out[name][known] = of_run.mean(values, mask[:, known], True)
        if 'AP' in of_run.measures:
            out['AP'] = np.full((mask.shape[1], len(weights)), np.nan)
            for k in known:
                rows, chosen = (
                    self.survivors(who),
                    of_run.people_in(mask[:, k]),
                )
                owner = of_run.owner[rows]
                rows = rows[(owner == UNMATCHED) | chosen[owner]]
                labelled = of_run.people.labelled[:, [k]] & chosen[:, None]
                out['AP'][k], _ = self.compared.of_joint(k).precision(
                    rows, self.pose_scores, labelled, weights
                )
        return out

    @cached_property
    def pose_scores(self) -> np.ndarray:
        """``(N,)``, by which CocoMetric ranks the poses."""
        said, how = self.predictions.person_scores, self.of_run.run.evaluation
        return ap.pose_scores(
            self.of_run.run.boxes.scores if said is None else said,
            self.predictions.scores,
            how.get('score_mode', 'bbox_keypoint'),
            how.get('keypoint_score_thr', 0.2),
        )

    def survivors(self, who: np.ndarray) -> np.ndarray:
        """Indices ``(S,)`` of the poses that are left after NMS. Poses of
        people who are not in ``who`` ``(N,)`` are dropped before, those of
        unmatched bboxes stay."""
        if (key := who.tobytes()) in self._survivors:
            return self._survivors[key]
        of_run, run = self.of_run, self.of_run.run
        ids, how = run.boxes.instance_ids, run.evaluation
        keep = np.isin(ids, ids[who]) | (of_run.owner == UNMATCHED)
        placed = np.isfinite(self.predictions.keypoints).all(axis=-1)
        keep &= placed.any(axis=1)
        self._survivors[key] = ap.surviving_poses(
            of_run.row_order[keep[of_run.row_order]],
            of_run.image,
            self.predictions.keypoints,
            self.pose_scores,
            of_run.input_areas,
            run.joints.sigmas,
            how.get('nms_mode', 'oks_nms'),
            how.get('nms_thr', 0.9),
        )
        return self._survivors[key]
