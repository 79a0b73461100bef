"""Crops of a top-down data set of MMPose, clean and under attacks, and what a
network gets of them. Each image is decoded once and each crop warped once for
all attacks."""

import contextlib
import copy
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import BaseDataset, Compose
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import DATASETS, KEYPOINT_CODECS, TRANSFORMS
from mmpose.structures import PoseDataSample
from torch.utils.data import Dataset

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.effects import Effect, effect_of
from mmpose_occlusion.benchmark.store import CLEAN
from mmpose_occlusion.benchmark.work import Work, order_by_image
from mmpose_occlusion.engine.config import type_name
from mmpose_occlusion.engine.crop_frame import to_crop
from mmpose_occlusion.engine.pipelines import (
    CROP,
    RECORD_KEY,
    find_place,
    with_defaults,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.hooks.interrupted_training import key_of, seed_sample
from mmpose_occlusion.skeleton import Skeleton

_CODE = ('.py', '.pkl', '.pickle', '.pth', '.yml', '.yaml')
"""Endings of files whose readers in MMEngine run the code in them."""


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


class Crop(NamedTuple):
    """A crop: the clean ``(C, H, W)`` inputs, the model's data sample, and
    key of an attack -> its effect."""

    inputs: np.ndarray
    sample: PoseDataSample
    effects: dict[str, Effect]


class Crops:
    """The crops of a data set, those of an image together. Images are not
    read before :meth:`results`.

    Args:
        config: Config of the data set, or of a wrapper of one.
        max_images: Use the first images only.

    Attributes:
        dataset: The data set in this order; its pipeline ends with the crop.
        inner: The data set of MMPose in it, or itself.
        before: Configs of the pipeline up to the crop.
        after: Configs of the rest of the pipeline.
        whole: Whether no crop was left out.
        image_ids: ``(N,)`` id of each crop's image.

    Raises:
        UsageError: The data are not top-down, or there are none.
    """

    def __init__(self, config: Mapping, max_images: int | None = None) -> None:
        config = copy.deepcopy(dict(config))
        source = config.get('dataset', config)
        pipeline = source.get('pipeline') or []
        self.inner: Any = None
        crop = find_place(pipeline, [CROP])
        if crop is not None:
            self.before = pipeline[: crop + 1]
            self.after = pipeline[crop + 1 :]
            source['pipeline'] = self.before
            self.dataset = DATASETS.build(config)
            self.inner = getattr(self.dataset, 'dataset', self.dataset)
        if getattr(self.inner, 'data_mode', '') != 'topdown':
            raise UsageError(
                f'test_dataloader.dataset, of type "{type_name(config)}", is '
                f'no single top-down data set of MMPose, or has no "{CROP}", '
                'so there are no crops to attack: give the config of a '
                'top-down model, or benchmark this one on whole images as '
                'mmpose:CONFIG,CHECKPOINT'
            )
        ids = np.array([info['img_id'] for info in self.infos()])
        order = order_by_image(ids)
        if max_images is not None:
            chosen = list(dict.fromkeys(ids[order].tolist()))[:max_images]
            order = order[np.isin(ids[order], chosen)]
        self.whole = len(order) == len(ids) and self.inner._indices is None
        self.image_ids = ids[order]
        self.inner.get_subset_(order.tolist())
        if not len(self):
            raise UsageError(
                'the test data has no crop: check test_dataloader.dataset '
                'and --max-images'
            )

    def __len__(self) -> int:
        return len(self.dataset)

    def infos(self) -> list[dict]:
        """The data info of each crop."""
        # MMPose's own adds a copy of the metainfo
        get_data_info = partial(BaseDataset.get_data_info, self.inner)
        return [get_data_info(index) for index in range(len(self))]

    def results(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """``results`` of crops; each image is decoded once."""
        known: dict[str, Any] = {}
        for index in range(start, stop):
            results = self.dataset.get_data_info(index)
            results['dataset'] = self.inner
            if results['img_id'] == known.get('img_id'):
                results['img'] = known['img']
            for step in self.inner.pipeline.transforms:
                results = step(results)
                if isinstance(step, LoadImage):
                    known = dict(img_id=results['img_id'], img=results['img'])
            yield results


class CropBlocks(Dataset):
    """The crops of blocks, for a data loader: an item is the list of those of
    one ``work``, clean and under its attacks.

    Args:
        crops: The data set.
        attacks: Key -> attack.
        skeleton: Of the data set.
        work: The blocks, each with the keys of its attacks.
    """

    def __init__(
        self,
        crops: Crops,
        attacks: Mapping[str, CropAttack],
        skeleton: Skeleton,
        work: Sequence[Work],
    ) -> None:
        self._crops, self._attacks = crops, attacks
        self._skeleton, self._work = skeleton, work
        *self._between, self._pack = Compose(crops.after).transforms

    def __len__(self) -> int:
        return len(self._work)

    def __getitem__(self, index: int) -> list[Crop]:
        block, keys = self._work[index]
        made = self._crops.results(block.start, block.stop)
        return [self._crop(results, keys) for results in made]

    def _crop(self, results: dict, keys: Sequence[str]) -> Crop:
        clean = self._finished(results)
        packed = self._pack(dict(clean))
        sample = packed['data_samples']
        # metrics use it, and each forward pass would copy it
        sample.pop('raw_ann_info', None)
        effects = {}
        for key in keys:
            if key != CLEAN:
                attacked = self._attacks[key](results)
                effects[key] = effect_of(
                    _pixels(clean),
                    _pixels(self._finished(attacked)),
                    attacked[RECORD_KEY],
                    self._skeleton,
                )
        return Crop(packed['inputs'].numpy(), sample, effects)

    def _finished(self, results: dict) -> dict:
        """After the steps between the attack and the packing."""
        for step in self._between:
            results = step(dict(results))
        return results


def _pixels(results: Mapping) -> np.ndarray:
    """``(H, W, C)`` of the model's input."""
    image = results['img']
    return image if image.ndim == 3 else image[..., None]


def inputs_of(
    crops: Sequence[Crop], key: str, device: torch.device | str = 'cpu'
) -> list[torch.Tensor]:
    """``(C, H, W)`` of each crop, clean or under an attack."""
    inputs = np.stack([crop.inputs for crop in crops])
    for array, crop in zip(inputs, crops, strict=True):
        if key != CLEAN:
            crop.effects[key].paint(array.transpose(1, 2, 0))
    return list(torch.from_numpy(inputs).to(device))


def case_crops(
    run: BenchmarkRun, people: Sequence[tuple[str, int]], trusted: bool = True
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The ``report.cases.CaseImages`` of attacks and people of a run, made
    again through MMPose's data set.

    Unless this process made the run (``trusted``), what it names must be a
    class that is registered already, and no file that holds code.

    Raises:
        LookupError: The data set is missing or has changed, or an attack
            cannot be applied.
    """
    attacks, out = {attack.name: attack.config for attack in run.attacks}, []
    try:
        if not trusted:
            _refuse_code([run.dataset, list(attacks.values())])
        if imports := (run.dataset.get('custom_imports') or {}):
            import_modules_from_strings(**imports)
        init_default_scope(run.dataset['default_scope'])
        with contextlib.redirect_stdout(io.StringIO()):
            crops = Crops(run.dataset['dataset'])
        known = run.boxes.image_ids
        if not np.array_equal(crops.image_ids[: len(known)], known):
            raise UsageError('it has changed since the predictions')
        for name, row in people:
            (crop,) = crops.results(row, row + 1)
            painted = CropAttack(attacks[name], run.seed)(crop)
            origin, x, y = to_crop(np.array([[0, 0], [1, 0], [0, 1]]), crop)
            matrix = np.stack([x - origin, y - origin, origin], axis=1)
            out.append((crop['img'], painted['img'], matrix))
    except Exception as error:  # of whatever class the data set has
        words = str(error).strip().splitlines() or [type(error).__name__]
        text = f'the data set cannot be read again ({words[0]})'
        raise LookupError(text) from error
    return out


def _refuse_code(node: Any, key: str = '') -> None:
    """Refuse what building a stored config would import or execute."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            _refuse_code(value, name)
    elif isinstance(node, list | tuple):
        for value in node:
            _refuse_code(value, key)
    elif isinstance(node, str) and (
        (key == 'type' and not _is_registered(node))
        or (key == 'imports' and node != 'mmpose_occlusion')
        or node.lower().endswith(_CODE)
    ):
        raise UsageError(
            f'it needs "{node}", and a report neither runs code that a '
            'folder names nor reads files that may hold code: run the '
            "benchmark's command again, which predicts nothing again"
        )


def _is_registered(name: str) -> bool:
    """Whether a class is in a registry; another name would be imported."""
    scope, _, last = name.rpartition('.')
    known = (DATASETS, TRANSFORMS, DATASETS.parent, TRANSFORMS.parent)
    return scope in ('', 'mmpose', 'mmcv') and any(
        last in each.module_dict for each in (*known, KEYPOINT_CODECS)
    )
