"""Crops of a data set, clean and under attacks, and their predictions.

Each image is decoded once and each crop warped once for all attacks.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ThreadPoolExecutor,
    wait,
)
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.model import is_model_wrapper
from mmpose.datasets.transforms import LoadImage, PackPoseInputs
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample
from torch.utils.data import DataLoader, Dataset

from mmpose_occlusion.benchmark.effects import Effect, effect_of
from mmpose_occlusion.benchmark.store import CLEAN, Block, BlockResult
from mmpose_occlusion.benchmark.work import Recorder, Work, image_ranges
from mmpose_occlusion.engine.pipelines import RECORD_KEY, with_defaults
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.hooks.exact_resume import key_of, seed_sample
from mmpose_occlusion.skeleton import Skeleton


class Task(NamedTuple):
    """Crops from start to stop, of one image, made together by one worker,
    and the keys of what is to be predicted."""

    start: int
    stop: int
    keys: tuple[str, ...]


class Crop(NamedTuple):
    """A crop: the clean ``(C, H, W)`` inputs, the model's data sample, and
    key of an attack -> its effect."""

    inputs: np.ndarray
    sample: PoseDataSample
    effects: dict[str, Effect]


class CropAttack:
    """Transforms that are applied to a crop one after another.

    Random draws are keyed by (seed, image id, annotation id): transforms
    with an argument ``seed`` get ``seed`` unless their config sets one; for
    others the global generators are seeded.

    Args:
        configs: Configs of the transforms.
        seed: Seed of the random draws.
    """

    def __init__(self, configs: Sequence[Mapping], seed: int) -> None:
        self.seed = seed
        self._steps = []
        self._own_seed = True
        for config in configs:
            config = dict(config)
            if 'seed' not in with_defaults(config):
                self._own_seed = False
            elif config.get('seed') is None:
                config['seed'] = seed
            self._steps.append(TRANSFORMS.build(config))

    def __call__(self, crop: Mapping[str, Any]) -> dict[str, Any]:
        """An attacked copy of a crop's ``results``."""
        results = dict(crop, img=crop['img'].copy())
        results[RECORD_KEY] = []
        if not self._own_seed:
            person = crop.get('matched_person') or crop
            person_id = int(person.get('id', crop['id']))
            seed_sample(key_of(self.seed, int(crop['img_id']), person_id, 0))
        for step in self._steps:
            results = step(results)
        return results


