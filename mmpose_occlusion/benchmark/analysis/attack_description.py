"""What an attack hides, with what, where and how large."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmpose_occlusion.benchmark.data import Attacked

SEVERITY = 'severity'
"""Key of an attack's details: diameter over the height of the bbox."""

KEYPOINT, PART, OTHER = 'keypoint', 'part', 'other'
_KINDS = {'KeypointOcclusion': KEYPOINT, 'PartOcclusion': PART}

AT_TARGET = 'target'
"""Place of an attack that paints over its target."""

RANDOM = 'random'
"""Target that is drawn for each person."""

_DEFAULT_RADIUS = 6  # of the transforms


@dataclass(frozen=True)
class AttackDescription:
    """An attack in words.

    Args:
        kind: :data:`KEYPOINT`, :data:`PART` or :data:`OTHER`.
        target: Name of the joint or part, or :data:`RANDOM`; several with
            commas; of other attacks, their name.
        paint: Such as ``black``, with the radius if it is not the default.
        place: :data:`AT_TARGET`, or where else the same area is painted.
        severity: Diameter as a fraction of the height of the bbox, or None.
    """

    kind: str
    target: str
    paint: str
    place: str
    severity: float | None

    @property
    def is_plain(self) -> bool:
        """Whether it hides one named target, without a severity."""
        return (
            self.kind != OTHER
            and self.place == AT_TARGET
            and self.severity is None
            and not self.target.startswith(RANDOM)
        )


def describe(attack: Attacked) -> AttackDescription:
    """Describe an attack by its config and its details."""
    configs = transform_configs(attack)
    one = configs[0] if len(configs) == 1 else {}
    type_ = one.get('type', '')
    name = type_ if isinstance(type_, str) else type_.__name__
    kind = _KINDS.get(name.rpartition('.')[2], OTHER)
    target, paint = attack.name, ''
    radius, severity = _size(one)
    if kind != OTHER:
        target = one.get('target', RANDOM)
        if not isinstance(target, str):
            target = ','.join(target)
        paint = str(one.get('fill', 'blur'))
        if radius != _DEFAULT_RADIUS:
            paint = f'{paint} {radius:g}'
    severity = attack.details.get(SEVERITY, severity)
    return AttackDescription(
        kind=kind,
        target=target.split(':')[-1],
        paint=paint,
        place=str(one.get('place', AT_TARGET)),
        severity=None if severity is None else float(severity),
    )


def _size(config: Mapping[str, Any]) -> tuple[float, float | None]:
    """Radius in pixels, and diameter as a fraction of the bbox's height."""
    size = config.get('size', config.get('radius', _DEFAULT_RADIUS))
    if isinstance(size, str):
        return _DEFAULT_RADIUS, float(size.rstrip('%')) / 100
    return size, config.get('diameter')


def transform_configs(attack: Attacked) -> list[Mapping[str, Any]]:
    """The configs of the transforms that make an attack."""
    if isinstance(attack.config, Mapping):
        return [attack.config]
    return [c for c in attack.config or () if isinstance(c, Mapping)]
