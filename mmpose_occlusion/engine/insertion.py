"""Occlusions put into any config: attacks of tests, all stages of training."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from mmpose_occlusion.datasets.detection_matching import (
    is_matched,
    match_detections,
    offer_donors,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion.attack import TRANSFORMS as TYPES
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY

from .config import PARTS_KEY, dataloader, metainfo_of, walk_datasets
from .pipelines import (
    RECORD_KEY,
    as_attacks,
    check_attacks,
    find_place,
    insert_attacks,
    is_occlusion,
    makes_crop,
    needs_donors,
    with_meta_keys,
)

BEFORE, AFTER = 'image_before', 'image_after'
"""Keys of the images that :func:`attack_config` keeps."""

SWITCHED = ('switch_pipeline', 'new_train_pipeline')
"""Arguments of the hooks of MMDetection and MMPose that replace the training
pipeline for the last epochs."""

Pipeline = tuple[str, dict, str]
"""Dotted key of the dict that has a pipeline, the dict, and its key."""


def read_attacks(cfg: Config, specs: Sequence[str] = ()) -> list[dict]:
    """The attacks of a config's key ``attack``, which is taken out of it, and
    then those of the command line, in their short form.

    Attacks on parts know those that the config's ``occlusion_parts`` names.
    """
    given = [cfg.pop('attack')] if 'attack' in cfg else []
    if given and not given[0]:
        raise UsageError(
            f'the config key "attack" is {given[0]!r}, which attacks nothing: '
            'leave it out, or write dict(type="KeypointOcclusion", '
            'target="nose")'
        )
    attacks = as_attacks([*given, *specs])
    parts = cfg.get(PARTS_KEY)
    for attack in attacks:
        if parts and attack['type'] == TYPES['part']:
            attack.setdefault('parts', parts.to_dict())
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
    after the attacks reach the data samples' metainfo, under :data:`BEFORE`
    and :data:`AFTER`, and so do the people matched to boxes.

    Raises:
        UsageError: The data set lacks what they name, or has no pipeline
            they fit in.
    """
    loader = dataloader(cfg, split)
    if attacks or keep_images or _occlude(_pipelines(loader['dataset'])):
        loader['dataset'] = match_detections(loader['dataset'])
    if any(map(needs_donors, attacks)):
        # after the matching: donors are annotated people, not boxes
        loader['dataset'] = offer_donors(loader['dataset'])
    names = _check(attacks, loader['dataset'])
    pipelines = _pipelines(loader['dataset'])
    # the wrapper of a combined data set may have the second half
    places = [id(dataset) for _, dataset, _ in _with_place(pipelines)]
    matched = [d for d in walk_datasets(loader['dataset']) if is_matched(d[1])]
    steps, keys = list(attacks), [RECORD_KEY]
    if keep_images:
        before, after = (
            dict(type='KeepImage', key=k) for k in (BEFORE, AFTER)
        )
        steps = [before, *steps, after]
        keys += [BEFORE, AFTER, *[MATCHED_KEY] * bool(matched)]
    if steps and not places:
        raise _no_place(cfg, f'{split}_dataloader', 'an attack')
    for key, dataset in matched if attacks else ():
        # only the data set knows the people in a detector's boxes
        if id(dataset['dataset']) not in places:
            raise UsageError(
                f'{split}_dataloader.{key}.bbox_file is set, and the crops '
                'are made outside of that data set, where the people in the '
                'boxes are not known: move its pipeline to the data set, or '
                'add --gt-boxes to test on the boxes of the annotations'
            )
    for _, dataset, name in pipelines:
        dataset[name] = with_meta_keys(dataset[name], keys, keep_images)
        if id(dataset) in places:
            dataset[name] = insert_attacks(dataset[name], steps, seed)
    cfg[f'{split}_dataloader'] = loader
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
    stages = _stages(cfg)
    places = [place for stage in stages for place in _with_place(stage)]
    if not places:
        raise _no_place(cfg, 'train_dataloader', 'an occlusion')
    for _, owner, name in places:
        owner[name] = insert_attacks(owner[name], steps, seed=None)
    _check(steps, dataloader(cfg, 'train')['dataset'])
    return [f'{key}.{name}' for key, _, name in places]


def lost_occlusions(cfg: Config) -> list[str]:
    """One sentence for each later pipeline without the first one's occlusion;
    nothing is changed."""
    first, *later = _stages(cfg) or [[]]
    return [
        f'{key}.{name} replaces the training pipeline for the last epochs and '
        'has no occlusion, which the training pipeline has: add it there, '
        'or put both in by mmpose_occlusion.insert_occlusion(cfg, ...)'
        for stage in later
        for key, owner, name in stage
        if _occlude(first) and not _occlude([(key, owner, name)])
    ]


def _stages(cfg: Config) -> list[list[Pipeline]]:
    """Pipelines of each stage of training."""
    loader = cfg.get('train_dataloader') or {}
    stages = [_pipelines(loader.get('dataset'), 'train_dataloader.dataset')]
    for index, hook in enumerate(cfg.get('custom_hooks') or []):
        key, data = f'custom_hooks.{index}', 'new_train_dataset'
        stages.append([(key, hook, n) for n in SWITCHED if hook.get(n)])
        stages.append(_pipelines(hook.get(data), f'{key}.{data}'))
    return [stage for stage in stages if stage]


def _pipelines(dataset: dict | None, key: str = 'dataset') -> list[Pipeline]:
    return [
        (inner_key, inner, 'pipeline')
        for inner_key, inner in walk_datasets(dataset, key)
        if inner.get('pipeline')
    ]


def _with_place(pipelines: Sequence[Pipeline]) -> list[Pipeline]:
    """Those that make a crop, or where none does, that load an image."""
    crops = [p for p in pipelines if makes_crop(p[1][p[2]])]
    return crops or [p for p in pipelines if find_place(p[1][p[2]])]


def _no_place(cfg: Config, loader: str, what: str) -> UsageError:
    return UsageError(
        f'{loader} of config "{cfg.filename}" has no pipeline with '
        f'TopdownAffine or LoadImage, so there is no place for {what}'
    )


def _occlude(pipelines: Sequence[Pipeline]) -> bool:
    return any(is_occlusion(s) for _, owner, n in pipelines for s in owner[n])


def _check(attacks: Sequence[Mapping], dataset: Mapping) -> list[str]:
    skeleton = Skeleton.from_metainfo(metainfo_of(dataset))
    return check_attacks(attacks, skeleton)
