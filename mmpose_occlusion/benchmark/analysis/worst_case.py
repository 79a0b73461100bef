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
    measures = RunMeasures(run, draws, seed)
    names = [attack.name for attack in run.attacks]
    worst, joints = names.index(WORST), run.joints.names
    joint = run.attacks[worst].config.get('joint')
    used = np.stack([~attack.excluded for attack in run.attacks])  # (A, N)
    views = [
        measures.clean_predictions,
        *(PredictionMeasures(measures, a.predictions) for a in run.attacks),
    ]
    counted = measures.labelled & [joint in (None, name) for name in joints]
    similar = np.nan_to_num([view.similar for view in views])
    oks = mean_oks(similar, counted)
    loss = oks[0] - oks[1:]
    errors = np.stack([view.joint_values['EPE'] for view in views])
    rises = errors[1:] - errors[0]
    rise = mean_oks(rises, counted & np.isfinite(rises))
    own = {
        attack.config['target']: i
        for i, attack in enumerate(run.attacks)
        if attack.config['type'] != PLACED
    }
    grid = [i for i, name in enumerate(names) if name.startswith(GRID)]
    # kind of place -> (n, N) indices of attacks, -1 for those not tried
    tried = np.where(used, np.arange(len(names))[:, None], -1)
    chosen: dict[str, np.ndarray] = {
        name: np.full((1, used.shape[1]), names.index(name))
        for name in (WORST, TRANSFERRED)
        if name in names
    }
    if joint is None:
        hidden, hurts = (each[[*own.values()]] for each in (tried, loss))
        hurts = np.where(hidden >= 0, hurts, -np.inf)
        chosen[WORST_JOINT] = _taken(hidden, hurts.argmax(axis=0)[None])
        chosen[MEAN_JOINT] = hidden
    else:
        chosen[OWN_JOINT] = tried[[own[joint]]]
    chosen[RANDOM] = tried[grid]

    who = counted.any(axis=1)
    for pick in chosen.values():
        who &= (_taken(used, pick) & (pick >= 0)).any(axis=0)

    def mean(values: np.ndarray, who: np.ndarray) -> np.ndarray:
        """``(1 + B,)`` means of ``(N,)`` over people."""
        return measures.mean(values[:, None], who[:, None])

    losses = {name: _mean_of(loss, pick) for name, pick in chosen.items()}
    drawn: dict[str, Draws] = {
        name: dict(
            OKS=mean(losses[name], who),
            EPE=mean(_mean_of(rise, pick), who),
        )
        for name, pick in chosen.items()
    }
    pairs = [(WORST, name) for name in drawn if name != WORST]
    if TRANSFERRED in drawn:
        reference = MEAN_JOINT if joint is None else OWN_JOINT
        pairs += [(TRANSFERRED, RANDOM), (TRANSFERRED, reference)]
    gaps = {f'{a} - {b}': difference(drawn[a], drawn[b]) for a, b in pairs}
    out: Values = dict(
        people_compared=int(who.sum()),
        images_compared=len(np.unique(measures.image[who])),
        places=estimates(drawn),
        gaps=estimates(gaps),
    )
    if TRANSFERRED in drawn:
        by_own, by_other = (
            gaps[f'{name} - {RANDOM}']['OKS'] for name in (WORST, TRANSFERRED)
        )
        with np.errstate(divide='ignore', invalid='ignore'):
            out['share_transferred'] = estimate(by_other / by_own)
    searched = used[: worst + 1]
    out['joints'] = []
    for name, i in own.items() if joint is None else ():
        k = joints.index(name)
        fall = similar[0, ..., k] - similar[1:, ..., k]
        mine = who & used[i] & measures.labelled[:, k]
        if mine.any():
            total = np.where(used[grid], fall[grid], 0).sum(axis=0)
            most = np.where(searched, fall[: worst + 1], -np.inf).max(axis=0)
            under = dict(
                hidden=mean(fall[i], mine),
                random=mean(ratio(total, used[grid].sum(axis=0)), mine),
                worst=mean(most, mine),
            )
            under['gap'] = under['worst'] - under['hidden']
            people = int(mine.sum())
            found = dict(joint=name, people=people, **estimates(under))
            out['joints'].append(found)
    first = np.where(searched, loss[: worst + 1], -np.inf).argmax(axis=0)
    attack, out['people'] = run.attacks[worst], []
    for row in np.flatnonzero(used[worst]).tolist():
        x, y = None, None
        if attack.centres is not None and attack.changed[row]:
            x, y = attack.centres[row].tolist()
        out['people'].append(
            dict(
                image_id=int(run.boxes.image_ids[row]),
                annotation_id=int(run.boxes.instance_ids[row]),
                place=names[first[row]].split(' ')[0],
                x=x,
                y=y,
                hidden=np.array(joints)[attack.hidden[row]].tolist(),
                tried=int(used[:worst, row].sum()),
                clean_oks=float(oks[0][row]),
                epe_rise=float(rise[worst, row]),
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
