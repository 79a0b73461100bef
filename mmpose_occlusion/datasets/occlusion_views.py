"""Several views of one crop, for training with a contrastive loss."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmpose.datasets.transforms import GenerateTarget
from mmpose.registry import DATASETS, TRANSFORMS

from mmpose_occlusion.engine.pipelines import (
    is_occlusion,
    with_meta_keys,
)

from .donors import DatasetWrapper

PLAIN = 'plain'
"""Name of the view without occlusions."""

VIEW_KEY = 'view'
"""Key of the view's name in a data sample's metainfo."""

DEFAULT_VIEWS = {
    'keypoint_view': [dict(type='KeypointOcclusion', size=6)],
    'part_view': [dict(type='PartOcclusion')],
}
"""The reference's: one joint under its disc, and one body part."""

_TAKEN = (PLAIN, 'kpt')  # the latter would log as loss_kpt, the plain term


@DATASETS.register_module()
class OcclusionViewsDataset(DatasetWrapper):
    """Each person's crop without and with occlusions.

    The image is decoded, augmented and warped once; the pipeline is cut
    before ``GenerateTarget``, each view's transforms work on their own copy
    of the crop, and the rest of the pipeline makes each view's targets from
    the labels that its transforms left. Train
    :class:`mmpose_occlusion.models.ContrastivePoseEstimator` with it.

    Args:
        dataset: Config of a top-down data set with a training pipeline, or
            of a wrapper around one, such as ``DonorDataset`` for PartMix.
        views: Name -> a transform's config, or a list of these. The
            name is that of the view's loss in the log. The default is the
            reference's: ``keypoint_view`` hides one of the person's joints,
            ``part_view`` one body part.
        lazy_init: Leave the loading to ``full_init``.

    Raises:
        TypeError: ``dataset`` is not a config.
        ValueError: A view's name or transforms cannot be used; or the
            pipeline makes no targets, or has occlusions itself, which the
            plain view must not have.
    """

    def __init__(
        self,
        dataset: Mapping,
        views: Mapping[str, Any] | None = None,
        lazy_init: bool = False,
    ) -> None:
        if not isinstance(dataset, Mapping):
            raise TypeError(
                'OcclusionViewsDataset cuts the pipeline of its data set, so '
                "it needs the data set's config, a dict, but got a "
                f'{type(dataset).__name__}.'
            )
        crops, finish = _cut(dataset)
        if lazy_init:
            crops['lazy_init'] = True
        self.views = _build_views(DEFAULT_VIEWS if views is None else views)
        self._finish = _compose(with_meta_keys(finish))
        self.dataset = DATASETS.build(crops)

    def __getitem__(self, index: int) -> dict[str, list]:
        """The views of one crop, the plain one first.

        Returns:
            ``inputs``: list of (C, H, W) uint8 tensors; ``data_samples``:
            list of as many samples, each with its view's name in
            ``metainfo['view']`` and its records in ``metainfo['occlusions']``.
            MMEngine's collate functions make a list of batches out of
            these, one for each view.
        """
        crop = self.dataset[index]
        packed = []
        for name, results in [(PLAIN, _own(crop)), *self.occlude(crop)]:
            packed.append(self._finish(results))
            packed[-1]['data_samples'].set_metainfo({VIEW_KEY: name})
        return {key: [view[key] for view in packed] for key in packed[0]}

    def occlude(self, crop: Mapping) -> Iterator[tuple[str, dict]]:
        """The name and the ``results`` of each view but the plain one.

        Args:
            crop: An item of the data set inside; not modified.
        """
        for name, occlude in self.views.items():
            yield name, occlude(_own(crop))


def _own(crop: Mapping) -> dict:
    """A copy of a sample's arrays; other values are shared."""
    return {
        key: value.copy() if isinstance(value, np.ndarray) else value
        for key, value in crop.items()
    }


def _compose(steps: Sequence[Mapping]) -> Compose:
    return Compose([TRANSFORMS.build(dict(step)) for step in steps])


def _build_views(views: Mapping[str, Any]) -> dict[str, Compose]:
    who, example = 'OcclusionViewsDataset', "dict(type='PartOcclusion')"
    if not views:
        raise ValueError(
            f'{who} needs at least one view, for example '
            f'views=dict(part_view={example}).'
        )
    built = {}
    for name, steps in views.items():
        if not name.isidentifier() or name in _TAKEN:
            raise ValueError(
                f'{who}: a view cannot be named {name!r}; '
                'choose a name of letters, digits and underscores other than '
                f'{" and ".join(map(repr, _TAKEN))}.'
            )
        steps = [steps] if isinstance(steps, Mapping) else steps
        if not steps:
            raise ValueError(
                f'{who}: views.{name} has no transform; give it one, such as '
                f'{example}.'
            )
        built[name] = _compose(steps)
    return built


def _cut(dataset: Mapping) -> tuple[dict, list[Mapping]]:
    """A data set's config whose pipeline ends before the targets are made, and
    the remaining steps."""
    inner = dataset.get('dataset')
    if 'pipeline' not in dataset and isinstance(inner, Mapping):
        inner, finish = _cut(inner)
        return dict(dataset, dataset=inner), finish
    pipeline = list(dataset.get('pipeline') or [])
    who = f'OcclusionViewsDataset: the pipeline of {dataset.get("type")}'
    for step in pipeline:
        if is_occlusion(step):
            raise ValueError(
                f'{who} has "{step["type"]}", but the plain view has no '
                'occlusion: move it from the pipeline to views.'
            )
    for i, step in enumerate(pipeline):
        cls = step['type']
        cls = TRANSFORMS.get(cls) if isinstance(cls, str) else cls
        if inspect.isclass(cls) and issubclass(cls, GenerateTarget):
            return dict(dataset, pipeline=pipeline[:i]), pipeline[i:]
    raise ValueError(
        f'{who} has no GenerateTarget at its top level, where it is cut: '
        'use a training pipeline.'
    )
