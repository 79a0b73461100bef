"""Crops of a config's data before and after an occlusion."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpose_occlusion.attacks import RECORD_KEY, is_occlusion
from mmpose_occlusion.occluders import labelled_joints
from mmpose_occlusion.visualization import View

from .attack import AFTER, BEFORE, attack_config
from .config import dataloader, walk_datasets
from .errors import UsageError


def crop_dataset(
    cfg: Config,
    split: str,
    attacks: Sequence[Mapping] = (),
    seed: int = 0,
) -> Any:
    """Build a split's data set so that its items are crops, not tensors.

    The pipeline ends after the occlusions. Each item is a ``results`` dict
    with ``picture_before`` and ``picture_after``, (H, W, 3) uint8 BGR.

    Args:
        cfg: The config; not modified.
        split: train, val or test.
        attacks: Occlusions to put in; without any, those that the pipeline
            has itself.
        seed: Of what the attacks leave to chance.

    Raises:
        UsageError: There is no occlusion, or an attack does not fit.
    """
    from mmpose.registry import DATASETS

    init_default_scope(cfg.get('default_scope') or 'mmpose')
    cfg = cfg.copy()
    if attacks:
        attack_config(cfg, attacks, seed, split, keep_pictures=True)
    else:
        _keep_around_own(cfg, split)
    loader = dataloader(cfg, split)
    _end_after_pictures(loader['dataset'])
    return DATASETS.build(loader['dataset'])


def draw_indices(length: int, num: int, seed: int) -> list[int]:
    """Which items to look at: drawn without repetition, the same each time."""
    generator = np.random.default_rng(seed)
    return generator.permutation(length)[:num].tolist()


def views(
    dataset: Any, indices: Sequence[int], seed: int = 0
) -> Iterator[View]:
    """The views of some items of :func:`crop_dataset`.

    The random numbers of training pipelines, which come from the global
    generators, are seeded for each item, so that the same call shows the
    same pictures.
    """
    for index in indices:
        random.seed(f'{seed} {index}')
        np.random.seed((seed * 1_000_003 + index) % 2**32)  # noqa: NPY002
        yield view_of(dataset[index])


def view_of(results: Mapping) -> View:
    """A view of an item of :func:`crop_dataset`."""
    before = results[BEFORE]
    joints = results.get('transformed_keypoints')
    if joints is None:
        joints = results['keypoints']
    records = results.get(RECORD_KEY, [])
    labelled = labelled_joints(results['keypoints_visible'])
    return View(
        title=title_of(results.get('img_id'), results.get('id')),
        clean=before,
        occluded=results[AFTER],
        joints=np.asarray(joints, float)[..., :2],
        labelled=labelled,
        records=records,
    )


def to_crop(joints: np.ndarray, meta: Mapping) -> np.ndarray:
    """Joints of the image in the crop: undoes what the estimator did.

    Args:
        joints: (..., 2) in image pixels.
        meta: Has ``input_center``, ``input_scale`` and ``input_size`` of the
            crop, in image pixels and in crop pixels.

    Returns:
        (..., 2) in crop pixels.
    """
    center, scale, size = (
        np.asarray(meta[f'input_{key}'], float)
        for key in ('center', 'scale', 'size')
    )
    return (np.asarray(joints, float) - center + scale / 2) / scale * size


def title_of(img_id: Any, ann_id: Any) -> str:
    """Name of a crop, for captions."""
    if ann_id is None or not np.isscalar(ann_id):
        return f'image {img_id}'
    return f'image {img_id}, person {ann_id}'


def _keep_around_own(cfg: Config, split: str) -> None:
    """Keep the pictures before and after the pipeline's own occlusions."""
    loader = dataloader(cfg, split)
    for _, dataset in walk_datasets(loader['dataset']):
        pipeline = list(dataset.get('pipeline') or [])
        own = [i for i, step in enumerate(pipeline) if is_occlusion(step)]
        if own:
            first, last = own[0], own[-1] + 1
            dataset['pipeline'] = [
                *pipeline[:first],
                {'type': 'KeepPicture', 'key': BEFORE},
                *pipeline[first:last],
                {'type': 'KeepPicture', 'key': AFTER},
                *pipeline[last:],
            ]
            cfg[f'{split}_dataloader'] = loader
            return
    raise UsageError(
        f'the {split} pipeline of config "{cfg.filename}" has no occlusion: '
        'name one, for example --attack keypoint:random:black'
    )


def _end_after_pictures(dataset: Mapping) -> None:
    """Cut off what comes after the kept pictures, in wrappers too."""
    entries = list(walk_datasets(dataset))
    ends = {
        key: index
        for key, entry in entries
        for index, step in enumerate(entry.get('pipeline') or [])
        if AFTER in str(step.get('key', ''))
        or AFTER in str(step.get('transforms'))
    }
    for key, entry in entries:
        if key in ends:
            entry['pipeline'] = entry['pipeline'][: ends[key] + 1]
        elif 'pipeline' in entry and any(
            inner.startswith(f'{key}.') for inner in ends
        ):
            entry['pipeline'] = []
