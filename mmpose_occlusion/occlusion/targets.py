"""Targets: the joint or body part of a person that is to be hidden."""

from dataclasses import dataclass

from ..skeleton import Skeleton

KEYPOINT, PART = 'keypoint', 'part'
KINDS = (KEYPOINT, PART)


@dataclass(frozen=True)
class Target:
    """A joint or a body part, by name.

    Args:
        kind: :data:`KEYPOINT` or :data:`PART`.
        name: Of a joint or part of the data set.

    >>> str(Target('part', 'head'))
    'part:head'
    """

    kind: str
    name: str

    def joints(self, skeleton: Skeleton) -> tuple[int, ...]:
        """Indices of the target's joints.

        Raises:
            ValueError: The data set lacks the target; the sentence lists
                those it has.
        """
        if self.kind == KEYPOINT:
            return (skeleton.joint_index(self.name),)
        return skeleton.part_indices(self.name)

    def joint_names(self, skeleton: Skeleton) -> tuple[str, ...]:
        """Names of the target's joints."""
        if self.kind == KEYPOINT:
            return (self.name,)
        return skeleton.parts[self.name]

    def __str__(self) -> str:
        return f'{self.kind}:{self.name}'
