"""The parts of a run's key that need MMPose: weights, config, device."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import mmpose
import torch
from mmengine.config import Config

from mmpose_occlusion.benchmark.identity import (
    digest_of_arrays,
    digest_of_sources,
    plain,
)

_OF_TRAINING = ('init_cfg', 'pretrained', 'train_cfg', 'loss')
"""Keys of a model's config that predictions do not depend on."""


def digest_of_weights(model: torch.nn.Module) -> str:
    """SHA-256 of a model's state, independent of its checkpoint's format."""
    return digest_of_arrays(
        {
            name: tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy()
            for name, tensor in model.state_dict().items()
            if isinstance(tensor, torch.Tensor) and tensor.numel()
        }
    )


def config_part(cfg: Config, pipeline: Sequence[Mapping]) -> dict:
    """The part of a config that predictions depend on, as plain values.

    Args:
        cfg: The run's config.
        pipeline: Its test pipeline, without attacks.

    Returns:
        The model without its training settings, the pipeline, the user's
        hooks and the precision.
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


def numerics(batch_size: int, device: torch.device) -> dict:
    """What the last bits of predictions and patches depend on besides.

    Args:
        batch_size: Maximum number of crops in a block.
        device: The model's device.
    """
    if device.type == 'cuda':
        kind = torch.cuda.get_device_name(device)
    elif device.type == 'cpu':
        kind = f'CPU {torch.backends.cpu.get_cpu_capability()}'
    else:
        kind = device.type
    return dict(
        batch_size=batch_size,
        device=kind,
        sources=digest_of_sources(),
        versions=dict(
            mmpose=mmpose.__version__,
            torch=torch.__version__,
            opencv=cv2.__version__,
        ),
    )
