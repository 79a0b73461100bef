"""Suites: lists of attacks."""

from collections.abc import Iterable

from mmpose_occlusion.attacks import parse_attack
from mmpose_occlusion.skeleton import Skeleton

WILDCARD = '*'


def expand(specs: Iterable[str], skeleton: Skeleton) -> list[dict]:
    """Attacks from their short forms; ``*`` is every joint or part.

    Args:
        specs: Such as ``keypoint:nose:black`` or ``part:*:blur``.
        skeleton: The joints and parts that there are.

    Returns:
        Transform configs, in the order of the specs and of the data set's
        joints.
    """
    attacks = []
    for spec in specs:
        attack = parse_attack(spec)
        names = [attack['target']]
        if attack['target'] == WILDCARD:
            by_joint = attack['type'] == 'KeypointOcclusion'
            names = list(skeleton.names if by_joint else skeleton.parts)
        attacks += [dict(attack, target=name) for name in names]
    return attacks
