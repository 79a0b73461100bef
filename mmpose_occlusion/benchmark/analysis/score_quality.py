"""Does the model know, and does it infer? Scores against outcomes, clean and
under attack, and hidden joints against a linear model of anatomy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, Predictions
from mmpose_occlusion.metrics import confidence
from mmpose_occlusion.metrics.annotations import PosePrior
from mmpose_occlusion.metrics.confidence import FoldCalibration, ResampledSets
from mmpose_occlusion.metrics.oks_pck import (
    joint_errors,
    joint_groups,
    keypoint_oks,
)

from .attack_description import AT_TARGET, OTHER, describe
from .bootstrap import (
    UNDEFINED,
    Estimate,
    estimate,
    rank_correlation,
    weighted_mean,
)
from .run_measures import OKS50, VISIBLE, PredictionMeasures, RunMeasures

LEAST_POSES = 3
"""For a correlation."""

DRAWS = 200
"""Resampled sets of images for the intervals of these measures; fewer where a
report is made with fewer."""

COVERAGES = tuple(i / 20 for i in range(1, 21))
"""At which the risk-coverage curves of a report are read."""


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


def keypoint_table(
    measures: RunMeasures, predictions: Predictions
) -> np.recarray:
    """Labelled keypoints of the annotated people that have a score, n rows:
    index of bbox, joint and image, COCO's flag v, whether the per-keypoint OKS
    is at least :data:`OKS50`, score, and per-keypoint OKS (0 for keypoints not
    found)."""
    boxes = measures.run.boxes
    offsets = np.asarray(predictions.keypoints, np.float64) - boxes.truth
    similar = np.nan_to_num(
        keypoint_oks(offsets, boxes.areas, measures.run.joints.sigmas)
    )
    scores = np.asarray(predictions.scores, np.float64)
    row, joint = at = np.nonzero(measures.labelled & np.isfinite(scores))
    columns = dict(
        row=row,
        joint=joint,
        image=measures.image[row],
        flag=boxes.visible[at],
        right=similar[at] >= OKS50,
        score=scores[at],
        similar=similar[at],
    )
    types = [(name, column.dtype) for name, column in columns.items()]
    return np.rec.fromarrays(columns.values(), types)


def _only(table: np.recarray, mask: np.ndarray) -> np.recarray:
    """The rows of a mask ``(N, K)`` of joints."""
    return table[mask[table.row, table.joint]]


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
        clean = self._clean = keypoint_table(measures, measures.run.clean)
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
        under = keypoint_table(self.measures, attack.predictions)
        who = attack.changed
        groups = joint_groups(attack.targets, attack.bystanders).items()
        masks = {group: mask & who[:, None] for group, mask in groups}
        mine = under[who[under.row]]
        seen = ~attack.hidden[mine.row, mine.joint]
        told = self._aurocs(mine, attack.predictions, seen)
        self._told[attack.name] = told
        return AttackScores(
            attack.name,
            {g: self._clean_quality(m) for g, m in masks.items()},
            {g: self.quality(_only(under, m)) for g, m in masks.items()},
            estimate(told[0]),
            estimate(told[1]),
            self._clean_poses(who),
            self._poses(self.measures.under(attack), who),
        )

    def quality(self, table: np.recarray) -> ScoreQuality:
        """All measures of some keypoints."""
        sets = self._sets(table)
        raw = table.score, table.right, sets
        error = confidence.expected_calibration_error
        fitted = np.nan_to_num(self._calibration(table.score, table.image))
        found = (
            sets.mean(table.right),
            error(*raw),
            error(fitted, table.right, sets),
            confidence.brier_score(*raw),
            confidence.auroc(*raw),
            *confidence.selective_risk(*raw),
            confidence.confident_wrong_rate(*raw, threshold=self.threshold),
        )
        return ScoreQuality(len(table), *map(estimate, found))

    def _sets(self, table: np.recarray) -> ResampledSets:
        return ResampledSets(self._weights, table.image)

    def _clean_quality(self, mask: np.ndarray) -> ScoreQuality:
        key = np.packbits(mask).tobytes()
        if key not in self._quality:
            self._quality[key] = self.quality(_only(self._clean, mask))
        return self._quality[key]

    def _clean_poses(self, who: np.ndarray) -> PoseScores:
        key, clean = who.tobytes(), self.measures.clean_predictions
        if key not in self._pose:
            self._pose[key] = self._poses(clean, who)
        return self._pose[key]

    def _pooled(
        self, what: tuple, attacks: Sequence[Attacked]
    ) -> PooledScores | None:
        masks = [a.targets & a.changed[:, None] for a in attacks]
        parts = [
            [_only(self._clean, mask) for mask in masks],
            [
                _only(keypoint_table(self.measures, a.predictions), mask)
                for a, mask in zip(attacks, masks, strict=True)
            ],
        ]
        clean, under = (np.concatenate(p).view(np.recarray) for p in parts)
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
        table: np.recarray,
        predictions: Predictions,
        positive: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the scores, and of the model's visibility output."""
        said = predictions.visibility
        by_score = confidence.auroc(table.score, positive, self._sets(table))
        if said is None:
            return by_score, np.full(len(by_score), np.nan)
        visible = said[table.row, table.joint].astype(float)
        known = np.isfinite(visible)
        return by_score, confidence.auroc(
            visible[known], positive[known], self._sets(table[known])
        )

    def _poses(self, found: PredictionMeasures, who: np.ndarray) -> PoseScores:
        """Of the poses of chosen (N,) bboxes."""
        measures, predictions = self.measures, found.predictions
        table = keypoint_table(measures, predictions)
        table = table[who[table.row]]
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
        return PoseScores(spearman, self._oracle_gap(found, who))

    def _oracle_gap(
        self, found: PredictionMeasures, who: np.ndarray
    ) -> Estimate:
        """AP of the poses of chosen bboxes ranked by their true OKS, minus
        that by their scores (Ronchi and Perona 2017): what better scores could
        gain. Undefined without COCO's evaluation."""
        measures = self.measures
        if 'AP' not in measures.measures:
            return UNDEFINED
        who = who & measures.labelled.any(axis=1)
        people = measures.people
        labelled = people.labelled & measures.people_in(who)[:, None]
        rows, scores = found.survivors(who)
        oracle = found.compared.greatest_oks(
            labelled, people.counting(labelled)
        )
        by_oracle, by_score = (
            found.precision(rows, ranked, labelled, self._weights)[0]
            for ranked in (oracle, scores)
        )
        return estimate(by_oracle - by_score)


