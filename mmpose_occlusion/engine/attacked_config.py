"""Putting attacks into the test of any config."""

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
    has_place,
    insert_attacks,
    is_occlusion,
    makes_crop,
    needs_donors,
    with_meta_keys,
    with_occlusion_record,
    with_transformed_joints,
)

BEFORE, AFTER = 'image_before', 'image_after'
"""Keys of the images that :func:`attack_config` keeps."""


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
    if attacks or keep_images or any(_occludes(d) for _, d in datasets):
        loader['dataset'] = match_detections(loader['dataset'])
    if any(map(needs_donors, attacks)):
        from mmpose_occlusion.datasets.detection_matching import offer_donors

        # after the matching: donors are annotated people, not boxes
        loader['dataset'] = offer_donors(loader['dataset'])
    datasets = list(walk_datasets(loader['dataset']))
    names = _checked_names(attacks, metainfo_of(loader['dataset']))
    piped = [d for _, d in datasets if d.get('pipeline')]
    # the wrapper of a combined data set may have the second half
    places = [d for d in piped if makes_crop(d['pipeline'])]
    places = places or [d for d in piped if has_place(d['pipeline'])]
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


def _occludes(dataset: Mapping) -> bool:
    return any(is_occlusion(step) for step in dataset.get('pipeline') or [])


def carry_records(cfg: Config, split: str) -> None:
    """Carry the records of a pipeline's own occlusions into the samples."""
    if cfg.get(f'{split}_dataloader'):
        loader = dataloader(cfg, split)
        for _, dataset in walk_datasets(loader['dataset']):
            if _occludes(dataset):
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
