"""The start of a run: its checkpoints, and its processes on GPUs or CPUs."""

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner, find_latest_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from mmpose_occlusion.checkpoints.load import without_wrapper
from mmpose_occlusion.checkpoints.read import load_checkpoint_safely
from mmpose_occlusion.errors import UsageError

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


def check_resume(cfg: Config, trust: bool = False) -> None:
    """Check the checkpoint that a training starts from: MMEngine unpickles
    files of all kinds.

    Args:
        cfg: The run's config.
        trust: See :func:`.load_checkpoint_safely`.

    Raises:
        UsageError: It does not exist, is damaged, or would have to be
            trusted.
    """
    path = cfg.get('load_from')
    if path:
        what = (
            'checkpoint to resume from' if cfg.get('resume') else 'load_from'
        )
        check_checkpoint(path, what)
    elif cfg.get('resume'):
        path = find_latest_checkpoint(cfg.work_dir)
    if path and (Path(path).is_file() or path.startswith('http')):
        load_checkpoint_safely(path, trust)


def check_start(runner: Runner) -> None:
    """Check that a training's checkpoint fits its model and leaves work.

    MMEngine skips keys that do not fit and trains from random weights.

    Raises:
        UsageError: The checkpoint is of another model (in ``load_from``: no
            key fits), or the training to be resumed has finished.
    """
    path = runner._load_from
    if runner._resume and not path:
        path = find_latest_checkpoint(runner.work_dir)
    if not path:
        return
    # check_resume has refused what is not trusted
    checkpoint = load_checkpoint_safely(path, trust=True)
    theirs = without_wrapper(checkpoint.get('state_dict', checkpoint))
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    ours = {k: v.shape for k, v in model.state_dict().items()}
    fit = [
        k for k, v in theirs.items() if ours.get(k) == getattr(v, 'shape', 0)
    ]
    if len(fit) < len(ours) and (runner._resume or not fit):
        raise UsageError(
            f'checkpoint "{path}" is of another model: {len(fit):,} of the '
            f"model's {len(ours):,} parameters are in it with their shape; "
            'give a checkpoint of this config'
        )
    meta = checkpoint.get('meta') or {}
    for unit in ('epoch', 'iter') if runner._resume else ():
        limit = runner.cfg.train_cfg.get(f'max_{unit}s')
        if limit and meta.get(unit, 0) >= limit:
            raise UsageError(
                f'the training in "{path}" has finished ({unit} '
                f'{meta[unit]} of {limit}): raise --cfg-options '
                f'train_cfg.max_{unit}s to train on'
            )


def fetch_pretrained(cfg: Config) -> None:
    """Download the pretrained weights of the model's parts.

    MMEngine would download them later and fail with a long traceback; it
    reads them from PyTorch's cache.

    Raises:
        UsageError: They cannot be downloaded; the message names the option.
    """
    for key, path in _pretrained(cfg.model, 'model'):
        try:
            CheckpointLoader.load_checkpoint(path, map_location='cpu')
        except Exception as error:
            # of many types, from a refused connection to a damaged file
            reason = ' '.join(str(error).split()) or type(error).__name__
            raise UsageError(
                f'the weights {key} starts from, "{path}", cannot be read '
                f'({reason}): start without them by --cfg-options '
                f'{key}=None, or name a file on disk by '
                f'--cfg-options {key}.checkpoint=FILE'
            ) from error


def _pretrained(node: Any, key: str) -> Iterator[tuple[str, str]]:
    """Dotted key of each ``init_cfg`` that loads a file, and the file."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == 'init_cfg':
                inits = value if isinstance(value, list) else [value]
                for init in inits:
                    if init and init.get('checkpoint'):
                        yield f'{key}.init_cfg', init['checkpoint']
            else:
                yield from _pretrained(value, f'{key}.{name}')
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _pretrained(value, f'{key}.{index}')


def _is_missing(path: str) -> bool:
    """Whether a path would be on a local disk and does not exist."""
    elsewhere = re.match(r'^[\w.+-]{2,}:', path)
    return not elsewhere and not Path(path).exists()