def _risks(table: np.recarray) -> list[float]:
    """Risk at each of :data:`COVERAGES`; empty without keypoints."""
    _, risks = confidence.risk_coverage_curve(table.score, table.right)
    if not len(risks):
        return []
    kept = [max(1, round(c * len(risks))) for c in COVERAGES]
    return [float(risks[k - 1]) for k in kept]


@dataclass(frozen=True)
class AnatomicalSkill:
    """A model against anatomy at the hidden targets of an attack that the
    prior can place: mean EPE of both as fractions of the box's longer side,
    the prior fitted on other images, and ``skill``, 1 - model / prior: 1 is
    perfect, 0 as good as the prior, below 0 worse."""

    attack: str
    keypoints: int
    model: Estimate
    prior: Estimate
    skill: Estimate


def anatomical_skills(measures: RunMeasures) -> list[AnatomicalSkill]:
    """Of each attack of a run; without those where the prior places none."""
    boxes, image = measures.run.boxes, measures.image
    weights = measures.weights[: DRAWS + 1]
    known = np.isfinite(boxes.person_boxes).all(axis=1)
    truth = np.where(measures.labelled[..., None], boxes.truth, np.nan)
    priors: dict[int, PosePrior] = {}
    for mine, others in confidence.folds(image):
        fitted = others & known
        if fitted.any():
            prior = PosePrior(
                truth[fitted],
                boxes.person_boxes[fitted],
                measures.run.joints.flip,
            )
            priors.update(dict.fromkeys(np.flatnonzero(mine).tolist(), prior))
    expected: dict[tuple[int, bytes], np.ndarray] = {}
    out = []
    for attack in measures.run.attacks:
        hidden = attack.targets & attack.changed[:, None] & measures.labelled
        placed = np.full(truth.shape, np.nan)
        for row in np.flatnonzero(hidden.any(axis=1) & known).tolist():
            key = row, hidden[row].tobytes()
            if row in priors and key not in expected:
                expected[key] = priors[row].expected(
                    truth[row], boxes.person_boxes[row], hidden[row]
                )
            placed[row] = expected.get(key, np.nan)
        errors = [
            joint_errors(found, boxes.truth) / measures.sizes[:, None]
            for found in (attack.predictions.keypoints, placed)
        ]
        mask = hidden & np.isfinite(errors).all(axis=0)
        if mask.any():
            model, theirs = (
                weighted_mean(weights, image, e, mask) for e in errors
            )
            with np.errstate(invalid='ignore', divide='ignore'):
                drawn = model, theirs, 1 - model / theirs
            number = int(mask.sum())
            out.append(
                AnatomicalSkill(attack.name, number, *map(estimate, drawn))
            )
    return out
