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
from mmpose_occlusion.metrics.confidence import ratio
from mmpose_occlusion.metrics.oks_pck import mean_oks

from .bootstrap import DRAWS, Draws, difference, estimate, estimates
from .run_measures import PredictionMeasures, RunMeasures

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
        views = [
            of_run.clean_predictions,
            *(PredictionMeasures(of_run, a.predictions) for a in run.attacks),
        ]
        similar = np.nan_to_num([view.similar for view in views])
        self.fall = similar[0] - similar[1:]  # (A, N, K)
        oks = mean_oks(similar, of_run.labelled)
        self.clean_oks, self.loss = oks[0], oks[0] - oks[1:]
        errors = np.stack([view.joint_values['EPE'] for view in views])
        rise = errors[1:] - errors[0]
        self.rise = mean_oks(rise, of_run.labelled & np.isfinite(rise))
        self.who = self.used[self.worst] & of_run.labelled.any(axis=1)
        for indices in (self.grid, self.joints):
            self.who &= self.used[indices].any(axis=0)
        if TRANSFERRED in names:
            self.who &= self.used[names.index(TRANSFERRED)]

    def values(self) -> Values:
        """See :func:`worst_case`."""
        chosen = self._chosen()
        loss, rise = (
            {name: _mean_of(values, pick) for name, pick in chosen.items()}
            for values in (self.loss, self.rise)
        )
        drawn: dict[str, Draws] = {
            name: dict(
                OKS=self._mean(loss[name], self.who),
                EPE=self._mean(rise[name], self.who),
                **self._ap(name, pick),
            )
            for name, pick in chosen.items()
        }
        pairs = [(WORST, n) for n in chosen if n != WORST]
        if TRANSFERRED in chosen:
            pairs += [(TRANSFERRED, RANDOM), (TRANSFERRED, MEAN_JOINT)]
        gaps = {f'{a} - {b}': difference(drawn[a], drawn[b]) for a, b in pairs}
        out: Values = dict(
            people_compared=int(self.who.sum()),
            images_compared=len(np.unique(self.measures.image[self.who])),
            places={name: estimates(found) for name, found in drawn.items()},
            gaps={name: estimates(found) for name, found in gaps.items()},
        )
        if TRANSFERRED in chosen:
            own, theirs = (
                gaps[f'{name} - {RANDOM}']['OKS']
                for name in (WORST, TRANSFERRED)
            )
            with np.errstate(divide='ignore', invalid='ignore'):
                out['share_transferred'] = estimate(theirs / own)
        return dict(out, joints=self._by_joint(), people=self._people(loss))

    def _chosen(self) -> dict[str, np.ndarray]:
        """Kind of place -> indices ``(n, N)`` of attacks of each person, -1
        for those that were not tried."""
        people = len(self.run.boxes)
        joints, grid = (
            np.where(self.used[indices], indices[:, None], -1)
            for indices in (self.joints, self.grid)
        )
        hurts = np.where(joints >= 0, self.loss[self.joints], -np.inf)
        given = [n for n in (WORST, TRANSFERRED) if n in self.names]
        return {
            **{n: np.full((1, people), self.names.index(n)) for n in given},
            WORST_JOINT: self.joints[hurts.argmax(axis=0)][None],
            MEAN_JOINT: joints,
            RANDOM: grid,
        }

    def _mean(self, values: np.ndarray, who: np.ndarray) -> np.ndarray:
        """``(1 + B,)`` means of ``(N,)`` over people."""
        return self.measures.mean(values[:, None], who[:, None])

    def _ap(self, name: str, pick: np.ndarray) -> Draws:
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
        out, grid = [], self.used[self.grid]
        tried = np.arange(len(self.names)) <= self.worst
        for attack in self.joints.tolist():
            name = self.names[attack].split(':')[1]
            joint = self.run.joints.names.index(name)
            fall, own = self.fall[..., joint], self.used[attack]
            who = self.who & own & self.measures.labelled[:, joint]
            if not who.any():
                continue
            total = np.where(grid, fall[self.grid], 0).sum(axis=0)
            every = np.where(self.used & tried[:, None], fall, -np.inf)
            drawn = dict(
                hidden=self._mean(fall[attack], who),
                random=self._mean(ratio(total, grid.sum(axis=0)), who),
                worst=self._mean(every.max(axis=0), who),
            )
            drawn['gap'] = drawn['worst'] - drawn['hidden']
            out.append(
                dict(joint=name, people=int(who.sum()), **estimates(drawn))
            )
        return out

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
        return next(
            attack.name.split(' ')[0]
            for attack in self.run.attacks[: self.worst]
            if not attack.excluded[row]
            and all(map(np.array_equal, mine, _answer(attack, row)))
        )


def _answer(attack: Attacked, row: int) -> list[np.ndarray]:
    """What tells the results of a person apart."""
    found = [attack.changed[row], attack.predictions.keypoints[row]]
    if attack.centres is not None:
        found.append(attack.centres[row])
    return [np.nan_to_num(each, nan=-1) for each in found]


def _mean_of(values: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """``(N,)`` means of ``(A, N)`` over indices ``(n, N)``, -1 for none; NaN
    where none is defined."""
    found = _taken(values, pick)
    return mean_oks(found.T, ((pick >= 0) & np.isfinite(found)).T)


def _taken(values: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """Of ``(A, N, ...)`` those of indices ``(n, N)``."""
    return values[pick, np.arange(values.shape[1])]
