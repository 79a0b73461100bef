"""Top-down models in ONNX files, run by ONNX Runtime."""

import ast
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError

from .joint_names import named_joints
from .person_crops import (
    PADDING,
    CropFrame,
    decode_heatmaps,
    decode_simcc,
)
from .protocol import Prediction

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
"""RGB in 0..255: what MMPose's recipes, MMDeploy and rtmlib take."""


class OnnxPredictor:
    """A top-down network with heatmaps, SimCC or coordinates as its output.

    What the outputs are is read from their shapes: one of (N, K, h, w) is
    heatmaps, two of (N, K, bins) are SimCC's x and y, one of (N, K, 2 or 3)
    is coordinates in crop pixels and a score. Keys of the file's metadata
    (``mean``, ``std``, ``channel_order``, ``keypoint_names``, ``padding``)
    are used, and options go before them.

    Args:
        path: The file.
        names: Joint names, or the name of a convention of
            :mod:`.joint_names`; COCO's 17 by default where it has 17.
        mean: RGB in 0..255; ImageNet's by default.
        std: RGB in 0..255; ImageNet's by default.
        channel_order: 'rgb' or 'bgr', of the network's input.
        padding: The crop's box by the person's.
        input_size: (width, height), where the file leaves them open.
        threads: Of ONNX Runtime; its own choice by default.
        batch_size: Crops of one pass at most.

    Raises:
        UsageError: ONNX Runtime is missing, or the file does not fit.

    Example:

        predict = OnnxPredictor('rtmpose-m.onnx')
        (found,) = predict([image], [boxes])
    """

    needs_boxes = True

    def __init__(
        self,
        path: str,
        *,
        names: str | Sequence[str] | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        channel_order: str | None = None,
        padding: float | None = None,
        input_size: tuple[int, int] | None = None,
        threads: int | None = None,
        batch_size: int = 32,
    ) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise UsageError(
                f'"{path}" needs ONNX Runtime: pip install onnxruntime'
            ) from error
        if not Path(path).is_file():
            raise UsageError(f'model "{path}" does not exist')
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=onnxruntime.get_available_providers()
            )
        except Exception as error:
            raise UsageError(
                f'model "{path}" cannot be read as ONNX: '
                f'{" ".join(str(error).split())}'
            ) from error
        self.name = Path(path).stem
        self._version = onnxruntime.__version__
        self._sha = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        said = self._session.get_modelmeta().custom_metadata_map
        self._mean = _numbers(mean, said, 'mean', IMAGENET_MEAN)
        self._std = _numbers(std, said, 'std', IMAGENET_STD)
        order = channel_order or said.get('channel_order', 'rgb')
        if order not in ('rgb', 'bgr'):
            raise UsageError(
                f'channel_order of "{path}" is "{order}": write rgb or bgr'
            )
        self._order = order
        self._padding = float(padding or said.get('padding', PADDING))
        self._batch = batch_size
        self._input = self._session.get_inputs()[0]
        self._channels_last, self._size = self._layout(path, input_size)
        kind, joints = self._kind(path)
        self._decode_kind = kind
        if names is None and 'keypoint_names' in said:
            names = ast.literal_eval(said['keypoint_names'])
        if names is None and joints == 17:
            names = 'coco'
        if names is None:
            raise UsageError(
                f'model "{path}" has {joints} keypoints and does not name '
                'them: give names, for example names=blazepose'
            )
        self.keypoint_names = named_joints(names)
        if joints not in (len(self.keypoint_names), -1):
            raise UsageError(
                f'model "{path}" has {joints} keypoints, and '
                f'{len(self.keypoint_names)} names were given'
            )

    def identity(self) -> str:
        """File, options and version of ONNX Runtime."""
        return (
            f'onnx {self._sha} {self._version} {self._mean} {self._std} '
            f'{self._order} {self._padding} {self._size} {self._decode_kind}'
        )

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """One person a box; see :class:`.protocol.Predictor`."""
        frames = [
            [CropFrame.of(box, self._size, self._padding) for box in some]
            for some in map(_boxes, boxes)
        ]
        crops = [
            frame.crop(image)
            for image, mine in zip(images, frames, strict=True)
            for frame in mine
        ]
        keypoints, scores = self._predict(crops)
        out, start = [], 0
        for mine in frames:
            rows = slice(start, start + len(mine))
            start += len(mine)
            placed = [
                frame.to_image(xy)
                for frame, xy in zip(mine, keypoints[rows], strict=True)
            ]
            shape = (len(mine), len(self.keypoint_names), 2)
            out.append(Prediction(np.reshape(placed, shape), scores[rows]))
        return out

    def _predict(
        self, crops: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints (M, K, 2) in crop pixels and scores (M, K)."""
        k = len(self.keypoint_names)
        step = self._input.shape[0]
        step = step if isinstance(step, int) and step > 0 else self._batch
        keypoints = [np.zeros((0, k, 2), np.float32)]
        scores = [np.zeros((0, k), np.float32)]
        for start in range(0, len(crops), step):
            batch = np.stack(crops[start : start + step])
            real = len(batch)
            if isinstance(self._input.shape[0], int) and real < step:
                batch = np.concatenate(
                    [batch, batch[:1].repeat(step - real, 0)]
                )
            outputs = self._session.run(
                None, {self._input.name: self._normalised(batch)}
            )
            found = self._decode(outputs)
            keypoints.append(found[0][:real])
            scores.append(found[1][:real])
        return np.concatenate(keypoints), np.concatenate(scores)

    def _normalised(self, crops: np.ndarray) -> np.ndarray:
        """RGB uint8 crops as the network wants them."""
        x = (crops.astype(np.float32) - self._mean) / self._std
        if self._order == 'bgr':
            x = x[..., ::-1]
        if not self._channels_last:
            x = x.transpose(0, 3, 1, 2)
        dtype = {'tensor(float16)': np.float16, 'tensor(uint8)': np.uint8}
        return np.ascontiguousarray(x, dtype.get(self._input.type, np.float32))

    def _decode(
        self, outputs: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        arrays = [np.asarray(o, np.float32) for o in outputs]
        if self._decode_kind == 'heatmaps':
            return decode_heatmaps(
                next(a for a in arrays if a.ndim == 4), self._size
            )
        if self._decode_kind == 'simcc':
            x, y = [a for a in arrays if a.ndim == 3][:2]
            return decode_simcc(x, y, self._size)
        found = next(a for a in arrays if a.ndim == 3)
        if found.shape[2] > 2:
            return found[..., :2], found[..., 2]
        return found, np.ones(found.shape[:2], np.float32)

    def _layout(
        self, path: str, input_size: tuple[int, int] | None
    ) -> tuple[bool, tuple[int, int]]:
        """Whether channels come last, and (width, height) of the input."""
        shape = list(self._input.shape)
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise UsageError(
                f'model "{path}" has an input of shape {shape}, and a '
                'top-down pose network has (N, 3, H, W) or (N, H, W, 3)'
            )
        last = shape[1] != 3
        height, width = shape[1:3] if last else shape[2:]
        if input_size is not None:
            return last, (int(input_size[0]), int(input_size[1]))
        if not isinstance(height, int) or not isinstance(width, int):
            raise UsageError(
                f'model "{path}" leaves the size of its input open: give '
                'input_size, for example input_size=192,256'
            )
        return last, (width, height)

    def _kind(self, path: str) -> tuple[str, int]:
        """What the outputs are, and the number of joints, -1 if open."""
        shapes = [list(o.shape) for o in self._session.get_outputs()]
        four = [s for s in shapes if len(s) == 4]
        three = [s for s in shapes if len(s) == 3]
        if four:
            return 'heatmaps', _whole(four[0][1])
        if len(three) >= 2:
            return 'simcc', _whole(three[0][1])
        if three and three[0][2] in (2, 3):
            return 'coordinates', _whole(three[0][1])
        raise UsageError(
            f'model "{path}" has outputs of shapes {shapes}: known are '
            'heatmaps (N, K, h, w), two SimCC outputs (N, K, bins) and '
            'coordinates (N, K, 2 or 3); wrap others in a Python function'
        )


def _boxes(boxes: np.ndarray | None) -> list[np.ndarray]:
    return [] if boxes is None else list(boxes)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _numbers(
    given: Sequence[float] | None,
    said: Mapping[str, str],
    key: str,
    default: Sequence[float],
) -> np.ndarray:
    if given is None and key in said:
        given = [float(x) for x in said[key].strip('[]()').split(',')]
    return np.asarray(default if given is None else given, np.float32)
