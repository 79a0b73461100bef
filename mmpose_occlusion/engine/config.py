"""Configs: loading them, reading their types, data sets and metrics."""

import copy
import difflib
import inspect
import itertools
import sys
from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import Registry, init_default_scope

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import check_config_file

PARTS_KEY = 'occlusion_parts'
"""Key of a config under which it names its data set's own parts."""

OTHER_KEYS = (
    *('attack', PARTS_KEY, 'custom_imports', 'find_unused_parameters'),
    *('freeze_timeout', 'model_name', 'model_wrapper_cfg', 'preprocess_cfg'),
)
"""Keys of a config that are read, beside the arguments of MMEngine's runner.
"""

SPLITS = ('train', 'val', 'test')

_RUNS = itertools.count(1)

_METAINFO = (
    *('dataset_name', 'keypoint_info', 'skeleton_info', 'joint_weights'),
    'sigmas',
)

_ONLY: dict[str, dict[str, tuple]] = {
    'CocoMetric': {
        'gt_converter': (None,),
        'pred_converter': (None,),
        'format_only': (False,),
        # CrowdPose's AP has COCO's formula, and AP by crowding besides
        'iou_type': ('keypoints', 'keypoints_crowd'),
        'nms_mode': ('oks_nms', 'none'),
        'score_mode': ('bbox_keypoint', 'keypoint', 'bbox', 'bbox_rle'),
    },
    'PCKAccuracy': {'norm_item': ('bbox', ['bbox'])},
    'MpiiPCKAccuracy': {'thr': (0.5,), 'norm_item': ('head', ['head'])},
}
"""Metric -> option -> values under which the benchmark counts as it does. The
benchmark takes over all other options of these metrics."""


def load_config(path: str, options: Mapping | None = None) -> Config:
    """Load a config file, or one of a package (``PACKAGE::PATH``), and merge
    the options of the command line (dotted key -> value) into it.

    Raises:
        UsageError: It does not exist or cannot be read, or an option would
            change nothing.
    """
    from mmengine.hub import get_config  # imports the runner

    package, packaged, _ = path.partition('::')
    if packaged and not (package.isidentifier() and find_spec(package)):
        raise UsageError(
            f'config "{path}" is of the package "{package}", which is not '
            'installed: correct the name, or install it with pip'
        )
    check_config_file(path)
    if '' not in sys.path:  # custom_imports from the current folder
        sys.path.append('')
    try:
        cfg = get_config(path) if packaged else Config.fromfile(path)
    except Exception as error:  # a config is Python, and can raise anything
        raise UsageError(f'config "{path}" {_why(error)}') from error
    for key, value in (options or {}).items():
        _check_used(cfg, key)
        try:
            cfg.merge_from_dict({key: value})
        except (AssertionError, KeyError, TypeError, IndexError) as error:
            raise UsageError(
                f'--cfg-options {key} does not fit config "{path}": {error}'
            ) from error
    add_parts(cfg, cfg)
    return cfg


def add_parts(cfg: Mapping, node: Any) -> None:
    """Give the part occlusions below a node the body parts that the config
    names, unless they have their own."""
    if parts := cfg.get(PARTS_KEY):
        for _, step in walk(node):
            if type_name(step) == 'PartOcclusion':
                step.setdefault('parts', dict(parts))


def _why(error: BaseException) -> str:
    """Why a config cannot be read."""
    if isinstance(error, RecursionError):
        return 'inherits from itself: correct its _base_'
    if isinstance(error, ImportError):
        # MMEngine wraps it in others of many lines
        while cause := error.__cause__ or error.__context__:
            error = cause
    text = ' '.join(str(error).split())
    if isinstance(error, FileNotFoundError):
        return f'needs a file that does not exist: {text}'
    if isinstance(error, ImportError):
        return f'needs a module that cannot be imported: {text}'
    return f'cannot be read: {type(error).__name__}: {text}'


