"""One person as an occluder sees them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmpose_occlusion.skeleton import Skeleton

from .patch import Point


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
    """The joints of one person in a picture.

    Plain numbers: a person has so few joints that NumPy's calls cost more
    than their work.

    Args:
        skeleton: Names of the K joints and the parts.
        xy: K times x and y in the picture's pixels.
        labelled: K times whether the joint has a label.
        points: The available joints, those that can be hidden: name -> x and
            y in pixels, in the order of the joints.
        height: Height of the person's frame in pixels: the crop's, or on
            whole images that of the person's box.
        box_height: Height of the person's box in the picture's pixels; NaN
            where it is not known.
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
