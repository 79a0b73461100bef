"""How good a model's poses are, with every resampled set of images.

All measures are of the labelled joints of the people in chosen boxes:

=======  ==============================================================
AP, AR   COCO's, over OKS thresholds .50 to .95; everybody else is ignored
         and their poses are dropped before NMS (data with COCO's evaluation)
PCKh     part of the joints nearer to the truth than half the head's size,
         without pelvis and thorax (data with sizes of heads)
PCK      part of the joints nearer than 0.2 of the box's longer side
KS       part of the joints whose own term of OKS is at least 0.5
EPE      mean distance to the truth, in parts of the box's longer side
EPE_px   the same in pixels of the image
=======  ==============================================================
"""

from functools import cached_property

import numpy as np

from mmpose_occlusion.benchmark.data import (
    UNMATCHED,
    Attacked,
    BenchmarkRun,
    Predictions,
)
from mmpose_occlusion.metrics.functional import (
    PCK_THRESHOLD,
    box_size,
    joint_errors,
)

from .bootstrap import DRAWS, draw_weights, weighted_mean
from .detections import survivors
from .matching import Matches, Similarity, compare, match
from .precision import average_precision
from .scene import Scene, make_scene

Draws = dict[str, np.ndarray]
"""Measure -> ``(1 + B,)``: of the images as they are, and resampled."""

PCKH_THRESHOLD = 0.5
KS_THRESHOLD = 0.5
"""Of a joint's own term of OKS."""

NOT_IN_PCKH = ('pelvis', 'thorax')
MAIN = ('AP', 'PCKh', 'PCK')
"""The first that the data has is a report's main measure."""

LOWER_IS_BETTER = frozenset(('EPE', 'EPE_px'))


def joint_similarity(
    errors: np.ndarray, areas: np.ndarray, sigmas: np.ndarray
) -> np.ndarray:
    """A joint's own term of OKS.

    Args:
        errors: ``(N, K)`` pixels.
        areas: ``(N,)`` square pixels.
        sigmas: ``(K,)``.

    Returns:
        ``(N, K)`` between 0 and 1.
    """
    variance = areas[:, None] * (2 * np.asarray(sigmas)) ** 2
    return np.exp(-(errors**2) / 2 / (variance + np.spacing(1)))


