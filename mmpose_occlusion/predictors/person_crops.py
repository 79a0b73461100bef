"""Crops for top-down models, and their outputs back in image pixels.

The geometry is that of MMPose's GetBBoxCenterScale, TopdownAffine without UDP
and TopdownPoseEstimator; decoding is that of its MSRAHeatmap and SimCCLabel.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from .protocol import Adapter, Prediction

Array = np.ndarray
Size = tuple[int, int]
Decoded = tuple[Array, Array, Array | None]
"""Keypoints (M, K, 2) in crop pixels, scores (M, K) and visibility or None."""

PADDING = 1.25
"""Of MMPose's top-down recipes: the crop's box by the person's."""


def crop_frames(
    boxes: Array, size: Size, padding: float = PADDING
) -> tuple[Array, Array]:
    """Where the crops of people lie in their images.

    Args:
        boxes: (N, 4) xyxy.
        size: (width, height) of the crops, whose aspect ratio the boxes are
            widened to.
        padding: The crop's box by the person's.

    Returns:
        Centres (N, 2), and widths and heights (N, 2) in image pixels.
    """
    low, high = np.split(np.asarray(boxes, np.float32), 2, axis=1)
    width, height = ((high - low) * padding).T
    aspect = size[0] / size[1]
    wide = width > height * aspect
    scales = [
        np.where(wide, width, height * aspect),
        np.where(wide, width / aspect, height),
    ]
    return (low + high) / 2, np.stack(scales, axis=1)


def crop_image(image: Array, center: Array, scale: Array, size: Size) -> Array:
    """(height, width, C) bilinear, black beyond the image."""
    zoom = size[0] / max(float(scale[0]), 1e-6)
    warp = np.zeros((2, 3))
    warp[0, 0] = warp[1, 1] = zoom
    warp[:, 2] = np.array(size) / 2 - zoom * center
    return cv2.warpAffine(image, warp, size, flags=cv2.INTER_LINEAR)


def to_image(
    keypoints: Array, centers: Array, scales: Array, size: Size
) -> Array:
    """(N, K, 2) from crop pixels to image pixels."""
    moved = keypoints / np.array(size) * scales[:, None]
    return moved + centers[:, None] - 0.5 * scales[:, None]


class CropPredictor(Adapter):
    """Base of the predictors that run a network on each person's crop.

    Attributes:
        _size: (width, height) of the crops.
        _padding: The crop's box by the person's.
    """

    needs_boxes = True
    _size: Size
    _padding: float

    def __call__(
        self,
        images: Sequence[Array],
        boxes: Sequence[Array | None],
    ) -> list[Prediction]:
        """One person a box."""
        counts = [0 if each is None else len(each) for each in boxes]
        if not any(counts):
            empty = Prediction.empty(len(self.keypoint_names))
            return [empty] * len(images)
        joined = np.concatenate([b for b in boxes if b is not None and len(b)])
        centers, scales = crop_frames(joined, self._size, self._padding)
        owners = np.repeat(range(len(images)), counts)
        crops = [
            crop_image(images[i], centers[row], scales[row], self._size)
            for row, i in enumerate(owners)
        ]
        xy, scores, seen = self._network(crops)
        xy = to_image(xy, centers, scales, self._size)
        out = []
        for i in range(len(images)):
            rows = owners == i
            visibility = None if seen is None else seen[rows]
            found = Prediction(xy[rows], scores[rows], visibility=visibility)
            out.append(found)
        return out

    def _network(self, crops: list[Array]) -> Decoded:
        raise NotImplementedError


def decode_heatmaps(heatmaps: Array, size: Size) -> tuple[Array, Array]:
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
    padded = np.pad(heatmaps, [(0, 0), (0, 0), (1, 1), (1, 1)])
    people, joints = np.indices((n, k))

    def slope(dx: int, dy: int) -> Array:
        after = padded[people, joints, y + 1 + dy, x + 1 + dx]
        return np.sign(after - padded[people, joints, y + 1 - dy, x + 1 - dx])

    inner_x = (values > 0) & (x > 1) & (x < w - 1) & (y > 0)
    inner_y = (values > 0) & (y > 1) & (y < h - 1) & (x > 0)
    xy[..., 0] += 0.25 * np.where(inner_x, slope(1, 0), 0)
    xy[..., 1] += 0.25 * np.where(inner_y, slope(0, 1), 0)
    return xy * (np.array(size, np.float32) / (w, h)), values


def decode_simcc(x: Array, y: Array, size: Size) -> tuple[Array, Array]:
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
