"""Occlusions put into any config: attacks of tests, all stages of training."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from mmpose_occlusion.datasets.detection_matching import (
    is_matched,
    match_detections,
    offer_donors,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY

from .config import add_parts, dataloader, metainfo_of, walk_datasets
from .pipelines import (
    CROP,
    LOAD,
    RECORD_KEY,
    as_attacks,
    check_attacks,
    find_place,
    insert_attacks,
    is_occlusion,
    needs_donors,
    with_meta_keys,
)

IMAGES = BEFORE, AFTER = 'image_before', 'image_after'
"""Keys of the images that :func:`attack_config` keeps."""

SWITCHED = ('switch_pipeline', 'new_train_pipeline')
"""Arguments of the hooks of MMDetection and MMPose that replace the training
pipeline for the last epochs."""


Pipelines = dict[str, list]
"""Dotted key in a config -> steps of the pipeline there."""


def read_attacks(cfg: Config, specs: Sequence[str] = ()) -> list[dict]:
    """The attacks of a config's key ``attack``, which is taken out of it, and
    then those of the command line, in their short form."""
    given = [cfg.pop('attack')] if 'attack' in cfg else []
    if given and not given[0]:
        raise UsageError(
            f'the config key "attack" is {given[0]!r}, which attacks nothing: '
            'leave it out, or write dict(type="KeypointOcclusion", '
            'target="nose")'
        )
    attacks = as_attacks([*given, *specs])
    add_parts(cfg, attacks)
    return attacks


def use_gt_boxes(cfg: Config, split: str = 'test') -> None:
    """Use annotated boxes in a split, not a detector's."""
    loader = dataloader(cfg, split)
    for _, dataset in walk_datasets(loader['dataset']):
        if is_matched(dataset):
            inner = dataset.pop('dataset')
            dataset.clear()
            dataset.update(inner)
        if dataset.get('bbox_file'):
            dataset['bbox_file'] = None
    cfg[f'{split}_dataloader'] = loader


def match_boxes(cfg: Config, nms_thr: float, split: str = 'test') -> None:
    """Match a detector's boxes to the annotated people, after an NMS, see
    :class:`~mmpose_occlusion.datasets.DetectionMatchedDataset`; a UsageError
    where there are none."""
    loader = dataloader(cfg, split)
    loader['dataset'] = match_detections(loader['dataset'], nms_thr=nms_thr)
    if not any(is_matched(d) for _, d in walk_datasets(loader['dataset'])):
        raise UsageError(
            f'there are no boxes of a detector to suppress: {split}_dataloader'
            f'.dataset of config "{cfg.filename}" has no bbox_file'
        )
    cfg[f'{split}_dataloader'] = loader


