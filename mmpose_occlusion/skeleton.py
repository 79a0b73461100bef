"""Joint names and body parts.

Parts are defined by joint names, so that a part has the same meaning on COCO,
MPII, AIC, CrowdPose, OCHuman, JHMDB, Halpe and COCO-WholeBody.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

SIDES = ('left', 'right')
FACE = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')
CROWN = ('head_top', 'top_head', 'head')
NECK = ('neck', 'upper_neck')

LIMBS = {
    'arm': ('shoulder', 'elbow', 'wrist'),
    'leg': ('hip', 'knee', 'ankle'),
}
"""Limb -> joints of a side, from the trunk outwards."""


def _sided(side: str, joints: Iterable[str]) -> tuple[str, ...]:
    return tuple(f'{side}_{joint}' for joint in joints)


def _both(*joints: str) -> tuple[str, ...]:
    return tuple(f'{side}_{joint}' for joint in joints for side in SIDES)


COCO_JOINTS = (*FACE, *_both(*LIMBS['arm'], *LIMBS['leg']))

MPII_ORDER = (
    *_sided('right', LIMBS['leg'][::-1]),
    *_sided('left', LIMBS['leg']),
    *('pelvis', 'thorax', 'upper_neck', 'head_top'),
    *_sided('right', LIMBS['arm'][::-1]),
    *_sided('left', LIMBS['arm']),
)
_FINGERS = 'thumb|forefinger|middle_finger|ring_finger|pinky_finger'
DETAILS = {
    r'face-\d+': ['face'],
    rf'(left_|right_|)({_FINGERS})\d': ['{0}hand', '{0}{1}'],
    r'(left_|right_)(?:big_toe|small_toe|toe|heel)': ['{0}foot'],
}
"""Names of joints -> the parts that they belong to."""

CONVENTIONS = {'coco': COCO_JOINTS, 'mpii': MPII_ORDER}
"""Names of joint orders: COCO's 17 and MPII's 16."""

MIXED_PARTS = (
    *('head', 'left_arm', 'right_arm', 'left_leg', 'right_leg', 'corpus'),
)
"""Parts that ``PartMix`` draws from for person and donor, and donor patches
for the donor."""

BASIC_PARTS = (*MIXED_PARTS[:3], 'hip', *MIXED_PARTS[3:])
"""Parts that ``PartOcclusion(target='random')`` draws from."""

HALVES = ('upper_body', 'lower_body', 'left_side', 'right_side')
ALL_PARTS = BASIC_PARTS + HALVES
"""Parts that ``PartOcclusion(target='random_all')`` draws from."""


def joint_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Joint names from the name of a convention, or as they are.

    >>> joint_names('coco')[:2]
    ('nose', 'left_eye')
    """
    if not isinstance(names, str):
        return tuple(names)
    if names not in CONVENTIONS:
        raise ValueError(
            f'joint names {names!r} are unknown: write '
            f'{" or ".join(CONVENTIONS)}, or list the names'
        )
    return CONVENTIONS[names]


@lru_cache(maxsize=64)
def body_parts(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Part -> names of its joints among ``names``, of the parts that have
    any, in the order of :data:`ALL_PARTS`.

    The head is the nose, the eyes, the ears and the crown; the neck joins it
    where there is no facial joint, as in MPII, AIC, CrowdPose and JHMDB.
    Hands, fingers, feet and face are parts where the data set has such
    joints, as COCO-WholeBody, Halpe and MMPose's hand data sets have.
    """
    head = FACE + CROWN + (NECK if set(names).isdisjoint(FACE) else ())
    table = {
        'head': head,
        'hip': _both('hip'),
        'corpus': _both('shoulder', 'hip'),
        'upper_body': head + _both(*LIMBS['arm'], 'hip'),
        'lower_body': _both(*LIMBS['leg']),
    }
    outwards = (*LIMBS['leg'][::-1], *LIMBS['arm'][::-1], 'ear', 'eye')
    for side in SIDES:
        for limb, joints in LIMBS.items():
            table[f'{side}_{limb}'] = _sided(side, joints)
        table[f'{side}_side'] = _sided(side, outwards)
    found = {
        part: [n for n in table[part] if n in names] for part in ALL_PARTS
    }
    for name in names:
        for form, parts in DETAILS.items():
            if match := re.fullmatch(form, name):
                for part in parts:
                    part = part.format(*match.groups())
                    found.setdefault(part, []).append(name)
    for side in ('', 'left_', 'right_'):
        roots = [r for r in (f'{side}hand_root', f'{side}wrist') if r in names]
        if f'{side}hand' in found:
            found[f'{side}hand'] += roots[:1]
    return {part: tuple(joints) for part, joints in found.items() if joints}


@dataclass(frozen=True)
class Skeleton:
    """The joints of a data set and its body parts, addressed by name.

    Args:
        names: Joint names in the order of the joint axis, length K.
        own_parts: The user's own parts, part name -> joint names. One that
            has the name of a body part replaces it.

    Raises:
        ValueError: An own part is no list of existing joints.
    """

    names: tuple[str, ...]
    own_parts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part, joints in self.own_parts.items():
            listed = joints and not isinstance(joints, str)
            if not listed or any(joint not in self.names for joint in joints):
                raise ValueError(
                    f'parts[{part!r}] = {joints!r} must be a list of at '
                    'least one joint name of this data set; its joints are: '
                    f'{", ".join(self.names)}.'
                )

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """Part -> names of its joints."""
        own = {part: tuple(joints) for part, joints in self.own_parts.items()}
        return {**body_parts(self.names), **own}

    @cached_property
    def basic_parts(self) -> tuple[str, ...]:
        """Parts that are drawn by default: :data:`BASIC_PARTS`, and the
        user's own; of a hand or a face alone all parts."""
        basic = [part for part in BASIC_PARTS if part in self.parts]
        basic += [part for part in self.own_parts if part not in ALL_PARTS]
        return tuple(basic or self.parts)

    @classmethod
    def from_metainfo(
        cls, metainfo: Mapping, parts: Mapping | None = None
    ) -> 'Skeleton':
        """From a data set's metainfo, parsed (``dataset.metainfo``)."""
        names = metainfo['keypoint_id2name']
        return cls(tuple(str(names[i]) for i in sorted(names)), parts or {})

    @cached_property
    def is_mpii(self) -> bool:
        """Whether these are MPII's joints, a special case of the reference."""
        only = {'pelvis', 'thorax', 'upper_neck', 'head_top'}
        return only.issubset(self.names)

    def joint_index(self, name: str) -> int:
        """Index of a joint; a ValueError lists the existing ones."""
        if name not in self.names:
            raise ValueError(
                f'There is no joint {name!r} in this data set; its joints '
                f'are: {", ".join(self.names)}.'
            )
        return self.names.index(name)

    def part_indices(self, part: str) -> tuple[int, ...]:
        """Indices of its joints; a ValueError lists the existing parts."""
        if part not in self.parts:
            raise ValueError(
                f'There is no part {part!r} in this data set; its parts are: '
                f'{", ".join(self.parts) or "none"}; define your own with '
                f"parts={{'{part}': ['{self.names[0]}', ...]}}."
            )
        return tuple(map(self.names.index, self.parts[part]))
