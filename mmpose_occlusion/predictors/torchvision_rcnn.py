"""Torchvision's Keypoint R-CNN."""

import hashlib
from collections.abc import Sequence

import numpy as np

from mmpose_occlusion.errors import UsageError

from .joint_names import COCO
from .protocol import Prediction


class TorchvisionPredictor:
    """Keypoint R-CNN, which finds people by itself.

    A keypoint's score is the logistic function of its heatmap's maximum.

    Args:
        name: A builder of ``torchvision.models.detection``, such as
            ``keypointrcnn_resnet50_fpn``.
        weights: Path of a state dict, or a name such as ``DEFAULT``, which
            torchvision downloads; None leaves them random.
        threshold: People with a lower score are left out.
        device: Of torch; a GPU where there is one by default.

    Raises:
        UsageError: torchvision is missing, or has no such model.
    """

    needs_boxes = False
    keypoint_names = COCO

    def __init__(
        self,
        name: str,
        *,
        weights: str | None = 'DEFAULT',
        threshold: float = 0.05,
        device: str | None = None,
    ) -> None:
        try:
            import torch
            from torchvision.models import detection
        except ImportError as error:
            raise UsageError(
                f'predictor "torchvision:{name}" needs torchvision: '
                'pip install torch torchvision'
            ) from error
        build = getattr(detection, name, None)
        if not name.startswith('keypointrcnn') or build is None:
            raise UsageError(
                f'torchvision has no pose model "{name}": write '
                'keypointrcnn_resnet50_fpn'
            )
        file = weights is not None and weights.endswith(('.pt', '.pth'))
        self._net = build(
            weights=None if file else weights,
            weights_backbone=None,
        )
        if file:
            state = torch.load(weights, map_location='cpu', weights_only=True)
            self._net.load_state_dict(state)
        self._device = device or (
            'cuda' if torch.cuda.is_available() else 'cpu'
        )
        self._net.to(self._device).eval()
        self._torch = torch
        self._threshold = threshold
        self.name = name
        sha = hashlib.sha256()
        for key, value in self._net.state_dict().items():
            sha.update(key.encode())
            sha.update(value.cpu().numpy().tobytes())
        self._sha = sha.hexdigest()

    def identity(self) -> str:
        """Weights and options."""
        return f'torchvision {self._sha} {self._threshold}'

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """See :class:`.protocol.Predictor`."""
        torch = self._torch
        out = []
        for image in images:
            array = np.ascontiguousarray(image.transpose(2, 0, 1))
            tensor = torch.from_numpy(array).to(self._device).float() / 255
            with torch.no_grad():
                (found,) = self._net([tensor])
            keep = found['scores'] >= self._threshold
            kept = {
                key: found[key][keep].cpu()
                for key in ('keypoints', 'keypoints_scores', 'boxes', 'scores')
            }
            out.append(
                Prediction(
                    kept['keypoints'][..., :2].numpy().astype(np.float64),
                    torch.sigmoid(kept['keypoints_scores']).numpy(),
                    kept['boxes'].numpy(),
                    person_scores=kept['scores'].numpy(),
                )
            )
        return out
