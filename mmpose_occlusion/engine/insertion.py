"""Occlusions in every training pipeline of any MMPose config."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .config import metainfo_of, walk_datasets
from .pipelines import (
    as_attacks,
    check_targets,
    has_place,
    insert_attacks,
    is_occlusion,
    makes_crop,
)

SWITCHED = ('switch_pipeline', 'new_train_pipeline')
"""Arguments of the hooks of MMDetection and MMPose that replace the training
pipeline for the last epochs."""


def insert_occlusion(
    cfg: Config, occlusion: Mapping | str | Sequence
) -> list[str]:
    """Hide joints in all training stages of a config.

    Args:
        cfg: A config for top-down, bottom-up or one-stage training; modified.
            The occlusion comes right after ``TopdownAffine``, or, in a
            pipeline that makes no crop, right after the image is loaded; of a
            mosaic only the first image is occluded. The pipelines that
            ``PipelineSwitchHook`` and ``YOLOXPoseModeSwitchHook`` switch to
            get it, too.
        occlusion: A transform's config, an attack's short form (applied to
            each sample), or a list of these.

    Returns:
        Keys of the changed pipelines.

    Raises:
        UsageError: There is no training pipeline in which it fits, or the
            data set lacks what it names.

    >>> from mmengine.config import Config
    >>> load, crop = dict(type='LoadImage'), dict(type='TopdownAffine')
    >>> pack = dict(type='PackPoseInputs')
    >>> cfg = Config(dict(train_dataloader=dict(dataset=dict(
    ...     type='CocoDataset', pipeline=[load, crop, pack]))))
    >>> insert_occlusion(cfg, dict(type='PartOcclusion', prob=0.5))
    ['train_dataloader.dataset.pipeline']
    >>> [s['type'] for s in cfg.train_dataloader.dataset.pipeline]
    ['LoadImage', 'TopdownAffine', 'PartOcclusion', 'PackPoseInputs']
    """
    steps = as_attacks(occlusion)
    changed = []
    for stage in _stages(cfg):
        places = [s for s in stage if makes_crop(s[1][s[2]])]
        places = places or [s for s in stage if has_place(s[1][s[2]])]
        for key, owner, name in places:
            owner[name] = insert_attacks(owner[name], steps, seed=None)
            changed.append(f'{key}.{name}')
    if not changed:
        raise UsageError(
            f'config "{cfg.filename}" has no training pipeline with '
            'TopdownAffine or LoadImage, so there is no place for an occlusion'
        )
    try:
        check_targets(
            steps, Skeleton.from_metainfo(metainfo_of(_train_dataset(cfg)))
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    return changed


def lost_occlusions(cfg: Config) -> list[str]:
    """One sentence for each later pipeline without the first one's occlusion.

    Args:
        cfg: A config; nothing is changed.
    """
    first, *later = _stages(cfg) or [[]]
    if not any(_occludes(owner[name]) for _, owner, name in first):
        return []
    return [
        f'{key}.{name} replaces the training pipeline for the last epochs and '
        'has no occlusion, which the training pipeline has: add it there, '
        'or put both in by mmpose_occlusion.insert_occlusion(cfg, ...)'
        for stage in later
        for key, owner, name in stage
        if not _occludes(owner[name])
    ]


def _occludes(pipeline: Sequence[Mapping]) -> bool:
    return any(is_occlusion(step) for step in pipeline)


def _train_dataset(cfg: Config) -> dict:
    return (cfg.get('train_dataloader') or {}).get('dataset') or {}


def _stages(cfg: Config) -> list[list[tuple[str, dict, str]]]:
    """Pipelines of each stage of training, as (key, owner, name)."""
    stages = [_pipelines('train_dataloader.dataset', _train_dataset(cfg))]
    for index, hook in enumerate(cfg.get('custom_hooks') or []):
        key = f'custom_hooks.{index}'
        stages.append([(key, hook, n) for n in SWITCHED if hook.get(n)])
        stages.append(
            _pipelines(
                f'{key}.new_train_dataset', hook.get('new_train_dataset') or {}
            )
        )
    return [stage for stage in stages if stage]


def _pipelines(key: str, dataset: dict) -> list[tuple[str, dict, str]]:
    return [
        (inner_key, inner, 'pipeline')
        for inner_key, inner in walk_datasets(dataset, key)
        if inner.get('pipeline')
    ]
