"""Crops of a config's data before and after occlusions."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import labelled_joints
from mmpose_occlusion.transforms.results_reader import (
    MATCHED_KEY,
    annotated,
    joint_names,
)
from mmpose_occlusion.visualization import CropPair

from .config import dataloader, walk, walk_datasets
from .insertion import AFTER, BEFORE, attack_config, has_occlusions
from .pipelines import RECORD_KEY


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
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    own = has_occlusions(dataloader(cfg, split)['dataset'])
    if not attacks and not own:
        raise UsageError(
            f'the {split} pipeline of config "{cfg.filename}" has no '
            'occlusion: name one, for example --attack keypoint:random:black'
        )
    cfg = cfg.copy()
    attack_config(cfg, attacks, seed, split, keep_images=True)
    dataset = dataloader(cfg, split)['dataset']
    for _, entry in walk_datasets(dataset):
        steps = entry.get('pipeline')
        if steps and _keeps_image(entry):
            # none, in a wrapper of the data set that keeps them
            ends = [i for i, step in enumerate(steps) if _keeps_image(step)]
            entry['pipeline'] = steps[: max(ends, default=-1) + 1]
    return DATASETS.build(dataset)


def _keeps_image(config: Mapping) -> bool:
    return any(node.get('key') == AFTER for _, node in walk(config))


def views(dataset: Any, num: int, seed: int = 0) -> Iterator[CropPair]:
    """The views of random items of :func:`crop_dataset`, with the joints whose
    labels the occlusions removed.

    The random numbers of training pipelines, which come from the global
    generators, are seeded for each item: each call gives the same images.
    """
    order = np.random.default_rng(seed).permutation(len(dataset))
    for index in order[:num].tolist():
        random.seed(f'{seed} {index}')
        np.random.seed((seed * 1_000_003 + index) % 2**32)  # noqa: NPY002
        results = dataset[index]
        view = view_of(results)
        for person, name in view.listed('removed'):
            joint = joint_names(results, 'The drawing').index(name)
            view.labelled[person, joint] |= np.any(view.joints[person, joint])
        yield view


def view_of(results: Mapping, **predicted: np.ndarray) -> CropPair:
    """The view of ``results`` with kept images: the annotated joints in the
    crop or the image, of which those in an unmatched box have no label; the
    records, and what is ``predicted``."""
    people = annotated(results)
    source = results if people is None else people
    joints = source.get('transformed_keypoints', source['keypoints'])
    labelled = labelled_joints(source['keypoints_visible'])
    if people is None:
        labelled = np.zeros_like(labelled)
    return CropPair(
        title=_title_of(results),
        clean=results[BEFORE],
        occluded=results[AFTER],
        joints=np.asarray(joints, float)[..., :2],
        labelled=labelled,
        records=results.get(RECORD_KEY, []),
        **predicted,
    )


def _title_of(results: Mapping) -> str:
    number, person = results.get('id'), results.get(MATCHED_KEY)
    title = f'image {results.get("img_id")}'
    if number is None or not np.isscalar(number):
        return title
    if person is None:
        return f'{title}, person {number}'
    who = f'person {person["id"]}' if 'id' in person else 'unmatched'
    return f'{title}, box {number}, {who}'
