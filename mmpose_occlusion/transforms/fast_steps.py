"""Steps of MMPose's own training pipelines with the same results, sooner.

Each class changes one thing of the MMPose class that it inherits from, takes
the same arguments, draws the same random numbers and gives the same values.
:func:`with_fast_steps` puts them into a pipeline.
"""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import RandomBBoxTransform, RandomFlip
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS
from scipy.special import ndtr, ndtri

_FLIP_CODES = {(0,): 0, (1,): 1, (0, 1): -1}
"""Flipped axes -> the code that OpenCV has for them."""


@TRANSFORMS.register_module()
class FastRandomFlip(RandomFlip):
    """MMPose's ``RandomFlip``, which leaves no view behind.

    That one makes a view that runs backwards, and OpenCV, in the next step
    that warps it, copies the picture pixel by pixel first, which takes 40
    times as long as OpenCV's own flip. Keys and arguments are the same.
    """

    def transform(self, results: dict) -> dict:
        """Flip as MMPose does, with the pixels in their place."""
        results = super().transform(results)
        image = results['img']
        if isinstance(image, list):
            results['img'] = [forwards(each) for each in image]
        else:
            results['img'] = forwards(image)
        return results


def forwards(image: np.ndarray) -> np.ndarray:
    """A flipped view as an array of its own.

    Args:
        image: (H, W) or (H, W, C), uint8 or float32.

    Returns:
        The same values; where no axis of the picture runs backwards, or
        OpenCV does not know this kind of array, the very array.
    """
    axes = tuple(
        axis for axis, step in enumerate(image.strides[:2]) if step < 0
    )
    if not axes or image.dtype not in (np.uint8, np.float32):
        return image
    flipped = cv2.flip(np.flip(image, axes), _FLIP_CODES[axes])
    return flipped.reshape(image.shape)  # a single channel may be dropped


@TRANSFORMS.register_module()
class FastRandomBBoxTransform(RandomBBoxTransform):
    """MMPose's ``RandomBBoxTransform`` with a short way to its numbers.

    SciPy's ``truncnorm.rvs`` looks at its arguments for far longer than it
    draws. The same quantile function at the same uniform numbers gives the
    same float32 numbers.
    """

    @staticmethod
    def _truncnorm(
        low: float = -1.0, high: float = 1.0, size: tuple = ()
    ) -> np.ndarray:
        below, above = ndtr((low, high))
        share = np.random.uniform(size=size)  # noqa: NPY002
        return ndtri(below + share * (above - below)).astype(np.float32)


@KEYPOINT_CODECS.register_module()
class FastMSRAHeatmap(MSRAHeatmap):
    """MMPose's ``MSRAHeatmap``, which computes its Gaussian once.

    All joints' Gaussians are the same one, since their centres are whole
    pixels; it is put where they are. Unbiased heatmaps, and a sigma whose
    triple is not whole, are left to MMPose. Decoding is MMPose's.
    """

    def encode(
        self,
        keypoints: np.ndarray,
        keypoints_visible: np.ndarray | None = None,
    ) -> dict:
        """Heatmaps (K, H, W) and weights (1, K) of one person's joints.

        Args:
            keypoints: (1, K, 2) in pixels of the crop.
            keypoints_visible: (1, K).
        """
        reach = 3 * self.sigma
        if (
            self.unbiased
            or reach != int(reach)
            or len(keypoints) != 1
            or keypoints_visible is None
        ):
            return super().encode(keypoints, keypoints_visible)
        reach = int(reach)
        gaussian = self._gaussian(reach)
        width, height = self.heatmap_size
        heatmaps = np.zeros((keypoints.shape[1], height, width), np.float32)
        weights = keypoints_visible.copy()
        centres = (keypoints[0] / self.scale_factor + 0.5).astype(np.int64)
        shown = keypoints_visible[0].tolist()
        for k, (x, y) in enumerate(centres.tolist()):
            if shown[k] < 0.5:
                continue
            left, top = x - reach, y - reach
            right, bottom = x + reach + 1, y + reach + 1
            if left >= width or top >= height or right < 0 or bottom < 0:
                weights[0, k] = 0
                continue
            x1, y1 = max(left, 0), max(top, 0)
            x2, y2 = min(right, width), min(bottom, height)
            heatmaps[k, y1:y2, x1:x2] = gaussian[
                y1 - top : y2 - top, x1 - left : x2 - left
            ]
        return dict(heatmaps=heatmaps, keypoint_weights=weights)

    def _gaussian(self, reach: int) -> np.ndarray:
        """``exp(-d² / 2σ²)`` around the middle, 1 there, float32."""
        line = np.arange(-reach, reach + 1, dtype=np.float32)
        return np.exp(-(line**2 + line[:, None] ** 2) / (2 * self.sigma**2))


FAST = {
    cls.__mro__[1]: cls
    for cls in (FastRandomFlip, FastRandomBBoxTransform, FastMSRAHeatmap)
}
"""MMPose's class -> the one with the same results."""

_BY_NAME = {
    f'{scope}{slow.__name__}': fast.__name__
    for slow, fast in FAST.items()
    for scope in ('', 'mmpose.')
}


def with_fast_steps(pipeline: Any) -> Any:
    """Take the fast steps wherever a pipeline has MMPose's.

    Args:
        pipeline: A list of configs; wrappers may have others inside.

    Returns:
        A new pipeline, with the same results.
    """
    if isinstance(pipeline, Mapping):
        new = {key: with_fast_steps(v) for key, v in pipeline.items()}
        type_ = new.get('type')
        if isinstance(type_, str):
            new['type'] = _BY_NAME.get(type_, type_)
        elif isinstance(type_, type):
            new['type'] = FAST.get(type_, type_)
        return new
    if isinstance(pipeline, list | tuple):
        return type(pipeline)(with_fast_steps(each) for each in pipeline)
    return pipeline
