"""One person as an occluder sees them."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..skeleton import Skeleton


def labelled_joints(visible: np.ndarray) -> np.ndarray:
    """Which joints are labelled, from MMPose's ``keypoints_visible``.

    Args:
        visible: ``(N, K)``, or ``(N, K, 2)`` of visibilities and weights.

    Returns:
        ``(N, K)`` bool.
    """
    visible = np.asarray(visible)
    return (visible[..., 0] if visible.ndim == 3 else visible) > 0


@dataclass(frozen=True)
class Person:
    """The joints of one person in a picture.

    Args:
        skeleton: Names of the joints and parts.
        xy: ``(K, 2)`` float64 joints in the picture's pixels.
        labelled: ``(K,)`` bool.
        available: ``(K,)`` bool, the joints that can be hidden.
        height: Height of the person's frame in pixels: the crop's, or on
            whole images that of the person's box.
        box_height: Height of the person's box in the picture's pixels; NaN
            where it is not known.
    """

    skeleton: Skeleton
    xy: np.ndarray
    labelled: np.ndarray
    available: np.ndarray
    height: float
    box_height: float = math.nan

    @property
    def zoom(self) -> float:
        """Height of the frame as a multiple of the box's; 1 if unknown."""
        known = math.isfinite(self.box_height) and self.box_height > 0
        return self.height / self.box_height if known else 1.0

    @cached_property
    def points(self) -> dict[str, np.ndarray]:
        """The available joints: name -> (2,) pixels."""
        names = self.skeleton.names
        return {names[i]: self.xy[i] for i in self.available.nonzero()[0]}

    @cached_property
    def spots(self) -> list[tuple[int, float, float]]:
        """The available joints: index, and x and y in pixels."""
        joints = self.available.nonzero()[0]
        return [
            (joint, x, y)
            for joint, (x, y) in zip(
                joints.tolist(), self.xy[joints].tolist(), strict=True
            )
        ]
