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
    joint, kinds, who = search.joint, [*search.places], search.compared
    losses = {kind: search.mean_of(search.loss, kind) for kind in kinds}
    places: dict[str, Draws] = {
        kind: dict(
            OKS=search.mean(losses[kind], who),
            EPE=search.mean(search.mean_of(search.rise, kind), who),
        )
        for kind in kinds
    }
    pairs = [(WORST, kind) for kind in kinds if kind != WORST]
    if TRANSFERRED in kinds:
        reference = MEAN_JOINT if joint is None else OWN_JOINT
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
    out['joints'] = search.joints() if joint is None else []
    out['people'] = search.people(losses)
    return out


class _Search:
    """A run's A attacks as places of an occluder.

    ``similar`` ``(1 + A, N, K)`` is the per-keypoint OKS, first without an
    attack; ``loss`` and ``rise`` ``(A, N)`` the fall of the OKS and the rise
    of the EPE of each person; ``used`` ``(A, N)``, for whom a place was tried;
    ``compared`` ``(N,)``, for whom some of every kind were. ``places`` are
    kind -> indices ``(n,)``, and ``(n, N)`` for whom they count."""

    def __init__(self, run: BenchmarkRun, draws: int, seed: int) -> None:
        self.run, self.measures = run, RunMeasures(run, draws, seed)
        names = self.names = [attack.name for attack in run.attacks]
        self.worst = names.index(WORST)
        self.joint = run.attacks[self.worst].config.get('joint')
        wanted = [self.joint in (None, name) for name in run.joints.names]
        counted = self.measures.labelled & wanted
        views = [
            self.measures.clean_predictions,
            *(
                PredictionMeasures(self.measures, attack.predictions)
                for attack in run.attacks
            ),
        ]
        self.similar = np.nan_to_num([view.similar for view in views])
        self.oks = mean_oks(self.similar, counted)
        self.loss = self.oks[0] - self.oks[1:]
        errors = np.stack([view.joint_values['EPE'] for view in views])
        rises = errors[1:] - errors[0]
        self.rise = mean_oks(rises, counted & np.isfinite(rises))
        self.used = np.stack([~attack.excluded for attack in run.attacks])
        self.discs = {  # joint -> index of the attack that hides it
            attack.config['target']: i
            for i, attack in enumerate(run.attacks)
            if attack.config['type'] != PLACED
        }
        self.places = self._places()
        self.compared = counted.any(axis=1)
        for _, tried in self.places.values():
            self.compared &= tried.any(axis=0)

    def _places(self) -> dict[str, tuple[list[int], np.ndarray]]:
        known = (WORST, TRANSFERRED)
        chosen = {n: [self.names.index(n)] for n in known if n in self.names}
        if self.joint is None:
            discs = [*self.discs.values()]
            chosen |= {WORST_JOINT: discs, MEAN_JOINT: discs}
        else:
            chosen[OWN_JOINT] = [self.discs[self.joint]]
        grid = [i for i, n in enumerate(self.names) if n.startswith(GRID)]
        chosen[RANDOM] = grid
        out = {kind: (rows, self.used[rows]) for kind, rows in chosen.items()}
        if self.joint is None:
            _, tried = out[WORST_JOINT]
            most = np.where(tried, self.loss[discs], -np.inf).argmax(axis=0)
            tried &= np.arange(len(discs))[:, None] == most
        return out

    def mean_of(self, values: np.ndarray, kind: str) -> np.ndarray:
        """``(N,)`` means of ``(A, N)`` over places, NaN without any."""
        rows, tried = self.places[kind]
        found = values[rows]
        return mean_oks(found.T, (tried & np.isfinite(found)).T)

    def mean(self, values: np.ndarray, who: np.ndarray) -> np.ndarray:
        """``(1 + B,)`` means of ``(N,)`` over people."""
        return self.measures.mean(values[:, None], who[:, None])

    def joints(self) -> list[Values]:
        """Falls of the per-keypoint OKS of each joint."""
        out, searched = [], self.used[: self.worst + 1]
        for name, disc in self.discs.items():
            k = self.run.joints.names.index(name)
            fall = self.similar[0, ..., k] - self.similar[1:, ..., k]
            mine = self.compared & self.used[disc]
            mine &= self.measures.labelled[:, k]
            most = np.where(searched, fall[: len(searched)], -np.inf)
            if mine.any():
                under = dict(
                    hidden=self.mean(fall[disc], mine),
                    random=self.mean(self.mean_of(fall, RANDOM), mine),
                    worst=self.mean(most.max(axis=0), mine),
                )
                under['gap'] = under['worst'] - under['hidden']
                people = int(mine.sum())
                out.append(dict(joint=name, people=people, **estimates(under)))
        return out

    def people(self, losses: dict[str, np.ndarray]) -> list[Values]:
        """The worst place of each person, and losses ``(N,)`` by kind."""
        attack, searched = (
            self.run.attacks[self.worst],
            self.used[: self.worst + 1],
        )
        most = np.where(searched, self.loss[: len(searched)], -np.inf)
        first, boxes = most.argmax(axis=0), self.run.boxes
        names, out = np.array(self.run.joints.names), []
        for row in np.flatnonzero(self.used[self.worst]).tolist():
            x, y = None, None
            if attack.centres is not None and attack.changed[row]:
                x, y = attack.centres[row].tolist()
            out.append(
                dict(
                    image_id=int(boxes.image_ids[row]),
                    annotation_id=int(boxes.instance_ids[row]),
                    place=self.names[first[row]].split(' ')[0],
                    x=x,
                    y=y,
                    hidden=names[attack.hidden[row]].tolist(),
                    tried=int(searched[:-1, row].sum()),
                    clean_oks=float(self.oks[0][row]),
                    epe_rise=float(self.rise[self.worst, row]),
                    **{f'loss_{k}': float(v[row]) for k, v in losses.items()},
                )
            )
        return out
