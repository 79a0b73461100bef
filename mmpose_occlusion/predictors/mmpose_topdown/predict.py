"""Forward passes, several at a time on a CPU, bit-reproducible."""

from collections.abc import Iterable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ThreadPoolExecutor,
    wait,
)
from typing import Any

import numpy as np
import torch
from mmengine.model import is_model_wrapper
from mmpose.structures import PoseDataSample

from mmpose_occlusion.benchmark.effects import BlockArrays
from mmpose_occlusion.benchmark.store import CLEAN, Block, BlockResult
from mmpose_occlusion.benchmark.work import Recorder, Work
from mmpose_occlusion.engine.pipelines import RECORD_KEY
from mmpose_occlusion.errors import UsageError

from .crop_maker import Crop


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

    def compute(
        self,
        blocks: Iterable[tuple[Work, list[Crop]]],
        keys: Sequence[str],
        recorder: Recorder,
    ) -> None:
        """Predict the crops of blocks, clean and where attacks change them.

        The crops of a block under one attack are one batch, so that
        predictions do not depend on other attacks or on the order of
        computation.
        """
        running: dict[Future, tuple[Block, str]] = {}

        def take(futures: Iterable[Future]) -> None:
            for future in futures:
                block, key = running.pop(future)
                result = future.result()
                recorder.add(block, key, result, len(result.scores))

        for work, crops in blocks:
            attacks = [None] * work.clean + [*work.attacks]
            for attack in attacks:
                while len(running) > self.threads:
                    take(wait(running, return_when=FIRST_COMPLETED).done)
                key = CLEAN if attack is None else keys[attack]
                future = self._pool.submit(self.result, crops, attack)
                running[future] = work.block, key
                take([future for future in running if future.done()])
        take(wait(running).done)

    def result(
        self, crops: Sequence[Crop], attack: int | None = None
    ) -> BlockResult:
        """Predict the crops of a block that an attack changes, or all of them
        clean.
        """
        arrays = BlockArrays(len(crops), self._joints)
        if attack is None:
            arrays.changed[:] = True
        else:
            for row, crop in enumerate(crops):
                arrays.note(row, crop.effects[attack])
        rows = np.flatnonzero(arrays.changed)
        if len(rows):
            found = self._predict([crops[row] for row in rows], attack)
            keypoints = _joined(found, 'keypoints')
            scores = _joined(found, 'keypoint_scores')
            shape = len(rows), self._joints
            if keypoints.shape[:2] != shape or scores.shape != shape:
                raise UsageError(
                    f'the model predicts {keypoints.shape[1]} joints for each '
                    f'of {len(keypoints)} people, and its data set has '
                    f'{self._joints} for {len(rows)}: give a top-down model '
                    'of this data set'
                )
            arrays.keypoints[rows] = keypoints[..., :2]
            arrays.scores[rows] = scores
            seen = _joined(found, 'keypoints_visible')
            # MMPose fills in the scores where there is no such output
            if seen.shape == shape and not np.array_equal(seen, scores):
                arrays.visibility[rows] = seen
        return arrays.result()

    def _predict(self, crops: Sequence[Crop], attack: int | None) -> list[Any]:
        """``pred_instances`` of each crop."""
        data = dict(
            inputs=inputs_of(crops, attack, self.device),
            data_samples=[_sample(crop, attack) for crop in crops],
        )
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=self._fp16),
        ):
            return [s.pred_instances for s in self._model.test_step(data)]


def inputs_of(
    crops: Sequence[Crop],
    attack: int | None = None,
    device: torch.device | str = 'cpu',
) -> list[torch.Tensor]:
    """``(C, H, W)`` of each crop, clean or under an attack."""
    inputs = np.stack([crop.inputs for crop in crops])
    if attack is not None:
        for array, crop in zip(inputs, crops, strict=True):
            crop.effects[attack].paint(array.transpose(1, 2, 0))
    return list(torch.from_numpy(inputs).to(device))


class _Sample(PoseDataSample):
    """A data sample whose ``to`` does not deep-copy its metainfo, which
    MMEngine does for each forward pass and which nothing modifies."""

    def to(self, *args: Any, **kwargs: Any) -> '_Sample':
        """A copy with its tensors on another device."""
        new = _copied(self)
        for name, value in self.items():
            if hasattr(value, 'to'):
                new.set_data({name: value.to(*args, **kwargs)})
        return new


def _copied(sample: PoseDataSample) -> _Sample:
    """A shallow copy of a sample."""
    new = _Sample.__new__(_Sample)
    new.__dict__.update(vars(sample))
    for name in ('_metainfo_fields', '_data_fields'):
        object.__setattr__(new, name, set(getattr(sample, name)))
    return new


def _sample(crop: Crop, attack: int | None) -> _Sample:
    """A shallow copy of a crop's data sample with an attack's records."""
    new = _copied(crop.sample)
    records = [] if attack is None else list(crop.effects[attack].records)
    new.set_field(
        name=RECORD_KEY, value=records, field_type='metainfo', dtype=None
    )
    return new


def unwrapped(model: Any) -> torch.nn.Module:
    """The model inside a wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model


def device_of(model: torch.nn.Module) -> torch.device:
    """The device of a model's weights."""
    parameter = next(model.parameters(), None)
    return torch.device('cpu') if parameter is None else parameter.device


def _joined(found: Sequence[Any], name: str) -> np.ndarray:
    """An array of all crops; empty where the model has none."""
    arrays = [getattr(one, name, np.zeros((0, 0))) for one in found]
    return np.concatenate(
        [
            a.float().cpu().numpy() if isinstance(a, torch.Tensor) else a
            for a in arrays
        ]
    )
