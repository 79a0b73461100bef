"""What an occlusion hides in a batch: all draws and regions at once."""

from typing import Any

import numpy as np

from mmpose_occlusion.occluders.paint import (
    GREY,
    disc_blur_ksize,
    part_blur_ksize,
)
from mmpose_occlusion.occluders.region import disc_radius
from mmpose_occlusion.skeleton import Skeleton

from .part_boxes import corrected_boxes
from .patches import Patches, disc_bounds

LEVELS = dict(black=0.0, grey=float(GREY), mean=np.nan, blur=0.0)
"""Fill -> its grey level; NaN is the crop's mean."""


class Targets:
    """The targets of a transform on a data set, T of them.

    Args:
        occlusion: A ``KeypointOcclusion``, ``PartOcclusion`` or
            ``RandomOcclusion``.
        skeleton: Names of the joints and parts.

    Raises:
        ValueError: For a target that the data set lacks.
    """

    def __init__(self, occlusion: Any, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self._occlusion = occlusion
        self._drawn = not occlusion._names
        self.names = [
            name if ':' in name else f'{occlusion.kind}:{name}'
            for name in occlusion._names or _all(occlusion, skeleton)
        ]
        self._plain = [name.partition(':')[2] for name in self.names]
        self._is_part = np.array([n.startswith('part:') for n in self.names])
        self.removes = self._is_part & occlusion.remove_keypoints
        self._members = np.zeros((len(self.names), len(skeleton.names)), bool)
        for row, name, part in zip(
            self._members, self._plain, self._is_part, strict=True
        ):
            if part:
                row[list(skeleton.part_indices(name))] = True
            else:
                row[skeleton.joint_index(name)] = True

    def choose(
        self, available: np.ndarray, numbers: np.ndarray, prob: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which targets of which crops are hidden.

        Args:
            available: ``(B, K)`` bool.
            numbers: ``(B, 2)`` in [0, 1): whether, and what.
            prob: Probability that a crop is occluded.

        Returns:
            ``(P,)`` crops and ``(P,)`` targets, in order.
        """
        has = (available[:, None] & self._members).any(axis=2)
        has &= numbers[:, :1] < prob
        if self._drawn:
            index = (numbers[:, 1] * has.sum(axis=1)).astype(np.int64)
            has &= has.cumsum(axis=1) - 1 == index[:, None]
        crop, target = np.nonzero(has)
        return crop, target

    def patches(
        self,
        crop: np.ndarray,
        target: np.ndarray,
        xy: np.ndarray,
        available: np.ndarray,
        shape: tuple[int, int],
        channels: int,
    ) -> Patches:
        """The patches of the chosen targets.

        Args:
            crop: ``(P,)``.
            target: ``(P,)``.
            xy: ``(B, K, 2)`` float64 crop pixels.
            available: ``(B, K)`` bool.
            shape: The crops' ``(H, W)``.
            channels: C.
        """
        occlusion, count = self._occlusion, len(crop)
        joint = self._members.argmax(axis=1)[target]
        center = xy[crop, joint]
        radius = np.full(count, np.inf)
        ksize = np.zeros(count, np.int64)
        box = np.zeros((count, 4), np.int64)
        discs = ~self._is_part[target]
        if discs.any():
            r = disc_radius(occlusion.radius, shape[0])
            radius[discs] = r
            ksize[discs] = max(3, disc_blur_ksize(r))
            box[discs] = disc_bounds(center[discs], radius[discs], shape)
        parts = np.flatnonzero(self._is_part)
        if parts.size:
            ksize[~discs] = part_blur_ksize(shape[0])
            box[~discs] = corrected_boxes(
                [self._plain[number] for number in parts],
                np.searchsorted(parts, target[~discs]),
                self.skeleton,
                xy[crop[~discs]],
                available[crop[~discs]],
                shape[0],
                shape,
            )
        center[~discs] = (box[~discs, :2] + box[~discs, 2:] - 1) / 2
        if occlusion.fill != 'blur':
            ksize[:] = 0
        color = np.full((count, channels), LEVELS[occlusion.fill])
        return Patches(crop, crop, box, center, radius, ksize, color)


def _all(occlusion: Any, skeleton: Skeleton) -> list[str]:
    """What a random target is drawn from, if the person has it."""
    joints = [f'keypoint:{name}' for name in skeleton.names]
    parts = [f'part:{name}' for name in skeleton.parts]
    if occlusion.kind == 'keypoint':
        return joints
    if occlusion.kind == 'target':
        return joints + parts
    if occlusion.target == 'random_all':
        return parts
    return [f'part:{name}' for name in skeleton.basic_parts]
