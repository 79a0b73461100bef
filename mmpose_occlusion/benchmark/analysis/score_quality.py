"""Does the model know? Scores against outcomes, clean and under attack."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, Predictions
from mmpose_occlusion.metrics import confidence
from mmpose_occlusion.metrics.confidence import FoldCalibration, ResampledSets
from mmpose_occlusion.metrics.inference import rank_correlation
from mmpose_occlusion.metrics.oks import keypoint_oks
from mmpose_occlusion.metrics.pck import joint_groups

from .attack_description import AT_TARGET, OTHER, describe
from .bootstrap import UNDEFINED, Estimate, estimate
from .prediction_measures import OKS50, PredictionMeasures
from .run_measures import VISIBLE, RunMeasures

LEAST_POSES = 3
"""For a correlation."""

DRAWS = 200
"""Resampled sets of images for the intervals of these measures; fewer where a
report is made with fewer."""

COVERAGES = tuple(i / 20 for i in range(1, 21))
"""At which the risk-coverage curves of a report are read."""


@dataclass(frozen=True)
class KeypointTable:
    """Labelled keypoints of the annotated people, n rows: index of bbox, joint
    and image, COCO's flag v, whether the per-keypoint OKS is at least
    :data:`OKS50`, score, and per-keypoint OKS (0 for keypoints not found)."""

    row: np.ndarray
    joint: np.ndarray
    image: np.ndarray
    flag: np.ndarray
    right: np.ndarray
    score: np.ndarray
    similar: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(
        cls, measures: RunMeasures, predictions: Predictions
    ) -> 'KeypointTable':
        """Predictions against the ground truth."""
        boxes = measures.run.boxes
        offsets = np.asarray(predictions.keypoints, np.float64) - boxes.truth
        similar = np.nan_to_num(
            keypoint_oks(offsets, boxes.areas, measures.run.joints.sigmas)
        )
        row, joint = np.nonzero(measures.labelled)
        return cls(
            row=row,
            joint=joint,
            image=measures.image[row],
            flag=boxes.visible[row, joint],
            right=similar[row, joint] >= OKS50,
            score=np.asarray(predictions.scores, np.float64)[row, joint],
            similar=similar[row, joint],
        )

    @classmethod
    def joined(cls, tables: 'list[KeypointTable]') -> 'KeypointTable':
        """The rows of several tables."""
        columns = zip(*(vars(t).values() for t in tables), strict=True)
        return cls(*map(np.concatenate, columns))

    def only(self, mask: np.ndarray) -> 'KeypointTable':
        """The rows of a mask, (n,) bool or (N, K) bool."""
        if mask.ndim == 2:
            mask = mask[self.row, self.joint]
        return KeypointTable(*(column[mask] for column in vars(self).values()))


@dataclass(frozen=True)
class ScoreQuality:
    """How well scores tell right keypoints from wrong ones; each measure is
    defined in :mod:`mmpose_occlusion.metrics.confidence`. ``ece_isotonic`` is
    after an isotonic fit on clean predictions of other images, ``risk`` at 80
    % coverage."""

    keypoints: int
    right: Estimate
    ece: Estimate
    ece_isotonic: Estimate
    brier: Estimate
    auroc: Estimate
    aurc: Estimate
    risk: Estimate
    confident_wrong: Estimate


@dataclass(frozen=True)
class PoseScores:
    """Scores of whole poses: Spearman's correlation with OKS, and AP of the
    poses ranked by their OKS minus AP."""

    spearman: Estimate
    oracle_gap: Estimate


@dataclass(frozen=True)
class AttackScores:
    """Scores under one attack, of the people whom it changes: quality by group
    of joints, clean and attacked, the AUROC of telling visible keypoints from
    hidden ones by the score and by the model's visibility output (undefined
    without one), and the scores of poses."""

    attack: str
    clean: dict[str, ScoreQuality]
    attacked: dict[str, ScoreQuality]
    hidden_auroc: Estimate
    visibility_auroc: Estimate
    pose_clean: PoseScores
    pose_attacked: PoseScores


@dataclass(frozen=True)
class PooledScores:
    """Scores of all targets of the attacks of one paint and size, without and
    under them, means of the AUROCs of :class:`AttackScores`, and the risk of
    the attacked targets at each of :data:`COVERAGES`."""

    kind: str
    paint: str
    severity: float | None
    attacks: int
    clean: ScoreQuality
    attacked: ScoreQuality
    hidden_auroc: Estimate
    visibility_auroc: Estimate
    risks: list[float]


@dataclass(frozen=True)
class RunScores:
    """Everything about the scores of one run: of all labelled keypoints
    without an attack, the AUROC of telling v = 2 from v = 1 by the score and
    by the visibility output, targets by paint and size, and each attack."""

    threshold: float
    draws: int
    clean: ScoreQuality
    risks: list[float]
    natural_auroc: Estimate
    natural_visibility_auroc: Estimate
    pose: PoseScores
    pooled: list[PooledScores]
    attacks: list[AttackScores]


class ScoreJudge:
    """Measures of a run's scores, with intervals over images; predictions with
    a score above the threshold are confident."""

    def __init__(
        self,
        measures: RunMeasures,
        threshold: float = confidence.CONFIDENT,
    ) -> None:
        self.measures, self.threshold = measures, threshold
        self._weights = measures.weights[: DRAWS + 1]
        clean = self._clean = self._table(measures.run.clean)
        self._calibration = FoldCalibration(
            clean.score, clean.right, clean.image
        )
        self._told: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._quality: dict[bytes, ScoreQuality] = {}
        self._pose: dict[bytes, PoseScores] = {}

    def scores(self, attacks: list[AttackScores]) -> RunScores:
        """All measures of the run, given those of each attack."""
        groups: dict[tuple, list[Attacked]] = {}
        for attack in self.measures.run.attacks:
            what, known = describe(attack), attack.name in self._told
            if known and what.place == AT_TARGET and what.kind != OTHER:
                key = what.kind, what.paint, what.severity
                groups.setdefault(key, []).append(attack)
        pooled = [self._pooled(key, group) for key, group in groups.items()]
        clean, predictions = self._clean, self.measures.run.clean
        natural = self._aurocs(clean, predictions, clean.flag == VISIBLE)
        return RunScores(
            self.threshold,
            len(self._weights) - 1,
            self.quality(clean),
            _risks(clean),
            estimate(natural[0]),
            estimate(natural[1]),
            self._clean_poses(np.ones(len(self.measures.image), bool)),
            [found for found in pooled if found is not None],
            attacks,
        )

    def attacked(self, attack: Attacked) -> AttackScores:
        """Of the people whom an attack changes, by group of joints."""
        under = self._table(attack.predictions)
        masks = {
            group: mask & attack.changed[:, None]
            for group, mask in joint_groups(
                attack.targets, attack.bystanders
            ).items()
        }
        mine = under.only(attack.changed[under.row])
        seen = ~attack.hidden[mine.row, mine.joint]
        told = self._aurocs(mine, attack.predictions, seen)
        self._told[attack.name] = told
        return AttackScores(
            attack.name,
            {r: self._clean_quality(m) for r, m in masks.items()},
            {r: self.quality(under.only(m)) for r, m in masks.items()},
            estimate(told[0]),
            estimate(told[1]),
            self._clean_poses(attack.changed),
            self._poses(self.measures.under(attack), attack.changed),
        )

    def quality(self, table: KeypointTable) -> ScoreQuality:
        """All measures of some keypoints."""
        sets = self._sets(table)
        raw = table.score, table.right, sets
        error = confidence.expected_calibration_error
        aurc, risk = confidence.selective_risk(*raw)
        fitted = np.nan_to_num(self._calibration(table.score, table.image))
        found = (
            sets.mean(table.right),
            error(*raw),
            error(fitted, table.right, sets),
            confidence.brier_score(*raw),
            confidence.auroc(*raw),
            aurc,
            risk,
            confidence.confident_wrong_rate(*raw, threshold=self.threshold),
        )
        return ScoreQuality(len(table), *map(estimate, found))

    def _sets(self, table: KeypointTable) -> ResampledSets:
        return ResampledSets(self._weights, table.image)

    def _table(self, predictions: Predictions) -> KeypointTable:
        """Labelled keypoints that have a score."""
        table = KeypointTable.of(self.measures, predictions)
        return table.only(np.isfinite(table.score))

    def _clean_quality(self, mask: np.ndarray) -> ScoreQuality:
        """Of clean predictions, computed once for each mask (N, K)."""
        key = np.packbits(mask).tobytes()
        if key not in self._quality:
            self._quality[key] = self.quality(self._clean.only(mask))
        return self._quality[key]

    def _pooled(
        self, what: tuple, attacks: Sequence[Attacked]
    ) -> PooledScores | None:
        masks = [a.targets & a.changed[:, None] for a in attacks]
        clean = KeypointTable.joined([self._clean.only(m) for m in masks])
        under = KeypointTable.joined(
            [
                self._table(attack.predictions).only(mask)
                for attack, mask in zip(attacks, masks, strict=True)
            ]
        )
        if not len(under):
            return None
        told = np.ma.masked_invalid([self._told[a.name] for a in attacks])
        by_score, by_visibility = told.mean(axis=0).filled(np.nan)
        kind, paint, severity = what
        return PooledScores(
            kind,
            paint,
            severity,
            len(attacks),
            self.quality(clean),
            self.quality(under),
            estimate(by_score),
            estimate(by_visibility),
            _risks(under),
        )

    def _aurocs(
        self,
        table: KeypointTable,
        predictions: Predictions,
        positive: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the scores, and of the model's visibility output."""
        sets, said = self._sets(table), predictions.visibility
        by_score = confidence.auroc(table.score, positive, sets)
        if said is None:
            return by_score, np.full(len(by_score), np.nan)
        visible = said[table.row, table.joint].astype(float)
        known = np.isfinite(visible)
        sets = self._sets(table.only(known))
        return by_score, confidence.auroc(
            visible[known], positive[known], sets
        )

    def _clean_poses(self, who: np.ndarray) -> PoseScores:
        key = who.tobytes()
        if key not in self._pose:
            clean = self.measures.clean_predictions
            self._pose[key] = self._poses(clean, who)
        return self._pose[key]

    def _poses(self, found: PredictionMeasures, who: np.ndarray) -> PoseScores:
        """Of the poses of chosen (N,) bboxes."""
        measures, predictions = self.measures, found.predictions
        table = self._table(predictions)
        table = table.only(who[table.row])
        rows, place = np.unique(table.row, return_inverse=True)
        spearman = UNDEFINED
        if len(rows) >= LEAST_POSES:
            spearman = estimate(
                rank_correlation(
                    np.asarray(predictions.scores)[rows].mean(axis=1),
                    np.bincount(place, table.similar) / np.bincount(place),
                    self._weights[:, measures.image[rows]],
                )
            )
        labelled = who & measures.labelled.any(axis=1)
        gap = found.oracle_gap(labelled, self._weights)
        return PoseScores(spearman, estimate(gap))


def _risks(table: KeypointTable) -> list[float]:
    """Risk at each of :data:`COVERAGES`; empty without keypoints."""
    _, risks = confidence.risk_coverage_curve(table.score, table.right)
    if not len(risks):
        return []
    kept = [max(1, round(c * len(risks))) for c in COVERAGES]
    return [float(risks[k - 1]) for k in kept]
