"""What an attack hides, with what, where and how large."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.occlusion import REFERENCE_RADIUS, Attack
from mmpose_occlusion.occlusion.targets import CELL, PART

USUAL_SIZE = 0.1
"""Severity of which figures of single targets are."""

OTHER, AT_TARGET, RANDOM = 'other', 'target', 'random'
"""Kind of an attack that is not of this package; place of one that paints over
its target; target that is drawn for each person."""

MOVED = ' offset'
"""In the paint of discs that are moved, before how far."""


@dataclass(frozen=True)
class AttackDescription:
    """An attack in words.

    ``kind`` is ``keypoint``, ``part``, ``cell`` or :data:`OTHER`; ``target``
    the name of the joint or part, or :data:`RANDOM`, several with commas;
    ``paint`` such as ``black``, with the radius if it is in pixels and not the
    reference's, and the offset; ``place`` :data:`AT_TARGET`, or where else the
    same area is painted; ``severity`` the diameter as a fraction of the height
    of the bbox; ``offset`` a fraction of the radius."""

    kind: str
    target: str
    paint: str
    place: str
    severity: float | None
    offset: float

    @property
    def hides_one(self) -> bool:
        """Whether it hides one named target."""
        return (
            self.kind not in (CELL, OTHER)
            and self.place == AT_TARGET
            and not self.offset
            and not self.target.startswith(RANDOM)
        )


def describe(attacked: Attacked) -> AttackDescription:
    """Describe an attack by its config and its details."""
    attack = Attack.from_config(attacked.config)
    size = attacked.details.get('severity')
    size = None if size is None else float(size)
    if attack is None:
        name = attacked.name
        return AttackDescription(OTHER, name, '', AT_TARGET, size, 0.0)
    paint, names = attack.fill, ','.join(attack.names)
    if size is None and attack.kind != PART:
        size = attack.size.fraction
        if attack.size.radius not in (None, REFERENCE_RADIUS):
            paint = f'{paint} {attack.size}'
    if attack.offset:
        paint += f'{MOVED} {attack.offset:g}'
    return AttackDescription(
        attack.kind, names, paint, attack.place, size, attack.offset
    )


def described(
    attacks: Iterable[Attacked],
) -> list[tuple[Attacked, AttackDescription]]:
    """Attacks with their descriptions."""
    return [(attack, describe(attack)) for attack in attacks]


def grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    """Key -> members, in the order given."""
    groups: dict[Any, list[Any]] = {}
    for key, member in pairs:
        groups.setdefault(key, []).append(member)
    return groups


def plain_labels(attacks: Sequence[Attacked]) -> dict[str, str]:
    """Name -> paint of the attacks that figures of single targets show: of
    each paint, those of the size nearest to :data:`USUAL_SIZE`, and those
    without a severity. Where a paint has both, the former's label says the
    size."""
    groups = grouped(
        ((it.kind, it.paint), (attack.name, it.severity))
        for attack, it in described(attacks)
        if it.hides_one
    )
    out = {}
    for (_, paint), mine in groups.items():
        known = {size for _, size in mine if size is not None}
        usual = min(known, key=lambda s: (abs(s - USUAL_SIZE), s), default=0)
        all_sized = all(size is not None for _, size in mine)
        for name, size in mine:
            if size is None or (size == usual and all_sized):
                out[name] = paint
            elif size == usual:
                out[name] = f'{paint} {100 * size:g}%'
    return out
