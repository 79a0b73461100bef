"""Each image is read once, each crop warped once, for all attacks."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmpose.datasets.transforms import LoadImage, PackPoseInputs
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample
from torch.utils.data import Dataset, get_worker_info

from mmpose_occlusion.benchmark.clock import NO_CLOCK, Clock, Steps
from mmpose_occlusion.benchmark.profile import (
    DECODE,
    HAND_OVER,
    PACK,
    PATCHES,
    WARP,
)
from mmpose_occlusion.engine.pipelines import RECORD_KEY, with_defaults
from mmpose_occlusion.hooks.exact_resume import key_of, seed_sample

from .pixel_diff import Outcome, find_change, outcome_of

_NOT_FOR_MODELS = 'raw_ann_info'
"""Packed by MMPose for metrics, and copied for every forward pass."""


@dataclass(frozen=True)
class Task:
    """The crops of an image that a worker makes at once.

    Args:
        block: Number of their block.
        start: The first crop.
        stop: One behind the last.
        attacks: Indices of the attacks that are wanted.
    """

    block: int
    start: int
    stop: int
    attacks: tuple[int, ...]


@dataclass(frozen=True)
class Crop:
    """A crop, and what attacks do to it.

    Args:
        inputs: ``(C, H, W)``, clean.
        sample: What the model needs to know of it.
        outcomes: Index of the attack -> what it does.
    """

    inputs: np.ndarray
    sample: PoseDataSample
    outcomes: dict[int, Outcome]


class Attack:
    """Transforms that act on a crop one after another, keyed by the person.

    Args:
        configs: Of the transforms; those that take a ``seed`` and have none
            get ``seed``. Others, for which the global generators are seeded
            by (seed, image id, annotation id), are as deterministic.
        seed: Of what they leave to chance.
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
        """An attacked copy of a crop, which stays as it is."""
        results = dict(crop, img=crop['img'].copy())
        results[RECORD_KEY] = []
        if not self._own_seed:
            seed_sample(key_of(self.seed, *_identity(crop), 0))
        for step in self._steps:
            results = step(results)
        return results


def _identity(crop: Mapping[str, Any]) -> tuple[int, int]:
    """Image id and annotation id of a crop's person."""
    who = crop.get('matched_person') or crop
    return int(crop['img_id']), int(who.get('id', crop['id']))


class CropMaker:
    """Makes crops from a data set, clean and under attacks.

    Args:
        dataset: A top-down data set whose pipeline ends with the crop, or a
            ``DetectionMatchedDataset`` around one.
        finish: Configs of the rest of the pipeline, which packs.
        attacks: The attacks.
        joints: Name of a joint -> its index.
        order: Number of a crop -> its index in the data set.
    """

    def __init__(
        self,
        dataset: Any,
        finish: Sequence[Mapping],
        attacks: Sequence[Attack],
        joints: Mapping[str, int],
        order: np.ndarray,
    ) -> None:
        self.dataset = dataset
        self.attacks = attacks
        self._joints = joints
        self._order = order
        self._inner = getattr(dataset, 'dataset', dataset)
        self._finish = Compose(_slim(finish))
        self._only_packs = all(
            type(step) is PackPoseInputs for step in self._finish.transforms
        )

    def crops(
        self, start: int, stop: int, clock: Clock = NO_CLOCK
    ) -> Iterator[dict[str, Any]]:
        """``results`` of the crops of one image, which is read once."""
        image: np.ndarray | None = None
        for number in range(start, stop):
            with clock.step(WARP):
                results, image = self._crop(number, image, clock)
            yield results

    def _crop(
        self, number: int, image: np.ndarray | None, clock: Clock
    ) -> tuple[dict[str, Any], np.ndarray | None]:
        results = self.dataset.get_data_info(int(self._order[number]))
        results['dataset'] = self._inner
        if image is not None:
            results['img'] = image
        for step in self._inner.pipeline.transforms:
            loads = image is None and isinstance(step, LoadImage)
            with clock.step(DECODE if loads else WARP):
                results = step(results)
            if results is None:
                raise ValueError(
                    f'crop {number} was dropped by "{step}": take that '
                    'transform out of the test pipeline'
                )
            if loads:
                image = results['img']
        return results, image

    def make(self, task: Task, clock: Clock = NO_CLOCK) -> list[Crop]:
        """The crops of a task."""
        return [
            self._make(results, task.attacks, clock)
            for results in self.crops(task.start, task.stop, clock)
        ]

    def _make(
        self, crop: dict, wanted: Sequence[int], clock: Clock = NO_CLOCK
    ) -> Crop:
        with clock.step(PACK):
            packed = self._finish(dict(crop))
            inputs = packed['inputs'].numpy()
        with clock.step(PATCHES):
            clean = self._pixels(crop, inputs)
            outcomes = {}
            for number in wanted:
                attacked = self.attacks[number](crop)
                change = find_change(clean, self._pixels(attacked))
                outcomes[number] = outcome_of(
                    change, attacked[RECORD_KEY], self._joints
                )
        return Crop(inputs, packed['data_samples'], outcomes)

    def _pixels(
        self, results: dict, inputs: np.ndarray | None = None
    ) -> np.ndarray:
        """``(H, W, C)`` what the model gets."""
        if self._only_packs:
            image = results['img']
            return image if image.ndim == 3 else image[..., None]
        if inputs is None:
            inputs = self._finish(dict(results))['inputs'].numpy()
        return inputs.transpose(1, 2, 0)


@dataclass(frozen=True)
class Made:
    """What a worker sends.

    Args:
        crops: Of a task.
        steps: What took the time, if that is asked for.
    """

    crops: list[Crop]
    steps: Steps


class TaskDataset(Dataset):
    """Tasks as a data set, for a data loader's workers.

    Args:
        make: Makes the crops of a task.
        tasks: The tasks.
        timed: Whether to say what took the time.
    """

    def __init__(
        self,
        make: Callable[[Task, Clock], list[Crop]],
        tasks: Sequence[Task],
        timed: bool = False,
    ) -> None:
        self.make = make
        self.tasks = tasks
        self._timed = timed
        self._used: float | None = None

    def __len__(self) -> int:
        return len(self.tasks)

    def __getitem__(self, index: int) -> Made:
        if not self._timed:
            return Made(self.make(self.tasks[index], NO_CLOCK), {})
        clock = Clock()
        if self._used is not None and get_worker_info() is not None:
            # a thread beside this one sends what was made before
            sent = time.process_time() - self._used
            clock.add(HAND_OVER, sent, sent)
        crops = self.make(self.tasks[index], clock)
        self._used = time.process_time()
        return Made(crops, clock.steps)


def _slim(pipeline: Sequence[Mapping]) -> list[dict]:
    """Have a packing transform leave out what only metrics need."""
    steps = []
    for step in pipeline:
        keys = with_defaults(step).get('meta_keys')
        if keys:
            keys = tuple(key for key in keys if key != _NOT_FOR_MODELS)
            step = dict(step, meta_keys=keys)
        steps.append(dict(step))
    return steps