class Judge:
    """Measures of one run's predictions.

    Args:
        run: The run.
        draws: B, resampled sets of images.
        seed: Of the resampling; two judges of runs on the same images with
            the same seed resample alike.
    """

    def __init__(
        self, run: BenchmarkRun, draws: int = DRAWS, seed: int = 0
    ) -> None:
        self.run = run
        self.scene: Scene = make_scene(run)
        self.weights = draw_weights(len(self.scene.images), draws, seed)
        self.labelled = (run.boxes.visible > 0) & np.isfinite(
            run.boxes.truth
        ).all(axis=-1)
        self._known: dict[tuple[str, bytes], Draws] = {}

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that the data has."""
        out = ['PCK', 'KS', 'EPE', 'EPE_px']
        if np.isfinite(self.run.boxes.head_sizes).any():
            out = ['PCKh', *out]
        if len(self.scene.people):
            out = ['AP', 'AR', *out]
        return tuple(out)

    @property
    def main(self) -> str:
        """The measure that figures show."""
        return next(name for name in MAIN if name in self.measures)

    @cached_property
    def sizes(self) -> np.ndarray:
        """``(N,)`` longer side of the annotated boxes, NaN for nobody."""
        return box_size(self.run.boxes.person_boxes)

    def of(self, predictions: Predictions) -> 'Judged':
        """Look at some predictions."""
        return Judged(self, predictions)

    def everybody(self) -> Draws:
        """Measures of the clean predictions, as the data set's own metric
        has them: people without a box count, too."""
        judged = self._clean
        rows, scores = judged.left(np.ones(len(self.run.boxes), bool))
        counts = np.ones(len(self.scene.people), bool)
        return judged.measures(rows, scores, counts, self.labelled)

    def clean(self, who: np.ndarray) -> Draws:
        """Measures of the clean predictions of some boxes."""
        return self._scores('', self._clean, who)

    def attacked(self, attack: Attacked, who: np.ndarray) -> Draws:
        """Measures of the attacked predictions of some boxes."""
        judged = self.of(attack.predictions)
        return self._scores(attack.name, judged, who)

    @cached_property
    def _clean(self) -> 'Judged':
        return self.of(self.run.clean)

    def _scores(self, name: str, judged: 'Judged', who: np.ndarray) -> Draws:
        key = name, who.tobytes()
        if key not in self._known:
            self._known[key] = judged.scores(who)
        return self._known[key]


class Judged:
    """Predictions of one run, compared with the truth once.

    Args:
        judge: Of the run.
        predictions: Of all its boxes.
    """

    def __init__(self, judge: Judge, predictions: Predictions) -> None:
        self.judge = judge
        self.predictions = predictions

    @cached_property
    def errors(self) -> np.ndarray:
        """``(N, K)`` pixels; 0 for joints without a label."""
        run = self.judge.run
        found = np.asarray(self.predictions.keypoints, np.float64)
        errors = joint_errors(found, run.boxes.truth)
        return np.where(self.judge.labelled, errors, 0)

    @cached_property
    def parts(self) -> np.ndarray:
        """``(N, K)`` errors in parts of the box's longer side."""
        return self.errors / self.judge.sizes[:, None]

    @cached_property
    def similar(self) -> np.ndarray:
        """``(N, K)`` each joint's own term of OKS."""
        run = self.judge.run
        return joint_similarity(
            self.errors, run.boxes.areas, run.joints.sigmas
        )

    @cached_property
    def similarity(self) -> Similarity:
        """Of the poses with everybody in their images."""
        run = self.judge.run
        return compare(
            self.judge.scene, self.predictions.keypoints, run.joints.sigmas
        )

    def joint_values(self) -> dict[str, np.ndarray]:
        """Measure -> ``(N, K)`` value of each joint, to be averaged."""
        run = self.judge.run
        out = dict(
            PCK=(self.parts < PCK_THRESHOLD).astype(float),
            KS=(self.similar >= KS_THRESHOLD).astype(float),
            EPE=self.parts,
            EPE_px=self.errors,
        )
        if 'PCKh' in self.judge.measures:
            offset = run.evaluation.get('offset', 0.0)
            found = np.asarray(self.predictions.keypoints, np.float64)
            errors = joint_errors(found + offset, run.boxes.truth)
            limits = PCKH_THRESHOLD * run.boxes.head_sizes
            out['PCKh'] = (errors < limits[:, None]).astype(float)
        return out

    def scores(self, who: np.ndarray) -> Draws:
        """Every measure, with every resampled set.

        Args:
            who: ``(N,)`` bool, the boxes whose people count.
        """
        counts = judge_people(self.judge.scene, who)
        mask = self.judge.labelled & who[:, None]
        return self.measures(*self.left(who), counts, mask)

    def measures(
        self,
        rows: np.ndarray,
        scores: np.ndarray,
        counts: np.ndarray,
        mask: np.ndarray,
    ) -> Draws:
        """The same of given people.

        Args:
            rows: The boxes whose poses take part in AP.
            scores: ``(N,)`` of the poses.
            counts: ``(P,)`` bool, who counts in AP.
            mask: ``(N, K)`` bool, the joints that count in the rest.
        """
        judge = self.judge
        out: Draws = {}
        if 'AP' in judge.measures:
            matches = self.matches(rows, scores, counts)
            out['AP'], out['AR'] = average_precision(matches, judge.weights)
        for name, values in self.joint_values().items():
            joints = self._in_pckh(mask) if name == 'PCKh' else mask
            out[name] = weighted_mean(
                judge.weights, judge.scene.row_image, values, joints
            )
        return {name: out[name] for name in judge.measures}

    def left(self, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes that are left after NMS, and the scores of all.

        Args:
            who: ``(N,)`` bool; the poses of other people are dropped before
                NMS, those of nobody stay.
        """
        judge = self.judge
        owner = judge.scene.owner
        own = judge.run.boxes.instance_ids
        keep = np.isin(own, own[who]) | (owner == UNMATCHED)
        return survivors(judge.run, judge.scene, self.predictions, keep)

    def matches(
        self, rows: np.ndarray, scores: np.ndarray, counts: np.ndarray
    ) -> Matches:
        """The poses that are left against the people who count."""
        judge = self.judge
        return match(
            judge.scene,
            self.similarity,
            rows,
            scores,
            judge.scene.people.labelled,
            counts,
        )

    def joint_precision(
        self,
        joint: int,
        mask: np.ndarray,
        rows: np.ndarray,
        scores: np.ndarray,
    ) -> tuple[float | None, float | None]:
        """AP and AR of one joint, as ``PerKeypointMetric`` has them.

        People and poses consist of this joint alone; people who do not
        count are ignored and their poses dropped.

        Args:
            joint: Index.
            mask: ``(N,)`` bool, the boxes whose people count.
            rows: From :meth:`left`.
            scores: From :meth:`left`.
        """
        judge = self.judge
        owner = judge.scene.owner[rows]
        counts = judge_people(judge.scene, mask)
        mine = (owner == UNMATCHED) | counts[owner]
        matches = match(
            judge.scene,
            self.similarity.of_joint(joint),
            rows[mine],
            scores,
            judge.scene.people.labelled[:, joint : joint + 1],
            counts,
        )
        ap, ar = average_precision(matches, judge.weights[:1])
        return plain(ap[0]), plain(ar[0])

    def _in_pckh(self, mask: np.ndarray) -> np.ndarray:
        names = self.judge.run.joints.names
        counts = np.array([name not in NOT_IN_PCKH for name in names])
        heads = np.isfinite(self.judge.run.boxes.head_sizes)
        return mask & counts & heads[:, None]


def judge_people(scene: Scene, who: np.ndarray) -> np.ndarray:
    """``(P,)`` bool: the people in some boxes."""
    counts = np.zeros(len(scene.people), bool)
    owner = scene.owner[who]
    counts[owner[owner != UNMATCHED]] = True
    return counts


def plain(value: float) -> float | None:
    """A number, or None where there is none."""
    return float(value) if np.isfinite(value) else None


def change(clean: Draws, attacked: Draws) -> Draws:
    """Attacked minus clean of each measure, draw by draw."""
    return {name: attacked[name] - clean[name] for name in clean}