def attack_config(
    cfg: Config,
    attacks: Sequence[Mapping],
    seed: int = 0,
    split: str = 'test',
    keep_images: bool = False,
) -> list[str]:
    """Put attacks, configs of transforms, into a split's pipeline, with their
    records, and return their names.

    A detector's boxes are matched to people (see :func:`match_boxes`); an
    unmatched box is not attacked. With ``keep_images`` the images before and
    after the attacks, or without any those before and after the pipeline's own
    occlusions, reach the data samples' metainfo, under :data:`BEFORE` and
    :data:`AFTER`, and so do the people matched to boxes.

    Raises:
        UsageError: The data set lacks what they name, or has no pipeline
            they fit in.
    """
    loader = dataloader(cfg, split)
    dataset, owner = loader['dataset'], f'{split}_dataloader'
    own = has_occlusions(dataset)
    if attacks or keep_images or own:
        dataset = match_detections(dataset)
    if any(map(needs_donors, attacks)):
        # after the matching: donors are annotated people, not boxes
        dataset = offer_donors(dataset)
    names = _check(attacks, dataset)
    pipelines = _pipelines(dataset, f'{owner}.dataset')
    steps, keys = list(attacks), [RECORD_KEY]
    if keep_images:
        before, after = (dict(type='KeepImage', key=key) for key in IMAGES)
        steps = [before, *attacks, after]
        keys += [*IMAGES, MATCHED_KEY]
    if keep_images and own and not attacks:
        for key, pipeline in pipelines.items():
            if indices := occlusions_in(pipeline):
                first, end = indices[0], indices[-1] + 1
                around = [before, *pipeline[first:end], after]
                pipelines[key] = pipeline[:first] + around + pipeline[end:]
    elif steps:
        for key, pipeline in _places(cfg, owner, pipelines).items():
            pipelines[key] = insert_attacks(pipeline, steps, seed)
    cfg[owner] = dict(loader, dataset=dataset)
    # also where a combined data set packs what others have attacked
    cfg.merge_from_dict(
        {
            key: with_meta_keys(pipeline, keys, keep_images)
            for key, pipeline in pipelines.items()
        }
    )
    return names


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
    add_parts(cfg, steps)
    pipelines = _first_pipelines(cfg) | _later_pipelines(cfg)
    places = _places(cfg, 'train_dataloader', pipelines)
    _check(steps, dataloader(cfg, 'train')['dataset'])
    new = {k: insert_attacks(old, steps, None) for k, old in places.items()}
    cfg.merge_from_dict(new)
    return list(new)


def lost_occlusions(cfg: Config) -> list[str]:
    """One sentence for each later pipeline without the first one's occlusion;
    nothing is changed."""
    if not any(map(occlusions_in, _first_pipelines(cfg).values())):
        return []
    return [
        f'{key} replaces the training pipeline for the last epochs and '
        'has no occlusion, which the training pipeline has: add it there, '
        'or put both in by mmpose_occlusion.insert_occlusion(cfg, ...)'
        for key, pipeline in _later_pipelines(cfg).items()
        if not occlusions_in(pipeline)
    ]


def has_occlusions(dataset: Mapping) -> bool:
    """Whether a pipeline of a data set's config has an occlusion."""
    return any(map(occlusions_in, _pipelines(dataset).values()))


def occlusions_in(pipeline: Sequence[Mapping]) -> list[int]:
    """Indices of the steps that are occlusions."""
    return [i for i, step in enumerate(pipeline) if is_occlusion(step)]


def _first_pipelines(cfg: Config) -> Pipelines:
    """Those that a training begins with."""
    loader = cfg.get('train_dataloader') or {}
    return _pipelines(loader.get('dataset'), 'train_dataloader.dataset')


def _later_pipelines(cfg: Config) -> Pipelines:
    """Those that hooks replace them with for the last epochs."""
    found: Pipelines = {}
    for index, hook in enumerate(cfg.get('custom_hooks') or []):
        key, data = f'custom_hooks.{index}', 'new_train_dataset'
        switched = [name for name in SWITCHED if hook.get(name)]
        found |= {f'{key}.{name}': hook[name] for name in switched}
        found |= _pipelines(hook.get(data), f'{key}.{data}')
    return found


def _pipelines(dataset: Mapping | None, key: str = '') -> Pipelines:
    return {
        f'{inner_key}.pipeline': inner['pipeline']
        for inner_key, inner in walk_datasets(dataset, key)
        if inner.get('pipeline')
    }


def _places(cfg: Config, loader: str, pipelines: Pipelines) -> Pipelines:
    """Those that make a crop, or where none does, that load an image."""
    for name in (CROP, LOAD):
        found = {
            key: pipeline
            for key, pipeline in pipelines.items()
            if find_place(pipeline, [name]) is not None
        }
        if found:
            return found
    raise UsageError(
        f'{loader} of config "{cfg.filename}" has no pipeline with '
        f'{CROP} or {LOAD}, so there is no place for an occlusion'
    )


def _check(attacks: Sequence[Mapping], dataset: Mapping) -> list[str]:
    skeleton = Skeleton.from_metainfo(metainfo_of(dataset))
    return check_attacks(attacks, skeleton)
