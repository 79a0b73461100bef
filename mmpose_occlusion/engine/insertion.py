"""Occlusions put into any config: attacks of tests, all stages of training."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from mmpose_occlusion.datasets.detection_matching import (
    is_matched,
    match_detections,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion.attack import TRANSFORMS as TYPES
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY

from .config import PARTS_KEY, dataloader, metainfo_of, walk_datasets
from .pipelines import (
    RECORD_KEY,
    as_attacks,
    attack_name,
    check_buildable,
    check_targets,
    insert_attacks,
    is_occlusion,
    needs_donors,
    with_meta_keys,
    with_occlusion_record,
    with_place,
    with_transformed_joints,
)

BEFORE, AFTER = 'image_before', 'image_after'
"""Keys of the images that :func:`attack_config` keeps."""

SWITCHED = ('switch_pipeline', 'new_train_pipeline')
"""Arguments of the hooks of MMDetection and MMPose that replace the training
pipeline for the last epochs."""


def read_attacks(cfg: Config, specs: Sequence[str] = ()) -> list[dict]:
    """The attacks of a config's key ``attack`` and of the command line.

    Attacks on parts know those that the config's ``occlusion_parts`` names.

    Args:
        cfg: The key ``attack`` is taken out of it.
        specs: Short forms; they come after those of the config.

    Raises:
        UsageError: One cannot be read.
    """
    given = [cfg.pop('attack')] if 'attack' in cfg else []
    if given and not given[0]:
        raise UsageError(
            f'the config key "attack" is {given[0]!r}, which attacks nothing: '
            'leave it out, or write dict(type="KeypointOcclusion", '
            'target="nose")'
        )
    try:
        attacks = as_attacks(given) + as_attacks(list(specs))
    except ValueError as error:
        raise UsageError(str(error)) from error
    parts = cfg.get(PARTS_KEY)
    for attack in attacks:
        if parts and attack['type'] == TYPES['part']:
            attack.setdefault('parts', parts.to_dict())
    return attacks


def use_gt_boxes(cfg: Config, split: str = 'test') -> None:
    """Use annotated boxes in a split, not a detector's."""
    loader = dataloader(cfg, split)
    loader['dataset'] = _without_detector(loader['dataset'])
    cfg[f'{split}_dataloader'] = loader


def _without_detector(dataset: Mapping) -> Mapping:
    if is_matched(dataset):
        return _without_detector(dataset['dataset'])
    new = dict(dataset)
    if new.get('bbox_file'):
        new['bbox_file'] = None
    if isinstance(new.get('dataset'), Mapping):
        new['dataset'] = _without_detector(new['dataset'])
    if new.get('datasets'):
        new['datasets'] = [_without_detector(d) for d in new['datasets']]
    return new


def match_boxes(
    cfg: Config, split: str = 'test', nms_thr: float | None = None
) -> None:
    """Match a detector's boxes to the annotated people, for attacks.

    Args:
        cfg: Modified; see
            :class:`~mmpose_occlusion.datasets.DetectionMatchedDataset`.
        split: train, val or test.
        nms_thr: Of the NMS of boxes before that; None leaves it as it is.

    Raises:
        UsageError: There is a threshold and no boxes of a detector.
    """
    loader = dataloader(cfg, split)
    options = {} if nms_thr is None else {'nms_thr': nms_thr}
    loader['dataset'] = match_detections(loader['dataset'], **options)
    matched = any(is_matched(d) for _, d in walk_datasets(loader['dataset']))
    if nms_thr is not None and not matched:
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
    """Put attacks into a split's pipeline, with their records.

    A detector's boxes are matched to people (see :func:`match_boxes`); an
    unmatched box is not attacked.

    Args:
        cfg: Modified; other splits stay as they are.
        attacks: Configs of transforms.
        seed: Of their random draws.
        split: train, val or test.
        keep_images: Whether the images before and after the attacks
            reach the data samples' metainfo, under :data:`BEFORE` and
            :data:`AFTER`, and with them the people matched to boxes.

    Returns:
        The attacks' names.

    Raises:
        UsageError: The data set lacks what they name, or has no pipeline
            they fit in.
    """
    loader = dataloader(cfg, split)
    datasets = list(walk_datasets(loader['dataset']))
    if (
        attacks
        or keep_images
        or any(_occludes(d.get('pipeline')) for _, d in datasets)
    ):
        loader['dataset'] = match_detections(loader['dataset'])
    if any(map(needs_donors, attacks)):
        from mmpose_occlusion.datasets.detection_matching import offer_donors

        # after the matching: donors are annotated people, not boxes
        loader['dataset'] = offer_donors(loader['dataset'])
    datasets = list(walk_datasets(loader['dataset']))
    names = _checked_names(attacks, metainfo_of(loader['dataset']))
    piped = [d for _, d in datasets if d.get('pipeline')]
    # the wrapper of a combined data set may have the second half
    places = with_place(piped, lambda dataset: dataset['pipeline'])
    steps, keys = list(attacks), [RECORD_KEY]
    if keep_images:
        before, after = (
            {'type': 'KeepImage', 'key': key} for key in (BEFORE, AFTER)
        )
        steps = [before, *steps, after]
        keys += [BEFORE, AFTER]
        if any(is_matched(dataset) for _, dataset in datasets):
            keys.append(MATCHED_KEY)
    if steps and not places:
        raise UsageError(
            f'{split}_dataloader of config "{cfg.filename}" has no pipeline '
            'with TopdownAffine or LoadImage, so there is no place for an '
            'attack'
        )
    for key, dataset in datasets:
        if is_matched(dataset) and attacks:
            _check_crop_inside(f'{split}_dataloader.{key}', dataset, places)
    for dataset in piped:
        pipeline = with_meta_keys(dataset['pipeline'], keys)
        if keep_images:
            pipeline = with_transformed_joints(pipeline)
        if any(dataset is place for place in places):
            pipeline = insert_attacks(pipeline, steps, seed)
        dataset['pipeline'] = pipeline
    cfg[f'{split}_dataloader'] = loader
    return names


def _occludes(pipeline: Sequence[Mapping] | None) -> bool:
    return any(is_occlusion(step) for step in pipeline or ())


def carry_records(cfg: Config, split: str) -> None:
    """Carry the records of a pipeline's own occlusions into the samples."""
    if cfg.get(f'{split}_dataloader'):
        loader = dataloader(cfg, split)
        for _, dataset in walk_datasets(loader['dataset']):
            if _occludes(dataset.get('pipeline')):
                dataset['pipeline'] = with_occlusion_record(
                    dataset['pipeline']
                )
        cfg[f'{split}_dataloader'] = loader


def _check_crop_inside(key: str, matched: Mapping, places: list) -> None:
    """Only the data set knows the people in a detector's boxes."""
    if not any(matched['dataset'] is place for place in places):
        raise UsageError(
            f'{key}.bbox_file is set, and the crops are made outside of that '
            'data set, where the people in the boxes are not known: move its '
            'pipeline to the data set, or add --gt-boxes to test on the boxes '
            'of the annotations'
        )


def _checked_names(attacks: Sequence[Mapping], metainfo: dict) -> list[str]:
    try:
        names = [attack_name(attack) for attack in attacks]
        for attack, name in zip(attacks, names, strict=True):
            check_buildable(attack, name)
        check_targets(attacks, Skeleton.from_metainfo(metainfo))
    except ValueError as error:
        raise UsageError(str(error)) from error
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
    changed = []
    for stage in _stages(cfg):
        for key, owner, name in with_place(stage, lambda s: s[1][s[2]]):
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
