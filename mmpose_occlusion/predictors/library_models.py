"""Models in libraries: MMPose, torchvision, Ultralytics and MediaPipe."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import (
    digest_of_arrays,
    digests_of_files,
)
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


class MMPosePredictor(Adapter):
    """Top-down, bottom-up and one-stage models, heatmaps or regression.

    The image goes through the config's test pipeline as in
    ``inference_topdown`` and ``inference_bottomup``. A model is top-down if
    its pipeline makes a crop (``TopdownAffine``); the others find people by
    themselves. Where the model has a visibility output
    (``VisPredictHead``), it is passed on.

    Args:
        text: ``CONFIG[,CHECKPOINT]``; MMPose's own configs as ``mmpose::...``.
            Without a checkpoint the weights are random.
        device: Of torch; a GPU where there is one by default.

    Raises:
        UsageError: MMPose is missing, or the config cannot be used.
    """

    def __init__(self, text: str, *, device: str | None = None) -> None:
        try:
            from mmengine.config import Config
            from mmengine.device import get_device
            from mmpose.apis import inference, init_model
            from mmpose.utils import register_all_modules
        except ImportError as error:
            raise UsageError(
                f'predictor "mmpose:{text}" needs MMPose: see "Install" in '
                'the README'
            ) from error
        from mmpose_occlusion.checkpoints import load_into
        from mmpose_occlusion.engine.config import load_config
        from mmpose_occlusion.predictors.mmpose_topdown.crops import (
            digest_of_weights,
        )

        config, _, checkpoint = text.partition(',')
        register_all_modules()
        cfg: Config = load_config(config)
        pipeline = cfg.test_dataloader.dataset.pipeline
        self.needs_boxes = any(
            'TopdownAffine' in str(step['type']) for step in pipeline
        )
        for step in pipeline:
            if str(step['type']).endswith('PackPoseInputs'):
                step.pop('meta_keys', None)
        self._model = init_model(
            cfg, device=device or get_device(), cfg_options={}
        )
        if checkpoint:
            load_into(self._model, checkpoint)
        self._inference: Any = inference
        self.name = cfg.get('model_name') or config.rpartition('/')[2]
        names = self._model.dataset_meta['keypoint_id2name']
        self.keypoint_names = tuple(names[i] for i in sorted(names))
        weights = digest_of_weights(self._model)
        files = digests_of_files([cfg.model, list(pipeline)]) or ''
        self._identity = f'mmpose {weights} {pipeline} {files}'.rstrip()

    def _predict(self, image: np.ndarray, boxes: Any) -> Prediction:
        bgr = image[..., ::-1].copy()
        samples = []
        if not self.needs_boxes:
            samples = self._inference.inference_bottomup(self._model, bgr)
        elif boxes is not None and len(boxes):
            samples = self._inference.inference_topdown(
                self._model, bgr, np.asarray(boxes, np.float32)
            )
        found = [sample.pred_instances for sample in samples]
        found = [f for f in found if len(f.get('keypoints', ()))]
        if not found:
            return Prediction.empty(len(self.keypoint_names))

        def joined(name: str) -> Any:
            parts = [each.get(name) for each in found]
            if any(part is None for part in parts):
                return None
            return np.concatenate([np.asarray(part) for part in parts])

        scores, seen = joined('keypoint_scores'), joined('keypoints_visible')
        # MMPose fills in the scores where there is no visibility output
        if np.shape(seen) != scores.shape or np.array_equal(seen, scores):
            seen = None
        whole = not self.needs_boxes
        return Prediction(
            joined('keypoints')[..., :2],
            scores,
            joined('bboxes') if whole else None,
            seen,
            joined('bbox_scores') if whole else None,
        )
