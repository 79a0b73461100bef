"""MMPose's config for a recognised model, and what must differ from it."""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from mmengine.hub import get_config

from .recognise import Recognised

_FOLDER = 'mmpose::body_2d_keypoint/topdown_heatmap'

DATASETS = {17: 'coco', 16: 'mpii'}
"""Number of joints -> the reference's data set that has so many."""

_BATCHES = {
    # model, data, size: processes x batch in the config's name
    ('hrnet-w32', 'coco', '256x192'): '8xb64',
    ('hrnet-w32', 'coco', '384x288'): '8xb64',
    ('hrnet-w48', 'coco', '256x192'): '8xb32',
    ('hrnet-w48', 'coco', '384x288'): '8xb32',
    ('res50', 'coco', '256x192'): '8xb64',
    ('res50', 'coco', '384x288'): '8xb64',
    ('res101', 'coco', '256x192'): '8xb64',
    ('res101', 'coco', '384x288'): '8xb32',
    ('res152', 'coco', '256x192'): '8xb32',
    ('res152', 'coco', '384x288'): '8xb32',
    ('hrnet-w32', 'mpii', '256x256'): '8xb64',
    ('hrnet-w48', 'mpii', '256x256'): '8xb64',
    ('res50', 'mpii', '256x256'): '8xb64',
    ('res101', 'mpii', '256x256'): '8xb64',
    ('res152', 'mpii', '256x256'): '8xb32',
}
CONFIGS = {
    (model, data, size): (
        f'{_FOLDER}/{data}/td-hm_{model}_{batch}-210e_{data}-{size}.py'
    )
    for (model, data, size), batch in _BATCHES.items()
}
"""Model, data set, height x width of the crops -> config."""

_SIZES = {'coco': ('256x192', '384x288'), 'mpii': ('256x256',)}
"""Sizes of the crops; the first is taken unless the file's name says one."""

_FIRST_WITH_BOTTLENECKS = 50
"""Depth of a ResNet."""

_NEAREST = {'HRNet': 'hrnet-w32', 'ResNet': 'res50'}


@dataclass(frozen=True)
class Match:
    """The config to test a model with.

    Attributes:
        dataset: ``coco`` or ``mpii``.
        config: Config of MMPose, as ``mmpose::PATH``.
        options: ``--cfg-options`` that make its model the recognised one.
        size: Height x width of its crops.
        size_is_known: Whether the file's name says so, or there is no other.
        style: Of a ResNet with bottlenecks, the convolution that has the
            stride: that of 3x3 (``pytorch``, the reference's default) or the
            first (``caffe``, if the file's name says so); None of others.
    """

    dataset: str
    config: str
    options: dict[str, Any]
    size: str
    size_is_known: bool
    style: str | None = None


def match(recognised: Recognised, file_name: str = '') -> Match | None:
    """Find MMPose's config; the nearest one where the zoo has no such model.

    Args:
        recognised: The model.
        file_name: Name of its file, or its last folder and name, which may
            say what weights do not tell: the size of the crops, as in
            ``pose_hrnet_w32_384x288.pth``, and the style of strides, as in
            ``pose_resnet_50_caffe.pth``. The file has the last word.

    Returns:
        None if the reference has no data set of so many joints.
    """
    dataset = DATASETS.get(recognised.num_joints)
    if dataset is None:
        return None
    sizes = _SIZES[dataset]
    named = [s for s in re.findall(r'\d+x\d+', file_name) if s in sizes]
    size = named[-1] if named else sizes[0]
    model = re.sub('^resnet-', 'res', recognised.name.lower())
    key = (model, dataset, size)
    if key not in CONFIGS:
        key = (_NEAREST[recognised.family], dataset, size)
    style = None
    if recognised.backbone.get('depth', 0) >= _FIRST_WITH_BOTTLENECKS:
        style = 'caffe' if 'caffe' in file_name.lower() else 'pytorch'
    options = dict(_overrides(CONFIGS[key], recognised))
    if style == 'caffe':
        options['model.backbone.style'] = style
    return Match(
        dataset,
        CONFIGS[key],
        options,
        size,
        bool(named) or len(sizes) == 1,
        style,
    )


def _overrides(
    config: str, recognised: Recognised
) -> Iterator[tuple[str, Any]]:
    model = _model(config)
    for part in ('backbone', 'head'):
        wanted = getattr(recognised, part)
        yield from _differences(model[part], wanted, f'model.{part}')
    if recognised.family == 'ResNet':
        yield 'model.data_preprocessor.bgr_to_rgb', False


@cache
def _model(config: str) -> dict[str, Any]:
    """Of a config of MMPose, which takes a second to find."""
    return get_config(config).model.to_dict()


def _differences(
    base: Mapping, wanted: Mapping, key: str
) -> Iterator[tuple[str, Any]]:
    for name, value in wanted.items():
        if isinstance(value, Mapping):
            yield from _differences(base.get(name, {}), value, f'{key}.{name}')
        elif name not in base or base[name] != value:
            yield f'{key}.{name}', value


def dataset_meta(dataset: str) -> dict[str, Any]:
    """The metainfo that MMPose's inference looks for in checkpoints.

    Args:
        dataset: One of :data:`DATASETS`.

    Returns:
        As of ``parse_pose_metainfo``, with lists in place of arrays: so the
        file can be read by plain ``torch.load``, which refuses arrays.
    """
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    with warnings.catch_warnings():
        # MMPose finds the file in its own package, and says so
        warnings.filterwarnings('ignore', 'The metainfo config file')
        metainfo = parse_pose_metainfo(
            {'from_file': f'configs/_base_/datasets/{dataset}.py'}
        )
    return {
        key: value.tolist() if isinstance(value, np.ndarray) else value
        for key, value in metainfo.items()
    }
