"""Crops of a data set, clean and under attacks.

Each image is decoded once and each crop warped once for all attacks.
"""

import contextlib
import copy
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.dataset import Compose
from mmengine.registry import Registry, init_default_scope
from mmengine.utils import import_modules_from_strings
from mmpose import registry
from mmpose.datasets.transforms import LoadImage, PackPoseInputs
from mmpose.registry import DATASETS, TRANSFORMS
from mmpose.structures import PoseDataSample
from torch.utils.data import DataLoader, Dataset

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.effects import Effect, effect_of
from mmpose_occlusion.benchmark.work import Work, image_ranges, order_by_image
from mmpose_occlusion.engine.crops import to_crop
from mmpose_occlusion.engine.pipelines import (
    RECORD_KEY,
    split_pipeline,
    with_defaults,
)
from mmpose_occlusion.hooks.interrupted_training import key_of, seed_sample
from mmpose_occlusion.skeleton import Skeleton

from .dataset import infos_of

if TYPE_CHECKING:
    from mmpose_occlusion.benchmark.report.cases import Case, CaseImages

_CODE = ('.py', '.pkl', '.pickle', '.pth', '.yml', '.yaml')
"""Endings of files whose readers in MMEngine run the code in them."""

_NOT_FOR_MODELS = 'raw_ann_info'
"""Packed by MMPose for its metrics, and copied for every forward pass."""


@dataclass(frozen=True)
class Task:
    """Crops from start to stop, of one image, made together by one worker,
    and the indices of the attacks on them.
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
        effects: Index of the attack -> its effect.
    """

    inputs: np.ndarray
    sample: PoseDataSample
    effects: dict[int, Effect]


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
        self.tasks: list[Task] = []
        self._skeleton = skeleton
        self._order = order
        self._inner = getattr(dataset, 'dataset', dataset)
        self._finish = Compose(_without_annotations(finish))
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
        self.tasks = [
            Task(block.number, block.start + a, block.start + b, w.attacks)
            for w in work
            for block in [w.block]
            for a, b in image_ranges(
                image_ids[block.start : block.stop].tolist()
            )
        ]
        prefetch = None
        if num_workers and work:  # enough for the largest block
            largest = max(Counter(t.block for t in self.tasks).values())
            prefetch = max(2, math.ceil(largest / num_workers))
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
        for w in work:
            crops: list[Crop] = []
            while len(crops) < len(w.block):
                crops += next(loader)
            yield w, crops

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
        effects = {}
        for number in wanted:
            attacked = self.attacks[number](crop)
            effects[number] = effect_of(
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


def case_crops(
    run: BenchmarkRun, cases: 'Sequence[Case]', trusted: bool = True
) -> 'dict[Case, CaseImages]':
    """The crops of a report's cases, made again through MMPose's data set.

    Args:
        run: The run; its ``dataset`` says how to build the data set.
        cases: Cases of the run.
        trusted: Whether this process made the run. What a stored run names
            must otherwise be a class that is registered already, and no file
            that holds code.

    Raises:
        LookupError: The data set is missing or has changed, or an attack
            cannot be applied; the message names it.
    """
    from mmpose_occlusion.benchmark.analysis import transform_configs
    from mmpose_occlusion.benchmark.report.cases import CaseImages

    if not trusted:
        _refuse_code(run.dataset)
        _refuse_code([attack.config for attack in run.attacks])
    with _lookup('the data set cannot be read again'):
        maker = _maker_of(run)
    attacks = {attack.name: attack for attack in run.attacks}
    out = {}
    for case in cases:
        image = run.boxes.image_ids[case.row]
        with _lookup(f'image {image} cannot be read again'):
            crop = next(maker.crops(case.row, case.row + 1))
        with _lookup(f'the attack "{case.attack}" cannot be painted again'):
            configs = transform_configs(attacks[case.attack])
            painted = CropAttack(configs, run.seed)(crop)
        origin, x, y = to_crop(np.array([[0, 0], [1, 0], [0, 1]]), crop)
        matrix = np.stack([x - origin, y - origin, origin], axis=1)
        out[case] = CaseImages(crop['img'], painted['img'], matrix)
    return out


def _maker_of(run: BenchmarkRun) -> CropMaker:
    """Of a stored run's data set, without attacks."""
    recipe = copy.deepcopy(run.dataset)
    if not recipe:
        raise LookupError(
            'the store does not say how to build the data set of this run'
        )
    custom = recipe.get('custom_imports') or {}
    if custom.get('imports'):
        import_modules_from_strings(**custom)
    init_default_scope(recipe['default_scope'])
    config = recipe['dataset']
    source = config.get('dataset', config)
    source['pipeline'], after = split_pipeline(source['pipeline'])
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = DATASETS.build(config)
    ids = np.array([info['img_id'] for info in infos_of(dataset)])
    order = order_by_image(ids)
    if not np.array_equal(ids[order][: len(run.boxes)], run.boxes.image_ids):
        raise LookupError('the data set has changed since the predictions')
    skeleton = Skeleton.from_names(tuple(run.joints.names))
    return CropMaker(dataset, after, (), skeleton, order)


@contextlib.contextmanager
def _lookup(what: str) -> Iterator[None]:
    """Turn exceptions into LookupError."""
    try:
        yield
    except Exception as error:
        if type(error) is LookupError:  # not a KeyError
            raise
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise LookupError(f'{what} ({words[0]})') from error


def _identity(crops: list[Crop]) -> list[Crop]:
    return crops


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


def _refuse_code(node: Any) -> None:
    """Refuse what building a stored config would import or execute.

    Raises:
        LookupError: The message names it.
    """
    if isinstance(node, Mapping):
        named = [node['type']] if 'type' in node else []
        imports = (node.get('custom_imports') or {}).get('imports') or []
        refused = [name for name in named if not _is_registered(str(name))]
        refused += [name for name in imports if name != 'mmpose_occlusion']
        if refused:
            raise LookupError(
                f'the data need "{refused[0]}", and a report runs no code '
                "that a folder names: run the benchmark's command again, "
                'which predicts nothing again'
            )
        node = list(node.values())
    if isinstance(node, list | tuple):
        for value in node:
            _refuse_code(value)
    if isinstance(node, str) and node.lower().endswith(_CODE):
        raise LookupError(
            f'the data need "{node}", and a report reads no file that may '
            "hold code: run the benchmark's command again, which predicts "
            'nothing again'
        )


def _is_registered(name: str) -> bool:
    """Whether a class is in a registry; another name would be imported."""
    last = name.rpartition('.')[2]
    if name not in (last, f'mmpose.{last}', f'mmcv.{last}'):
        return False
    registries = [
        r for r in vars(registry).values() if isinstance(r, Registry)
    ]
    return any(
        last in each.module_dict
        for r in registries
        for each in (r, r.parent)
        if each is not None
    )
