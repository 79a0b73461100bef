"""Launch of a run in one process or several, with and without GPUs, and the
end of a run in which a process or worker is frozen."""

import contextlib
import datetime
import functools
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import torch
import torch.distributed
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.distributed import TCPStore

from mmpose_occlusion.errors import UsageError, report_error

from .config import SPLITS, walk

FREEZE_TIMEOUT = 300.0
"""Seconds after which a process without an answer counts as frozen, unless
the config has ``freeze_timeout``."""

FINISHED = 2**40
"""Added to the beats of a process that ends."""

FROZEN: list[int] = []
"""Process ids of stopped workers that :func:`watch_workers` has ended."""

_watches: list['RankWatch'] = []

_RANK_OF = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': tuple(
        f'OMPI_COMM_WORLD_{name}' for name in ('RANK', 'SIZE', 'LOCAL_RANK')
    ),
}
"""Launcher -> variables of a process's rank, of the number of processes and of
the rank on its machine."""


def prepare_launch(cfg: Config, launcher: str) -> None:
    """Prepare a config for its launcher (none, pytorch, slurm or mpi), before
    its runner is built.

    With GPUs MMEngine does that. On the CPU, where MMEngine would look for a
    GPU, the process group is created here with gloo, and the model's wrapper
    gets no device.

    Raises:
        UsageError: The launcher's variables are not set.
    """
    cfg.launcher = launcher
    if launcher == 'none':
        return
    try:
        rank, size, local = (int(os.environ[n]) for n in _RANK_OF[launcher])
    except (KeyError, ValueError) as error:
        raise UsageError(
            f'--launcher {launcher} needs the environment variables '
            f'{", ".join(_RANK_OF[launcher])}, which the launcher sets: start '
            'with tools/dist_*.sh or tools/slurm_*.sh, or leave --launcher out'
        ) from error
    if get_device() != 'cpu':
        return
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    os.environ.setdefault('MASTER_PORT', '29500')
    os.environ['LOCAL_RANK'] = str(local)
    if not torch.distributed.is_initialized():
        timeout = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout')
        more = {}  # before torch 2.2, a timeout of None is an error
        if timeout:
            more['timeout'] = datetime.timedelta(seconds=timeout)
        torch.distributed.init_process_group(
            'gloo', rank=rank, world_size=size, **more
        )
    cfg.model_wrapper_cfg = {
        'type': 'MMDistributedDataParallel',
        'broadcast_buffers': False,
        'find_unused_parameters': cfg.get('find_unused_parameters', False),
        **(cfg.get('model_wrapper_cfg') or {}),
        'device_ids': None,
    }
    replaced = [m for _, m in walk(cfg.model) if m.get('type') == 'SyncBN']
    for module in replaced:
        module['type'] = 'BN'
    if replaced:
        print_log(
            f'{len(replaced)} SyncBN of the model are BN in this run: there '
            'is no GPU, and PyTorch has SyncBN only for GPUs.',
            'current',
        )


def build_runner(cfg: Config) -> Runner:
    """Build a runner whose run ends in an error when a worker of a data loader
    gives no batch for ``freeze_timeout`` seconds, or another process does not
    answer, see :class:`RankWatch`."""
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


@functools.cache
def watch_workers(timeout: float) -> None:
    """Start a thread that kills child processes which have been stopped for a
    time (Linux), so that what waits for them fails: a data loader's time-out
    does not cover the transfer of a tensor from a worker."""
    if sys.platform == 'linux':
        threading.Thread(
            target=_watch_workers, args=[timeout], daemon=True
        ).start()


def _watch_workers(timeout: float) -> None:
    since: dict[str, float] = {}
    while not threading.Event().wait(min(timeout / 10, 5)):
        now = monotonic()
        since = {pid: since.get(pid, now) for pid in _stopped_children()}
        for pid, start in since.items():
            if now - start > timeout:
                FROZEN.append(int(pid))
                os.kill(int(pid), signal.SIGKILL)


def _stopped_children() -> Iterator[str]:
    for file in Path('/proc/self/task').glob('*/children'):
        with contextlib.suppress(OSError):  # a thread or child that has ended
            for pid in file.read_text().split():
                state = Path(f'/proc/{pid}/stat').read_text()
                if state.rpartition(')')[2].split()[0] == 'T':
                    yield pid


class RankWatch:
    """Two threads of each process: one counts beats in the run's store
    (torchrun's, or else process 0's) and reads those of the others, one ends
    this process with a sentence when a process has not beaten for ``timeout``
    seconds: it is stopped, its machine is gone, or it holds Python's lock."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._interval = min(timeout / 10, 5)
        self._rank, count = get_dist_info()
        self._heard = [monotonic()] * count
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._beat, self._watch)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell the other processes that this one ends."""
        self._end.set()
        for thread in self._threads:
            thread.join(2 * self._interval)

    def _beat(self) -> None:
        keys = [f'mmpose_occlusion/{i}' for i in range(len(self._heard))]
        seen = [0] * len(keys)
        try:
            store = TCPStore(
                os.environ['MASTER_ADDR'],
                int(os.environ['MASTER_PORT']),
                is_master=False,
                wait_for_workers=False,
                timeout=datetime.timedelta(seconds=self._timeout),
            )
            ends = False
            while not ends:
                ends = self._end.wait(self._interval)
                store.add(keys[self._rank], FINISHED if ends else 1)
                for rank, key in enumerate(keys):
                    beats = store.add(key, 0)
                    if beats != seen[rank]:
                        seen[rank], self._heard[rank] = beats, monotonic()
                    if beats >= FINISHED:
                        self._heard[rank] = math.inf
        except Exception:  # the store's process has ended, which gloo reports
            self._heard = [math.inf] * len(keys)

    def _watch(self) -> None:
        last = monotonic()
        while not self._end.wait(self._interval):
            now = monotonic()
            if now - last > self._timeout / 2:  # this process was stopped
                self._heard = [max(now, heard) for heard in self._heard]
            last = now
            silent = [now - heard > self._timeout for heard in self._heard]
            if any(silent):
                self._fail(silent.index(True), silent[self._rank])

    def _fail(self, rank: int, no_store: bool) -> None:
        who = f'process {rank} of this run'
        if no_store:
            agent = os.environ.get('TORCHELASTIC_USE_AGENT_STORE')
            who = 'torchrun' if agent == 'True' else 'process 0 of this run'
        report_error(
            f'{who} has not answered for {self._timeout:g} s, so it is frozen '
            'or its machine cannot be reached: what is finished is stored, '
            'run the same command again (--cfg-options freeze_timeout=S sets '
            'another time)',
            1,
        )
        os._exit(1)
