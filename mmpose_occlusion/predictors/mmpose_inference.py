"""Any model of MMPose by its own inference functions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError

from .protocol import Prediction


class MMPosePredictor:
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
        from mmpose_occlusion.benchmark.identity import digests_of_files
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
        self._weights = digest_of_weights(self._model)
        files = digests_of_files([cfg.model, list(pipeline)])
        self._pipeline = f'{pipeline} {files or ""}'.rstrip()

    def identity(self) -> str:
        """Weights and pipeline."""
        return f'mmpose {self._weights} {self._pipeline}'

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """See :class:`.protocol.Predictor`."""
        return [
            self._topdown(image[..., ::-1].copy(), box)
            if self.needs_boxes
            else self._whole_image(image[..., ::-1].copy())
            for image, box in zip(images, boxes, strict=True)
        ]

    def _topdown(self, image: np.ndarray, boxes: Any) -> Prediction:
        if boxes is None or not len(boxes):
            return Prediction.empty(len(self.keypoint_names))
        samples = self._inference.inference_topdown(
            self._model, image, np.asarray(boxes, np.float32)
        )
        found = [s.pred_instances for s in samples]
        keypoints = np.concatenate([f.keypoints for f in found])
        scores = np.concatenate([f.keypoint_scores for f in found])
        seen = [f.get('keypoints_visible') for f in found]
        return Prediction(
            keypoints[..., :2], scores, visibility=_visibility(seen, scores)
        )

    def _whole_image(self, image: np.ndarray) -> Prediction:
        (sample,) = self._inference.inference_bottomup(self._model, image)
        found = sample.pred_instances
        if not len(found.get('keypoints', ())):
            return Prediction.empty(len(self.keypoint_names))
        scores = np.asarray(found.keypoint_scores)
        person = found.get('bbox_scores')
        boxes = found.get('bboxes')
        return Prediction(
            np.asarray(found.keypoints)[..., :2],
            scores,
            None if boxes is None else np.asarray(boxes),
            _visibility([found.get('keypoints_visible')], scores),
            None if person is None else np.asarray(person),
        )


def _visibility(
    seen: Sequence[np.ndarray | None], scores: np.ndarray
) -> np.ndarray | None:
    """A visibility output; MMPose fills in the scores where there is none."""
    if any(part is None for part in seen):
        return None
    joined = np.concatenate([np.asarray(part) for part in seen])
    if joined.shape != scores.shape or np.array_equal(joined, scores):
        return None
    return joined
