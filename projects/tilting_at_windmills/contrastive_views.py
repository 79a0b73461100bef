"""Several views of one crop, and training with a contrastive loss on them.

The reference offers it as an option; a config imports this module by
``custom_imports``.
"""

import inspect
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmpose.datasets.transforms import GenerateTarget
from mmpose.evaluation.functional import pose_pck_accuracy
from mmpose.models.heads import CPMHead, HeatmapHead
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import DATASETS, MODELS, TRANSFORMS
from mmpose.structures import PoseDataSample
from mmpose.utils.tensor_utils import to_numpy
from torch import Tensor, nn

from mmpose_occlusion.datasets.donors import DatasetWrapper
from mmpose_occlusion.engine.pipelines import is_occlusion, with_meta_keys

PLAIN = 'plain'  # name of the view without occlusions
VIEW_KEY = 'view'  # of the view's name in a data sample's metainfo

DEFAULT_VIEWS = {
    'keypoint_view': [dict(type='KeypointOcclusion', size=6)],
    'part_view': [dict(type='PartOcclusion')],
}
"""The reference's: one joint under its disc, and one body part."""

TAKEN = (PLAIN, 'kpt')  # the latter would log as loss_kpt, the plain term


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
        views: Name -> a transform's config, or a list of these. The
            name is that of the view's loss in the log. The default is the
            reference's: ``keypoint_view`` hides one of the person's joints,
            ``part_view`` one body part.
        lazy_init: Leave the loading to ``full_init``.

    Raises:
        TypeError: ``dataset`` is not a config.
        ValueError: A view's name or transforms cannot be used; or the
            pipeline makes no targets, or has occlusions itself.
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
        self.views = _build_views(DEFAULT_VIEWS if views is None else views)
        self._finish = _compose(with_meta_keys(finish))
        super().__init__(crops, lazy_init)

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
        views = ((name, step(_own(crop))) for name, step in self.views.items())
        packed = []
        for name, results in chain([(PLAIN, _own(crop))], views):
            packed.append(self._finish(results))
            packed[-1]['data_samples'].set_metainfo({VIEW_KEY: name})
        return {key: [view[key] for view in packed] for key in packed[0]}


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
        if not name.isidentifier() or name in TAKEN:
            raise ValueError(
                f'{who}: a view cannot be named {name!r}; '
                'choose a name of letters, digits and underscores other than '
                f'{" and ".join(map(repr, TAKEN))}.'
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


HALF_MSE = dict(
    type='KeypointMSELoss', use_target_weight=True, loss_weight=0.5
)
"""The reference's: half the squared error, averaged over crops, joints and
pixels, with joints of weight 0 counted as 0 in that average."""


@MODELS.register_module()
class ContrastivePoseEstimator(TopdownPoseEstimator):
    """``TopdownPoseEstimator``, trained on several views of each crop.

    The crops come from
    :class:`OcclusionViewsDataset`. All views go
    through the network in one batch, with the same batch statistics, so that
    differences between their heatmaps are due to the occlusion alone; running
    statistics are those of all views. (The reference does not say how it ran
    them.) B crops of V views need the memory of a batch of V B crops.

    Tests and checkpoint keys are those of ``TopdownPoseEstimator``.

    Args:
        contrast: Config of the loss, see :class:`OcclusionContrastLoss`. It
            replaces the head's loss.
        **kwargs: As for ``TopdownPoseEstimator``. The head gives one heatmap
            for each joint: ``HeatmapHead`` (HRNet, ResNet) or ``CPMHead``
            (Hourglass), or a subclass.

    Raises:
        ValueError: For another head.
    """

    def __init__(
        self, *args: Any, contrast: Mapping | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        head = getattr(self, 'head', None)
        if not isinstance(head, HeatmapHead | CPMHead):
            raise ValueError(
                'ContrastivePoseEstimator compares heatmaps, which '
                f'model.head of type {type(head).__name__} does not give: '
                'use HeatmapHead or CPMHead.'
            )
        self.contrast = MODELS.build(
            dict(dict(type='OcclusionContrastLoss'), **(contrast or {}))
        )
        self.data_preprocessor.register_forward_pre_hook(_flatten_views)

    def loss(
        self, inputs: Tensor, data_samples: Sequence[PoseDataSample]
    ) -> dict[str, Tensor]:
        """The terms of the loss, and the accuracy on the plain view.

        Args:
            inputs: (V B, C, H, W) of V views.
            data_samples: As many, each with its view's name in its metainfo.

        Returns:
            ``loss_kpt``, ``loss_<view>`` for each other view, and
            ``acc_pose`` as MMPose's heads give it (not, if
            ``train_cfg.compute_acc`` is False).

        Raises:
            ValueError: The batch has no views, or its targets are not one
                heatmap for each joint.
        """
        views = _find_views(data_samples)
        output = self.head(self.extract_feat(inputs))
        stages = output if isinstance(output, list | tuple) else [output]
        heatmaps = {
            name: [maps[indices] for maps in stages]
            for name, indices in views.items()
        }
        labels = [data_samples[i].gt_instance_labels for i in views[PLAIN]]
        weights = torch.cat([each.keypoint_weights for each in labels])
        target = _targets([data_samples[i] for i in views[PLAIN]])
        shapes = [tuple(maps.shape) for maps in heatmaps[PLAIN]]
        shape = weights.shape
        if set(shapes) != {target.shape} or shape != target.shape[:2]:
            raise ValueError(
                f'ContrastivePoseEstimator: heatmaps {shapes}, targets '
                f'{tuple(target.shape)} and target weights {tuple(shape)} do '
                'not go together; the head and the codec must give one '
                'heatmap of equal size for each joint.'
            )
        losses = self.contrast(heatmaps, target, weights)
        if self.train_cfg.get('compute_acc', True):
            _, accuracy, _ = pose_pck_accuracy(
                output=to_numpy(heatmaps[PLAIN][-1]),
                target=to_numpy(target),
                mask=to_numpy(weights) > 0,
            )
            losses['acc_pose'] = torch.tensor(accuracy, device=target.device)
        return losses


@MODELS.register_module()
class OcclusionContrastLoss(nn.Module):
    """Plain heatmaps against the target, other views against the plain one.

    With heatmaps ``p`` of the plain view and ``v`` of another, target ``t``
    and weights ``w`` of B crops with K joints:

    - ``loss_kpt = 1/K sum_k 1/2 mean(w_k (p_k - t_k)^2)``, and for each
      other view, by its name,
    - ``loss_<view> = 1/K sum_k 1/2 mean(w_k (v_k - p_k)^2)``,

    mean over crops and pixels: with weights of 0 and 1 the loss of the code
    behind "Tilting at windmills" (ICPR 2020). It is half of what MMPose's
    own heads log for the same heatmaps.

    Each stage of a network (Hourglass) is compared with the target and with
    the same stage of the plain view, and the stages are summed up.

    Args:
        weights: View's name -> factor of its term (``plain`` is that of
            ``loss_kpt``); 1 where it is not named. The log shows the terms
            with their factors.

    Raises:
        ValueError: At construction for a negative factor; at a call for
            a factor of a view that the data do not have.
    """

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.weights = dict(weights or {})
        for name, weight in self.weights.items():
            if not isinstance(weight, int | float) or not weight >= 0:
                raise ValueError(
                    f'OcclusionContrastLoss: weights.{name}={weight!r} must '
                    'be a number that is not negative.'
                )
        self.loss = MODELS.build(dict(HALF_MSE))

    def forward(
        self,
        heatmaps: Mapping[str, Sequence[Tensor]],
        target: Tensor,
        target_weights: Tensor,
    ) -> dict[str, Tensor]:
        """The terms of the loss.

        Args:
            heatmaps: View's name -> its heatmaps, (B, K, h, w) for each
                stage of the network. One view is ``plain``.
            target: (B, K, h, w).
            target_weights: (B, K) of the plain view.

        Returns:
            ``loss_kpt`` and ``loss_<view>`` for each other view: scalars.
        """
        unknown = self.weights.keys() - heatmaps.keys()
        if unknown:
            raise ValueError(
                f'OcclusionContrastLoss: weights name {sorted(unknown)}, but '
                f'the views of the data are {", ".join(heatmaps)}.'
            )
        losses = {}
        for name in sorted(heatmaps, key=PLAIN.__ne__):  # plain first
            terms = [
                self.loss(
                    maps, target if name == PLAIN else plain, target_weights
                )
                for maps, plain in zip(
                    heatmaps[name], heatmaps[PLAIN], strict=True
                )
            ]
            term = self.weights.get(name, 1.0) * torch.stack(terms).sum()
            losses['loss_kpt' if name == PLAIN else f'loss_{name}'] = term
        return losses


def _targets(samples: Sequence[PoseDataSample]) -> Tensor:
    """(B, K, h, w)."""
    maps = [
        getattr(getattr(sample, 'gt_fields', None), 'heatmaps', None)
        for sample in samples
    ]
    if not all(isinstance(each, Tensor) for each in maps):
        raise ValueError(
            'ContrastivePoseEstimator needs one heatmap for each joint as '
            'target: give GenerateTarget one heatmap codec, such as '
            'MSRAHeatmap.'
        )
    return torch.stack(maps)


def _flatten_views(preprocessor: nn.Module, args: tuple) -> tuple | None:
    """Join the V views of each of B crops, as ``OcclusionViewsDataset`` gives
    them, into one batch, all of the first view, then all of the next, before
    any of MMPose's preprocessors; None, which changes nothing, for an ordinary
    batch."""
    data, *rest = args
    samples = data.get('data_samples') if isinstance(data, dict) else None
    if not samples or not isinstance(samples[0], Sequence):
        return None
    inputs = data['inputs']
    flat = (
        torch.cat(list(inputs))
        if isinstance(inputs[0], Tensor)
        else list(chain.from_iterable(inputs))
    )
    samples = list(chain.from_iterable(samples))
    return dict(data, inputs=flat, data_samples=samples), *rest


def _find_views(samples: Sequence[PoseDataSample]) -> dict[str, list[int]]:
    """View's name -> indices of its samples."""
    views: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        views.setdefault(sample.metainfo.get(VIEW_KEY), []).append(index)
    if PLAIN not in views or len(views) == 1:
        raise ValueError(
            'ContrastivePoseEstimator learns from several views of each '
            'crop, but the training data have one: wrap the data set, '
            "train_dataloader.dataset = dict(type='OcclusionViewsDataset', "
            'dataset=<the data set>).'
        )
    if len({len(indices) for indices in views.values()}) > 1:
        counts = ', '.join(f'{len(i)} of {v}' for v, i in views.items())
        raise ValueError(
            'ContrastivePoseEstimator needs the same views of every crop, '
            f'but got {counts} in one batch: give all data sets that are '
            'put together the same views.'
        )
    return views
