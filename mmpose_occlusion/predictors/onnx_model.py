"""Top-down models in ONNX files, run by ONNX Runtime."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError

from .joint_names import named_joints
from .person_crops import (
    PADDING,
    CropPredictor,
    decode_heatmaps,
    decode_simcc,
)
from .protocol import checksum, library

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
"""RGB in 0..255: what MMPose's recipes, MMDeploy and rtmlib take."""

_DTYPES = {'tensor(float16)': np.float16, 'tensor(uint8)': np.uint8}


class OnnxPredictor(CropPredictor):
    """A top-down network with heatmaps, SimCC or coordinates as its output.

    What the outputs are is read from their shapes: one of (N, K, h, w) is
    heatmaps, two of (N, K, bins) are SimCC's x and y, one of (N, K, 2 or 3)
    is coordinates and a score. Keys of the file's metadata (``mean``,
    ``std``, ``channel_order``, ``keypoint_names``, ``padding``) are used, and
    options go before them.

    Args:
        path: The file.
        names: Joint names, or the name of a convention of
            :mod:`.joint_names`; COCO's 17 by default where it has 17.
        mean: RGB in 0..255; ImageNet's by default.
        std: RGB in 0..255; ImageNet's by default.
        channel_order: 'rgb' or 'bgr', of the network's input.
        padding: The crop's box by the person's.
        input_size: (width, height), where the file leaves them open.
        fractions: Whether coordinates are fractions of the crop, as MMPose's
            regression heads have them, instead of its pixels.
        threads: Of ONNX Runtime; its own choice by default.
        batch_size: Crops of one pass at most.

    Raises:
        UsageError: ONNX Runtime is missing, or the file does not fit.

    Example:

        predict = OnnxPredictor('rtmpose-m.onnx')
        (found,) = predict([image], [boxes])
    """

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
        fractions: bool = False,
        threads: int | None = None,
        batch_size: int = 32,
    ) -> None:
        onnxruntime = library('onnxruntime', path, 'onnxruntime')
        sha = checksum(path)
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
        said = self._session.get_modelmeta().custom_metadata_map

        def setting(given: Any, key: str, default: Any) -> Any:
            if given is not None or key not in said:
                return default if given is None else given
            try:
                return ast.literal_eval(said[key])
            except (ValueError, SyntaxError):
                return said[key]

        self._mean, self._std = (
            np.asarray(setting(given, key, default), np.float32)
            for given, key, default in (
                (mean, 'mean', IMAGENET_MEAN),
                (std, 'std', IMAGENET_STD),
            )
        )
        self._order = setting(channel_order, 'channel_order', 'rgb')
        if self._order not in ('rgb', 'bgr'):
            raise UsageError(
                f'channel_order of "{path}" is "{self._order}": write rgb or '
                'bgr'
            )
        self._padding = float(setting(padding, 'padding', PADDING))
        self._fractions, self._batch = fractions, batch_size
        self._input = self._session.get_inputs()[0]
        self._channels_last, self._size = self._layout(path, input_size)
        self._kind, joints = self._outputs(path)
        names = setting(
            names, 'keypoint_names', 'coco' if joints == 17 else None
        )
        if names is None:
            raise UsageError(
                f'model "{path}" has {joints} keypoints and does not name '
                'them: give names, for example names=blazepose'
            )
        self.keypoint_names = named_joints(names)
        if joints != len(self.keypoint_names):
            raise UsageError(
                f'model "{path}" has {joints} keypoints, and '
                f'{len(self.keypoint_names)} names were given'
            )
        self._identity = (
            f'onnx {sha} {onnxruntime.__version__} {self._mean} {self._std} '
            f'{self._order} {self._padding} {self._size} {self._kind} '
            f'{fractions}'
        )

    def _network(
        self, crops: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, None]:
        """Keypoints (M, K, 2) in crop pixels and scores (M, K)."""
        fixed = _whole(self._input.shape[0])
        step = fixed if fixed > 0 else self._batch
        found = []
        for start in range(0, len(crops), step):
            batch = np.stack(crops[start : start + step])
            real = len(batch)
            if fixed > 0 and real < step:
                batch = np.concatenate(
                    [batch, batch[:1].repeat(step - real, 0)]
                )
            outputs = self._session.run(
                None, {self._input.name: self._normalised(batch)}
            )
            found.append([part[:real] for part in self._decode(outputs)])
        keypoints, scores = map(np.concatenate, zip(*found, strict=True))
        return keypoints, scores, None

    def _normalised(self, crops: np.ndarray) -> np.ndarray:
        """RGB uint8 crops as the network wants them."""
        x = (crops.astype(np.float32) - self._mean) / self._std
        if self._order == 'bgr':
            x = x[..., ::-1]
        if not self._channels_last:
            x = x.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(
            x, _DTYPES.get(self._input.type, np.float32)
        )

    def _decode(
        self, outputs: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        arrays = [np.asarray(o, np.float32) for o in outputs]
        wanted = 4 if self._kind == 'heatmaps' else 3
        found = [a for a in arrays if a.ndim == wanted]
        if self._kind == 'heatmaps':
            return decode_heatmaps(found[0], self._size)
        if self._kind == 'simcc':
            return decode_simcc(found[0], found[1], self._size)
        xy = found[0][..., :2]
        scores = found[0][..., 2:]
        if self._fractions:
            xy = xy * np.array(self._size, np.float32)
        return xy, (
            scores[..., 0]
            if scores.shape[2]
            else np.ones(xy.shape[:2], np.float32)
        )

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

    def _outputs(self, path: str) -> tuple[str, int]:
        """What the outputs are, and the number of joints, from the outputs
        of a black crop: a file may leave shapes open."""
        width, height = self._size
        number = max(_whole(self._input.shape[0]), 1)
        crops = np.zeros((number, height, width, 3), np.uint8)
        try:
            outputs = self._session.run(
                None, {self._input.name: self._normalised(crops)}
            )
        except Exception as error:
            raise UsageError(
                f'model "{path}" does not take an input of {width}x{height}: '
                f'{" ".join(str(error).split())}'
            ) from error
        shapes = [np.shape(output) for output in outputs]
        four = [s for s in shapes if len(s) == 4]
        three = [s for s in shapes if len(s) == 3]
        if four:
            return 'heatmaps', four[0][1]
        if len(three) >= 2:
            return 'simcc', three[0][1]
        if three and three[0][2] in (2, 3):
            return 'coordinates', three[0][1]
        raise UsageError(
            f'model "{path}" has outputs of shapes {shapes}: known are '
            'heatmaps (N, K, h, w), two SimCC outputs (N, K, bins) and '
            'coordinates (N, K, 2 or 3); wrap others in a Python function'
        )


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else -1
