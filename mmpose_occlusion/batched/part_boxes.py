"""Boxes of a body part for many people at once.

The rules are those of :mod:`mmpose_occlusion.occluders.part_box`, which says
why they are so; a test holds the two together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmpose_occlusion.occluders.part_box import (
    DEFAULT_RADIUS,
    HEAD_SCALE,
    MIN_THICKNESS,
)
from mmpose_occlusion.occluders.region import disc_radius
from mmpose_occlusion.skeleton import CROWN, FACE, NECK, Skeleton


class _Joint(NamedTuple):
    """A joint of many people."""

    xy: np.ndarray
    there: np.ndarray


class _Boxes(NamedTuple):
    """Boxes by centre and full widths, each (N, 2), and who has one."""

    center: np.ndarray
    widths: np.ndarray
    there: np.ndarray

    def replaced(self, index: np.ndarray, new: '_Boxes') -> '_Boxes':
        """These boxes, new ones for some people."""
        for old, value in zip(self, new, strict=True):
            old[index] = value
        return self

    def otherwise(self, other: '_Boxes') -> '_Boxes':
        """Others' boxes for those who have none here."""
        here = self.there[:, None]
        return _Boxes(
            np.where(here, self.center, other.center),
            np.where(here, self.widths, other.widths),
            self.there | other.there,
        )


