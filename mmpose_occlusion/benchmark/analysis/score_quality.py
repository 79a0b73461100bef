"""Does the model know? Scores against outcomes, clean and under attack."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.metrics import confidence
from mmpose_occlusion.metrics.inference import rank_correlation
from mmpose_occlusion.metrics.joint_groups import joint_groups

from ..data import Attacked, BenchmarkRun, Predictions
from .attack_description import AT_TARGET, OTHER, AttackDescription, describe
from .bootstrap import Estimate, estimate
from .keypoints import KeypointTable, image_index, keypoint_table

LEAST_POSES = 3
"""For a correlation."""

DRAWS = 200
"""Resampled sets of images for the intervals of these measures; fewer where a
report is made with fewer."""

COVERAGES = tuple(i / 20 for i in range(1, 21))
"""At which the risk-coverage curves of a report are read."""


@dataclass(frozen=True)
class ScoreQuality:
    """How well scores tell right keypoints from wrong ones.

    Each is defined in :mod:`mmpose_occlusion.metrics.confidence`; right means
    a per-keypoint OKS of at least 0.5.

    Args:
        keypoints: Number of labelled keypoints.
        right: Share of right predictions.
        ece: Expected calibration error of the raw scores.
        ece_isotonic: After an isotonic fit on clean predictions of other
            images.
        ece_temperature: After a temperature fit likewise.
        brier: Brier score.
        auroc: Right against wrong.
        aurc: Area under the risk-coverage curve.
        risk: Share of wrong ones among the 80 % with the highest scores.
        confident_wrong: Share of keypoints that are wrong with a score above
            the threshold.
    """

    keypoints: int
    right: Estimate
    ece: Estimate
    ece_isotonic: Estimate
    ece_temperature: Estimate
    brier: Estimate
    auroc: Estimate
    aurc: Estimate
    risk: Estimate
    confident_wrong: Estimate


@dataclass(frozen=True)
class AttackScores:
    """Scores under one attack.

    Args:
        attack: Name.
        clean: Role -> quality of the same keypoints without the attack.
        attacked: Role -> quality under it.
        hidden_auroc: AUROC of telling visible keypoints from hidden ones by
            the score, of the people whom the attack changes.
        visibility_auroc: The same by the model's visibility output; undefined
            without one.
        pose_clean: Spearman's correlation of the poses' scores and OKS,
            of the people whom the attack changes.
        pose_attacked: The same under it.
    """

    attack: str
    clean: dict[str, ScoreQuality]
    attacked: dict[str, ScoreQuality]
    hidden_auroc: Estimate
    visibility_auroc: Estimate
    pose_clean: Estimate
    pose_attacked: Estimate


@dataclass(frozen=True)
class PooledScores:
    """Scores of all targets of the attacks of one paint and size.

    Args:
        kind: Of the attacks, see :class:`.AttackDescription`.
        paint: See :class:`.AttackDescription`.
        severity: See :class:`.AttackDescription`.
        attacks: Their number.
        clean: The targets without the attacks.
        attacked: Under them.
        hidden_auroc: Mean of :attr:`AttackScores.hidden_auroc`.
        risks: Risk of the attacked targets at each of :data:`COVERAGES`.
    """

    kind: str
    paint: str
    severity: float | None
    attacks: int
    clean: ScoreQuality
    attacked: ScoreQuality
    hidden_auroc: Estimate
    risks: list[float]


@dataclass(frozen=True)
class RunScores:
    """Everything about the scores of one run.

    Args:
        threshold: Score above which a prediction counts as confident.
        draws: Resampled sets of images.
        clean: All labelled keypoints without an attack.
        risks: Their risk at each of :data:`COVERAGES`.
        natural_auroc: AUROC of telling v = 2 from v = 1 by the clean score.
        pose: Spearman's correlation of the clean poses' mean score and OKS.
        pooled: Targets by paint and size.
        attacks: Each attack.
    """

    threshold: float
    draws: int
    clean: ScoreQuality
    risks: list[float]
    natural_auroc: Estimate
    pose: Estimate
    pooled: list[PooledScores]
    attacks: list[AttackScores]


class ScoreJudge:
    """Measures of a run's scores, with intervals over images.

    Args:
        run: The run.
        weights: (1 + B, I), images in the order of
            :func:`.keypoints.image_index`.
        threshold: Of confident predictions.
    """

    def __init__(
        self,
        run: BenchmarkRun,
        weights: np.ndarray,
        threshold: float = confidence.CONFIDENT,
    ) -> None:
        self.run = run
        self.threshold = threshold
        self._weights = weights
        self._image = image_index(run)
        clean = self._clean = self._table(run.clean)
        self._calibrations = [
            confidence.FoldCalibration(
                kind, clean.score, clean.right, clean.image
            )
            for kind in confidence.CALIBRATIONS
        ]
        self._hidden: dict[str, np.ndarray] = {}
        self._quality: dict[bytes, ScoreQuality] = {}

    def scores(self, attacks: list[AttackScores]) -> RunScores:
        """All measures of the run.

        Args:
            attacks: Of :meth:`attacked`, for each attack.
        """
        groups: dict[tuple, list[Attacked]] = {}
        for attack in self.run.attacks:
            what = describe(attack)
            if what.place == AT_TARGET and what.kind != OTHER:
                key = what.kind, what.paint, what.severity
                groups.setdefault(key, []).append(attack)
        pooled = [
            self._pooled(describe(group[0]), group)
            for group in groups.values()
        ]
        clean = self._clean
        return RunScores(
            threshold=self.threshold,
            draws=len(self._weights) - 1,
            clean=self.quality(clean),
            risks=_risks(clean),
            natural_auroc=self._auroc(clean, clean.score, clean.flag == 2),
            pose=self._pose(self.run.clean, clean),
            pooled=[found for found in pooled if found is not None],
            attacks=attacks,
        )

    def attacked(self, attack: Attacked) -> AttackScores:
        """Of the people whom an attack changes, by role."""
        under = self._table(attack.predictions)
        masks = {
            role: mask & attack.changed[:, None]
            for role, mask in joint_groups(
                attack.targets, attack.bystanders
            ).items()
        }
        mine = under.only(attack.changed[under.row])
        before = self._clean.only(attack.changed[under.row])
        seen = ~attack.hidden[mine.row, mine.joint]
        self._hidden[attack.name] = confidence.auroc(
            mine.score, seen, self._weights, mine.image
        )
        said = getattr(attack.predictions, 'visibility', None)
        return AttackScores(
            attack=attack.name,
            clean={r: self._known_quality(m) for r, m in masks.items()},
            attacked={
                r: self.quality(under.only(m)) for r, m in masks.items()
            },
            hidden_auroc=estimate(self._hidden[attack.name]),
            visibility_auroc=Estimate(None, None, None)
            if said is None
            else self._auroc(mine, said[mine.row, mine.joint], seen),
            pose_clean=self._pose(self.run.clean, before),
            pose_attacked=self._pose(attack.predictions, mine),
        )

    def quality(self, table: KeypointTable) -> ScoreQuality:
        """All measures of some keypoints."""
        drawn = self._weights, table.image
        raw = table.score, table.right, *drawn
        error = confidence.expected_calibration_error
        aurc, risk = confidence.selective_risk(*raw)
        calibrated = [
            np.nan_to_num(calibration(table.score, table.image))
            for calibration in self._calibrations
        ]
        return ScoreQuality(
            len(table),
            *map(
                estimate,
                (
                    confidence.right_rate(table.right, *drawn),
                    error(*raw),
                    *(error(c, table.right, *drawn) for c in calibrated),
                    confidence.brier_score(*raw),
                    confidence.auroc(*raw),
                    aurc,
                    risk,
                    confidence.confident_wrong_rate(
                        *raw, threshold=self.threshold
                    ),
                ),
            ),
        )

    def _table(self, predictions: Predictions) -> KeypointTable:
        """Labelled keypoints that have a score."""
        table = keypoint_table(self.run, predictions)
        return table.only(np.isfinite(table.score))

    def _known_quality(self, mask: np.ndarray) -> ScoreQuality:
        """Of clean predictions, computed once for each mask (N, K)."""
        key = np.packbits(mask).tobytes()
        if key not in self._quality:
            self._quality[key] = self.quality(self._clean.only(mask))
        return self._quality[key]

    def _pooled(
        self, what: AttackDescription, attacks: Sequence[Attacked]
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
        told = np.ma.masked_invalid([self._hidden[a.name] for a in attacks])
        return PooledScores(
            kind=what.kind,
            paint=what.paint,
            severity=what.severity,
            attacks=len(attacks),
            clean=self.quality(clean),
            attacked=self.quality(under),
            hidden_auroc=estimate(told.mean(axis=0).filled(np.nan)),
            risks=_risks(under),
        )

    def _auroc(
        self, table: KeypointTable, score: np.ndarray, positive: np.ndarray
    ) -> Estimate:
        return estimate(
            confidence.auroc(score, positive, self._weights, table.image)
        )

    def _pose(
        self, predictions: Predictions, table: KeypointTable
    ) -> Estimate:
        """Spearman's correlation of a pose's mean score and its OKS."""
        rows, place = np.unique(table.row, return_inverse=True)
        if len(rows) < LEAST_POSES:
            return Estimate(None, None, None)
        return estimate(
            rank_correlation(
                np.asarray(predictions.scores)[rows].mean(axis=1),
                np.bincount(place, table.similar) / np.bincount(place),
                self._weights[:, self._image[rows]],
            )
        )


def _risks(table: KeypointTable) -> list[float]:
    """Risk at each of :data:`COVERAGES`; empty without keypoints."""
    _, risks = confidence.risk_coverage_curve(table.score, table.right)
    if not len(risks):
        return []
    kept = [max(1, round(c * len(risks))) for c in COVERAGES]
    return [float(risks[k - 1]) for k in kept]
