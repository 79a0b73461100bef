"""Several views of one crop, and training with a contrastive loss on them.

The reference offers it as an option; a config imports this module by
``custom_imports``.
"""

import copy
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import DATASETS, MODELS, TRANSFORMS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmpose_occlusion.datasets.donors import DatasetWrapper
from mmpose_occlusion.engine.config import type_name, walk_datasets
from mmpose_occlusion.engine.pipelines import with_meta_keys

PLAIN = 'plain'
"""Name of the view without occlusions."""

DEFAULT_VIEWS = {
    'keypoint_view': [dict(type='KeypointOcclusion', size=6)],
    'part_view': [dict(type='PartOcclusion')],
}
"""The reference's: one joint under its disc, and one body part."""


@DATASETS.register_module()
class OcclusionViewsDataset(DatasetWrapper):
    """Each person's crop without and with occlusions.

    The image is decoded, augmented and warped once; the pipeline is cut
    before ``GenerateTarget``, each view's transforms work on their own copy
    of the crop, and the rest of the pipeline makes each view's targets from
    the labels that its transforms left. Train
    :class:`ContrastivePoseEstimator` with it.

    Args:
        dataset: Config of a top-down data set with a training pipeline, or
            of a wrapper around one, such as ``DonorDataset`` for PartMix.
        views: Name -> configs of transforms. The name is that of the view's
            loss in the log.

    Raises:
        ValueError: The pipeline makes no targets.
    """

    def __init__(
        self,
        dataset: Mapping,
        views: Mapping[str, Sequence[Mapping]] = DEFAULT_VIEWS,
    ) -> None:
        crops = copy.deepcopy(dict(dataset))
        inner = next(d for _, d in walk_datasets(crops) if 'pipeline' in d)
        pipeline = list(inner['pipeline'])
        types = [type_name(step) for step in pipeline]
        if 'GenerateTarget' not in types:
            raise ValueError(
                f'OcclusionViewsDataset: the pipeline of {inner["type"]} has '
                'no GenerateTarget at its top level, where it is cut: use a '
                'training pipeline.'
            )
        cut = types.index('GenerateTarget')
        inner['pipeline'] = pipeline[:cut]
        self.dataset = DATASETS.build(crops)
        self._finish = _compose(with_meta_keys(pipeline[cut:]))
        named = {PLAIN: [], **views}
        self.views = {name: _compose(steps) for name, steps in named.items()}

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
        for name, occlude in self.views.items():
            own = {
                key: value.copy() if isinstance(value, np.ndarray) else value
                for key, value in crop.items()
            }
            view = self._finish(occlude(own))
            view['data_samples'].set_metainfo({'view': name})
            packed.append(view)
        return {key: [view[key] for view in packed] for key in packed[0]}


def _compose(steps: Sequence[Mapping]) -> Compose:
    return Compose([TRANSFORMS.build(dict(step)) for step in steps])


@MODELS.register_module()
class ContrastivePoseEstimator(TopdownPoseEstimator):
    """``TopdownPoseEstimator``, trained on several views of each crop, as
    :class:`OcclusionViewsDataset` gives them.

    With heatmaps ``p`` of the plain view and ``v`` of another, target ``t``
    and weights ``w`` of B crops with K joints, the loss has the terms

    - ``loss_kpt = 1/K sum_k 1/2 mean(w_k (p_k - t_k)^2)``, and for each
      other view, by its name,
    - ``loss_<view> = 1/K sum_k 1/2 mean(w_k (v_k - p_k)^2)``,

    mean over crops and pixels: with weights of 0 and 1 the loss of the code
    behind "Tilting at windmills" (ICPR 2020), and half of what MMPose's own
    heads log. Each stage of a network (Hourglass) is compared with the target
    and with the same stage of the plain view, and the stages are summed up.
    It replaces the loss of the head, which must give one heatmap for each
    joint (``HeatmapHead``, ``CPMHead``).

    All views go through the network in one batch, with the same batch
    statistics, so that differences between their heatmaps are due to the
    occlusion alone; running statistics are those of all views. (The reference
    does not say how it ran them.) B crops of V views need the memory of a
    batch of V B crops. Tests and checkpoint keys are those of
    ``TopdownPoseEstimator``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        half = dict(type='KeypointMSELoss', use_target_weight=True)
        self.contrast = MODELS.build(dict(half, loss_weight=0.5))
        self.data_preprocessor.register_forward_pre_hook(_join_views)

    def loss(
        self, inputs: Tensor, data_samples: Sequence[PoseDataSample]
    ) -> dict[str, Tensor]:
        """The terms of the loss.

        Args:
            inputs: (V B, C, H, W) of V views, the plain one first.
            data_samples: As many, each with its view's name in its metainfo.

        Returns:
            ``loss_kpt``, and ``loss_<view>`` for each other view.

        Raises:
            ValueError: The samples are not of several views.
        """
        names = [sample.metainfo.get('view') for sample in data_samples]
        views = list(dict.fromkeys(names))
        if len(views) == 1:
            raise ValueError(
                'ContrastivePoseEstimator learns from several views of each '
                'crop, but the training data have one: wrap the data set, '
                "train_dataloader.dataset = dict(type='OcclusionViewsDataset'"
                ', dataset=<the data set>).'
            )
        output = self.head(self.extract_feat(inputs))
        stages = output if isinstance(output, list | tuple) else [output]
        stages = [heatmaps.chunk(len(views)) for heatmaps in stages]
        plain = data_samples[: names.count(PLAIN)]
        labels = [sample.gt_instance_labels for sample in plain]
        weights = torch.cat([each.keypoint_weights for each in labels])
        target = torch.stack([sample.gt_fields.heatmaps for sample in plain])
        losses = {}
        for index, name in enumerate(views):
            terms = [
                self.contrast(
                    maps[index], maps[0] if index else target, weights
                )
                for maps in stages
            ]
            key = f'loss_{name}' if index else 'loss_kpt'
            losses[key] = torch.stack(terms).sum()
        return losses


def _join_views(preprocessor: nn.Module, args: tuple) -> tuple | None:
    """Join the V views of each of B crops into one batch, all of the first
    view, then all of the next, before any of MMPose's preprocessors; None,
    which changes nothing, for an ordinary batch."""
    data, *rest = args
    samples = data.get('data_samples')
    if not samples or not isinstance(samples[0], Sequence):
        return None
    keys = 'inputs', 'data_samples'
    joined = {key: list(chain.from_iterable(data[key])) for key in keys}
    return dict(data, **joined), *rest
