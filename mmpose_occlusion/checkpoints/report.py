"""What people are told about a converted checkpoint."""

import shlex
from collections.abc import Mapping
from typing import Any


def summarize(converted: Mapping[str, Any], path: str) -> list[str]:
    """Lines about a converted checkpoint: what it is, and how to test it.

    Args:
        converted: As of :func:`~.convert.convert`.
        path: Where it was written.
    """
    meta = converted['meta']
    source, recognised = meta['converted_from'], meta['recognised']
    numbers = [f'{k} {source[k]:g}' for k in ('epoch', 'perf') if k in source]
    origin = ', '.join([source['weights'], *numbers])
    size = sum(
        value.numel()
        for key, value in converted['state_dict'].items()
        if key.endswith(('.weight', '.bias'))
    )
    lines = [
        f'{source["file"]} ({origin}): '
        f'{recognised["name"]} with {recognised["num_joints"]} joints, '
        f'{size / 1e6:.1f} M parameters',
        f'Wrote {path}',
    ]
    if meta['config'] is None:
        return [
            *lines,
            f'The reference has no data set of {recognised["num_joints"]} '
            'joints: to test it, take a config whose data set has, with the '
            'model that the file names under meta.recognised.',
        ]
    return [*lines, *_notes(meta), 'Test it with', f'  {command(meta, path)}']


def command(meta: Mapping[str, Any], path: str) -> str:
    """The command line that tests a converted checkpoint.

    >>> command({'config': 'mmpose::a.py', 'cfg_options': {}}, 'b.pth')
    'python tools/test.py mmpose::a.py b.pth --gt-boxes'
    """
    words = ['python', 'tools/test.py', meta['config'], path, '--gt-boxes']
    if meta['cfg_options']:
        words += ['--cfg-options', *options_of(meta)]
    return shlex.join(words)


def options_of(meta: Mapping[str, Any]) -> list[str]:
    """What must differ from the config, each as KEY=VALUE."""
    return [
        f'{key}={_written(value)}'
        for key, value in meta['cfg_options'].items()
    ]


def _notes(meta: Mapping[str, Any]) -> list[str]:
    notes = []
    if not meta['crop_size']['known']:
        notes.append(
            'Weights do not tell the size of the crops: the config is that '
            f'for {meta["crop_size"]["height_x_width"]}.'
        )
    if meta['stride_style'] == 'pytorch':
        notes.append(
            'Nor do they tell the style of strides: it is taken for that of '
            "PyTorch, the reference's default; add model.backbone.style=caffe "
            'for the other.'
        )
    if meta['channel_order'] == 'bgr':
        notes.append(
            "The reference's ResNet recipes read pictures as BGR, hence the "
            'last option: leave it out for a model trained on RGB.'
        )
    return notes


def _written(value: Any) -> str:
    """A value as MMEngine's ``--cfg-options`` read it."""
    if isinstance(value, tuple | list):
        return f'[{",".join(map(_written, value))}]'
    return str(value)
