"""A faster memory layout for small networks on the CPU."""

import warnings

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keep the model's weights in PyTorch's channels-last layout.

    Convolutions of few channels run faster so on the CPU, and give the same
    up to rounding. Checkpoints do not depend on it.
    """

    def before_run(self, runner: Runner) -> None:
        """Change the layout."""
        # DistributedDataParallel says it of every changed layout
        warnings.filterwarnings('ignore', 'Grad strides do not match')
        runner.model.to(memory_format=torch.channels_last)