def _check_used(cfg: Config, key: str) -> None:
    """Refuse an option that nothing reads, as it would change nothing."""
    from mmengine.runner import Runner

    used = [*OTHER_KEYS, *inspect.signature(Runner).parameters]
    first, dot, rest = key.partition('.')
    if first in used:
        return
    near = difflib.get_close_matches(first, used, 1)
    hint = f': is "{near[0]}{dot}{rest}" meant?' if near else ''
    if first in cfg:
        hint = (
            '; variables of a config file are read before options are '
            'applied, so name the key that takes the value, such as '
            'test_dataloader.dataset.data_root'
        )
    raise UsageError(
        f'--cfg-options {key} would change nothing, since no tool reads '
        f'"{first}"{hint}'
    )


def prepare_run(cfg: Config, work_dir: str | None = None) -> None:
    """Set the default scope, and in a config what a runner needs: a work dir,
    which is the argument, else the config's own, else has the name of its
    file, and a visualizer of a name that is new in this process.

    MMEngine caches visualizers by name with the folder of their first run,
    into which a second run in the same process would write its scalars.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    if work_dir or cfg.get('work_dir') is None:
        own = Path('work_dirs', Path(cfg.filename).stem)
        cfg.work_dir = work_dir or str(own)
    default = {'type': 'PoseLocalVisualizer', 'name': 'visualizer'}
    visualizer = cfg.setdefault('visualizer', default)
    base = visualizer.get('name', 'visualizer')
    visualizer['name'] = f'{base}-{next(_RUNS)}'


def type_name(config: Mapping) -> str:
    """Class name in a config's ``type``, without scope or module.

    >>> type_name(dict(type='mmpose.CocoMetric'))
    'CocoMetric'
    """
    type_ = config.get('type') or ''
    name = getattr(type_, '__name__', type_)
    return str(name).rpartition('.')[2]


def class_of(config: Mapping, registry: Registry) -> type | None:
    """Class of a config's ``type``; None if the registry does not know it."""
    type_ = config.get('type', '')
    return registry.get(type_) if isinstance(type_, str) else type_


def dataloader(cfg: Config, split: str) -> dict:
    """A copy of a data loader's config, or a UsageError: in MMPose's configs
    ``test_dataloader`` is ``val_dataloader``, and changes affect only one."""
    loader = cfg.get(f'{split}_dataloader')
    if not loader:
        raise UsageError(
            f'config "{cfg.filename}" has no {split}_dataloader: give one '
            'that has, or choose another split'
        )
    return copy.deepcopy(loader)


def walk(
    node: Any, key: str = '', names: Collection[str] = ()
) -> Iterator[tuple[str, Any]]:
    """Dotted key and value of each dict in a config, from outside in; with
    ``names``, of those below these keys alone."""
    items: Any = ()
    if isinstance(node, Mapping | Config):
        yield key, node
        items = [(n, v) for n, v in node.items() if n in names or not names]
    elif isinstance(node, list | tuple):
        items = enumerate(node)
    for name, value in items:
        yield from walk(value, f'{key}.{name}' if key else str(name), names)


def walk_datasets(
    dataset: Mapping | None, key: str = 'dataset'
) -> Iterator[tuple[str, Any]]:
    """Dotted key and config of a data set and of those that it wraps."""
    return walk(dataset, key, ('dataset', 'datasets'))


def walk_split(cfg: Mapping, split: str) -> Iterator[tuple[str, Any]]:
    """Dotted key and config of the data sets of a split, if it has any."""
    loader = cfg.get(f'{split}_dataloader') or {}
    return walk_datasets(loader.get('dataset'), f'{split}_dataloader.dataset')


