"""What an attack is about: which target it hides, how, where, how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmpose_occlusion.attacks import KINDS
from mmpose_occlusion.benchmark.data import Attacked

SEVERITY = 'severity'
"""Key of an attack's details: the size of what is painted."""

JOINT, PART, OTHER = 'joint', 'part', 'other'
_WORDS = {KINDS['keypoint']: JOINT, KINDS['part']: PART}

HERE = 'target'
"""Place of an attack that hides what it names."""

ANY = 'random'
"""Target of an attack that draws it anew for each person."""


@dataclass(frozen=True)
class About:
    """An attack in words.

    Args:
        kind: :data:`JOINT`, :data:`PART` or :data:`OTHER`.
        target: Name of the one joint or part, or :data:`ANY`; of several,
            with commas; of other attacks, their name.
        paint: What is painted, such as ``black``, with the radius where it
            is not the usual one.
        place: :data:`HERE`, or where else the same area is painted.
        severity: Diameter as a part of the height of the box, if it has one.
    """

    kind: str
    target: str
    paint: str
    place: str
    severity: float | None

    @property
    def is_plain(self) -> bool:
        """Whether it hides one target that it names, in a usual size."""
        return (
            self.kind != OTHER
            and self.place == HERE
            and self.severity is None
            and not self.target.startswith(ANY)
        )


def about(attack: Attacked) -> About:
    """What an attack is about, by its config and its details."""
    configs = transforms(attack)
    one = configs[0] if len(configs) == 1 else {}
    kind = _WORDS.get(_type_name(one), OTHER)
    size = attack.details.get(SEVERITY, one.get('diameter'))
    target = one.get('target', ANY)
    if not isinstance(target, str):
        target = ','.join(target)
    paint = str(one.get('fill', 'blur'))
    if one.get('radius', _RADIUS) != _RADIUS:
        paint = f'{paint} {one["radius"]:g}'
    if kind == OTHER:
        target, paint = attack.name, ''
    return About(
        kind=kind,
        target=target.split(':')[-1],
        paint=paint,
        place=str(one.get('place', HERE)),
        severity=None if size is None else float(size),
    )


_RADIUS = 6
"""What ``KeypointOcclusion`` takes where a name says nothing."""


def transforms(attack: Attacked) -> list[Mapping[str, Any]]:
    """The configs of the transforms that make an attack."""
    if isinstance(attack.config, Mapping):
        return [attack.config]
    return [c for c in attack.config or () if isinstance(c, Mapping)]


def _type_name(config: Mapping[str, Any]) -> str:
    kind = config.get('type', '')
    return kind if isinstance(kind, str) else kind.__name__
