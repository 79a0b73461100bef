"""Real configs made small enough to train on a CPU within a test.

The changes are options of the command line; data, pipelines, losses and
schedules are the config's.
"""

from collections.abc import Mapping
from typing import Any

from mmpose_occlusion.engine.config import walk_datasets

NARROW: dict[str, dict[str, Any]] = {
    'ResNet': {
        'backbone.base_channels': 4,
        'head.in_channels': 128,
        'head.deconv_out_channels': (8, 8, 8),
    },
    'HRNet': {
        f'backbone.extra.stage{stage}.{key}': value
        for stage in (1, 2, 3, 4)
        for key, value in (
            ('num_channels', (4,) * stage),
            ('num_blocks', (1,) * stage),
            ('num_modules', 1),
        )
    }
    | {'head.in_channels': 4},
    'HourglassNet': {
        # its stem and the first stage always have 256 channels
        'backbone.num_stacks': 2,
        'backbone.stage_channels': (256, 8, 8, 8, 8),
        'backbone.stage_blocks': (1,) * 5,
        'backbone.feat_channel': 8,
        'head.in_channels': 8,
        'head.num_stages': 2,
    },
    'CSPNeXt': {
        'backbone.widen_factor': 0.125,
        'backbone.deepen_factor': 0.1,
        'head.in_channels': 128,
        'head.gau_cfg.hidden_dims': 32,
    },
    'mmpretrain.VisionTransformer': {
        'backbone.arch.embed_dims': 32,
        'backbone.arch.num_heads': 2,
        'backbone.arch.feedforward_channels': 64,
        'head.in_channels': 32,
        'head.deconv_out_channels': (8, 8),
    },
}
"""Type of a backbone -> options of a small model, below ``model``."""


def narrowing(model: Mapping) -> dict[str, Any]:
    """Options for a small model without pretrained weights."""
    changes = {'backbone.init_cfg': None, **NARROW[model['backbone']['type']]}
    if model['head']['type'] == 'RLEHead':
        del changes['head.deconv_out_channels']
    return {f'model.{key}': value for key, value in changes.items()}


def few(
    cfg: Mapping, split: str, samples: int, batch_size: int
) -> dict[str, Any]:
    """Options for a few of a split's samples, loaded in this process."""
    loader = f'{split}_dataloader'
    *_, (innermost, _) = walk_datasets(cfg[loader]['dataset'])
    return {
        f'{loader}.batch_size': batch_size,
        f'{loader}.num_workers': 0,
        f'{loader}.persistent_workers': False,
        f'{loader}.{innermost}.indices': samples,
    }


def small_crops(
    cfg: Mapping, split: str, width: int, height: int
) -> dict[str, Any]:
    """Options for smaller crops of a split, and heatmaps of a quarter."""
    loader = f'{split}_dataloader'
    *_, (key, dataset) = walk_datasets(cfg[loader]['dataset'])
    changes: dict[str, Any] = {}
    codecs = ['model.head.decoder']
    for index, step in enumerate(dataset['pipeline']):
        name = f'{loader}.{key}.pipeline.{index}'
        if 'input_size' in step:
            changes[f'{name}.input_size'] = (width, height)
        if 'encoder' in step:
            codecs.append(f'{name}.encoder')
    for codec in codecs:
        changes[f'{codec}.input_size'] = (width, height)
        changes[f'{codec}.heatmap_size'] = (width // 4, height // 4)
    return changes


def arguments(options: Mapping[str, Any]) -> list[str]:
    """The options as arguments of a tool."""
    return ['--cfg-options', *(f'{k}={_word(v)}' for k, v in options.items())]


def _word(value: Any) -> str:
    return str(value).replace(' ', '')
