"""Batches of views of crops."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmpose_occlusion.datasets.occlusion_views import PLAIN, VIEW_KEY


def flatten_views(preprocessor: nn.Module, args: tuple) -> tuple | None:
    """Join the views into one batch, before a data preprocessor.

    A forward pre-hook (``register_forward_pre_hook``), so that any of
    MMPose's preprocessors can be used, in any wrapper for distributed
    training, with either of MMEngine's collate functions.

    Args:
        preprocessor: Not used.
        args: The preprocessor's arguments. The first is the batch: a dict of
            ``inputs`` and ``data_samples``, and if these come from
            ``OcclusionViewsDataset``, each is a list of V batches of B.

    Returns:
        The arguments with a batch of V B crops, all of the first view, then
        all of the next; None, which changes nothing, for an ordinary batch.
    """
    data, *rest = args
    if not _has_views(data):
        return None
    inputs = data['inputs']
    flat = (
        torch.cat(list(inputs))
        if isinstance(inputs[0], Tensor)
        else list(chain.from_iterable(inputs))
    )
    samples = list(chain.from_iterable(data['data_samples']))
    return dict(data, inputs=flat, data_samples=samples), *rest


def _has_views(data: Any) -> bool:
    samples = data.get('data_samples') if isinstance(data, dict) else None
    return bool(samples) and isinstance(samples[0], Sequence)


def find_views(samples: Sequence[PoseDataSample]) -> dict[str, list[int]]:
    """Which samples of a batch belong to which view.

    Returns:
        View's name -> indices of its samples, in the same order of crops
        for every view.

    Raises:
        ValueError: The samples are not whole sets of views.
    """
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
