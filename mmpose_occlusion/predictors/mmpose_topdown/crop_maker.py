"""Crops of a data set, clean and under attacks.

Each image is decoded once and each crop warped once for all attacks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmpose.datasets.transforms import LoadImage, PackPoseInputs
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample
from torch.utils.data import Dataset

from mmpose_occlusion.engine.pipelines import RECORD_KEY, with_defaults
from mmpose_occlusion.hooks.exact_resume import key_of, seed_sample
from mmpose_occlusion.skeleton import Skeleton

from .pixel_diff import CropOutcome, find_diff, outcome_of

_NOT_FOR_MODELS = 'raw_ann_info'
"""Packed by MMPose for its metrics, and copied for every forward pass."""


@dataclass(frozen=True)
class Task:
    """Crops of one image, made together by one worker.

    Args:
        block: Number of their block.
        start: Index of the first crop.
        stop: Index after the last crop.
        attacks: Indices of the attacks to apply.
    """

    block: int
    start: int
    stop: int
    attacks: tuple[int, ...]


@dataclass(frozen=True)
class Crop:
    """A crop and the effects of attacks on it.

    Args:
        inputs: ``(C, H, W)``, clean.
        sample: The model's data sample of the clean crop.
        outcomes: Index of the attack -> its effect.
    """

    inputs: np.ndarray
    sample: PoseDataSample
    outcomes: dict[int, CropOutcome]


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


class CropMaker:
    """Makes crops from a data set, clean and under attacks.

    Args:
        dataset: A top-down data set whose pipeline ends with the crop, or a
            ``DetectionMatchedDataset`` of one.
        finish: Configs of the rest of the pipeline, which packs.
        attacks: The attacks.
        skeleton: The data set's joints and parts.
        order: ``(N,)`` number of a crop -> its index in the data set.
    """

    def __init__(
        self,
        dataset: Any,
        finish: Sequence[Mapping],
        attacks: Sequence[CropAttack],
        skeleton: Skeleton,
        order: np.ndarray,
    ) -> None:
        self.dataset = dataset
        self.attacks = attacks
        self._skeleton = skeleton
        self._order = order
        self._inner = getattr(dataset, 'dataset', dataset)
        self._finish = Compose(_without_annotations(finish))
        self._only_packs = all(
            type(step) is PackPoseInputs for step in self._finish.transforms
        )

    def make(self, task: Task) -> list[Crop]:
        """The crops of a task."""
        return [
            self._attacked(results, task.attacks)
            for results in self.crops(task.start, task.stop)
        ]

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

    def _attacked(self, crop: dict, wanted: Sequence[int]) -> Crop:
        packed = self._finish(dict(crop))
        inputs = packed['inputs'].numpy()
        clean = self._pixels(crop, inputs)
        outcomes = {}
        for number in wanted:
            attacked = self.attacks[number](crop)
            diff = find_diff(clean, self._pixels(attacked))
            records = attacked[RECORD_KEY]
            outcomes[number] = outcome_of(diff, records, self._skeleton)
        return Crop(inputs, packed['data_samples'], outcomes)

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


class TaskDataset(Dataset):
    """The crops of tasks, as a data set for a data loader's workers.

    Args:
        maker: Makes the crops.
        tasks: The tasks.
    """

    def __init__(self, maker: CropMaker, tasks: Sequence[Task]) -> None:
        self._maker = maker
        self._tasks = tasks

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, index: int) -> list[Crop]:
        return self._maker.make(self._tasks[index])


def _without_annotations(pipeline: Sequence[Mapping]) -> list[dict]:
    """A pipeline whose packing transform leaves out what only metrics use."""
    steps = []
    for step in pipeline:
        step = dict(step)
        keys = with_defaults(step).get('meta_keys')
        if keys:
            step['meta_keys'] = tuple(k for k in keys if k != _NOT_FOR_MODELS)
        steps.append(step)
    return steps