class CropMaker(Dataset):
    """Makes crops from a data set, clean and under attacks.

    Its items are the crops of :attr:`tasks`, for a data loader's workers.

    Args:
        dataset: A top-down data set whose pipeline ends with the crop, or a
            ``DetectionMatchedDataset`` of one.
        finish: Configs of the rest of the pipeline, which packs.
        attacks: Key -> attack.
        skeleton: The data set's joints and parts.
        order: ``(N,)`` number of a crop -> its index in the data set.
    """

    def __init__(
        self,
        dataset: Any,
        finish: Sequence[Mapping],
        attacks: Mapping[str, CropAttack],
        skeleton: Skeleton,
        order: np.ndarray,
    ) -> None:
        self.dataset = dataset
        self.attacks = attacks
        self.tasks: list[Task] = []
        self._skeleton = skeleton
        self._order = order
        self._inner = getattr(dataset, 'dataset', dataset)
        self._finish = Compose(finish)
        self._only_packs = all(
            type(step) is PackPoseInputs for step in self._finish.transforms
        )

    def __len__(self) -> int:
        return len(self.tasks)

    def __getitem__(self, index: int) -> list[Crop]:
        return self.make(self.tasks[index])

    def blocks(
        self,
        work: Sequence[Work],
        image_ids: np.ndarray,
        num_workers: int,
        timeout: float = 0,
    ) -> Iterator[tuple[Work, list[Crop]]]:
        """The crops of each block; workers prepare the next ones meanwhile.

        ``image_ids`` are those of all crops; a worker that needs more seconds
        than ``timeout`` for an image is an error, unless that is 0.
        """
        self.tasks, owners = [], Counter[int]()
        for block, keys in work:
            ids = image_ids[block.start : block.stop].tolist()
            for start, stop in image_ranges(ids):
                a, b = block.start + start, block.start + stop
                self.tasks.append(Task(a, b, keys))
                owners[block.number] += 1
        prefetch = None
        if num_workers:  # enough for the largest block
            prefetch = max(2, math.ceil(max(owners.values()) / num_workers))
        loader = iter(
            DataLoader(
                self,
                batch_size=None,
                num_workers=num_workers,
                prefetch_factor=prefetch,
                timeout=timeout if num_workers else 0,
                collate_fn=_identity,
            )
        )
        for each in work:
            crops: list[Crop] = []
            while len(crops) < each.block.people:
                crops += next(loader)
            yield each, crops

    def make(self, task: Task) -> list[Crop]:
        """The crops of a task."""
        crops = self.crops(task.start, task.stop)
        return [self._attacked(results, task.keys) for results in crops]

    def crops(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """``results`` of the crops of one image, which is decoded once."""
        image: np.ndarray | None = None
        for number in range(start, stop):
            results = self.dataset.get_data_info(int(self._order[number]))
            results['dataset'] = self._inner
            if image is not None:
                results['img'] = image
            for step in self._inner.pipeline.transforms:
                results = step(results)
                if results is None:
                    raise ValueError(
                        f'crop {number} was dropped by "{step}": take that '
                        'transform out of the test pipeline'
                    )
                if image is None and isinstance(step, LoadImage):
                    image = results['img']
            yield results

    def _attacked(self, crop: dict, keys: Sequence[str]) -> Crop:
        packed = self._finish(dict(crop))
        inputs = packed['inputs'].numpy()
        clean = self._pixels(crop, inputs)
        effects = {}
        for key in keys:
            if key != CLEAN:
                attacked = self.attacks[key](crop)
                effects[key] = effect_of(
                    clean,
                    self._pixels(attacked),
                    attacked[RECORD_KEY],
                    self._skeleton,
                )
        return Crop(inputs, packed['data_samples'], effects)

    def _pixels(
        self, results: dict, inputs: np.ndarray | None = None
    ) -> np.ndarray:
        """``(H, W, C)`` pixels of the model's input."""
        if self._only_packs:
            image = results['img']
            return image if image.ndim == 3 else image[..., None]
        if inputs is None:
            inputs = self._finish(dict(results))['inputs'].numpy()
        return inputs.transpose(1, 2, 0)


def _identity(crops: list[Crop]) -> list[Crop]:
    return crops


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
        self._kept = cudnn.benchmark, cudnn.deterministic
        self._kept_threads = torch.get_num_threads()
        if self.device.type == 'cpu':
            torch.set_num_threads(1)
        cudnn.benchmark, cudnn.deterministic = False, True
        self._model.eval()
        self._pool = ThreadPoolExecutor(self.threads)
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        cudnn = torch.backends.cudnn
        cudnn.benchmark, cudnn.deterministic = self._kept
        torch.set_num_threads(self._kept_threads)

    def compute(
        self, blocks: Iterable[tuple[Work, list[Crop]]], recorder: Recorder
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
                recorder.add(block, key, result, int(result.changed.sum()))

        for work, crops in blocks:
            for key in work.keys:
                while len(running) > self.threads:
                    take(wait(running, return_when=FIRST_COMPLETED).done)
                future = self._pool.submit(self.result, crops, key)
                running[future] = work.block, key
                take([future for future in running if future.done()])
        take(wait(running).done)

    def result(self, crops: Sequence[Crop], key: str) -> BlockResult:
        """Predict the crops of a block that an attack changes, or all of them
        clean."""
        out = BlockResult.empty(len(crops), self._joints)
        out.changed[:] = key == CLEAN
        for row, crop in enumerate(crops if key != CLEAN else ()):
            crop.effects[key].note(out, row)
            out.centres[row] = _in_image(out.centres[row], crop)
        rows = np.flatnonzero(out.changed)
        if len(rows):
            found = self._predict([crops[row] for row in rows], key)
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
            out.keypoints[rows] = keypoints[..., :2]
            out.scores[rows] = scores
            seen = _joined(found, 'keypoints_visible')
            # MMPose fills in the scores where there is no such output
            if seen.shape == shape and not np.array_equal(seen, scores):
                out.visibility[rows] = seen
        return out

    def _predict(self, crops: Sequence[Crop], key: str) -> list[Any]:
        """``pred_instances`` of each crop."""
        data = dict(
            inputs=inputs_of(crops, key, self.device),
            data_samples=[_sample(crop, key) for crop in crops],
        )
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=self._fp16),
        ):
            return [s.pred_instances for s in self._model.test_step(data)]


def _in_image(point: np.ndarray, crop: Crop) -> np.ndarray:
    """A point of the crop in pixels of the image, as MMPose maps
    predictions."""
    size, scale, center = (
        np.asarray(crop.sample.metainfo[f'input_{name}'], float)
        for name in ('size', 'scale', 'center')
    )
    return point / size * scale + center - scale / 2


def inputs_of(
    crops: Sequence[Crop], key: str, device: torch.device | str = 'cpu'
) -> list[torch.Tensor]:
    """``(C, H, W)`` of each crop, clean or under an attack."""
    inputs = np.stack([crop.inputs for crop in crops])
    for array, crop in zip(inputs, crops, strict=True):
        if key != CLEAN:
            crop.effects[key].paint(array.transpose(1, 2, 0))
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


def _sample(crop: Crop, key: str) -> _Sample:
    """A shallow copy of a crop's data sample with an attack's records."""
    new = _copied(crop.sample)
    records = [] if key == CLEAN else list(crop.effects[key].records)
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
