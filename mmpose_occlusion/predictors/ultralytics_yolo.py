"""Ultralytics' YOLO-pose models."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmpose_occlusion.errors import UsageError

from .joint_names import named_joints
from .protocol import Prediction


class YoloPredictor:
    """YOLO-pose, which finds people by itself.

    Args:
        path: A model's file, ``yolo11n-pose.pt`` or one that ``yolo``
            exported.
        names: Joint names, or the name of a convention.
        threshold: People with a lower score are left out; as low as COCO's
            evaluation wants it by default.
        image_size: Longer side of the network's input in pixels.
        device: Of torch.

    Raises:
        UsageError: Ultralytics is missing, or the file is no pose model.
    """

    needs_boxes = False

    def __init__(
        self,
        path: str,
        *,
        names: str | Sequence[str] = 'coco',
        threshold: float = 0.01,
        image_size: int = 640,
        device: str | None = None,
    ) -> None:
        try:
            from ultralytics import YOLO, __version__
        except ImportError as error:
            raise UsageError(
                f'predictor "yolo:{path}" needs Ultralytics: pip install '
                'ultralytics'
            ) from error
        if not Path(path).is_file():
            raise UsageError(f'model "{path}" does not exist')
        self._net = YOLO(path)
        if self._net.task != 'pose':
            raise UsageError(
                f'model "{path}" is for the task "{self._net.task}": give '
                'one for "pose"'
            )
        self.name = Path(path).stem
        self.keypoint_names = named_joints(names)
        self._options = dict(
            conf=threshold, imgsz=image_size, device=device, verbose=False
        )
        sha = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self._identity = f'yolo {sha} {__version__} {self._options}'

    def identity(self) -> str:
        """File, version and options."""
        return self._identity

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """See :class:`.protocol.Predictor`."""
        bgr = [np.ascontiguousarray(image[..., ::-1]) for image in images]
        out = []
        for found in self._net.predict(bgr, **self._options):
            joints = len(self.keypoint_names)
            if found.keypoints is None or not len(found.boxes):
                out.append(Prediction.empty(joints))
                continue
            xy = found.keypoints.xy.cpu().numpy()
            scores = found.keypoints.conf
            out.append(
                Prediction(
                    xy,
                    np.ones(xy.shape[:2])
                    if scores is None
                    else scores.cpu().numpy(),
                    found.boxes.xyxy.cpu().numpy(),
                    person_scores=found.boxes.conf.cpu().numpy(),
                )
            )
        return out
