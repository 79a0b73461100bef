"""One person as an occlusion sees them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..skeleton import Skeleton
from .patch import Patch, Point

Joint = tuple[int, str]
"""A joint in an image: index of the person, and name."""


def labelled_joints(visible: np.ndarray) -> np.ndarray:
    """Which joints are labelled, from MMPose's ``keypoints_visible``.

    Args:
        visible: ``(N, K)``, or ``(N, K, 2)`` of visibilities and weights.

    Returns:
        ``(N, K)`` bool.
    """
    visible = np.asarray(visible)
    return (visible[..., 0] if visible.ndim == 3 else visible) > 0


class Person(NamedTuple):
    """The joints of one person in an image.

    Plain numbers: a person has so few joints that NumPy's calls cost more
    than their work.

    Args:
        skeleton: Names of the K joints and the parts.
        xy: K pairs x and y in image pixels.
        labelled: K bools, whether the joint has a label.
        points: The available joints, those that can be hidden: name -> x and
            y in pixels, in the order of the joints.
        height: Height of the person's frame in pixels: the crop's, or on
            whole images that of the person's box.
        box_height: Height of the person's box in image pixels; NaN where it
            is not known.
    """

    skeleton: Skeleton
    xy: Sequence[Sequence[float]]
    labelled: Sequence[bool]
    points: dict[str, Point]
    height: float
    box_height: float = math.nan

    @property
    def zoom(self) -> float:
        """Height of the frame as a multiple of the box's; 1 if unknown."""
        known = math.isfinite(self.box_height) and self.box_height > 0
        return self.height / self.box_height if known else 1.0

    @property
    def available(self) -> np.ndarray:
        """``(K,)`` bool, the joints that can be hidden."""
        return np.array([n in self.points for n in self.skeleton.names])


def joints_under(
    people: Sequence[Person], patch: Patch | None, shape: tuple[int, ...]
) -> list[Joint]:
    """Available joints of all people that lie on painted pixels.

    Args:
        people: All people in the image.
        patch: What was painted; None hides nothing.
        shape: The image's ``(H, W)``.
    """
    if patch is None:
        return []
    return [
        (i, joint)
        for i, person in enumerate(people)
        for joint in patch.joints_under(person.points, shape)
    ]
