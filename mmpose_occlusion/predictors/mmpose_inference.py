"""Any model of MMPose by its own inference functions."""

from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError

from .protocol import Adapter, Prediction


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
        from mmpose_occlusion.benchmark.identity import digests_of_files
        from mmpose_occlusion.checkpoints import load_into
        from mmpose_occlusion.engine.config import load_config
        from mmpose_occlusion.predictors.mmpose_topdown.loop import (
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
