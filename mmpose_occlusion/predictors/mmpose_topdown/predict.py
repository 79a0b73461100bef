"""Forward passes, several at a time on a CPU, always the same bits."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from typing import Any

import numpy as np
import torch
from mmengine.model import is_model_wrapper

from mmpose_occlusion.benchmark.clock import NO_CLOCK, Clock
from mmpose_occlusion.benchmark.probe import Probe
from mmpose_occlusion.benchmark.profile import BATCH, Profile
from mmpose_occlusion.errors import UsageError

from .batch import Batch
from .options import DEFAULT, Options


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
        threads: Passes at a time; None takes as many as PyTorch would take
            threads on a CPU, and one elsewhere.
        fp16: Whether to compute in the mixed precision that PyTorch takes on
            the device, unless the options name one.
        options: Faster ways to compute.
        profile: Where to count the time; None measures nothing.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        joints: int,
        threads: int | None = None,
        fp16: bool = False,
        options: Options = DEFAULT,
        profile: Profile | None = None,
    ) -> None:
        self._options = options
        self._profile = profile
        self._model: Any = unwrapped(model)
        self._joints = joints
        self._fp16 = fp16
        self.device = device_of(self._model)
        on_cpu = self.device.type == 'cpu'
        self.threads = threads or (torch.get_num_threads() if on_cpu else 1)

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
        self._probe = None if self._profile is None else Probe(self._model)
        with ExitStack() as stack:
            stack.enter_context(self._options.applied(self._model))
            if self._probe is not None:
                stack.enter_context(self._probe)
            self._pool = ThreadPoolExecutor(self.threads)
            self._inside = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._inside.close()
        threads, benchmark, deterministic = self._kept
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = benchmark
        torch.backends.cudnn.deterministic = deterministic

    def submit(self, batch: Batch) -> Future:
        """Have a batch computed; see :meth:`predict`."""
        return self._pool.submit(self.predict, batch)

    def predict(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Joints of a batch of m crops.

        Returns:
            ``(m, K, 2)`` float32 image pixels and ``(m, K)`` float32 scores.

        Raises:
            UsageError: The model finds another number of joints.
        """
        if self._profile is None:
            return self._predict(batch, NO_CLOCK)
        clock = Clock(self._settle)
        found = self._predict(batch, clock)
        self._profile.add(clock.steps)
        return found

    def _predict(
        self, batch: Batch, clock: Clock
    ) -> tuple[np.ndarray, np.ndarray]:
        with clock.step(BATCH):
            inputs, samples = batch.inputs(), batch.samples()
        with (
            torch.inference_mode(),
            torch.autocast(
                self.device.type,
                self._options.dtype,
                enabled=self._fp16 or self._options.dtype is not None,
            ),
            self._probe.watching(clock) if self._probe else nullcontext(),
        ):
            samples = self._model.test_step(
                dict(inputs=inputs, data_samples=samples)
            )
        found = [sample.pred_instances for sample in samples]
        keypoints = np.concatenate([_numpy(f.keypoints) for f in found])
        scores = np.concatenate([_numpy(f.keypoint_scores) for f in found])
        shape = (len(batch), self._joints)
        if keypoints.shape[:2] != shape or scores.shape != shape:
            raise UsageError(
                f'the model says {keypoints.shape[1]} joints for each of '
                f'{len(keypoints)} people, and its data set has '
                f'{self._joints} for {len(batch)}: give a top-down model of '
                'this data set'
            )
        return keypoints[..., :2].astype(np.float32), scores.astype(np.float32)

    def _settle(self) -> None:
        """Wait for the device, so that a step's time is its own."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)


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
