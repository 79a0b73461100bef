"""Crops for top-down models, and their outputs back in image pixels.

The geometry is that of MMPose's GetBBoxCenterScale, TopdownAffine without UDP
and TopdownPoseEstimator; decoding is that of its MSRAHeatmap and SimCCLabel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .protocol import Prediction

PADDING = 1.25
"""Of MMPose's top-down recipes: the crop's box by the person's."""


@dataclass(frozen=True)
class CropFrame:
    """Where a crop lies in its image.

    Args:
        center: (2,) x and y in image pixels.
        scale: (2,) width and height of the crop in image pixels.
        size: (width, height) of the crop in its own pixels.
    """

    center: np.ndarray
    scale: np.ndarray
    size: tuple[int, int]

    @classmethod
    def of(
        cls,
        box: np.ndarray,
        size: tuple[int, int],
        padding: float = PADDING,
    ) -> 'CropFrame':
        """Around a box xyxy, widened to the crop's aspect ratio."""
        x1, y1, x2, y2 = np.asarray(box, np.float32)
        width, height = (x2 - x1) * padding, (y2 - y1) * padding
        aspect = size[0] / size[1]
        if width > height * aspect:
            height = width / aspect
        else:
            width = height * aspect
        center = np.array([x1 + x2, y1 + y2], np.float32) / 2
        return cls(center, np.array([width, height], np.float32), size)

    def crop(self, image: np.ndarray) -> np.ndarray:
        """(height, width, C) bilinear, black beyond the image."""
        zoom = self.size[0] / max(float(self.scale[0]), 1e-6)
        middle = np.array(self.size) / 2
        warp = np.zeros((2, 3))
        warp[0, 0] = warp[1, 1] = zoom
        warp[:, 2] = middle - zoom * self.center
        return cv2.warpAffine(image, warp, self.size, flags=cv2.INTER_LINEAR)

    def to_image(self, keypoints: np.ndarray) -> np.ndarray:
        """(..., 2) from crop pixels to image pixels."""
        moved = keypoints / np.array(self.size) * self.scale
        return moved + self.center - 0.5 * self.scale


class CropPredictor:
    """Base of the predictors that run a network on each person's crop; see
    :class:`.protocol.Predictor`.

    A child sets ``name``, ``keypoint_names`` and these attributes.

    Attributes:
        _size: (width, height) of the crops.
        _padding: The crop's box by the person's.
        _identity: File, options and versions.
    """

    needs_boxes = True
    keypoint_names: tuple[str, ...]
    _size: tuple[int, int]
    _padding: float
    _identity: str

    def identity(self) -> str:
        """File, options and versions."""
        return self._identity

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """One person a box."""
        joints = len(self.keypoint_names)
        frames = [
            [
                CropFrame.of(b, self._size, self._padding)
                for b in ([] if s is None else s)
            ]
            for s in boxes
        ]
        crops = [
            frame.crop(image)
            for image, mine in zip(images, frames, strict=True)
            for frame in mine
        ]
        if not crops:
            return [Prediction.empty(joints) for _ in images]
        keypoints, scores, seen = self._network(crops)
        out, start = [], 0
        for mine in frames:
            rows = slice(start, start + len(mine))
            start += len(mine)
            placed = [
                frame.to_image(xy)
                for frame, xy in zip(mine, keypoints[rows], strict=True)
            ]
            out.append(
                Prediction(
                    np.reshape(placed, (-1, joints, 2)),
                    scores[rows],
                    visibility=None if seen is None else seen[rows],
                )
            )
        return out

    def _network(
        self, crops: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Keypoints (M, K, 2) in crop pixels, scores (M, K) and visibility
        or None."""
        raise NotImplementedError


def decode_heatmaps(
    heatmaps: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints from heatmaps: the maximum, moved a quarter of a pixel.

    Args:
        heatmaps: (N, K, h, w).
        size: (width, height) of the crop.

    Returns:
        Keypoints (N, K, 2) in crop pixels and their values (N, K).
    """
    n, k, h, w = heatmaps.shape
    flat = heatmaps.reshape(n, k, -1)
    best = flat.argmax(axis=2)
    values = flat.max(axis=2)
    y, x = np.divmod(best, w)
    xy = np.stack([x, y], axis=2).astype(np.float32)
    xy[values <= 0] = -1
    people, joints = np.indices((n, k))

    def slope(dy: int, dx: int) -> np.ndarray:
        after = heatmaps[
            people, joints, (y + dy).clip(max=h - 1), (x + dx).clip(max=w - 1)
        ]
        before = heatmaps[people, joints, (y - dy).clip(0), (x - dx).clip(0)]
        return np.sign(after - before)

    positive = values > 0
    inner_x = positive & (x > 1) & (x < w - 1) & (y > 0)
    inner_y = positive & (y > 1) & (y < h - 1) & (x > 0)
    xy[..., 0] += 0.25 * np.where(inner_x, slope(0, 1), 0)
    xy[..., 1] += 0.25 * np.where(inner_y, slope(1, 0), 0)
    return xy * (np.array(size, np.float32) / (w, h)), values


def decode_simcc(
    x: np.ndarray, y: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints from SimCC's two classifications (Li et al., ECCV 2022).

    Args:
        x: (N, K, bins) along the width.
        y: (N, K, bins) along the height.
        size: (width, height) of the crop.

    Returns:
        Keypoints (N, K, 2) in crop pixels and scores (N, K), the smaller of
        the two maxima.
    """
    values = np.minimum(x.max(axis=2), y.max(axis=2))
    xy = np.stack([x.argmax(axis=2), y.argmax(axis=2)], axis=2)
    xy = np.where(values[..., None] > 0, xy, -1).astype(np.float32)
    ratio = np.array([x.shape[2] / size[0], y.shape[2] / size[1]])
    return xy / ratio, values
