"""MoveNet and BlazePose in TFLite files, run by LiteRT."""

from pathlib import Path

import numpy as np
from scipy.special import expit

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import COCO_JOINTS

from .joint_names import BLAZEPOSE
from .person_crops import PADDING, CropPredictor
from .protocol import checksum, library

KINDS = {(1, 1, 17, 3): COCO_JOINTS, (1, 195): BLAZEPOSE}
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
        try:
            self._net = litert.Interpreter(path, num_threads=threads)
            self._net.allocate_tensors()
        except Exception as error:
            raise UsageError(
                f'model "{path}" cannot be read as TFLite: '
                f'{" ".join(str(error).split())}'
            ) from error
        self.name, self._padding = Path(path).stem, padding
        self._input = self._net.get_input_details()[0]
        _, height, width, _ = self._input['shape']
        self._size = (int(width), int(height))
        shapes = {
            tuple(output['shape'].tolist()): output['index']
            for output in self._net.get_output_details()
        }
        shape = next((s for s in shapes if s in KINDS), None)
        if shape is None:
            raise UsageError(
                f'model "{path}" has outputs of shapes {list(shapes)}: known '
                "are MoveNet's (1, 1, 17, 3) and BlazePose's (1, 195); wrap "
                'others in a Python function'
            )
        self._output, self.keypoint_names = shapes[shape], KINDS[shape]

    def _network(
        self, crops: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
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