def walk_metrics(evaluator: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """Dotted key and config of the metrics of an evaluator, also of one of
    several data sets."""
    found = walk(evaluator, key, ('metrics',))
    return ((k, m) for k, m in found if m and not m.get('metrics'))


def metainfo_of(dataset: Mapping) -> dict:
    """The parsed metainfo of a data set's config, or a UsageError; data files
    are not read."""
    from mmpose.registry import DATASETS

    for _, entry in walk_datasets(dataset):
        metainfo = entry.get('metainfo')
        if metainfo is None:
            metainfo = getattr(class_of(entry, DATASETS), 'METAINFO', None)
        if metainfo:
            return parse_metainfo(copy.deepcopy(metainfo), type_name(entry))
    raise UsageError(
        f'the data set "{dataset.get("type")}" has no metainfo, so its joints '
        'have no names: set metainfo=dict(from_file=...) in the config'
    )


def parse_metainfo(metainfo: Mapping, owner: str) -> dict[str, Any]:
    """MMPose's parsed metainfo, of a data set of the type ``owner``.

    Raises:
        UsageError: A key is missing, or keypoints, their swaps, links and
            sigmas do not fit each other.
    """
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    name = metainfo.get('from_file') or metainfo.get('dataset_name') or owner
    what = f'metainfo "{name}" of {owner}'
    missing = [k for k in _METAINFO if k not in metainfo]
    if missing and 'from_file' not in metainfo:
        raise UsageError(f'{what} lacks "{missing[0]}": add it')
    try:
        parsed = parse_pose_metainfo(metainfo)
    except KeyError as error:
        raise UsageError(
            f'{what} uses {error}, which is not the name of a keypoint: '
            'correct "name", "swap" and "link" in it'
        ) from error
    except Exception as error:  # a file of Python, and can raise anything
        text = ' '.join(str(error).split())
        raise UsageError(
            f'{what} cannot be read ({type(error).__name__}: {text}): it '
            f'needs {", ".join(_METAINFO)} as in configs/_base_/datasets of '
            'MMPose'
        ) from error
    for problem in _misfits(parsed):
        raise UsageError(f'{what} {problem}')
    return parsed


def _misfits(parsed: Mapping) -> Iterator[str]:
    names, count = parsed['keypoint_id2name'], parsed['num_keypoints']
    if list(names) != list(range(count)):
        numbers = ', '.join(map(str, names))
        yield f'numbers its keypoints {numbers}: count from 0, in order'
    if len(parsed['keypoint_name2id']) < count:
        yield 'gives two keypoints the same name: give each its own'
    sigmas = parsed['sigmas']  # MMPose's hands and faces have none
    fit = sigmas.shape == (count,) and np.isfinite(sigmas).all()
    if sigmas.size and not fit:
        yield f'has {sigmas.size} sigmas for {count} keypoints'
    flip = parsed['flip_indices']
    for index, other in enumerate(flip):
        if flip[other] != index:
            yield (
                f'swaps "{names[index]}" with "{names[other]}", but not the '
                'other way round: correct "swap"'
            )


def scoring_metric(evaluator: Any) -> Mapping:
    """The metric of an evaluator that says how poses are scored and
    suppressed: the ``CocoMetric``, or the first where there is none.

    Raises:
        UsageError: A metric has an option that the benchmark would ignore,
            or there are several that differ.
    """
    metrics = [metric for _, metric in walk_metrics(evaluator)]
    for metric in metrics:
        name = type_name(metric)
        for option, same in _ONLY.get(name, {}).items():
            value = metric.get(option, same[0])
            if isinstance(value, tuple):
                value = list(value)
            if value not in same:
                raise UsageError(
                    f'test_evaluator: the benchmark does not score as {name} '
                    f'with {option}={value!r} does: set it to {same[0]!r}, '
                    'or leave this metric out'
                )
    coco = [m for m in metrics if type_name(m) == 'CocoMetric']
    ways = [
        {k: v for k, v in m.items() if k not in ('prefix', 'ann_file')}
        for m in coco
    ]
    if any(way != ways[0] for way in ways):
        raise UsageError(
            f'test_evaluator has {len(coco)} CocoMetrics of different '
            'options, and the benchmark scores as one: leave one of them'
        )
    return (coco or metrics or [{}])[0]
