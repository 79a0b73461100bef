"""Networks of MMPose: their identity, exact repetition, and predictions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmpose.utils.tensor_utils import to_numpy

from mmpose_occlusion.files import digest_of_arrays

from .library_models import exact_convolutions


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Forward passes with the same bits every time: on a CPU with one thread
    each, on GPUs with :func:`.library_models.exact_convolutions`."""
    threads = torch.get_num_threads()
    if device.type == 'cpu':
        torch.set_num_threads(1)
    try:
        with exact_convolutions():
            yield
    finally:
        torch.set_num_threads(threads)


def digest_of_weights(model: torch.nn.Module) -> str:
    """SHA-256 of a model's state, independent of its checkpoint's format, and
    of what modules with weights elsewhere say they are: their attribute or
    method ``occlusion_identity``, a text."""
    arrays = {
        name: tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy()
        for name, tensor in model.state_dict().items()
        if isinstance(tensor, torch.Tensor) and tensor.numel()
    }
    for name, module in model.named_modules():
        said = getattr(module, 'occlusion_identity', None)
        if said is not None:
            text = str(said() if callable(said) else said)
            arrays[f'{name} occlusion_identity'] = np.array(text)
    return digest_of_arrays(arrays)


def predicted(
    samples: Sequence[Any],
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Keypoints (N, K, 2), scores (N, K) and, of models with such an output,
    visibility (N, K) of the people in data samples."""
    found = [sample.pred_instances for sample in samples]
    keypoints, scores, seen = (
        np.concatenate(
            [to_numpy(getattr(f, name, np.zeros((0, 0)))) for f in found]
        )
        for name in ('keypoints', 'keypoint_scores', 'keypoints_visible')
    )
    # MMPose fills in the scores where there is no such output
    if seen.shape != scores.shape or np.array_equal(seen, scores):
        return keypoints[..., :2], scores, None
    return keypoints[..., :2], scores, seen
