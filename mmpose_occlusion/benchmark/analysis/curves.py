"""Severity curves and the area under them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked

from .attacks import HERE, OTHER, About, about
from .bootstrap import Estimate, estimate
from .measures import Judge

MEAN = 'mean'
"""Target of a curve that is the mean of several."""


@dataclass(frozen=True)
class Curve:
    """A measure by the severity of attacks on the same people.

    Args:
        suite: That the attacks came from.
        kind: Of the attacks' target, see :mod:`.attacks`.
        target: What they hide, or :data:`MEAN`.
        paint: What they paint.
        measure: Such as ``AP``.
        people: Boxes that every step changed; the curve is of them alone.
            For a mean, the smallest number.
        severity: Steps, the first is 0: no attack.
        points: Of each step.
        area: Under the curve, by its width: the mean of the measure over
            the severities.
    """

    suite: str
    kind: str
    target: str
    paint: str
    measure: str
    people: int
    severity: list[float]
    points: list[Estimate]
    area: Estimate


def area_under(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean height of piecewise straight curves.

    Args:
        steps: ``(S,)`` rising.
        values: ``(S, ...)``.
    """
    widths = np.diff(steps).reshape(-1, *[1] * (values.ndim - 1))
    middle = (values[1:] + values[:-1]) / 2
    return (widths * middle).sum(axis=0) / (steps[-1] - steps[0])


def curves(judge: Judge, attacks: Sequence[Attacked]) -> list[Curve]:
    """All curves of a run; where there are several targets their mean comes
    first."""
    groups: dict[tuple[str, str, str], dict[str, list[Attacked]]] = {}
    for attack in attacks:
        what = about(attack)
        if what.severity is not None and what.kind != OTHER:
            paint = ' '.join([what.paint, *_elsewhere(what)])
            group = groups.setdefault((attack.suite, what.kind, paint), {})
            group.setdefault(what.target, []).append(attack)
    out = []
    for (suite, kind, paint), targets in groups.items():
        drawn = {
            target: _draws(judge, steps) for target, steps in targets.items()
        }
        known = {target: d for target, d in drawn.items() if d is not None}
        found = [
            _curve(judge, suite, kind, target, paint, *curve)
            for target, curve in known.items()
        ]
        same = {tuple(steps) for _, steps, _ in known.values()}
        if len(known) > 1 and len(same) == 1:
            people = min(number for number, _, _ in known.values())
            values = np.stack([v for _, _, v in known.values()])
            number = (~np.isnan(values)).sum(axis=0)
            mean = np.where(np.isnan(values), 0, values).sum(axis=0)
            mean = np.where(number > 0, mean / np.maximum(number, 1), np.nan)
            steps = np.array(next(iter(same)))
            head = _curve(judge, suite, kind, MEAN, paint, people, steps, mean)
            found.insert(0, head)
        out += found
    return out


def _elsewhere(what: About) -> list[str]:
    return [] if what.place == HERE else [what.place]


def _draws(
    judge: Judge, attacks: Sequence[Attacked]
) -> tuple[int, np.ndarray, np.ndarray] | None:
    """People, steps and ``(S, 1 + B)`` values of one curve."""
    sizes = {a.name: about(a).severity or 0.0 for a in attacks}
    steps = [a for a in attacks if sizes[a.name] and a.changed.any()]
    steps.sort(key=lambda a: sizes[a.name])
    if not steps:
        return None
    who = np.logical_and.reduce([a.changed for a in steps])
    measure = judge.main
    values = [judge.clean(who)[measure]]
    values += [judge.attacked(a, who)[measure] for a in steps]
    at = [0.0, *(sizes[a.name] for a in steps)]
    return int(who.sum()), np.array(at), np.stack(values)


def _curve(
    judge: Judge,
    suite: str,
    kind: str,
    target: str,
    paint: str,
    people: int,
    steps: np.ndarray,
    values: np.ndarray,
) -> Curve:
    return Curve(
        suite=suite,
        kind=kind,
        target=target,
        paint=paint,
        measure=judge.main,
        people=people,
        severity=steps.tolist(),
        points=[estimate(row) for row in values],
        area=estimate(area_under(steps, values)),
    )
