"""Crops of a data set, clean and under attacks, and what a network gets of
them. Each image is decoded once and each crop warped once for all attacks."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.model import is_model_wrapper
from mmpose.datasets.transforms import LoadImage, PackPoseInputs
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample
from torch.utils.data import Dataset

from mmpose_occlusion.benchmark.effects import Effect, effect_of
from mmpose_occlusion.benchmark.store import CLEAN
from mmpose_occlusion.benchmark.work import Work
from mmpose_occlusion.engine.pipelines import RECORD_KEY, with_defaults
from mmpose_occlusion.files import digest_of_arrays
from mmpose_occlusion.hooks.interrupted_training import key_of, seed_sample
from mmpose_occlusion.skeleton import Skeleton


class Crop(NamedTuple):
    """A crop: the clean ``(C, H, W)`` inputs, the model's data sample, and
    key of an attack -> its effect."""

    inputs: np.ndarray
    sample: PoseDataSample
    effects: dict[str, Effect]


class CropAttack:
    """A transform that is applied to crops.

    Random draws are keyed by (seed, image id, annotation id): transforms
    with an argument ``seed`` get ``seed`` unless their config sets one; for
    others the global generators are seeded.
    """

    def __init__(self, config: Mapping, seed: int) -> None:
        self._seed, config = seed, dict(config)
        self._own_seed = 'seed' in with_defaults(config)
        if self._own_seed and config.get('seed') is None:
            config['seed'] = seed
        self._transform = TRANSFORMS.build(config)

    def __call__(self, crop: Mapping[str, Any]) -> dict[str, Any]:
        """An attacked copy of a crop's ``results``."""
        results = {**crop, 'img': crop['img'].copy(), RECORD_KEY: []}
        if not self._own_seed:
            person = crop.get('matched_person') or crop
            person_id = int(person.get('id', crop['id']))
            seed_sample(key_of(self._seed, int(crop['img_id']), person_id, 0))
        return self._transform(results)


class CropMaker(Dataset):
    """Makes the crops of a data set, clean and under attacks.

    Args:
        dataset, order: See :class:`.mmpose_dataset.BenchmarkDataset`.
        finish: Configs of the rest of the pipeline, which packs.
        attacks: Key -> attack.
        skeleton: The data set's joints and parts.
        work: Its items are the crops of each block.
    """

    def __init__(
        self,
        dataset: Any,
        finish: Sequence[Mapping],
        attacks: Mapping[str, CropAttack],
        skeleton: Skeleton,
        order: np.ndarray,
        work: Sequence[Work] = (),
    ) -> None:
        self.dataset, self.attacks, self.work = dataset, attacks, work
        self._skeleton, self._order = skeleton, order
        self._inner = getattr(dataset, 'dataset', dataset)
        self._finish = Compose(finish)
        self._only_packs = all(
            type(step) is PackPoseInputs for step in self._finish.transforms
        )

    def __len__(self) -> int:
        return len(self.work)

    def __getitem__(self, index: int) -> list[Crop]:
        block, keys = self.work[index]
        made = self.crops(block.start, block.stop)
        return [self._attacked(results, keys) for results in made]

    def crops(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """``results`` of crops; each image is decoded once."""
        known: dict[str, Any] = {}
        for number in range(start, stop):
            results = self.dataset.get_data_info(int(self._order[number]))
            results['dataset'] = self._inner
            if results['img_id'] == known.get('img_id'):
                results['img'] = known['img']
            for step in self._inner.pipeline.transforms:
                results = step(results)
                if results is None:
                    raise ValueError(
                        f'crop {number} was dropped by "{step}": take that '
                        'transform out of the test pipeline'
                    )
                if isinstance(step, LoadImage):
                    known = dict(img_id=results['img_id'], img=results['img'])
            yield results

    def _attacked(self, crop: dict, keys: Sequence[str]) -> Crop:
        packed = self._finish(dict(crop))
        sample, inputs = packed['data_samples'], packed['inputs'].numpy()
        # metrics use it, and each forward pass would copy it
        sample.pop('raw_ann_info', None)
        _set_records(sample, [])
        clean = self._pixels(crop, inputs)
        effects = {}
        for key in keys:
            if key != CLEAN:
                attacked = self.attacks[key](crop)
                pixels, records = self._pixels(attacked), attacked[RECORD_KEY]
                effects[key] = effect_of(
                    clean, pixels, records, self._skeleton
                )
        return Crop(inputs, sample, effects)

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


def inputs_of(
    crops: Sequence[Crop], key: str, device: torch.device | str = 'cpu'
) -> list[torch.Tensor]:
    """``(C, H, W)`` of each crop, clean or under an attack."""
    inputs = np.stack([crop.inputs for crop in crops])
    for array, crop in zip(inputs, crops, strict=True):
        if key != CLEAN:
            crop.effects[key].paint(array.transpose(1, 2, 0))
    return list(torch.from_numpy(inputs).to(device))


def sample_of(crop: Crop, key: str) -> PoseDataSample:
    """A shallow copy of a crop's data sample with an attack's records."""
    sample = copy.copy(crop.sample)
    if key != CLEAN:
        _set_records(sample, list(crop.effects[key].records))
    return sample


def _set_records(sample: PoseDataSample, records: list) -> None:
    sample.set_field(records, RECORD_KEY, None, 'metainfo')


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Forward passes with the same bits every time: on a CPU with one thread
    each, on GPUs with cuDNN's deterministic algorithms alone."""
    cudnn, threads = torch.backends.cudnn, torch.get_num_threads()
    kept = cudnn.benchmark, cudnn.deterministic
    if device.type == 'cpu':
        torch.set_num_threads(1)
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = kept
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


def unwrapped(model: Any) -> torch.nn.Module:
    """The model inside a wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model


def device_of(model: torch.nn.Module) -> torch.device:
    """The device of a model's weights."""
    parameter = next(model.parameters(), None)
    return torch.device('cpu') if parameter is None else parameter.device


def joined(found: Sequence[Any], name: str) -> np.ndarray:
    """An array of the predictions of all crops; empty where they lack it."""
    arrays = [getattr(one, name, np.zeros((0, 0))) for one in found]
    return np.concatenate(
        [
            a.float().cpu().numpy() if isinstance(a, torch.Tensor) else a
            for a in arrays
        ]
    )
