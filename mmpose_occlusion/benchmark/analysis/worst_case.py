"""What the worst place of an occluder costs, beside random places and joints.

All are over the people for whom every kind of place was tried. The loss is the
fall of a person's OKS, clean minus occluded; EPE is the rise of the mean error
of the joints that are found in both, as a fraction of the bbox. After a search
for one joint, both are of that joint alone.

==============  ========================================================
worst           the worst place that the search found
transferred     the worst place of another model
worst_joint     the worst of the person's joints, hidden by its own disc
mean_joint      the mean of hiding each of the person's joints
own_joint       in place of both, the joint of the search, hidden itself
random          the mean over the places of the grid: a random place
==============  ========================================================

AP of ``random`` and ``mean_joint`` is the mean of :data:`AP_DRAWS` draws of a
place for each person; one joint has none.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import BenchmarkRun, Predictions
from mmpose_occlusion.benchmark.image_worst_case import (
    GRID,
    PLACED,
    TRANSFERRED,
    WORST,
)
from mmpose_occlusion.metrics.confidence import ratio
from mmpose_occlusion.metrics.oks_pck import mean_oks

from .bootstrap import DRAWS, Draws, difference, estimate, estimates
from .run_measures import PredictionMeasures, RunMeasures

RANDOM, MEAN_JOINT, WORST_JOINT = 'random', 'mean_joint', 'worst_joint'
OWN_JOINT = 'own_joint'

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
        self.worst, joints = names.index(WORST), run.joints.names
        configs = [attack.config for attack in run.attacks]
        self.joint = configs[self.worst].get('joint')
        grid = [name.startswith(GRID) for name in names]
        self.grid = np.flatnonzero(grid)
        self.joints = np.flatnonzero([c['type'] != PLACED for c in configs])
        self.targets = [configs[i]['target'] for i in self.joints]
        self.used = np.stack([~a.excluded for a in run.attacks])
        views = [
            of_run.clean_predictions,
            *(PredictionMeasures(of_run, a.predictions) for a in run.attacks),
        ]
        counted = of_run.labelled & [self.joint in (None, n) for n in joints]
        similar = np.nan_to_num([view.similar for view in views])
        self.fall = similar[0] - similar[1:]  # (A, N, K)
        oks = mean_oks(similar, counted)
        self.clean_oks, self.loss = oks[0], oks[0] - oks[1:]
        errors = np.stack([view.joint_values['EPE'] for view in views])
        rise = errors[1:] - errors[0]
        self.rise = mean_oks(rise, counted & np.isfinite(rise))
        self.chosen = self._chosen()
        self.who = counted.any(axis=1)
        for pick in self.chosen.values():
            self.who &= (_taken(self.used, pick) & (pick >= 0)).any(axis=0)

    def _chosen(self) -> dict[str, np.ndarray]:
        """Kind of place -> indices ``(n, N)`` of attacks of each person, -1
        for those that were not tried."""
        joints, grid = (
            np.where(self.used[indices], indices[:, None], -1)
            for indices in (self.joints, self.grid)
        )
        out = {
            name: np.full((1, len(self.run.boxes)), self.names.index(name))
            for name in (WORST, TRANSFERRED)
            if name in self.names
        }
        if self.joint is None:
            hurts = np.where(joints >= 0, self.loss[self.joints], -np.inf)
            out[WORST_JOINT] = _taken(joints, hurts.argmax(axis=0)[None])
            out[MEAN_JOINT] = joints
        else:
            out[OWN_JOINT] = joints[[self.targets.index(self.joint)]]
        return {**out, RANDOM: grid}

    def values(self) -> Values:
        """See :func:`worst_case`."""
        loss, rise = (
            {n: _mean_of(values, pick) for n, pick in self.chosen.items()}
            for values in (self.loss, self.rise)
        )
        drawn: dict[str, Draws] = {
            name: dict(
                OKS=self._mean(loss[name], self.who),
                EPE=self._mean(rise[name], self.who),
                **self._ap(name, pick),
            )
            for name, pick in self.chosen.items()
        }
        pairs = [(WORST, n) for n in drawn if n != WORST]
        if TRANSFERRED in drawn:
            reference = MEAN_JOINT if self.joint is None else OWN_JOINT
            pairs += [(TRANSFERRED, RANDOM), (TRANSFERRED, reference)]
        gaps = {f'{a} - {b}': difference(drawn[a], drawn[b]) for a, b in pairs}
        out: Values = dict(
            people_compared=int(self.who.sum()),
            images_compared=len(np.unique(self.measures.image[self.who])),
            places={name: estimates(found) for name, found in drawn.items()},
            gaps={name: estimates(found) for name, found in gaps.items()},
        )
        if TRANSFERRED in drawn:
            own, theirs = (
                gaps[f'{name} - {RANDOM}']['OKS']
                for name in (WORST, TRANSFERRED)
            )
            with np.errstate(divide='ignore', invalid='ignore'):
                out['share_transferred'] = estimate(theirs / own)
        return dict(out, joints=self._by_joint(), people=self._people(loss))

    def _mean(self, values: np.ndarray, who: np.ndarray) -> np.ndarray:
        """``(1 + B,)`` means of ``(N,)`` over people."""
        return self.measures.mean(values[:, None], who[:, None])

    def _ap(self, name: str, pick: np.ndarray) -> Draws:
        """Fall of AP with one of the places of each person."""
        if self.joint is not None or 'AP' not in self.measures.measures:
            return {}
        clean = self.measures.clean(self.who)['AP']
        rng = np.random.default_rng(self.seed)
        falls = []
        for draw in range(AP_DRAWS if len(pick) > 1 else 1):
            ranks = rng.random(pick.shape) - 2 * (pick < 0)
            one = _taken(pick, ranks.argmax(axis=0)[None])
            found = {
                key: _taken(
                    np.stack(
                        [vars(a.predictions)[key] for a in self.run.attacks]
                    ),
                    one,
                )[0]
                for key, known in vars(self.run.clean).items()
                if known is not None
            }
            attack = replace(
                self.run.attacks[0],
                name=f'{name} {draw}',
                predictions=Predictions(**found),
            )
            under = self.measures.attacked(attack, self.who)
            falls.append(clean - under['AP'])
        return dict(AP=np.mean(falls, axis=0))

    def _by_joint(self) -> list[Values]:
        """Fall of each joint's own OKS; the worst place is the worst of all
        that were tried for its person."""
        out, grid = [], self.used[self.grid]
        names = self.targets if self.joint is None else []
        for attack, name in zip(self.joints, names, strict=False):
            joint = self.run.joints.names.index(name)
            fall = self.fall[..., joint]
            who = self.who & self.used[attack]
            who &= self.measures.labelled[:, joint]
            if not who.any():
                continue
            total = np.where(grid, fall[self.grid], 0).sum(axis=0)
            drawn = dict(
                hidden=self._mean(fall[attack], who),
                random=self._mean(ratio(total, grid.sum(axis=0)), who),
                worst=self._mean(self._tried(fall).max(axis=0), who),
            )
            drawn['gap'] = drawn['worst'] - drawn['hidden']
            out.append(
                dict(joint=name, people=int(who.sum()), **estimates(drawn))
            )
        return out

    def _tried(self, values: np.ndarray) -> np.ndarray:
        """Of ``(A, N)`` those of the search, -inf for places not tried."""
        own = slice(self.worst + 1)
        return np.where(self.used[own], values[own], -np.inf)

    def _people(self, loss: dict[str, np.ndarray]) -> list[Values]:
        boxes, out = self.run.boxes, []
        names = np.array(self.run.joints.names)
        worst = self.run.attacks[self.worst]
        first = self._tried(self.loss).argmax(axis=0)
        for row in np.flatnonzero(self.used[self.worst]).tolist():
            x, y = None, None
            if worst.centres is not None and worst.changed[row]:
                x, y = worst.centres[row].tolist()
            out.append(
                dict(
                    image_id=int(boxes.image_ids[row]),
                    annotation_id=int(boxes.instance_ids[row]),
                    place=self.names[first[row]].split(' ')[0],
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


def _mean_of(values: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """``(N,)`` means of ``(A, N)`` over indices ``(n, N)``, -1 for none; NaN
    where none is defined."""
    found = _taken(values, pick)
    return mean_oks(found.T, ((pick >= 0) & np.isfinite(found)).T)


def _taken(values: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """Of ``(A, N, ...)`` those of indices ``(n, N)``."""
    return values[pick, np.arange(values.shape[1])]
