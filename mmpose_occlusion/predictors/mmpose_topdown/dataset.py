"""The data that a benchmark works on: crops, people, blocks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmpose.registry import DATASETS

from mmpose_occlusion.benchmark.blocks import order_by_image
from mmpose_occlusion.benchmark.data import Boxes
from mmpose_occlusion.benchmark.identity import plain
from mmpose_occlusion.engine.pipelines import CROP, makes_crop, split_pipeline
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .ground_truth import (
    check_dataset,
    coco_people,
    describe_joints,
    describe_metric,
    infos_of,
    make_boxes,
    read_people,
    to_arrays,
)


class Subject:
    """A top-down data set, read but for its pictures.

    Args:
        config: Of the data set, or of a wrapper of one; its pipeline is
            modified.
        skeleton: Its parts.
        evaluator: Config of the metric.
        max_images: Take the first images alone.

    Attributes:
        dataset: Makes crops that nothing follows.
        before, after: Configs of the pipeline up to the crop, and the rest.
        order: ``(N,)`` number of a crop -> its index in the data set.
        paths: Of the images of the crops.
        boxes: Of the crops.
        arrays: Boxes and annotations, to be stored.
        info: What else is to be stored.

    Raises:
        UsageError: The data are not top-down, or there are none.
    """

    def __init__(
        self,
        config: dict,
        skeleton: Skeleton,
        evaluator: Any,
        max_images: int | None = None,
    ) -> None:
        source = config.get('dataset', config)
        self.before, self.after = _split(source)
        source['pipeline'] = self.before
        self.dataset = DATASETS.build(config)
        check_dataset(self.dataset)
        infos = infos_of(self.dataset)
        order = order_by_image(np.array([i['img_id'] for i in infos]))
        infos = [infos[i] for i in order]
        if max_images is not None:
            ids = list(dict.fromkeys(i['img_id'] for i in infos))
            chosen = set(ids[:max_images])
            infos = [i for i in infos if i['img_id'] in chosen]
        if not infos:
            raise UsageError(
                'the test data has no crop: check test_dataloader.dataset '
                'and --max-images'
            )
        self.order = order[: len(infos)]
        self.paths = [info['img_path'] for info in infos]
        part = max_images is not None or source.get('indices') is not None
        evaluation = describe_metric(evaluator)
        self._read_people(source, infos, len(skeleton.names), part, evaluation)
        metainfo = self.dataset.metainfo
        self.info = dict(
            data=_name_of_data(metainfo, source),
            joints=describe_joints(metainfo, skeleton),
            evaluation=plain(evaluation),
            crop_size=[int(x) for x in _crop_size(self.before)],
        )

    def _read_people(
        self,
        config: Mapping,
        infos: Sequence[Mapping],
        joints: int,
        part: bool,
        evaluation: Mapping,
    ) -> None:
        people = read_people(config)
        self.boxes: Boxes = make_boxes(infos, people, joints)
        if part:
            here = set(self.boxes.image_ids.tolist())
            people = {
                key: person
                for key, person in people.items()
                if person['img_id'] in here
            }
        use_area = evaluation.get('use_area', True)
        self.arrays = to_arrays(
            self.boxes, coco_people(people.values(), joints, use_area)
        )


def model_name(cfg: Config) -> str:
    """What a report calls a config's model."""
    return cfg.get('model_name') or Path(cfg.filename or 'model').stem


def _split(config: Mapping) -> tuple[list[dict], list[dict]]:
    """A test pipeline up to the crop, and the rest."""
    pipeline = config.get('pipeline') or []
    if not makes_crop(pipeline):
        raise UsageError(
            f'the test pipeline has no "{CROP}", so that there are no crops '
            'to attack: give the config of a top-down model'
        )
    try:
        return split_pipeline(pipeline)
    except ValueError as error:
        raise UsageError(f'test_dataloader.dataset: {error}') from error


def _crop_size(pipeline: Sequence[Mapping]) -> Sequence[int]:
    return next(
        step['input_size']
        for step in reversed(pipeline)
        if 'input_size' in step
    )


def _name_of_data(metainfo: Mapping, config: Mapping) -> str:
    stem = Path(config.get('ann_file') or '').stem
    return (
        f'{metainfo["dataset_name"]} ({stem})'
        if stem
        else str(metainfo['dataset_name'])
    )
