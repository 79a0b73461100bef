"""What the worst place of an occluder costs, beside random places and joints.

All are over the people for whom every kind of place was tried. The loss is the
fall of a person's OKS, clean minus occluded; EPE is the rise of the mean error
of the joints that are found in both, as a fraction of the bbox.

==============  ========================================================
worst           the worst place that the search found
transferred     the worst place of another model
worst_joint     the worst of the person's joints, hidden by its own disc
mean_joint      the mean of hiding each of the person's joints
random          the mean over the places of the grid: a random place
==============  ========================================================

AP of ``random`` and ``mean_joint`` is the mean of :data:`AP_DRAWS` draws of a
place for each person.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, BenchmarkRun, Predictions
from mmpose_occlusion.benchmark.image_worst_case import (
    GRID,
    REFINED,
    TRANSFERRED,
    WORST,
)
from mmpose_occlusion.metrics.oks import mean_oks

from .bootstrap import DRAWS, estimate, weighted_mean
from .prediction_measures import PredictionMeasures
from .run_measures import RunMeasures

RANDOM, MEAN_JOINT, WORST_JOINT = 'random', 'mean_joint', 'worst_joint'

AP_DRAWS = 8

Values = dict[str, Any]


def worst_case(run: BenchmarkRun, draws: int = DRAWS, seed: int = 0) -> Values:
    """The numbers of ``worst.json``, of :func:`.image_run.run_predictor` with
    a search.

    Returns:
        ``places`` and ``gaps`` (kind of place, or pair of them -> measure ->
        estimate), ``joints`` and ``people``, see ``docs/worst_case.md``.
    """
    return _WorstCase(run, draws, seed).values()


class _WorstCase:
    def __init__(self, run: BenchmarkRun, draws: int, seed: int) -> None:
        self.run, self.seed = run, seed
        self.measures = of_run = RunMeasures(run, draws, seed)
        self.names = names = [attack.name for attack in run.attacks]
        self.worst = names.index(WORST)
        kind = np.array([name.split(' ')[0] for name in names])
        self.grid = np.flatnonzero(kind == GRID)
        last = [GRID, REFINED, WORST, TRANSFERRED]
        self.joints = np.flatnonzero(~np.isin(kind, last))
        self.used = np.stack([~a.excluded for a in run.attacks])
        clean = of_run.clean_predictions
        under = [
            PredictionMeasures(of_run, a.predictions) for a in run.attacks
        ]
        # (A, N, K)
        self.fall = _similar(clean) - np.stack([_similar(m) for m in under])
        labelled = of_run.labelled
        self.clean_oks = mean_oks(_similar(clean), labelled)
        self.loss = self.clean_oks - np.stack(
            [mean_oks(_similar(m), labelled) for m in under]
        )
        errors = clean.joint_values['EPE']
        rise = np.stack([m.joint_values['EPE'] for m in under]) - errors
        self.rise = mean_oks(rise, labelled & np.isfinite(rise))
        tried = [self.used[k].any(axis=0) for k in (self.grid, self.joints)]
        self.who = self.used[self.worst] & tried[0] & tried[1]
        self.who &= labelled.any(axis=1)
        if TRANSFERRED in names:
            self.who &= self.used[names.index(TRANSFERRED)]

    def values(self) -> Values:
        """See :func:`worst_case`."""
        chosen = self._chosen()
        loss, rise = (
            {name: _mean_of(values, pick) for name, pick in chosen.items()}
            for values in (self.loss, self.rise)
        )
        drawn: dict[str, dict[str, np.ndarray]] = {
            name: dict(
                OKS=self._mean(loss[name]),
                EPE=self._mean(rise[name]),
                **self._ap(name, pick),
            )
            for name, pick in chosen.items()
        }
        pairs = [(WORST, n) for n in chosen if n != WORST]
        if TRANSFERRED in chosen:
            pairs += [(TRANSFERRED, RANDOM), (TRANSFERRED, MEAN_JOINT)]
        out: Values = dict(
            people_compared=int(self.who.sum()),
            images_compared=len(np.unique(self.measures.image[self.who])),
            places={
                name: {m: estimate(v) for m, v in found.items()}
                for name, found in drawn.items()
            },
            gaps={
                f'{a} - {b}': {
                    m: estimate(drawn[a][m] - drawn[b][m]) for m in drawn[a]
                }
                for a, b in pairs
            },
        )
        if TRANSFERRED in chosen:
            own, theirs = (
                drawn[n]['OKS'] - drawn[RANDOM]['OKS']
                for n in (WORST, TRANSFERRED)
            )
            with np.errstate(divide='ignore', invalid='ignore'):
                out['share_transferred'] = estimate(theirs / own)
        return dict(out, joints=self._by_joint(), people=self._people(loss))

    def _chosen(self) -> dict[str, np.ndarray]:
        """Kind of place -> indices ``(n, N)`` of attacks of each person, -1
        for those that were not tried."""
        people = len(self.run.boxes)
        joints = np.where(self.used[self.joints], self.joints[:, None], -1)
        hurts = np.where(joints >= 0, self.loss[self.joints], -np.inf)
        out = {WORST: np.full((1, people), self.worst)}
        if TRANSFERRED in self.names:
            given = self.names.index(TRANSFERRED)
            out[TRANSFERRED] = np.full((1, people), given)
        out[WORST_JOINT] = self.joints[hurts.argmax(axis=0)][None]
        out[MEAN_JOINT] = joints
        out[RANDOM] = np.where(self.used[self.grid], self.grid[:, None], -1)
        return out

    def _mean(self, values: np.ndarray) -> np.ndarray:
        """``(1 + B,)`` means of ``(N,)`` over the people."""
        of_run = self.measures
        return weighted_mean(
            of_run.weights, of_run.image, values[:, None], self.who[:, None]
        )

    def _ap(self, name: str, pick: np.ndarray) -> dict[str, np.ndarray]:
        """Fall of AP with one of the places of each person."""
        if 'AP' not in self.measures.measures:
            return {}
        clean = self.measures.clean(self.who)['AP']
        rng = np.random.default_rng(self.seed)
        falls = []
        for draw in range(AP_DRAWS if len(pick) > 1 else 1):
            ranks = rng.random(pick.shape) - 2 * (pick < 0)
            one = _taken(pick, ranks.argmax(axis=0)[None])[0]
            attack = self._assembled(f'{name} {draw}', one)
            falls.append(
                clean - self.measures.attacked(attack, self.who)['AP']
            )
        return dict(AP=np.mean(falls, axis=0))

    def _assembled(self, name: str, pick: np.ndarray) -> Attacked:
        """The predictions of one attack ``(N,)`` for each person."""
        found = {}
        for key, clean in vars(self.run.clean).items():
            if clean is not None:
                every = [vars(a.predictions)[key] for a in self.run.attacks]
                found[key] = _taken(np.stack(every), pick[None])[0]
        return replace(
            self.run.attacks[0], name=name, predictions=Predictions(**found)
        )

    def _by_joint(self) -> list[Values]:
        """Fall of each joint's own OKS; the worst place is the worst of all
        that were tried for its person."""
        out = []
        tried = np.arange(len(self.names)) <= self.worst
        for attack in self.joints.tolist():
            joint = self.run.joints.names.index(self._joint(attack))
            fall = self.fall[..., joint]
            who = self.who & self.used[attack]
            who &= self.measures.labelled[:, joint]
            if not who.any():
                continue
            of_run = self.measures
            every = np.where(self.used & tried[:, None], fall, -np.inf)
            grid = self.used[self.grid]
            mean = np.where(grid, fall[self.grid], 0).sum(axis=0)
            hidden, random, worst = (
                weighted_mean(
                    of_run.weights, of_run.image, v[:, None], who[:, None]
                )
                for v in (
                    fall[attack],
                    mean / np.maximum(grid.sum(axis=0), 1),
                    every.max(axis=0),
                )
            )
            out.append(
                dict(
                    joint=self._joint(attack),
                    people=int(who.sum()),
                    hidden=estimate(hidden),
                    random=estimate(random),
                    worst=estimate(worst),
                    gap=estimate(worst - hidden),
                )
            )
        return out

    def _joint(self, attack: int) -> str:
        return self.names[attack].split(':')[1]

    def _people(self, loss: dict[str, np.ndarray]) -> list[Values]:
        boxes, out = self.run.boxes, []
        names = np.array(self.run.joints.names)
        worst = self.run.attacks[self.worst]
        for row in np.flatnonzero(self.used[self.worst]).tolist():
            x, y = [None] * 2
            if worst.centres is not None and worst.changed[row]:
                x, y = worst.centres[row].tolist()
            out.append(
                dict(
                    image_id=int(boxes.image_ids[row]),
                    annotation_id=int(boxes.instance_ids[row]),
                    place=self._place(row),
                    x=x,
                    y=y,
                    hidden=names[worst.hidden[row]].tolist(),
                    tried=int(self.used[: self.worst, row].sum()),
                    clean_oks=float(self.clean_oks[row]),
                    epe_rise=float(self.rise[self.worst, row]),
                    **{f'loss_{k}': float(v[row]) for k, v in loss.items()},
                )
            )
        return out

    def _place(self, row: int) -> str:
        """The attack whose result is the worst one: a joint's, GRID or
        REFINED."""
        mine = _answer(self.run.attacks[self.worst], row)
        for attack in self.run.attacks[: self.worst]:
            same = map(np.array_equal, mine, _answer(attack, row))
            if not attack.excluded[row] and all(same):
                return attack.name.split(' ')[0]
        raise AssertionError('the worst place was not tried')


def _answer(attack: Attacked, row: int) -> list[np.ndarray]:
    """What tells the results of a person apart."""
    found = [attack.changed[row], attack.predictions.keypoints[row]]
    if attack.centres is not None:
        found.append(attack.centres[row])
    return [np.nan_to_num(each, nan=-1) for each in found]


def _similar(measures: PredictionMeasures) -> np.ndarray:
    """``(N, K)`` per-keypoint OKS; 0 for joints that were not found."""
    return np.nan_to_num(measures.similar)


def _mean_of(values: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """``(N,)`` means of ``(A, N)`` over indices ``(n, N)``, -1 for none; NaN
    where none is defined."""
    found = _taken(values, pick)
    return mean_oks(found.T, ((pick >= 0) & np.isfinite(found)).T)


def _taken(values: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """Of ``(A, N, ...)`` those of indices ``(n, N)``."""
    return values[pick, np.arange(values.shape[1])]
