"""Boxes of a body part for many people at once.

The rules are those of :mod:`mmpose_occlusion.occluders.part_box`, which says
why they are so; a test holds the two together.
"""

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

    def otherwise(self, other: '_Boxes') -> '_Boxes':
        """Others' boxes for those who have none here."""
        here = self.there[:, None]
        return _Boxes(
            np.where(here, self.center, other.center),
            np.where(here, self.widths, other.widths),
            self.there | other.there,
        )


class _People:
    def __init__(
        self, skeleton: Skeleton, xy: np.ndarray, available: np.ndarray
    ) -> None:
        self.skeleton = skeleton
        self.xy = np.where(available[..., None], xy, 0.0)
        self.available = available

    def joint(self, *names: str) -> _Joint:
        """The first of the joints that each person has."""
        xy = np.zeros((len(self.xy), 2))
        there = np.zeros(len(self.xy), bool)
        for name in names:
            if name in self.skeleton.names:
                index = self.skeleton.joint_index(name)
                new = self.available[:, index] & ~there
                xy[new] = self.xy[new, index]
                there |= new
        return _Joint(xy, there)

    def ends(self, part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lowest and highest coordinates of a part's joints, and how many
        there are."""
        index = list(self.skeleton.part_indices(part))
        here = self.available[:, index]
        xy = self.xy[:, index]
        low = np.where(here[..., None], xy, np.inf).min(axis=1)
        high = np.where(here[..., None], xy, -np.inf).max(axis=1)
        return low, high, here.sum(axis=1)

    def bounding(self, part: str) -> _Boxes:
        low, high, count = self.ends(part)
        return _Boxes((low + high) / 2, high - low, count > 1)


def corrected_boxes(
    part: str,
    skeleton: Skeleton,
    xy: np.ndarray,
    available: np.ndarray,
    height: float,
    shape: tuple[int, int],
) -> np.ndarray:
    """The boxes that ``corrected_box`` gives for one person after another.

    Args:
        part: Name of the part.
        skeleton: Names of the joints.
        xy: ``(N, K, 2)`` float64 joints in the picture's pixels.
        available: ``(N, K)`` bool; everybody has one of the part's.
        height: Of the people's frames in pixels.
        shape: The picture's ``(H, W)``.

    Returns:
        ``(N, 4)`` int64, ends exclusive, inside the picture.
    """
    people = _People(skeleton, xy, available)
    low, high, count = people.ends(part)
    last = high
    plain = _Boxes((low + high) / 2, high - low, count > 0)
    center, widths, _ = _reference(part, people).otherwise(plain)
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


def _reference(part: str, people: _People) -> _Boxes:
    if part in people.skeleton.own_parts:
        return people.bounding(part)
    if part == 'head':
        return _head(people)
    if part == 'hip':
        left, right = people.joint('left_hip'), people.joint('right_hip')
        return _pair(left, right, 2)
    side, _, limb = part.partition('_')
    if limb in ('arm', 'leg'):
        chain = dict(
            arm=('shoulder', 'elbow', 'wrist'), leg=('hip', 'knee', 'ankle')
        )[limb]
        return _limb(part, people, *(f'{side}_{name}' for name in chain))
    return people.bounding(part)


def _gap(a: _Joint, b: _Joint) -> np.ndarray:
    extent = np.abs(a.xy - b.xy)
    return np.maximum(extent, MIN_THICKNESS * extent[:, ::-1])


def _pair(a: _Joint, b: _Joint, scale: float | np.ndarray) -> _Boxes:
    return _Boxes((a.xy + b.xy) / 2, scale * _gap(a, b), a.there & b.there)


def _head(people: _People) -> _Boxes:
    if set(people.skeleton.parts['head']).intersection(FACE):
        center, widths, there = people.bounding('head')
        return _Boxes(center, HEAD_SCALE * widths, there)
    crown, neck = people.joint(*CROWN), people.joint(*NECK)
    return _pair(crown, neck, np.array([2.0, 1.0]))


def _limb(
    part: str, people: _People, root: str, middle: str, end: str
) -> _Boxes:
    r, m, e = people.joint(root), people.joint(middle), people.joint(end)
    box = people.bounding(part)
    whole = box._replace(there=r.there & m.there & e.there)
    other = people.joint(end, root)
    bent = _Boxes(m.xy, 2 * _gap(other, m), m.there & other.there)
    straight = _pair(r, e, 1)
    straight = straight._replace(there=straight.there & ~m.there)
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
