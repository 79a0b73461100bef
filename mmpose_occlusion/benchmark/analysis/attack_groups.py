"""Attacks side by side: movement matrices, and controls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked

from .attack_costs import AttackCost
from .attack_description import AT_TARGET, OTHER, describe
from .bootstrap import Estimate, estimate
from .run_measures import RunMeasures


@dataclass(frozen=True)
class MovementMatrix:
    """Mean movement of each joint (column) when a target (row) is hidden, as a
    fraction of the bbox's longer side; None where no crop was changed."""

    kind: str
    paint: str
    targets: list[str]
    joints: list[str]
    values: list[list[float | None]]


def movement_matrices(costs: Sequence[AttackCost]) -> list[MovementMatrix]:
    """A matrix of the joints and one of the parts for each paint."""
    rows: dict[tuple[str, str], dict[str, AttackCost]] = {}
    for cost in costs:
        if cost.plain:
            group = rows.setdefault((cost.kind, cost.label), {})
            group.setdefault(cost.target, cost)
    return [
        MovementMatrix(
            kind=kind,
            paint=paint,
            targets=list(found),
            joints=list(next(iter(found.values())).moved),
            values=[list(cost.moved.values()) for cost in found.values()],
        )
        for (kind, paint), found in rows.items()
        if len(found) > 1
    ]


@dataclass(frozen=True)
class ControlComparison:
    """Attacks of the same area at different places, on the ``people`` that all
    of them changed: place -> name of the attack and change of the measure;
    ``excess`` is the change by hiding the target minus that by painting this
    place, the effect of the target itself."""

    target: str
    paint: str
    severity: float | None
    measure: str
    people: int
    change: dict[str, Estimate]
    excess: dict[str, Estimate]
    attacks: dict[str, str]


def control_comparisons(
    measures: RunMeasures, attacks: Sequence[Attacked]
) -> list[ControlComparison]:
    """Compare the attacks of a run on the same target in the same paint at
    different places."""
    groups: dict[tuple[str, str, float | None], dict[str, Attacked]] = {}
    for attack in attacks:
        what = describe(attack)
        if what.kind != OTHER:
            places = groups.setdefault(
                (what.target, what.paint, what.severity), {}
            )
            places.setdefault(what.place, attack)
    out = []
    for (target, paint, severity), places in groups.items():
        if len(places) < 2:
            continue
        who = np.logical_and.reduce([a.changed for a in places.values()])
        who &= measures.labelled.any(axis=1)
        clean = measures.clean(who)[measures.main]
        changes = {
            place: measures.attacked(attack, who)[measures.main] - clean
            for place, attack in places.items()
        }
        own = changes.get(AT_TARGET)
        out.append(
            ControlComparison(
                target=target,
                paint=paint,
                severity=severity,
                measure=measures.main,
                people=int(who.sum()),
                change={p: estimate(values) for p, values in changes.items()},
                excess={
                    place: estimate(own - values)
                    for place, values in changes.items()
                    if own is not None and place != AT_TARGET
                },
                attacks={p: attack.name for p, attack in places.items()},
            )
        )
    return out
