"""Forward passes, several at a time on a CPU, bit-reproducible."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from mmengine.model import is_model_wrapper

from mmpose_occlusion.errors import UsageError

from .batch import Batch


class BatchPredictor:
    """Runs a model on batches of crops; use it as a context.

    The last bits of a network's outputs depend on the number of crops in a
    batch and, on a CPU, on the number of threads of a forward pass. Here a
    pass on a CPU has one thread, and the cores compute several batches at a
    time, which is at least as fast. On GPUs cuDNN is limited to deterministic
    algorithms.

    Args:
        model: A pose estimator, or a wrapper of one for several processes.
        joints: Number of joints of the data set.
        threads: Forward passes at a time; by default the number of PyTorch's
            threads on a CPU, and 1 on other devices.
        fp16: Whether to compute in PyTorch's default mixed precision.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        joints: int,
        threads: int | None = None,
        fp16: bool = False,
    ) -> None:
        self._model: Any = unwrapped(model)
        self._joints = joints
        self._fp16 = fp16
        self.device = device_of(self._model)
        on_cpu = self.device.type == 'cpu'
        self.threads = threads or (torch.get_num_threads() if on_cpu else 1)

    def __enter__(self) -> 'BatchPredictor':
        cudnn = torch.backends.cudnn
        self._kept = (
            torch.get_num_threads(),
            cudnn.benchmark,
            cudnn.deterministic,
        )
        if self.device.type == 'cpu':
            torch.set_num_threads(1)
        cudnn.benchmark, cudnn.deterministic = False, True
        self._model.eval()
        self._pool = ThreadPoolExecutor(self.threads)
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        threads, benchmark, deterministic = self._kept
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = benchmark
        torch.backends.cudnn.deterministic = deterministic

    def submit(self, batch: Batch) -> Future:
        """Start :meth:`predict` in another thread."""
        return self._pool.submit(self.predict, batch)

    def predict(
        self, batch: Batch
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Predict the joints of m crops.

        Returns:
            ``(m, K, 2)`` float32 image pixels, ``(m, K)`` float32 scores and,
            of a model with such an output (``VisPredictHead``), ``(m, K)``
            float32 probabilities of being visible.

        Raises:
            UsageError: The model predicts another number of joints.
        """
        data = dict(inputs=batch.inputs(), data_samples=batch.samples())
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=self._fp16),
        ):
            samples = self._model.test_step(data)
        found = [sample.pred_instances for sample in samples]
        keypoints = np.concatenate([_numpy(f.keypoints) for f in found])
        scores = np.concatenate([_numpy(f.keypoint_scores) for f in found])
        shape = (len(batch), self._joints)
        if keypoints.shape[:2] != shape or scores.shape != shape:
            raise UsageError(
                f'the model predicts {keypoints.shape[1]} joints for each of '
                f'{len(keypoints)} people, and its data set has '
                f'{self._joints} for {len(batch)}: give a top-down model of '
                'this data set'
            )
        return (
            keypoints[..., :2].astype(np.float32),
            scores.astype(np.float32),
            _visibility(found, scores),
        )


def unwrapped(model: Any) -> torch.nn.Module:
    """The model inside a wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model


def device_of(model: torch.nn.Module) -> torch.device:
    """The device of a model's weights."""
    parameter = next(model.parameters(), None)
    return torch.device('cpu') if parameter is None else parameter.device


def _visibility(found: Any, scores: np.ndarray) -> np.ndarray | None:
    """A visibility output; MMPose fills in the scores where there is none."""
    if any('keypoints_visible' not in f for f in found):
        return None
    visibility = np.concatenate([_numpy(f.keypoints_visible) for f in found])
    if visibility.shape != scores.shape or np.array_equal(visibility, scores):
        return None
    return visibility.astype(np.float32)


def _numpy(array: Any) -> np.ndarray:
    if isinstance(array, torch.Tensor):
        return array.float().cpu().numpy()
    return np.asarray(array)
