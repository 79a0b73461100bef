"""Does the model know, and does it infer? Scores against outcomes, clean and
under attack, and hidden joints against a linear model of anatomy.

Results are parts of ``report.json``, see docs/benchmark_analysis.md and, for
their meaning, docs/confidence.md.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.metrics import confidence
from mmpose_occlusion.metrics.annotations import PosePrior
from mmpose_occlusion.metrics.oks_pck import TARGET, joint_errors, joint_groups

from .attack_description import AT_TARGET, OTHER, describe
from .bootstrap import Record, estimates, rank_correlation, weighted_mean
from .run_measures import VISIBLE, PredictionMeasures, RunMeasures

DRAWS = 200
"""Resampled sets of images for the intervals of these measures; fewer where a
report is made with fewer."""

COVERAGES = tuple(i / 20 for i in range(1, 21))
"""At which the risk-coverage curves of a report are read."""


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
        clean = measures.clean_predictions.keypoint_table
        self._calibration = confidence.FoldCalibration(
            clean.score, clean.right, clean.image
        )
        self._attacks: list[Record] = []
        # kind, paint, size -> attacks with their AUROCs and targets
        self._pools: dict[tuple, list[tuple]] = {}
        self._known: dict[tuple[str, bytes], Record] = {}

    def attacked(self, attack: Attacked) -> Record:
        """Of the people whom an attack changes: by group of joints, clean and
        attacked; AUROCs of telling visible keypoints from hidden ones; poses.
        """
        found, who = self.measures.under(attack), attack.changed
        groups = joint_groups(attack.targets, attack.bystanders).items()
        masks = {group: mask & who[:, None] for group, mask in groups}
        table, what = found.keypoint_table, describe(attack)
        mine = table[who[table.row]]
        told = self._aurocs(mine, ~attack.hidden[mine.row, mine.joint])
        if what.place == AT_TARGET and what.kind != OTHER:
            pool = what.kind, what.paint, what.severity
            member = attack, told, _only(table, masks[TARGET])
            self._pools.setdefault(pool, []).append(member)
        out = Record(
            attack=attack.name,
            clean={g: self._clean(self._joints, m) for g, m in masks.items()},
            attacked={g: self._joints(found, m) for g, m in masks.items()},
            hidden_auroc=estimates(told[0]),
            visibility_auroc=estimates(told[1]),
            pose_clean=self._clean(self._poses, who),
            pose_attacked=self._poses(found, who),
        )
        self._attacks.append(out)
        return out

    def scores(self) -> Record:
        """``scores`` of the run, after those of each attack. ``pooled`` are
        the targets of the attacks of one paint and size."""
        clean = self.measures.clean_predictions.keypoint_table
        natural = self._aurocs(clean, clean.flag == VISIBLE)
        everyone = np.ones(len(self.measures.image), bool)
        pooled = [self._pooled(*pool) for pool in self._pools.items()]
        return Record(
            threshold=self.threshold,
            draws=len(self._weights) - 1,
            clean=self._quality(clean),
            risks=_risks(clean),
            natural_auroc=estimates(natural[0]),
            natural_visibility_auroc=estimates(natural[1]),
            pose=self._clean(self._poses, everyone),
            pooled=[found for found in pooled if found],
            attacks=self._attacks,
        )

    def _clean(
        self,
        measure: Callable[[PredictionMeasures, np.ndarray], Record],
        mask: np.ndarray,
    ) -> Record:
        """A measure of the clean predictions; each selection once."""
        key = measure.__name__, np.packbits(mask).tobytes()
        if key not in self._known:
            found = self.measures.clean_predictions
            self._known[key] = measure(found, mask)
        return self._known[key]

    def _pooled(self, pool: tuple, members: list[tuple]) -> Record | None:
        attacks, aurocs, targets = zip(*members, strict=True)
        table = self.measures.clean_predictions.keypoint_table
        masks = [a.targets & a.changed[:, None] for a in attacks]
        parts = [_only(table, mask) for mask in masks], targets
        clean, under = (np.concatenate(p).view(np.recarray) for p in parts)
        if not len(under):
            return None
        told = np.ma.masked_invalid(aurocs)
        by_score, by_visibility = told.mean(axis=0).filled(np.nan)
        return Record(
            zip(('kind', 'paint', 'severity'), pool, strict=True),
            attacks=len(attacks),
            clean=self._quality(clean),
            attacked=self._quality(under),
            hidden_auroc=estimates(by_score),
            visibility_auroc=estimates(by_visibility),
            risks=_risks(under),
        )

    def _scored(
        self, table: np.recarray, scores: np.ndarray, right: np.ndarray
    ) -> confidence.ScoredKeypoints:
        return confidence.ScoredKeypoints(
            scores, right, self._weights, table.image
        )

    def _aurocs(
        self, table: np.recarray, positive: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the scores, and of the model's visibility output."""
        known = np.isfinite(table.visible)
        by_visibility = self._scored(
            table[known], table.visible[known], positive[known]
        )
        by_score = self._scored(table, table.score, positive)
        return by_score.auroc(), by_visibility.auroc()

    def _joints(self, found: PredictionMeasures, mask: np.ndarray) -> Record:
        return self._quality(_only(found.keypoint_table, mask))

    def _quality(self, table: np.recarray) -> Record:
        """All measures of some keypoints; ``ece_isotonic`` is after a fit on
        clean predictions of other images."""
        raw = self._scored(table, table.score, table.right)
        calibrated = np.nan_to_num(self._calibration(table.score, table.image))
        fitted = self._scored(table, calibrated, table.right)
        aurc, risk = raw.selective_risk()
        return estimates(
            dict(
                keypoints=len(table),
                right=raw.mean(table.right),
                ece=raw.calibration_error(),
                ece_isotonic=fitted.calibration_error(),
                brier=raw.brier_score(),
                auroc=raw.auroc(),
                aurc=aurc,
                risk=risk,
                confident_wrong=raw.confident_wrong_rate(self.threshold),
            )
        )

    def _poses(self, found: PredictionMeasures, who: np.ndarray) -> Record:
        """Of chosen (N,) bboxes: Spearman's correlation of mean score and OKS,
        and AP of poses ranked by their true OKS minus that by their scores
        (Ronchi and Perona 2017), which is what better scores could gain."""
        measures, table = self.measures, found.keypoint_table
        table = table[who[table.row]]
        rows, place = np.unique(table.row, return_inverse=True)
        undefined = np.full(len(self._weights), np.nan)
        spearman, gap = undefined, undefined
        if len(rows) > 2:
            spearman = rank_correlation(
                np.asarray(found.predictions.scores)[rows].mean(axis=1),
                np.bincount(place, table.similar) / np.bincount(place),
                self._weights[:, measures.image[rows]],
            )
        if 'AP' in measures.measures:
            who = who & measures.labelled.any(axis=1)
            mine = measures.people_in(who)[:, None]
            labelled = measures.people.labelled & mine
            left, poses = found.survivors(who), found.compared
            by_oracle, by_score = (
                poses.precision(left, scores, labelled, self._weights)[0]
                for scores in (poses.greatest_oks(labelled), found.pose_scores)
            )
            gap = by_oracle - by_score
        return estimates(dict(spearman=spearman, oracle_gap=gap))


