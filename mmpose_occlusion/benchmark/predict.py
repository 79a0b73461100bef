"""Forward passes, several at a time on a CPU, always the same bits."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from mmengine.model import is_model_wrapper

from mmpose_occlusion.engine.errors import UsageError

View = tuple[np.ndarray, Any]
"""Inputs ``(C, H, W)`` and data sample of a crop."""


class Predictor:
    """Runs a model on batches of crops.

    What a network computes depends in its last bits on how many crops are in
    the batch, and on a CPU on how many threads share the work. Here each
    pass on a CPU has one thread, and the cores share the batches instead,
    which is at least as fast. Use it as a context, since PyTorch's settings
    are changed meanwhile.

    Args:
        model: A pose estimator, or a wrapper of one for several processes.
        joints: How many the data set has.
        threads: Passes at a time on a CPU; None takes as many as PyTorch
            would take threads.
        fp16: Whether to compute in mixed precision.
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
        self.threads = (threads or torch.get_num_threads()) if on_cpu else 1

    def __enter__(self) -> 'Predictor':
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

    def submit(self, views: Sequence[View]) -> Future:
        """Have a batch computed; see :meth:`predict`."""
        return self._pool.submit(self.predict, views)

    def predict(self, views: Sequence[View]) -> tuple[np.ndarray, np.ndarray]:
        """Joints of a batch.

        Args:
            views: At least one.

        Returns:
            ``(m, K, 2)`` float32 image pixels and ``(m, K)`` float32 scores.

        Raises:
            UsageError: The model finds another number of joints.
        """
        data = dict(
            inputs=[torch.from_numpy(inputs) for inputs, _ in views],
            data_samples=[sample for _, sample in views],
        )
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=self._fp16),
        ):
            samples = self._model.test_step(data)
        found = [sample.pred_instances for sample in samples]
        keypoints = np.concatenate([_numpy(f.keypoints) for f in found])
        scores = np.concatenate([_numpy(f.keypoint_scores) for f in found])
        shape = (len(views), self._joints)
        if keypoints.shape[:2] != shape or scores.shape != shape:
            raise UsageError(
                f'the model says {keypoints.shape[1]} joints for each of '
                f'{len(keypoints)} people, and its data set has '
                f'{self._joints} for {len(views)}: give a top-down model of '
                'this data set'
            )
        return keypoints[..., :2].astype(np.float32), scores.astype(np.float32)


def unwrapped(model: Any) -> torch.nn.Module:
    """The model inside a wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model


def device_of(model: torch.nn.Module) -> torch.device:
    """Where a model's weights are."""
    parameter = next(model.parameters(), None)
    return torch.device('cpu') if parameter is None else parameter.device


def _numpy(array: Any) -> np.ndarray:
    if isinstance(array, torch.Tensor):
        return array.float().cpu().numpy()
    return np.asarray(array)
