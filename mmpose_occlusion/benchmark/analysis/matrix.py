"""Hide i: how far does j move?"""

from collections.abc import Sequence
from dataclasses import dataclass

from .costs import Cost


@dataclass(frozen=True)
class Matrix:
    """Movement of each joint when a target is hidden.

    Args:
        kind: Of the targets.
        paint: What hides them.
        targets: Rows.
        joints: Columns.
        values: Mean movement in parts of the box's longer side, None where
            the attack changed no crop.
    """

    kind: str
    paint: str
    targets: list[str]
    joints: list[str]
    values: list[list[float | None]]


def matrices(costs: Sequence[Cost]) -> list[Matrix]:
    """A matrix of the joints and one of the parts for every paint."""
    rows: dict[tuple[str, str], dict[str, Cost]] = {}
    for cost in costs:
        if cost.plain:
            rows.setdefault((cost.kind, cost.paint), {}).setdefault(
                cost.target, cost
            )
    return [
        Matrix(
            kind=kind,
            paint=paint,
            targets=list(found),
            joints=list(next(iter(found.values())).moved),
            values=[list(cost.moved.values()) for cost in found.values()],
        )
        for (kind, paint), found in rows.items()
        if len(found) > 1
    ]