def _risks(table: np.recarray) -> list[float]:
    """Risk at each of :data:`COVERAGES`; empty without keypoints."""
    if not len(table):
        return []
    scored = confidence.ScoredKeypoints(table.score, table.right)
    risks = scored.risk_curve()
    kept = [max(1, round(c * len(risks))) for c in COVERAGES]
    return [float(risks[k - 1]) for k in kept]


def anatomical_skills(measures: RunMeasures) -> list[Record]:
    """``skill``: a model against anatomy at the hidden targets of each attack
    that the prior, fitted on other images, can place."""
    boxes, image = measures.run.boxes, measures.image
    weights = measures.weights[: DRAWS + 1]
    known = np.isfinite(boxes.person_boxes).all(axis=1)
    truth = np.where(measures.labelled[..., None], boxes.truth, np.nan)
    priors = np.full(len(image), None)
    for mine, others in confidence.folds(image):
        if (fitted := others & known).any():
            priors[mine & known] = PosePrior(
                truth[fitted],
                boxes.person_boxes[fitted],
                measures.run.joints.flip,
            )

    @cache
    def expected(row: int, hidden: bytes) -> np.ndarray:
        box, mask = boxes.person_boxes[row], np.frombuffer(hidden, bool)
        return priors[row].expected(truth[row], box, mask)

    out = []
    for attack in measures.run.attacks:
        hidden = attack.targets & attack.changed[:, None] & measures.labelled
        placed = np.full(truth.shape, np.nan)
        for row in np.flatnonzero(hidden.any(axis=1)).tolist():
            if priors[row] is not None:
                placed[row] = expected(row, hidden[row].tobytes())
        errors = [
            joint_errors(found, boxes.truth) / measures.sizes[:, None]
            for found in (attack.predictions.keypoints, placed)
        ]
        mask = hidden & np.isfinite(errors).all(axis=0)
        if mask.any():
            model, prior = (
                weighted_mean(weights, image, e, mask) for e in errors
            )
            out.append(
                dict(
                    attack=attack.name,
                    keypoints=int(mask.sum()),
                    model=model,
                    prior=prior,
                    skill=1 - confidence.ratio(model, prior),
                )
            )
    return estimates(out)
