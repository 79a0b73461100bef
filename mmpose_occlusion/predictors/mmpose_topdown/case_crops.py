"""Crops of a report's cases, made again through MMPose's data set."""

import contextlib
import copy
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.registry import Registry, init_default_scope
from mmengine.utils import import_modules_from_strings
from mmpose import registry
from mmpose.registry import DATASETS

from mmpose_occlusion.benchmark.analysis import transform_configs
from mmpose_occlusion.benchmark.blocks import order_by_image
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.report.cases import Case, CaseImages
from mmpose_occlusion.engine.crops import to_crop
from mmpose_occlusion.engine.pipelines import split_pipeline
from mmpose_occlusion.skeleton import Skeleton

from .crop_maker import CropAttack, CropMaker
from .ground_truth import infos_of

_CODE = ('.py', '.pkl', '.pickle', '.pth', '.yml', '.yaml')
"""Endings of files whose readers in MMEngine run the code in them."""


def case_crops(
    run: BenchmarkRun, cases: Sequence[Case], trusted: bool = True
) -> dict[Case, CaseImages]:
    """Make the crops of some cases, clean and attacked.

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
    if not trusted:
        _refuse_code(run.dataset)
        _refuse_code([attack.config for attack in run.attacks])
    crop_of = _crops(run)
    attacks = {attack.name: attack for attack in run.attacks}
    out = {}
    for case in cases:
        crop = crop_of(case.row)
        try:
            configs = transform_configs(attacks[case.attack])
            painted = CropAttack(configs, run.seed)(crop)
        except Exception as error:
            raise LookupError(
                f'the attack "{case.attack}" cannot be painted again '
                f'({_first_line(error)})'
            ) from error
        origin, x, y = to_crop(np.array([[0, 0], [1, 0], [0, 1]]), crop)
        matrix = np.stack([x - origin, y - origin, origin], axis=1)
        out[case] = CaseImages(crop['img'], painted['img'], matrix)
    return out


def _crops(run: BenchmarkRun) -> Callable[[int], dict[str, Any]]:
    """Row of the bboxes -> ``results`` of its crop."""
    recipe = copy.deepcopy(run.dataset)
    if not recipe:
        raise LookupError(
            'the store does not say how to build the data set of this run'
        )
    try:
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
    except Exception as error:
        raise LookupError(
            f'the data set cannot be read again ({_first_line(error)})'
        ) from error
    order = order_by_image(ids)
    count = len(run.boxes)
    if not np.array_equal(ids[order][:count], run.boxes.image_ids):
        raise LookupError('the data set has changed since the predictions')
    skeleton = Skeleton.from_names(tuple(run.joints.names))
    maker = CropMaker(dataset, after, (), skeleton, order)

    def crop_of(row: int) -> dict[str, Any]:
        try:
            return next(maker.crops(row, row + 1))
        except Exception as error:
            raise LookupError(
                f'image {run.boxes.image_ids[row]} cannot be read again '
                f'({_first_line(error)})'
            ) from error

    return crop_of


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


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
