"""Hiding the joint against painting as much somewhere else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked

from .attacks import HERE, OTHER, about
from .bootstrap import Estimate, estimate
from .measures import Judge, change


@dataclass(frozen=True)
class Control:
    """Attacks of the same area at different places, on the same people.

    Args:
        target: Whose area is painted.
        paint: What is painted.
        measure: Such as ``AP``.
        people: Boxes that all of the attacks changed; of them alone is the
            rest.
        change: Place -> change of the measure.
        excess: Place -> change by hiding the target minus that by painting
            this place: what is due to the target itself.
        attacks: Place -> name of the attack.
    """

    target: str
    paint: str
    measure: str
    people: int
    change: dict[str, Estimate]
    excess: dict[str, Estimate]
    attacks: dict[str, str]


def controls(judge: Judge, attacks: Sequence[Attacked]) -> list[Control]:
    """The comparisons of a run's attacks on the same target in the same paint
    at different places."""
    groups: dict[tuple[str, str], dict[str, Attacked]] = {}
    for attack in attacks:
        what = about(attack)
        if what.kind != OTHER and what.severity is None:
            group = groups.setdefault((what.target, what.paint), {})
            group.setdefault(what.place, attack)
    return [
        _control(judge, target, paint, places)
        for (target, paint), places in groups.items()
        if len(places) > 1
    ]


def _control(
    judge: Judge, target: str, paint: str, places: dict[str, Attacked]
) -> Control:
    who = np.logical_and.reduce([a.changed for a in places.values()])
    who &= judge.labelled.any(axis=1)
    clean = judge.clean(who)
    measure = judge.main
    changes = {
        place: change(clean, judge.attacked(attack, who))[measure]
        for place, attack in places.items()
    }
    here = changes.get(HERE)
    return Control(
        target=target,
        paint=paint,
        measure=measure,
        people=int(who.sum()),
        change={place: estimate(v) for place, v in changes.items()},
        excess={
            place: estimate(here - values)
            for place, values in changes.items()
            if here is not None and place != HERE
        },
        attacks={place: attack.name for place, attack in places.items()},
    )