class _People:
    """People, of each of whom a part is wanted.

    Args:
        skeleton: Names of the joints.
        xy: ``(N, K, 2)``.
        available: ``(N, K)`` bool.
        members: ``(N, K)`` bool, the joints of each one's part.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        xy: np.ndarray,
        available: np.ndarray,
        members: np.ndarray,
    ) -> None:
        self.skeleton = skeleton
        self.xy = np.where(available[..., None], xy, 0.0)
        self.available = available
        here = available & members
        self.count = here.sum(axis=1)
        self.low = np.where(here[..., None], xy, np.inf).min(axis=1)
        self.high = np.where(here[..., None], xy, -np.inf).max(axis=1)

    def joints(self, who: np.ndarray, index: np.ndarray | int) -> _Joint:
        """Of each of some people one joint, by index; -1 is none."""
        there = (index >= 0) & self.available[who, index]
        return _Joint(self.xy[who, index], there)

    def joint(self, who: np.ndarray, *names: str) -> _Joint:
        """The first of the joints that each of some people has."""
        found = self.joints(who, -1)
        for name in names:
            index = _index(self.skeleton, name)
            found = _either(found, self.joints(who, index))
        return found

    def bounding(self, who: np.ndarray | slice = slice(None)) -> _Boxes:
        low, high = self.low[who], self.high[who]
        return _Boxes((low + high) / 2, high - low, self.count[who] > 1)


def _index(skeleton: Skeleton, name: str) -> int:
    """Of a joint, -1 if the data set lacks it."""
    return skeleton.joint_index(name) if name in skeleton.names else -1


def _either(a: _Joint, b: _Joint) -> _Joint:
    """The first where it is there, else the second."""
    xy = np.where(a.there[:, None], a.xy, b.xy)
    return _Joint(xy, a.there | b.there)


def corrected_boxes(
    parts: Sequence[str],
    which: np.ndarray,
    skeleton: Skeleton,
    xy: np.ndarray,
    available: np.ndarray,
    height: float,
    shape: tuple[int, int],
) -> np.ndarray:
    """The boxes that ``corrected_box`` gives for one person after another.

    Args:
        parts: Names of parts.
        which: ``(N,)`` index of each one's part.
        skeleton: Names of the joints.
        xy: ``(N, K, 2)`` float64 joints in the picture's pixels.
        available: ``(N, K)`` bool; everybody has one of the part's.
        height: Of the people's frames in pixels.
        shape: The picture's ``(H, W)``.

    Returns:
        ``(N, 4)`` int64, ends exclusive, inside the picture.
    """
    members = np.zeros((len(parts), len(skeleton.names)), bool)
    for row, part in zip(members, parts, strict=True):
        row[list(skeleton.part_indices(part))] = True
    people = _People(skeleton, xy, available, members[which])
    low, high = people.low, people.high
    last = high
    plain = people.bounding()._replace(there=people.count > 0)
    center, widths, _ = _reference(parts, which, people).otherwise(plain)
    smallest = 2.0 * disc_radius(DEFAULT_RADIUS, height) + 1
    widths = np.maximum(widths, MIN_THICKNESS * widths[:, ::-1])
    half = np.maximum(widths, smallest) / 2
    low = np.minimum(low, center - half)
    high = np.maximum(high, center + half)
    x1, x2 = _whole(low[:, 0], high[:, 0], last[:, 0], shape[1])
    y1, y2 = _whole(low[:, 1], high[:, 1], last[:, 1], shape[0])
    x1, x2 = _thicken(x1, x2, y2 - y1, shape[1])
    y1, y2 = _thicken(y1, y2, x2 - x1, shape[0])
    return np.stack([x1, y1, x2, y2], axis=1)


_CHAINS = dict(
    arm=('shoulder', 'elbow', 'wrist'), leg=('hip', 'knee', 'ankle')
)


def _reference(
    parts: Sequence[str], which: np.ndarray, people: _People
) -> _Boxes:
    boxes = people.bounding()
    chains = np.full((len(parts), 3), -1)
    limbs = np.zeros(len(parts), bool)
    for number, part in enumerate(parts):
        if part in people.skeleton.own_parts:
            continue
        side, _, limb = part.partition('_')
        if limb in _CHAINS:
            limbs[number] = True
            chains[number] = [
                _index(people.skeleton, f'{side}_{name}')
                for name in _CHAINS[limb]
            ]
        elif part in ('head', 'hip'):
            who = np.flatnonzero(which == number)
            found = _head(people, who) if part == 'head' else _hip(people, who)
            boxes = boxes.replaced(who, found)
    who = np.flatnonzero(limbs[which])
    joints = (people.joints(who, index) for index in chains[which[who]].T)
    return boxes.replaced(who, _limbs(people.bounding(who), *joints))


def _gap(a: _Joint, b: _Joint) -> np.ndarray:
    extent = np.abs(a.xy - b.xy)
    return np.maximum(extent, MIN_THICKNESS * extent[:, ::-1])


def _pair(a: _Joint, b: _Joint, scale: float | np.ndarray) -> _Boxes:
    return _Boxes((a.xy + b.xy) / 2, scale * _gap(a, b), a.there & b.there)


def _head(people: _People, who: np.ndarray) -> _Boxes:
    if set(people.skeleton.parts['head']).intersection(FACE):
        center, widths, there = people.bounding(who)
        return _Boxes(center, HEAD_SCALE * widths, there)
    crown, neck = people.joint(who, *CROWN), people.joint(who, *NECK)
    return _pair(crown, neck, np.array([2.0, 1.0]))


def _hip(people: _People, who: np.ndarray) -> _Boxes:
    left = people.joint(who, 'left_hip')
    return _pair(left, people.joint(who, 'right_hip'), 2)


def _limbs(box: _Boxes, root: _Joint, middle: _Joint, end: _Joint) -> _Boxes:
    whole = box._replace(there=root.there & middle.there & end.there)
    other = _either(end, root)
    bent = _Boxes(
        middle.xy, 2 * _gap(other, middle), middle.there & other.there
    )
    straight = _pair(root, end, 1)
    straight = straight._replace(there=straight.there & ~middle.there)
    return whole.otherwise(bent).otherwise(straight)


def _whole(
    low: np.ndarray, high: np.ndarray, last_joint: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    stop = np.maximum(np.ceil(high), np.floor(last_joint + 0.5) + 1)
    start = np.maximum(np.floor(low), 0).astype(np.int64)
    return start, np.minimum(stop, size).astype(np.int64)


def _thicken(
    start: np.ndarray, stop: np.ndarray, length: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    wanted = np.ceil(MIN_THICKNESS * length).astype(np.int64)
    missing = wanted - (stop - start)
    begin = np.maximum(start - missing // 2, 0)
    end = np.minimum(np.maximum(stop, begin + wanted), size)
    begin = np.maximum(np.minimum(begin, end - wanted), 0)
    thin = missing > 0
    return np.where(thin, begin, start), np.where(thin, end, stop)
