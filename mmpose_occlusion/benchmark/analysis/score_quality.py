"""Does the model know? Scores against outcomes, clean and under attack."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from mmpose_occlusion.metrics import confidence

from ..data import Attacked, BenchmarkRun, Predictions
from .bootstrap import Estimate, estimate
from .keypoints import KeypointTable, image_index, keypoint_table

ROLES = ('target', 'bystander', 'visible')

MAX_CELLS = 20_000_000
"""Keypoints times resampled sets that are looked at together; beyond it fewer
sets are drawn."""


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
    """

    attack: str
    clean: dict[str, ScoreQuality]
    attacked: dict[str, ScoreQuality]
    hidden_auroc: Estimate
    visibility_auroc: Estimate


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
        self._clean = keypoint_table(run, run.clean)

    def clean(self) -> ScoreQuality:
        """Of all labelled keypoints without an attack."""
        return self.quality(self._clean)

    def attacked(self, attack: Attacked) -> AttackScores:
        """Of the people whom an attack changes, by role."""
        under = keypoint_table(self.run, attack.predictions)
        who = attack.changed[:, None]
        masks = dict(
            target=attack.targets & who,
            bystander=attack.bystanders & who,
            visible=~attack.hidden & who,
        )
        mine = under.only(attack.changed[under.row])
        hidden = attack.hidden[mine.row, mine.joint]
        return AttackScores(
            attack.name,
            {r: self.quality(self._clean.only(m)) for r, m in masks.items()},
            {r: self.quality(under.only(m)) for r, m in masks.items()},
            self._auroc(mine, mine.score, ~hidden),
            self._visibility_auroc(mine, attack.predictions, ~hidden),
        )

    def natural_auroc(self) -> Estimate:
        """AUROC of telling v = 2 from v = 1 by the clean score."""
        return self._auroc(
            self._clean, self._clean.score, self._clean.flag == 2
        )

    def quality(self, table: KeypointTable) -> ScoreQuality:
        """All measures of some keypoints."""
        weights = self._drawn(table)
        raw = table.score, table.right
        calibrated = self._calibrated(table)
        aurc, risk = confidence.selective_risk(*raw, weights)
        of = confidence.expected_calibration_error
        return ScoreQuality(
            keypoints=len(table),
            right=estimate(_mean(table.right, weights)),
            ece=estimate(of(*raw, weights)),
            ece_isotonic=estimate(
                of(calibrated['isotonic'], table.right, weights)
            ),
            ece_temperature=estimate(
                of(calibrated['temperature'], table.right, weights)
            ),
            brier=estimate(confidence.brier_score(*raw, weights)),
            auroc=estimate(confidence.auroc(*raw, weights)),
            aurc=estimate(aurc),
            risk=estimate(risk),
            confident_wrong=estimate(
                confidence.confident_wrong_rate(*raw, weights, self.threshold)
            ),
        )

    def _calibrated(self, table: KeypointTable) -> Mapping[str, np.ndarray]:
        fit = self._clean
        return {
            kind: np.nan_to_num(
                confidence.calibrate_by_fold(
                    kind,
                    fit.score,
                    fit.right,
                    fit.image,
                    table.score,
                    table.image,
                )
            )
            for kind in confidence.CALIBRATIONS
        }

    def _drawn(self, table: KeypointTable) -> np.ndarray:
        """(1 + b, n) weights of keypoints."""
        sets = max(2, MAX_CELLS // max(1, len(table)))
        return self._weights[:sets][:, table.image]

    def _auroc(
        self, table: KeypointTable, score: np.ndarray, positive: np.ndarray
    ) -> Estimate:
        return estimate(confidence.auroc(score, positive, self._drawn(table)))

    def _visibility_auroc(
        self,
        table: KeypointTable,
        predictions: Predictions,
        visible: np.ndarray,
    ) -> Estimate:
        said = getattr(predictions, 'visibility', None)
        if said is None:
            return Estimate(None, None, None)
        return self._auroc(table, said[table.row, table.joint], visible)


def pose_score_correlation(
    run: BenchmarkRun,
    predictions: Predictions,
    weights: np.ndarray,
    who: np.ndarray,
) -> Estimate:
    """Spearman's correlation of a pose's mean score and its OKS.

    Args:
        run: The run.
        predictions: Clean or attacked.
        weights: (1 + B, I).
        who: (N,) bool, the boxes that count.
    """
    table = keypoint_table(run, predictions)
    table = table.only(who[table.row])
    rows, place = np.unique(table.row, return_inverse=True)
    if len(rows) < 3:
        return Estimate(None, None, None)
    number = np.bincount(place)
    oks = np.bincount(place, table.similar) / number
    score = np.asarray(predictions.scores)[rows].mean(axis=1)
    image = image_index(run)[rows]
    values = []
    for drawn in weights:
        chosen = np.repeat(np.arange(len(rows)), drawn[image].astype(int))
        constant = len(chosen) < 3 or not np.ptp(score[chosen])
        if constant or not np.ptp(oks[chosen]):
            values.append(np.nan)
        else:
            values.append(spearmanr(score[chosen], oks[chosen]).statistic)
    return estimate(np.array(values))


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1)
    return np.divide(
        weights @ values,
        total,
        out=np.full(len(total), np.nan),
        where=total > 0,
    )
