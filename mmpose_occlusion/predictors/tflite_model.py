"""MoveNet and BlazePose in TFLite files, run by LiteRT."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from mmpose_occlusion.errors import UsageError

from .joint_names import BLAZEPOSE, COCO
from .person_crops import PADDING, CropFrame
from .protocol import Prediction


class TflitePredictor:
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

    needs_boxes = True

    def __init__(
        self, path: str, *, padding: float = PADDING, threads: int = 1
    ) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise UsageError(
                f'"{path}" needs LiteRT: pip install ai-edge-litert'
            ) from error
        if not Path(path).is_file():
            raise UsageError(f'model "{path}" does not exist')
        try:
            self._net = Interpreter(model_path=path, num_threads=threads)
            self._net.allocate_tensors()
        except Exception as error:
            raise UsageError(
                f'model "{path}" cannot be read as TFLite: '
                f'{" ".join(str(error).split())}'
            ) from error
        self.name = Path(path).stem
        self._sha = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self._padding = padding
        self._input = self._net.get_input_details()[0]
        _, height, width, _ = self._input['shape']
        self._size = (int(width), int(height))
        self._output, self.keypoint_names = self._kind(path)

    def identity(self) -> str:
        """File and options."""
        return f'tflite {self._sha} {self._padding}'

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """One person a box; see :class:`.protocol.Predictor`."""
        joints = len(self.keypoint_names)
        out = []
        for image, some in zip(images, boxes, strict=True):
            found = [
                self._one(image, box) for box in ([] if some is None else some)
            ]
            if not found:
                out.append(Prediction.empty(joints))
                continue
            keypoints, scores, seen = zip(*found, strict=True)
            out.append(
                Prediction(
                    np.stack(keypoints),
                    np.stack(scores),
                    visibility=(None if seen[0] is None else np.stack(seen)),
                )
            )
        return out

    def _one(
        self, image: np.ndarray, box: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        frame = CropFrame.of(box, self._size, self._padding)
        crop = frame.crop(image)[None]
        dtype = self._input['dtype']
        if dtype == np.float32:
            crop = crop.astype(np.float32) / 255
        self._net.set_tensor(self._input['index'], crop.astype(dtype))
        self._net.invoke()
        raw = self._net.get_tensor(self._output['index'])
        if self.keypoint_names is COCO:
            y, x, score = raw.reshape(17, 3).T
            xy = np.stack([x, y], axis=1) * np.array(self._size)
            return frame.to_image(xy), score, None
        landmarks = raw.reshape(39, 5)[:33]
        seen = expit(landmarks[:, 3])
        return frame.to_image(landmarks[:, :2]), expit(landmarks[:, 4]), seen

    def _kind(self, path: str) -> tuple[Any, tuple[str, ...]]:
        outputs = self._net.get_output_details()
        for output in outputs:
            shape = tuple(output['shape'].tolist())
            if shape == (1, 1, 17, 3):
                return output, COCO
            if shape == (1, 195):
                return output, BLAZEPOSE
        shapes = [o['shape'].tolist() for o in outputs]
        raise UsageError(
            f'model "{path}" has outputs of shapes {shapes}: known are '
            "MoveNet's (1, 1, 17, 3) and BlazePose's (1, 195); wrap others "
            'in a Python function'
        )
