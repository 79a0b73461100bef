"""The pixel frames of an image and of a crop of it."""

from collections.abc import Mapping

import numpy as np


def to_crop(joints: np.ndarray, meta: Mapping) -> np.ndarray:
    """Map joints (..., 2) from image pixels to crop pixels, by the crop's
    ``input_center``, ``input_scale`` and ``input_size``."""
    center, scale, size = _frame(meta)
    return (np.asarray(joints, float) - center + scale / 2) / scale * size


def from_crop(point: np.ndarray, meta: Mapping) -> np.ndarray:
    """The inverse of :func:`to_crop`, as MMPose maps predictions."""
    center, scale, size = _frame(meta)
    return point / size * scale + center - scale / 2


def _frame(meta: Mapping) -> list[np.ndarray]:
    keys = 'input_center', 'input_scale', 'input_size'
    return [np.asarray(meta[key], float) for key in keys]
