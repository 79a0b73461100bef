"""Crops of a config's data before and after occlusions."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpose_occlusion.datasets.detection_matching import match_detections
from mmpose_occlusion.engine.pipelines import RECORD_KEY, is_occlusion
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import labelled_joints
from mmpose_occlusion.transforms.results_reader import (
    MATCHED_KEY,
    annotated,
    joint_names,
)
from mmpose_occlusion.visualization import CropPair

from .config import dataloader, walk_datasets
from .insertion import AFTER, BEFORE, attack_config


def crop_dataset(
    cfg: Config, split: str, attacks: Sequence[Mapping] = (), seed: int = 0
) -> Any:
    """Build a split's data set so that its items are crops, not tensors.

    The pipeline ends after the occlusions. Each item is a ``results`` dict
    with ``image_before`` and ``image_after``, (H, W, 3) uint8 BGR.

    Args:
        cfg: The config; not modified.
        split: train, val or test.
        attacks: Occlusions to insert; by default those of the pipeline.
        seed: Of the attacks' random draws.

    Raises:
        UsageError: There is no occlusion, or an attack does not fit.
    """
    from mmpose.registry import DATASETS

    init_default_scope(cfg.get('default_scope') or 'mmpose')
    cfg = cfg.copy()
    if attacks:
        attack_config(cfg, attacks, seed, split, keep_images=True)
    else:
        _keep_around_own(cfg, split)
    loader = dataloader(cfg, split)
    _end_after_images(loader['dataset'])
    return DATASETS.build(loader['dataset'])


def views(dataset: Any, num: int, seed: int = 0) -> Iterator[CropPair]:
    """The views of random items of :func:`crop_dataset`.

    The random numbers of training pipelines, which come from the global
    generators, are seeded for each item: each call gives the same images.
    """
    order = np.random.default_rng(seed).permutation(len(dataset))
    for index in order[:num].tolist():
        random.seed(f'{seed} {index}')
        np.random.seed((seed * 1_000_003 + index) % 2**32)  # noqa: NPY002
        yield _view_of(dataset[index])


def _view_of(results: Mapping) -> CropPair:
    joints, labelled = truth_of(results)
    records = results.get(RECORD_KEY, [])
    for instance, joint in (j for r in records for j in r['removed']):
        index = joint_names(results, 'The drawing').index(joint)
        labelled[instance, index] |= np.any(joints[instance, index])
    return CropPair(
        title=title_of(results),
        clean=results[BEFORE],
        occluded=results[AFTER],
        joints=joints,
        labelled=labelled,
        records=records,
    )


def truth_of(results: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """(N, K, 2) annotated joints in pixels of the crop or image, and (N, K)
    bool, which of them are labelled; none in an unmatched box."""
    people = annotated(results)
    source = results if people is None else people
    joints = source.get('transformed_keypoints', source['keypoints'])
    labelled = labelled_joints(source['keypoints_visible'])
    if people is None:
        labelled = np.zeros_like(labelled)
    return np.asarray(joints, float)[..., :2], labelled


def title_of(sample: Mapping) -> str:
    """Caption of a crop, from ``img_id``, ``id`` and ``matched_person``."""
    number, person = sample.get('id'), sample.get(MATCHED_KEY)
    title = f'image {sample.get("img_id")}'
    if number is None or not np.isscalar(number):
        return title
    if person is None:
        return f'{title}, person {number}'
    who = f'person {person["id"]}' if 'id' in person else 'unmatched'
    return f'{title}, box {number}, {who}'


def _keep_around_own(cfg: Config, split: str) -> None:
    """Keep the images before and after the pipeline's own occlusions."""
    loader = dataloader(cfg, split)
    loader['dataset'] = match_detections(loader['dataset'])
    for _, dataset in walk_datasets(loader['dataset']):
        pipeline = list(dataset.get('pipeline') or [])
        own = [i for i, step in enumerate(pipeline) if is_occlusion(step)]
        if own:
            for place, key in (own[-1] + 1, AFTER), (own[0], BEFORE):
                pipeline.insert(place, {'type': 'KeepImage', 'key': key})
            dataset['pipeline'] = pipeline
            cfg[f'{split}_dataloader'] = loader
            return
    raise UsageError(
        f'the {split} pipeline of config "{cfg.filename}" has no occlusion: '
        'name one, for example --attack keypoint:random:black'
    )


def _end_after_images(dataset: Mapping) -> None:
    """Cut the steps after the kept images, also in wrappers."""
    for _, entry in walk_datasets(dataset):
        steps = entry.get('pipeline') or []
        # packing steps name it, too
        own = [f'{s.get("key")} {s.get("transforms")}' for s in steps]
        ends = [i for i, text in enumerate(own) if AFTER in text]
        if ends:
            entry['pipeline'] = steps[: ends[-1] + 1]
        elif steps and AFTER in str(entry):
            entry['pipeline'] = []
