"""Launch of a run in one process or several, with and without GPUs."""

import datetime
import os
import re
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmpose_occlusion.errors import UsageError

from .config import SPLITS
from .rank_watch import RankWatch, watch_workers

FREEZE_TIMEOUT = 300.0
"""Seconds after which a process without an answer counts as frozen, unless
the config has ``freeze_timeout``."""

_watches: list[RankWatch] = []

_RANK_OF = {
    # launcher: rank, number of processes, rank on this machine
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': (
        'OMPI_COMM_WORLD_RANK',
        'OMPI_COMM_WORLD_SIZE',
        'OMPI_COMM_WORLD_LOCAL_RANK',
    ),
}


def prepare_launch(cfg: Config, launcher: str) -> None:
    """Prepare a config for its launcher, before its runner is built.

    With GPUs MMEngine does that. On the CPU, where MMEngine would look for a
    GPU, the process group is created here with gloo, and the model's wrapper
    gets no device.

    Args:
        cfg: The run's config; modified.
        launcher: none, pytorch, slurm or mpi.

    Raises:
        UsageError: The launcher's variables are not set, or there are more
            processes on this machine than GPUs.
    """
    cfg.launcher = launcher
    if launcher == 'none':
        return
    rank, world_size, local_rank = (
        _variable(name, launcher) for name in _RANK_OF[launcher]
    )
    if get_device() != 'cpu':
        num_gpus = torch.cuda.device_count()
        if local_rank >= num_gpus > 0:
            raise UsageError(
                f'process {local_rank + 1} of this machine has no GPU, there '
                f'are {num_gpus}: start as many, or hide all GPUs with '
                'CUDA_VISIBLE_DEVICES=-1 to run on the CPU'
            )
        return
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    os.environ.setdefault('MASTER_PORT', '29500')
    os.environ['LOCAL_RANK'] = str(local_rank)
    if 'OMP_NUM_THREADS' not in os.environ:
        local = int(os.environ.get('LOCAL_WORLD_SIZE', world_size))
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // local))
    if not torch.distributed.is_initialized():
        timeout = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout')
        torch.distributed.init_process_group(
            'gloo',
            rank=rank,
            world_size=world_size,
            timeout=timeout and datetime.timedelta(seconds=timeout),
        )
    wrapper = dict(cfg.get('model_wrapper_cfg') or {})
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    wrapper.setdefault('broadcast_buffers', False)
    wrapper.setdefault(
        'find_unused_parameters', cfg.get('find_unused_parameters', False)
    )
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)
    replaced = _replace_sync_bn(cfg.model)
    if replaced:
        print_log(
            f'{replaced} SyncBN of the model are BN in this run: there is no '
            'GPU, and PyTorch has SyncBN only for GPUs.',
            'current',
        )


def build_runner(cfg: Config) -> Runner:
    """Build a runner whose run ends when a process or worker is frozen.

    A worker of a data loader that gives no batch for ``freeze_timeout``
    seconds is an error, and so is another process of a distributed run that
    does not answer, see :class:`.rank_watch.RankWatch`.
    """
    timeout = float(cfg.get('freeze_timeout') or FREEZE_TIMEOUT)
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if isinstance(loader, dict) and loader.get('num_workers'):
            loader.setdefault('timeout', timeout)
    watch_workers(timeout)
    runner = Runner.from_cfg(cfg)
    if runner.world_size > 1:
        _watches.append(RankWatch(timeout))
    return runner


def stop_watching() -> None:
    """Tell the other processes that this one ends."""
    while _watches:
        _watches.pop().stop()


def _variable(name: str, launcher: str) -> int:
    try:
        return int(os.environ[name])
    except (KeyError, ValueError):
        raise UsageError(
            f'--launcher {launcher} needs the environment variable {name}, '
            'which the launcher sets: start with tools/dist_*.sh or '
            'tools/slurm_*.sh, or leave --launcher out'
        ) from None


def _replace_sync_bn(node: Any) -> int:
    """Replace SyncBN in a model's config by BN; returns their number."""
    if isinstance(node, dict):
        count = sum(_replace_sync_bn(value) for value in node.values())
        if node.get('type') == 'SyncBN':
            node['type'] = 'BN'
            count += 1
        return count
    if isinstance(node, list | tuple):
        return sum(_replace_sync_bn(value) for value in node)
    return 0


def check_checkpoint(path: str, what: str = 'checkpoint') -> None:
    """Check that a checkpoint exists, if it is on a local disk.

    Raises:
        UsageError: It does not exist.
    """
    if _is_missing(path):
        raise UsageError(
            f'{what} "{path}" does not exist: give a .pth file or its URL'
        )


def _is_missing(path: str) -> bool:
    """Whether a path would be on a local disk and does not exist."""
    elsewhere = re.match(r'^[\w.+-]{2,}:', path)
    return not elsewhere and not Path(path).exists()
