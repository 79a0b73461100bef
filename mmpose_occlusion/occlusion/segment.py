"""Annotated segments as masks."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask


def segment_mask(
    segment: Any, shape: tuple[int, ...], warp: np.ndarray | None = None
) -> np.ndarray:
    """The pixels of a segment.

    Args:
        segment: COCO's polygons, or run lengths.
        shape: ``(H, W)`` of the mask.
        warp: ``(2, 3)`` from pixels of the image to those of the mask.

    Returns:
        ``(H, W)`` bool.
    """
    warp = np.eye(3)[:2] if warp is None else warp
    if isinstance(segment, Mapping):
        if not isinstance(segment['counts'], bytes | str):
            size = segment['size']
            segment = coco_mask.frPyObjects(dict(segment), *size)
        pixels = coco_mask.decode(segment)
        size = (shape[1], shape[0])
        return cv2.warpAffine(pixels, warp, size, flags=cv2.INTER_NEAREST) > 0
    rings = [np.reshape(ring, (-1, 2)) for ring in segment if len(ring) >= 6]
    return filled([ring @ warp[:, :2].T + warp[:, 2] for ring in rings], shape)


def filled(rings: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The pixels inside any of some rings of points ``(M, 2)``."""
    out = np.zeros(shape[:2], np.uint8)
    for ring in rings:
        # sixteenths of a pixel
        cv2.fillPoly(out, [np.rint(16 * ring).astype(np.int32)], 1, shift=4)
    return out > 0
