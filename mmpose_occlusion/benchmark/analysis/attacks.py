"""What an attack is about: which target it hides, how, and how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmpose_occlusion.attacks import KINDS

from ..data import Attacked

SEVERITY = 'severity'
"""Key of an attack's details: the size of what is painted."""

CONTROL = 'control'
"""Key of an attack's details: its role in a comparison of places."""

JOINT, PART, OTHER = 'joint', 'part', 'other'
_WORDS = {KINDS['keypoint']: JOINT, KINDS['part']: PART}


@dataclass(frozen=True)
class About:
    """An attack in words.

    Args:
        kind: :data:`JOINT`, :data:`PART` or :data:`OTHER`.
        target: Name of the one joint or part; of several, with commas.
        paint: What is painted, such as ``black``, and what else tells
            attacks on the same target apart.
    """

    kind: str
    target: str
    paint: str


def about(attack: Attacked) -> About:
    """What an attack is about, by its config and its name."""
    configs = transforms(attack)
    one = configs[0] if len(configs) == 1 else {}
    kind = _WORDS.get(_type_name(one), OTHER)
    target = one.get('target', 'random')
    if not isinstance(target, str):
        target = ','.join(target)
    target = target.split(':')[-1]
    if kind == OTHER or target.startswith('random'):
        return About(OTHER, attack.name, '')
    paint = str(one.get('fill', 'blur'))
    # a radius and the like stand after the fill in a name
    fields = attack.name.split(':')
    if paint in fields[:-1]:
        more = fields[fields.index(paint) + 1 :]
        if SEVERITY not in attack.details:
            paint = ' '.join([paint, *more])
    return About(kind, target, paint)


def transforms(attack: Attacked) -> list[Mapping[str, Any]]:
    """The configs of the transforms that make an attack."""
    if isinstance(attack.config, Mapping):
        return [attack.config]
    return [c for c in attack.config or () if isinstance(c, Mapping)]


def severity(attack: Attacked) -> float | None:
    """How large the suite says the attack is."""
    value = attack.details.get(SEVERITY)
    return None if value is None else float(value)


def _type_name(config: Mapping[str, Any]) -> str:
    kind = config.get('type', '')
    return kind if isinstance(kind, str) else kind.__name__
