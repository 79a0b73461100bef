"""Top-down models in files: ONNX, run by ONNX Runtime, and TFLite, by
LiteRT."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import COCO_JOINTS

from .person_crops import (
    PADDING,
    CropPredictor,
    Decoded,
    decode_heatmaps,
    decode_simcc,
)
from .protocol import (
    BLAZEPOSE,
    checksum,
    library,
    literal,
    named_joints,
    reading,
)

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
"""RGB in 0..255: what MMPose's recipes, MMDeploy and rtmlib take."""

_BATCH = 32
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
        names: Joint names, or the name of a convention; COCO's 17 by default
            where it has 17.
        mean: RGB in 0..255; ImageNet's by default.
        std: RGB in 0..255; ImageNet's by default.
        channel_order: 'rgb' or 'bgr', of the network's input.
        padding: The crop's box by the person's.
        input_size: (width, height), where the file leaves them open.
        fractions: Whether coordinates are fractions of the crop, as MMPose's
            regression heads have them, instead of its pixels.
        threads: Of ONNX Runtime; its own choice by default.

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
    ) -> None:
        onnxruntime = library('onnxruntime', path, 'onnxruntime')
        sha = checksum(path)
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        with reading(path, 'ONNX'):
            self._session = onnxruntime.InferenceSession(
                path, options, providers=onnxruntime.get_available_providers()
            )
        self.name = Path(path).stem
        given: dict[str, Any] = dict(
            mean=mean,
            std=std,
            channel_order=channel_order,
            padding=padding,
            keypoint_names=names,
        )
        metadata = self._session.get_modelmeta().custom_metadata_map
        said = {k: literal(metadata[k]) for k in given if k in metadata}
        said |= {k: v for k, v in given.items() if v is not None}
        self._mean = np.float32(said.get('mean', IMAGENET_MEAN))
        self._std = np.float32(said.get('std', IMAGENET_STD))
        self._order = said.get('channel_order', 'rgb')
        if self._order not in ('rgb', 'bgr'):
            raise UsageError(
                f'channel_order of "{path}" is "{self._order}": write rgb or '
                'bgr'
            )
        self._padding = float(said.get('padding', PADDING))
        self._fractions = fractions
        self._input = self._session.get_inputs()[0]
        number = self._input.shape[0]
        # None if the file leaves it open
        self._batch = (
            number if isinstance(number, int) and number > 0 else None
        )
        self._channels_last, self._size = self._layout(path, input_size)
        self._kind, joints = self._outputs(path)
        names = said.get('keypoint_names', 'coco' if joints == 17 else None)
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

    def _network(self, crops: list[np.ndarray]) -> Decoded:
        step = self._batch or _BATCH
        found = []
        for start in range(0, len(crops), step):
            batch = np.stack(crops[start : start + step])
            real = len(batch)
            if self._batch:  # such a network wants full batches
                more = batch[:1].repeat(step - real, 0)
                batch = np.concatenate([batch, more])
            found.append([p[:real] for p in self._decode(self._run(batch))])
        keypoints, scores = map(np.concatenate, zip(*found, strict=True))
        return keypoints, scores, None

    def _run(self, crops: np.ndarray) -> list[np.ndarray]:
        """The network's outputs for RGB uint8 crops."""
        x = (crops.astype(np.float32) - self._mean) / self._std
        if self._order == 'bgr':
            x = x[..., ::-1]
        if not self._channels_last:
            x = x.transpose(0, 3, 1, 2)
        dtype = _DTYPES.get(self._input.type, np.float32)
        given = {self._input.name: np.ascontiguousarray(x, dtype)}
        return self._session.run(None, given)

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
        xy, scores = found[0][..., :2], found[0][..., 2:]
        if self._fractions:
            xy = xy * np.array(self._size, np.float32)
        if not scores.shape[2]:
            return xy, np.ones(xy.shape[:2], np.float32)
        return xy, scores[..., 0]

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
        crops = np.zeros((self._batch or 1, height, width, 3), np.uint8)
        try:
            outputs = self._run(crops)
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


TFLITE = {(1, 1, 17, 3): COCO_JOINTS, (1, 195): BLAZEPOSE}
"""Shape of the output -> joints."""


class TflitePredictor(CropPredictor):
    """A single-person network, given the square around each person's box.

    Which network a file holds is read from its output: (1, 1, 17, 3) is
    MoveNet's y, x and score as fractions of the crop; (1, 195) is BlazePose's
    39 landmarks of x, y, z, visibility and presence, of which the first 33
    are joints and x, y are in crop pixels. (MediaPipe turns its crops upright
    by a detector's two points; here they are upright as they are.)

    Args:
        path: The file.
        padding: The crop's side by the longer side of the person's box.
        threads: Of LiteRT.

    Raises:
        UsageError: LiteRT is missing, or the file does not fit.
    """

    def __init__(
        self, path: str, *, padding: float = PADDING, threads: int = 1
    ) -> None:
        litert = library('ai_edge_litert.interpreter', path, 'ai-edge-litert')
        self._identity = f'tflite {checksum(path)} {padding}'
        with reading(path, 'TFLite'):
            self._net = litert.Interpreter(path, num_threads=threads)
            self._net.allocate_tensors()
        self.name, self._padding = Path(path).stem, padding
        self._input = self._net.get_input_details()[0]
        _, height, width, _ = self._input['shape'].tolist()
        self._size = (width, height)
        shapes = {
            tuple(output['shape'].tolist()): output['index']
            for output in self._net.get_output_details()
        }
        shape = next((s for s in shapes if s in TFLITE), None)
        if shape is None:
            raise UsageError(
                f'model "{path}" has outputs of shapes {list(shapes)}: known '
                "are MoveNet's (1, 1, 17, 3) and BlazePose's (1, 195); wrap "
                'others in a Python function'
            )
        self._output, self.keypoint_names = shapes[shape], TFLITE[shape]

    def _network(self, crops: list[np.ndarray]) -> Decoded:
        raw = np.array([self._run(crop) for crop in crops])
        if self.keypoint_names is COCO_JOINTS:
            y, x, score = np.moveaxis(raw.reshape(-1, 17, 3), 2, 0)
            return np.stack([x, y], 2) * np.array(self._size), score, None
        found = raw.reshape(-1, 39, 5)[:, :33]
        return found[..., :2], expit(found[..., 4]), expit(found[..., 3])

    def _run(self, crop: np.ndarray) -> np.ndarray:
        dtype = self._input['dtype']
        if dtype == np.float32:
            crop = crop.astype(np.float32) / 255
        self._net.set_tensor(self._input['index'], crop[None].astype(dtype))
        self._net.invoke()
        return self._net.get_tensor(self._output)
