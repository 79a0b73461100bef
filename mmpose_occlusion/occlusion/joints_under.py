"""Which joints a patch hides, of anybody in the picture."""

import math
from collections.abc import Sequence

from .patch import Patch
from .person import Person

Joints = list[tuple[int, str]]
"""Joints in a picture: index of the person and name of the joint."""

Extent = tuple[float, float, float, float]
"""The least x and y and the greatest of a person's available joints."""

ANYWHERE: Extent = (-math.inf, -math.inf, math.inf, math.inf)
NOWHERE: Extent = (math.inf, math.inf, -math.inf, -math.inf)


def extents(people: Sequence[Person]) -> list[Extent]:
    """Where people are, to pass over those who are far from a patch.

    Somebody who is alone is looked at anyway, and so is anywhere.
    """
    return [ANYWHERE] if len(people) == 1 else [_extent(p) for p in people]


def _extent(person: Person) -> Extent:
    if not person.points:
        return NOWHERE
    xs, ys = zip(*person.points.values(), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def hidden(
    people: Sequence[Person],
    where: Sequence[Extent],
    patch: Patch | None,
    shape: tuple[int, ...],
) -> Joints:
    """Available joints of everybody that lie on painted pixels.

    Args:
        people: Everybody in the picture.
        where: Their :func:`extents`.
        patch: What was painted; None hides nothing.
        shape: The picture's ``(H, W)``.
    """
    if patch is None:
        return []
    x1, y1, x2, y2 = patch.box
    return [
        (i, joint)
        for i, (left, top, right, bottom) in enumerate(where)
        if left <= x2 and x1 - 1 <= right and top <= y2 and y1 - 1 <= bottom
        for joint in patch.joints_under(people[i].points, shape)
    ]
