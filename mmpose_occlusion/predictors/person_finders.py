"""Models of other libraries that find people by themselves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmpose_occlusion.benchmark.identity import digest_of_arrays
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import COCO_JOINTS

from .protocol import (
    BLAZEPOSE,
    Adapter,
    Prediction,
    checksum,
    library,
    named_joints,
    reading,
)


class TorchvisionPredictor(Adapter):
    """Torchvision's Keypoint R-CNN.

    A keypoint's score is the logistic function of its heatmap's maximum.

    Args:
        name: A builder of ``torchvision.models.detection``, such as
            ``keypointrcnn_resnet50_fpn``.
        weights: Path of a state dict, or a name such as ``DEFAULT``, which
            torchvision downloads; None leaves them random.
        threshold: People with a lower score are left out.
        names: Joint names, or the name of a convention.
        device: Of torch; a GPU where there is one by default.

    Raises:
        UsageError: torchvision is missing, or has no such model.
    """

    def __init__(
        self,
        name: str,
        *,
        weights: str | None = 'DEFAULT',
        threshold: float = 0.05,
        names: str | Sequence[str] = COCO_JOINTS,
        device: str | None = None,
    ) -> None:
        models = library(
            'torchvision.models.detection', name, 'torch torchvision'
        )
        self._torch = torch = library('torch', name, 'torch')
        build = getattr(models, name, None)
        if not name.startswith('keypointrcnn') or build is None:
            raise UsageError(
                f'torchvision has no pose model "{name}": write '
                'keypointrcnn_resnet50_fpn'
            )
        self.name, self.keypoint_names = name, named_joints(names)
        file = weights is not None and weights.endswith(('.pt', '.pth'))
        given = None if file else weights
        more = {} if given else dict(num_keypoints=len(self.keypoint_names))
        self._net = build(weights=given, weights_backbone=None, **more)
        if file:
            state = torch.load(weights, map_location='cpu', weights_only=True)
            self._net.load_state_dict(state)
        self._device = device or (
            'cuda' if torch.cuda.is_available() else 'cpu'
        )
        self._net.to(self._device).eval()
        self._threshold = threshold
        state = {k: v.cpu().numpy() for k, v in self._net.state_dict().items()}
        self._identity = f'torchvision {digest_of_arrays(state)} {threshold}'

    def _predict(self, image: np.ndarray, boxes: object) -> Prediction:
        torch = self._torch
        array = np.ascontiguousarray(image.transpose(2, 0, 1))
        tensor = torch.from_numpy(array).to(self._device).float() / 255
        with torch.no_grad():
            (found,) = self._net([tensor])
        keep = found['scores'] >= self._threshold
        found = {key: value[keep].cpu() for key, value in found.items()}
        return Prediction(
            found['keypoints'][..., :2].numpy().astype(np.float64),
            torch.sigmoid(found['keypoints_scores']).numpy(),
            found['boxes'].numpy(),
            person_scores=found['scores'].numpy(),
        )


class YoloPredictor(Adapter):
    """Ultralytics' YOLO-pose.

    Images are padded to squares, so that a prediction does not depend on the
    other images of its batch.

    Args:
        path: A model's file, ``yolo11n-pose.pt`` or one that ``yolo``
            exported.
        names: Joint names, or the name of a convention.
        threshold: People with a lower score are left out; as low as COCO's
            evaluation wants it by default.
        image_size: Side of the network's input in pixels.
        device: Of torch.

    Raises:
        UsageError: Ultralytics is missing, or the file is no pose model.
    """

    def __init__(
        self,
        path: str,
        *,
        names: str | Sequence[str] = COCO_JOINTS,
        threshold: float = 0.01,
        image_size: int = 640,
        device: str | None = None,
    ) -> None:
        ultralytics = library('ultralytics', path, 'ultralytics')
        sha = checksum(path)
        self._net = ultralytics.YOLO(path)
        if self._net.task != 'pose':
            raise UsageError(
                f'model "{path}" is for the task "{self._net.task}": give '
                'one for "pose"'
            )
        self.name, self.keypoint_names = Path(path).stem, named_joints(names)
        self._options = dict(
            conf=threshold,
            imgsz=image_size,
            rect=False,
            device=device,
            verbose=False,
        )
        version = ultralytics.__version__
        self._identity = f'yolo {sha} {version} {self._options}'

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """See :class:`.protocol.Predictor`."""
        bgr = [np.ascontiguousarray(image[..., ::-1]) for image in images]
        out = []
        for found in self._net.predict(bgr, **self._options):
            if found.keypoints is None or not len(found.boxes):
                out.append(Prediction.empty(len(self.keypoint_names)))
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


class MediaPipePredictor(Adapter):
    """MediaPipe's pose landmarker.

    A keypoint's score is its presence; its visibility is passed on.

    Args:
        path: A bundle, ``pose_landmarker_full.task``.
        people: Most people of an image.
        threshold: People with a lower detection or presence score are left
            out.

    Raises:
        UsageError: MediaPipe is missing, or the file cannot be read.
    """

    keypoint_names = BLAZEPOSE

    def __init__(
        self, path: str, *, people: int = 20, threshold: float = 0.3
    ) -> None:
        tasks = library('mediapipe.tasks.python', path, 'mediapipe')
        self._mediapipe = library('mediapipe', path, 'mediapipe')
        sha = checksum(path)
        vision = library('mediapipe.tasks.python.vision', path, 'mediapipe')
        options = vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=path),
            num_poses=people,
            min_pose_detection_confidence=threshold,
            min_pose_presence_confidence=threshold,
        )
        with reading(path, 'a pose landmarker'):
            self._net = vision.PoseLandmarker.create_from_options(options)
        self.name = Path(path).stem
        version = self._mediapipe.__version__
        self._identity = f'mediapipe {sha} {version} {people} {threshold}'

    def _predict(self, image: np.ndarray, boxes: object) -> Prediction:
        height, width = image.shape[:2]
        found = self._net.detect(
            self._mediapipe.Image(
                self._mediapipe.ImageFormat.SRGB, np.ascontiguousarray(image)
            )
        ).pose_landmarks
        values = np.reshape(
            [
                (j.x * width, j.y * height, j.presence, j.visibility)
                for person in found
                for j in person
            ],
            (-1, len(BLAZEPOSE), 4),
        )
        return Prediction(
            values[..., :2] - 0.5,
            values[..., 2],
            visibility=values[..., 3],
        )
