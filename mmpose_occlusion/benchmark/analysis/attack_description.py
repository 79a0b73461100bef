"""What an attack hides, with what, where and how large."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmpose_occlusion.benchmark.data import Attacked
from mmpose_occlusion.occlusion import REFERENCE_RADIUS, Attack
from mmpose_occlusion.occlusion.targets import CELL, PART

SEVERITY = 'severity'
"""Key of an attack's details: diameter over the height of the bbox."""

USUAL_SIZE = 0.1
"""Severity of which figures of single targets are."""

OTHER = 'other'
"""Kind of an attack that is not of this package, or of several steps."""

AT_TARGET = 'target'
"""Place of an attack that paints over its target."""

MOVED = ' offset'
"""In the paint of discs that are moved, before how far."""

RANDOM = 'random'
"""Target that is drawn for each person."""


@dataclass(frozen=True)
class AttackDescription:
    """An attack in words.

    ``kind`` is ``keypoint``, ``part``, ``cell`` or :data:`OTHER`; ``target``
    the name of the joint or part, or :data:`RANDOM`, several with commas;
    ``paint`` such as ``black``, with the radius if it is in pixels and not the
    reference's, and the offset; ``place`` :data:`AT_TARGET`, or where else the
    same area is painted; ``severity`` the diameter as a fraction of the height
    of the bbox; ``offset`` the greatest distance of the disc's centre from the
    target, as a fraction of the radius."""

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
    configs = transform_configs(attacked)
    attack = Attack.from_config(configs[0]) if len(configs) == 1 else None
    size = attacked.details.get(SEVERITY)
    size = None if size is None else float(size)
    if attack is None:
        name = attacked.name
        return AttackDescription(OTHER, name, '', AT_TARGET, size, 0.0)
    paint = attack.fill
    if size is None and attack.kind != PART:
        size = attack.size.fraction
        if attack.size.radius not in (None, REFERENCE_RADIUS):
            paint = f'{paint} {attack.size}'
    if attack.offset:
        paint += f'{MOVED} {attack.offset:g}'
    names, place = ','.join(attack.names), attack.place
    return AttackDescription(
        attack.kind, names, paint, place, size, attack.offset
    )


def plain_labels(attacks: Sequence[Attacked]) -> dict[str, str]:
    """Name -> paint of the attacks that figures of single targets show.

    These hide one named target. Of each paint, those of the size nearest to
    :data:`USUAL_SIZE` are shown, and those without a severity. Where a paint
    has both, the former's label says the size."""
    groups: dict[tuple[str, str], dict[str, float | None]] = {}
    for attack in attacks:
        what = describe(attack)
        if what.hides_one:
            group = groups.setdefault((what.kind, what.paint), {})
            group[attack.name] = what.severity
    out = {}
    for (_, paint), sizes in groups.items():
        known = {size for size in sizes.values() if size is not None}
        usual = min(known, key=lambda s: (abs(s - USUAL_SIZE), s), default=0)
        for name, size in sizes.items():
            if size is None:
                out[name] = paint
            elif size == usual:
                both = len(known) and None in sizes.values()
                out[name] = f'{paint} {100 * size:g}%' if both else paint
    return out


def transform_configs(attack: Attacked) -> list[Mapping[str, Any]]:
    """The configs of the transforms that make an attack."""
    if isinstance(attack.config, Mapping):
        return [attack.config]
    return [c for c in attack.config or () if isinstance(c, Mapping)]
