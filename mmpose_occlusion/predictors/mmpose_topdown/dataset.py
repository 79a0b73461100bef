"""The data set of a benchmark: crops, people, and how to build it again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmpose.registry import DATASETS

from mmpose_occlusion.benchmark.blocks import order_by_image
from mmpose_occlusion.benchmark.data import to_arrays
from mmpose_occlusion.benchmark.identity import plain
from mmpose_occlusion.engine.pipelines import CROP, makes_crop, split_pipeline
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .ground_truth import (
    check_dataset,
    coco_people,
    describe_metric,
    infos_of,
    joints_of,
    make_boxes,
    read_people,
)


class BenchmarkDataset:
    """A top-down data set; its images are not read.

    Args:
        config: Config of the data set, or of a wrapper of one; the pipeline
            in it is replaced by its first part.
        skeleton: Its joints and parts.
        evaluator: Config of the metric.
        max_images: Use the first images only.

    Attributes:
        dataset: The data set, whose pipeline ends with the crop.
        before, after: Configs of the pipeline up to the crop, and the rest.
        order: ``(N,)`` number of a crop -> its index in the data set.
        paths: Length N, image of each crop.
        boxes: :class:`.data.Boxes` of the crops.
        arrays: Bboxes and annotations for the store.
        info: Further facts for the store.

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
        joints = len(skeleton.names)
        evaluation = describe_metric(evaluator)
        people = read_people(source)
        self.boxes = make_boxes(infos, people, joints)
        if max_images is not None or source.get('indices') is not None:
            here = set(self.boxes.image_ids.tolist())
            people = {k: p for k, p in people.items() if p['img_id'] in here}
        use_area = evaluation.get('use_area', True)
        self.arrays = to_arrays(
            self.boxes, coco_people(people.values(), joints, use_area)
        )
        metainfo = self.dataset.metainfo
        self.info = dict(
            data=_name_of_data(metainfo, source),
            joints=joints_of(metainfo, skeleton).to_json(),
            evaluation=plain(evaluation),
            crop_size=[int(x) for x in _crop_size(self.before)],
        )


def recipe(cfg: Config, dataset: Mapping) -> dict[str, Any]:
    """How to build a data set again, as plain values for the store.

    Args:
        cfg: The run's config.
        dataset: Config of the data set, with its whole pipeline.

    Returns:
        ``default_scope``, ``custom_imports`` and ``dataset``.
    """
    return plain(
        dict(
            default_scope=cfg.get('default_scope') or 'mmpose',
            custom_imports=cfg.get('custom_imports'),
            dataset=dataset,
        )
    )


def model_name(cfg: Config) -> str:
    """Displayed name of a config's model."""
    return cfg.get('model_name') or Path(cfg.filename or 'model').stem


def _split(config: Mapping) -> tuple[list[dict], list[dict]]:
    """A test pipeline up to the crop, and the rest."""
    pipeline = config.get('pipeline') or []
    if not makes_crop(pipeline):
        raise UsageError(
            f'the test pipeline has no "{CROP}", so there are no crops to '
            'attack: give the config of a top-down model'
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
    name = str(metainfo['dataset_name'])
    stem = Path(config.get('ann_file') or '').stem
    return f'{name} ({stem})' if stem else name
