"""What predictions depend on, as keys that say whether they can be reused."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import mmpose
import numpy as np
import torch
from mmengine.config import Config

from mmpose_occlusion.attacks import with_defaults
from mmpose_occlusion.version import __version__

KEY_LENGTH = 16
"""Hexadecimal digits of a key."""

_OF_TRAINING = ('init_cfg', 'pretrained', 'train_cfg', 'loss')
"""Keys of a model's config that no prediction depends on."""


def digest(value: Any) -> str:
    """SHA-256 of a plain value: numbers, strings, lists, dicts.

    Equal values have equal digests, whatever the order of dicts and whether
    a sequence is a list or a tuple.
    """
    text = json.dumps(plain(value), sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A value as JSON has it; classes and functions become their names."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        entries = [plain(entry) for entry in value]
        return (
            sorted(entries) if isinstance(value, set | frozenset) else entries
        )
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, '__qualname__'):
        return f'{value.__module__}.{value.__qualname__}'
    return str(value)


def digest_of_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of named arrays: names, dtypes, shapes and numbers."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def digest_of_weights(model: torch.nn.Module) -> str:
    """SHA-256 of a model's state: the same for equal weights, whatever file
    they came from."""
    return digest_of_arrays(
        {
            name: tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy()
            for name, tensor in model.state_dict().items()
            if isinstance(tensor, torch.Tensor) and tensor.numel()
        }
    )


def digest_of_images(paths: Iterable[str]) -> str:
    """SHA-256 of the names and sizes of images, wherever they lie.

    The images themselves are not read. Of those that are not on this
    machine's disk, the names count.
    """
    names = dict.fromkeys(paths)
    return digest([[os.path.basename(path), _size(path)] for path in names])


def _size(path: str) -> int | None:
    try:
        return os.path.getsize(path)
    except OSError:
        return None


def config_part(cfg: Config, pipeline: Sequence[Mapping]) -> dict:
    """The part of a config that predictions depend on.

    Args:
        cfg: The run's config.
        pipeline: Its test pipeline, without attacks.

    Returns:
        Plain values: the model without what concerns its training, the
        pipeline, hooks that the user added, and the precision.
    """
    test_cfg = cfg.get('test_cfg') or {}
    return plain(
        dict(
            model=_without(cfg.model, _OF_TRAINING),
            pipeline=list(pipeline),
            hooks=cfg.get('custom_hooks') or [],
            fp16=bool(test_cfg.get('fp16', False)),
        )
    )


def _without(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without(entry, names)
            for key, entry in value.items()
            if key not in names
        }
    if isinstance(value, list | tuple):
        return [_without(entry, names) for entry in value]
    return value


def attack_key(configs: Sequence[Mapping]) -> str:
    """Key of an attack: the same whether defaults are written out or not."""
    complete = [with_defaults(config) for config in configs]
    return digest(complete)[:KEY_LENGTH]


def numerics(
    batch_size: int,
    device: torch.device,
    options: Mapping[str, Any] | None = None,
) -> dict:
    """What else the last bits of predictions depend on.

    Args:
        batch_size: Crops of a block at most.
        device: The model's.
        options: Of the network, those that were chosen.
    """
    if device.type == 'cuda':
        kind = torch.cuda.get_device_name(device)
    elif device.type == 'cpu':
        kind = f'CPU {torch.backends.cpu.get_cpu_capability()}'
    else:
        kind = device.type
    return dict(
        **(dict(options=plain(options)) if options else {}),
        batch_size=batch_size,
        device=kind,
        versions=dict(
            mmpose_occlusion=__version__,
            mmpose=mmpose.__version__,
            torch=torch.__version__,
            opencv=cv2.__version__,
        ),
    )


def run_key(parts: Mapping[str, Any]) -> str:
    """Key of a run, from all that its predictions have in common."""
    return digest(parts)[:KEY_LENGTH]


def digest_of_file(path: str) -> str:
    """SHA-256 of a file."""
    sha = hashlib.sha256()
    with open(path, 'rb') as file:
        while part := file.read(1 << 20):
            sha.update(part)
    return sha.hexdigest()
