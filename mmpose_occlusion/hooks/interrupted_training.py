"""Checkpoints that are written whole, and bit-exact resume."""

import hashlib
import random
import struct
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast_object_list, get_rank
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import HOOKS
from torch.utils.data import DataLoader, get_worker_info

from mmpose_occlusion.files import write_bytes


class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend of local files, whose files appear when complete;
    what is removed stays until :meth:`delete_removed`."""

    def __init__(self) -> None:
        self._removed: list = []

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes beside the file, which they then replace."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(filepath, obj)

    def remove(self, filepath: str | Path) -> None:
        """Note the file for later."""
        self._removed.append(str(filepath))

    def delete_removed(self, kept: Collection[str]) -> None:
        """Delete what was removed, but not what has been written since."""
        for file in set(self._removed) - set(kept):
            super().remove(file)
        self._removed.clear()


register_backend('mmpose_occlusion', AtomicLocalBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook`` for local folders, safe from kills:
    checkpoints appear under their final names when they are complete, and an
    old one is deleted after its successor is complete, where MMEngine's hook
    deletes it before. (``last_checkpoint`` is written in place; ``--resume``
    does without.) ``tools/train.py`` uses it in place of MMEngine's. Arguments
    are the same."""

    def before_train(self, runner: Runner) -> None:
        """Take the folder, and delete what a resumed run no longer keeps."""
        super().before_train(runner)
        if type(self.file_backend) is LocalBackend and not self.backend_args:
            self.backend_args = dict(backend='mmpose_occlusion')
            self.file_backend = AtomicLocalBackend()

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict
    ) -> None:
        super()._save_checkpoint_with_step(runner, step, meta)
        self._delete()

    def _save_best_checkpoint(self, runner: Runner, metrics: Any) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self._delete()

    def _delete(self) -> None:
        """Delete what MMEngine's hook had deleted before it saved."""
        if isinstance(self.file_backend, AtomicLocalBackend):
            best = getattr(self, 'best_ckpt_path_dict', {}).values()
            best = [*best, getattr(self, 'best_ckpt_path', None)]
            self.file_backend.delete_removed([self.last_ckpt, *best])


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Key all random numbers of a training by (seed, epoch, rank, sample).

    A training that is interrupted after an epoch and resumed then has the
    losses of an uninterrupted one; MMEngine's checkpoints hold no states of
    random generators. The hook must be in every run (``tools/train.py
    --exact-resume``).

    The global generators of NumPy, Python and PyTorch are seeded for each
    sample by its key; those of the training process at the start of each
    epoch, for dropout and the like; and the sampler by the run's seed, unless
    the config gives it its own. Requires a sampler whose order depends on seed
    and epoch only, such as ``DefaultSampler``, and transforms without
    generators of their own. On GPUs, exactness also takes ``randomness =
    dict(deterministic=True)``.

    Raises:
        ValueError: When training begins: the training loop does not count
            epochs.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Take the seed, after a checkpoint has been loaded."""
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop):
            raise ValueError(
                'ExactResumeHook keys random numbers by the epoch, which '
                f'train_cfg of type "{type(loop).__name__}" does not count: '
                'set train_cfg.by_epoch=True, or leave the hook out'
            )
        # the same on every rank, also with diff_rank_seed
        seeds = [runner.seed]
        broadcast_object_list(seeds)
        loader = loop.dataloader
        self.samples = SeededSamples(loader, seeds[0], get_rank())
        config = (runner.cfg.get('train_dataloader') or {}).get('sampler')
        if (config or {}).get('seed') is None:
            inner = getattr(loader.batch_sampler, 'sampler', None)
            for sampler in (loader.sampler, inner):
                if isinstance(getattr(sampler, 'seed', None), int):
                    sampler.seed = seeds[0]

    def before_train_epoch(self, runner: Runner) -> None:
        """Pass the epoch to the workers and seed this process."""
        self.samples.epoch.fill_(runner.epoch)
        # sample -1: no sample has this index
        key = key_of(self.samples.seed, runner.epoch, self.samples.rank, -1)
        seed_sample(key)
        torch.manual_seed(key)  # on GPUs too

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seed again before the first step: starting workers draws a number
        where they do not persist."""
        if batch_idx == 0:
            self.before_train_epoch(runner)


class SeededSamples:
    """Prepares samples, each with generators seeded by its key: stands in a
    data set's ``__getitems__``, which a data loader, whose workers have not
    been started, calls for the samples of a batch. ``epoch``, () int64 in
    shared memory, is read by the workers."""

    def __init__(self, loader: DataLoader, seed: int, rank: int) -> None:
        self.dataset: Any = loader.dataset
        self.seed, self.rank = seed, rank
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self.dataset.__getitems__ = self

    def __call__(self, indices: Sequence[int]) -> list:
        """The samples of a batch; the caller's generators are kept."""
        states = np.random.get_state(), random.getstate()  # noqa: NPY002
        torch_state = torch.default_generator.get_state()
        samples = []
        for index in indices:
            seed_sample(key_of(self.seed, int(self.epoch), self.rank, index))
            samples.append(self.dataset[index])
        if get_worker_info() is None:
            np.random.set_state(states[0])  # noqa: NPY002
            random.setstate(states[1])
            torch.default_generator.set_state(torch_state)
        return samples


def key_of(seed: int, epoch: int, rank: int, sample: int) -> int:
    """A hash of 63 bits of four numbers."""
    packed = struct.pack('<4q', seed, epoch, rank, sample)
    digest = hashlib.blake2b(packed, digest_size=8).digest()
    return int.from_bytes(digest, 'little') >> 1


def seed_sample(key: int) -> None:
    """Seed the global generators of NumPy, Python and PyTorch's CPU."""
    np.random.seed(key % 2**32)  # noqa: NPY002
    random.seed(key)
    torch.default_generator.manual_seed(key)
