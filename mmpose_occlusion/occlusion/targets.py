"""Targets: the joints or body parts that are to be hidden, named or drawn."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..skeleton import Skeleton
from .regions import Array, Box, Point

KEYPOINT, PART, CELL = 'keypoint', 'part', 'cell'
KINDS = (KEYPOINT, PART, CELL)

RANDOM_WORDS = {
    KEYPOINT: ('random',),
    PART: ('random', 'random_all'),
    CELL: (),
}
"""Kind -> words for targets that are drawn from those a person has."""

CELLS, WIDEST = 5, 100  # the grid's spacing and extent to each side, in %


def cell_position(name: str) -> tuple[float, float]:
    """Where a cell is in a person's box, as fractions of the box's height: to
    the right of the box's middle, and below its top.

    Raises:
        ValueError: The name does not have the form.

    >>> cell_position('x-10y35')
    (-0.1, 0.35)
    """
    found = re.fullmatch(r'x(-?\d{1,3})y(\d{1,3})', name)
    if not found:
        raise ValueError(
            f'cell "{name}" must look like x-10y35: per cent of the height '
            "of the person's box, right of its middle and below its top"
        )
    return int(found[1]) / 100, int(found[2]) / 100


def cell_names(spacing: int) -> list[str]:
    """The cells of a grid, its spacing in per cent, from the top left."""
    columns = range(-WIDEST, WIDEST + 1, spacing)
    return [f'x{x}y{y}' for y in range(0, 101, spacing) for x in columns]


class Target(NamedTuple):
    """A joint, a part or a cell of the person's box: one of :data:`KINDS`,
    and the name."""

    kind: str
    name: str

    def joints(self, skeleton: Skeleton) -> tuple[int, ...]:
        """Indices of the target's joints; a cell has none. A ValueError lists
        those that the data set has, if it lacks the target."""
        if self.kind == CELL:
            cell_position(self.name)
            return ()
        if self.kind == KEYPOINT:
            return (skeleton.joint_index(self.name),)
        return skeleton.part_indices(self.name)


@dataclass(frozen=True, eq=False)
class Person:
    """The K joints of one person in an image, in its pixels.

    Args:
        xy, labelled, available: ``(K, 2)`` float64, ``(K,)`` bool and
            ``(K,)`` bool, which joints can be hidden.
        height: Of the crop, or on whole images of the person's box.
        box_height, box: Of the person's box, xyxy; NaN and None where it is
            not known.
    """

    skeleton: Skeleton
    xy: Array
    labelled: Array
    available: Array
    height: float
    box_height: float = math.nan
    box: Sequence[float] | None = None

    @cached_property
    def points(self) -> dict[str, Point]:
        """Name -> place of the available joints, in their order."""
        joints = self.skeleton.names, self.xy.tolist(), self.available.tolist()
        found = zip(*joints, strict=True)
        return {name: (x, y) for name, (x, y), there in found if there}

    def points_of(self, joints: Iterable[str]) -> list[Point]:
        """Places of those of some joints that are available."""
        return [self.points[name] for name in joints if name in self.points]

    def height_in(self, image_height: float) -> float:
        """The height of the person's box; where it is not known, that of the
        available joints' bounding box, or the image's where they have none."""
        if 0 < self.box_height < math.inf:
            return self.box_height
        rows = [y for _, y in self.points.values()] or [0.0]
        return max(rows) - min(rows) or image_height


def labelled_joints(visible: Array) -> Array:
    """``(N, K)`` bool, which joints are labelled, from MMPose's
    ``keypoints_visible``: ``(N, K)``, or ``(N, K, 2)`` with weights."""
    visible = np.asarray(visible)
    return (visible[..., 0] if visible.ndim == 3 else visible) > 0


def cell_box(person: Person, cell: str, fraction: float | None) -> Box | str:
    """The square around a cell, a fraction of the height of the person's box
    wide, or why there is none."""
    if person.box is None or fraction is None:
        return "the person's box or the size as a fraction is not known"
    x1, y1, x2, y2 = person.box
    height = y2 - y1
    right, down = (height * u for u in cell_position(cell))
    if not abs(right) <= (x2 - x1) / 2 < math.inf:  # nor of an undefined box
        return "the cell is beside the person's box"
    side = fraction * height
    left = math.ceil((x1 + x2 - side) / 2 + right)
    top = math.ceil(y1 + down - side / 2)
    pixels = max(1, round(side))
    return Box((left, top, left + pixels, top + pixels))


@dataclass(frozen=True)
class Chooser:
    """Turns a person and random numbers into targets and the fill of each.

    Args:
        fills: All that it may choose.
        label: The targets, if they are named; of random ones, those in the
            records of a person who is left alone.
        drawn: '' for all named ones; or what one target is drawn from, which
            the person has: 'keypoint', 'part', 'part_all' (any part),
            'target' (all joints and all parts together) or 'mixed', a part
            for the transform ``PartMix``, which tries up to ``most`` donors;
            or 'several': ``min(available joints, most)`` rounds, in each of
            which, with probability ``prob``, one of the joints that are left
            and one of the fills is drawn.
    """

    fills: tuple[str, ...]
    label: tuple[Target, ...]
    drawn: str = ''
    most: int = 1
    prob: float = 1.0

    @property
    def numbers(self) -> int:
        """How many random numbers in [0, 1) it takes; the first says whether
        the person is occluded at all. Of 'mixed' further ones are of the
        donor's part and the donors; of 'several' there are three a round."""
        if self.drawn == 'several':
            return 1 + 3 * self.most
        return 2 + self.most if self.drawn == 'mixed' else 2

    def choose(
        self,
        person: Person,
        numbers: Sequence[float],
        random_parts: Callable[[Person, str], list[str]],
    ) -> list[tuple[Target, str]] | str:
        """Targets and the fill of each, or why there is none; of the parts
        that the rules' ``random_parts`` gives."""
        if not self.drawn:
            return [(target, self.fills[0]) for target in self.label]
        known = []
        if self.drawn in (KEYPOINT, 'target', 'several'):
            known += [(KEYPOINT, name) for name in person.points]
        if self.drawn not in (KEYPOINT, 'several'):
            parts = random_parts(person, self.drawn)
            known += [(PART, name) for name in parts]
        if not known:
            return f'this person has no available {self.label[0].kind}'
        if self.drawn != 'several':
            chosen = Target(*known[int(numbers[1] * len(known))])
            return [(chosen, self.fills[0])]
        out = []
        for i in range(min(self.most, len(known))):
            drawn, joint, fill = numbers[1 + 3 * i : 4 + 3 * i]
            if drawn < self.prob:
                target = Target(*known.pop(int(joint * len(known))))
                out.append((target, self.fills[int(fill * len(self.fills))]))
        return out or f'none drawn (keypoint_prob={self.prob})'


def chooser_of(kind: str, names: Sequence[str], fill: str) -> Chooser:
    """The chooser of targets that a user names, or of a random word."""
    label, drawn = tuple(Target(kind, name) for name in names), ''
    if len(names) == 1 and names[0] in RANDOM_WORDS[kind]:
        drawn = 'part_all' if names[0] == 'random_all' else kind
    return Chooser((fill,), label, drawn)
