"""What the worst place of an occluder costs, beside random places and joints;
docs/worst_case.md defines the places and measures.

All are over the people for whom every kind of place was tried, and after a
search for one joint of that joint alone.
"""

from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import BenchmarkRun
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

Values = dict[str, Any]


def worst_case(run: BenchmarkRun, draws: int = DRAWS, seed: int = 0) -> Values:
    """The numbers of ``worst.json``, of :func:`.image_run.run_predictor` with
    a search."""
    search = _Search(run, draws, seed)
    kinds = search.kinds()
    who = search.counted.any(axis=1)
    for pick in kinds.values():
        who &= (_taken(search.used, pick) & (pick >= 0)).any(axis=0)
    losses = {
        kind: _mean_of(search.loss, pick) for kind, pick in kinds.items()
    }
    places: dict[str, Draws] = {
        kind: dict(
            OKS=search.mean(losses[kind], who),
            EPE=search.mean(_mean_of(search.rise, pick), who),
        )
        for kind, pick in kinds.items()
    }
    pairs = [(WORST, kind) for kind in kinds if kind != WORST]
    if TRANSFERRED in kinds:
        reference = MEAN_JOINT if search.joint is None else OWN_JOINT
        pairs += [(TRANSFERRED, RANDOM), (TRANSFERRED, reference)]
    gaps = {f'{a} - {b}': difference(places[a], places[b]) for a, b in pairs}
    out: Values = dict(
        people_compared=int(who.sum()),
        images_compared=len(np.unique(search.measures.image[who])),
        places=estimates(places),
        gaps=estimates(gaps),
    )
    if TRANSFERRED in kinds:
        by_own, by_other = (
            gaps[f'{kind} - {RANDOM}']['OKS'] for kind in (WORST, TRANSFERRED)
        )
        with np.errstate(divide='ignore', invalid='ignore'):
            out['share_transferred'] = estimate(by_other / by_own)
    out['joints'] = search.joints(who) if search.joint is None else []
    out['people'] = search.people(losses)
    return out


class _Search:
    """A run's A attacks as places: ``used`` ``(A, N)``, for whom each was
    tried; ``similar`` ``(1 + A, N, K)``, per-keypoint OKS, first without an
    attack; ``loss`` and ``rise`` ``(A, N)``, fall of the OKS and rise of the
    EPE over the joints that are ``counted`` ``(N, K)``."""

    def __init__(self, run: BenchmarkRun, draws: int, seed: int) -> None:
        self.run, attacks, names = run, run.attacks, run.joints.names
        measures = self.measures = RunMeasures(run, draws, seed)
        self.names = [attack.name for attack in attacks]
        self.worst = self.names.index(WORST)
        self.joint = attacks[self.worst].config.get('joint')
        self.used = np.stack([~attack.excluded for attack in attacks])
        self.counted = measures.labelled & [
            self.joint in (None, name) for name in names
        ]
        views = [
            measures.clean_predictions,
            *(PredictionMeasures(measures, a.predictions) for a in attacks),
        ]
        self.similar = np.nan_to_num([view.similar for view in views])
        self.oks = mean_oks(self.similar, self.counted)
        self.loss = self.oks[0] - self.oks[1:]
        errors = np.stack([view.joint_values['EPE'] for view in views])
        rises = errors[1:] - errors[0]
        self.rise = mean_oks(rises, self.counted & np.isfinite(rises))
        self.grid = [i for i, n in enumerate(self.names) if n.startswith(GRID)]
        self.own = {  # joint -> index of the attack that hides it
            attack.config['target']: i
            for i, attack in enumerate(attacks)
            if attack.config['type'] != PLACED
        }

    def mean(self, values: np.ndarray, who: np.ndarray) -> np.ndarray:
        """``(1 + B,)`` means of ``(N,)`` over people."""
        return self.measures.mean(values[:, None], who[:, None])

    def kinds(self) -> dict[str, np.ndarray]:
        """Kind of place -> ``(n, N)`` indices of attacks, -1 for those not
        tried."""
        used = self.used
        tried = np.where(used, np.arange(len(used))[:, None], -1)
        out: dict[str, np.ndarray] = {
            name: np.full((1, used.shape[1]), self.names.index(name))
            for name in (WORST, TRANSFERRED)
            if name in self.names
        }
        if self.joint is None:
            hidden = tried[[*self.own.values()]]
            hurts = np.where(
                hidden >= 0, self.loss[[*self.own.values()]], -np.inf
            )
            out[WORST_JOINT] = _taken(hidden, hurts.argmax(axis=0)[None])
            out[MEAN_JOINT] = hidden
        else:
            out[OWN_JOINT] = tried[[self.own[self.joint]]]
        out[RANDOM] = tried[self.grid]
        return out

    def joints(self, who: np.ndarray) -> list[Values]:
        """Fall of the per-keypoint OKS of each joint by its own disc, random
        places and the worst of its places."""
        out, used, grid = [], self.used, self.grid
        searched = used[: self.worst + 1]
        for name, i in self.own.items():
            k = self.run.joints.names.index(name)
            fall = self.similar[0, ..., k] - self.similar[1:, ..., k]
            mine = who & used[i] & self.measures.labelled[:, k]
            if mine.any():
                total = np.where(used[grid], fall[grid], 0).sum(axis=0)
                most = np.where(searched, fall[: len(searched)], -np.inf)
                under = dict(
                    hidden=fall[i],
                    random=ratio(total, used[grid].sum(axis=0)),
                    worst=most.max(axis=0),
                )
                drawn = {n: self.mean(v, mine) for n, v in under.items()}
                drawn['gap'] = drawn['worst'] - drawn['hidden']
                people = int(mine.sum())
                out.append(dict(joint=name, people=people, **estimates(drawn)))
        return out

    def people(self, losses: dict[str, np.ndarray]) -> list[Values]:
        """The worst place of each person, and losses ``(N,)`` by kind."""
        worst, searched = (
            self.run.attacks[self.worst],
            self.used[: self.worst + 1],
        )
        tried = np.where(searched, self.loss[: len(searched)], -np.inf)
        boxes, names = self.run.boxes, np.array(self.run.joints.names)
        out = []
        for row in np.flatnonzero(self.used[self.worst]).tolist():
            x, y = None, None
            if worst.centres is not None and worst.changed[row]:
                x, y = worst.centres[row].tolist()
            out.append(
                dict(
                    image_id=int(boxes.image_ids[row]),
                    annotation_id=int(boxes.instance_ids[row]),
                    place=self.names[tried[:, row].argmax()].split(' ')[0],
                    x=x,
                    y=y,
                    hidden=names[worst.hidden[row]].tolist(),
                    tried=int(searched[:-1, row].sum()),
                    clean_oks=float(self.oks[0][row]),
                    epe_rise=float(self.rise[self.worst, row]),
                    **{f'loss_{k}': float(v[row]) for k, v in losses.items()},
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
