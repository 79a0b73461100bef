"""Trainings that go on after a resume exactly as if never interrupted."""

import contextlib
import hashlib
import random
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast_object_list, get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import HOOKS
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

_MODEL = -1
"""In the place of a sample's index, for what the model draws."""


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Key all random numbers of a training by (seed, epoch, rank, sample).

    A training resumed at the end of an epoch then has the losses of one that
    was not interrupted; MMEngine alone differs from the first step, since
    checkpoints hold no state of random generators. ``tools/train.py
    --exact-resume`` switches it on, or any config with ``custom_hooks =
    [*_base_.custom_hooks, dict(type='ExactResumeHook')]``.

    - Each sample is prepared with NumPy's, Python's and PyTorch's global
      generators seeded by its key, whichever process prepares it: what
      augmentation draws does not depend on ``num_workers`` or on
      ``persistent_workers`` either. The epoch reaches the workers through
      shared memory.
    - At the start of each epoch the generators of the training process are
      seeded by (seed, epoch, rank), for dropout and the like.
    - The sampler's seed is the run's, which checkpoints hold, unless the
      config gives it one of its own.

    It takes a sampler whose order depends on its seed and the epoch alone,
    such as ``DefaultSampler``; generators that a transform keeps to itself
    are beyond it. On GPUs, exactness also takes ``randomness =
    dict(deterministic=True)``.

    Raises:
        ValueError: When training begins: the training loop does not count
            in epochs, or its data has no numbered samples in batches.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._seed = 0
        self._samples: SeededSamples | None = None

    def before_train(self, runner: Runner) -> None:
        """Take over the seeds, after a checkpoint has been loaded."""
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop):
            raise ValueError(
                'ExactResumeHook keys random numbers by the epoch, which '
                f'train_cfg of type "{type(loop).__name__}" does not count: '
                'set train_cfg.by_epoch=True, or leave the hook out'
            )
        # the same in every process, also with diff_rank_seed
        seeds = [runner.seed]
        broadcast_object_list(seeds)
        self._seed = seeds[0]
        loader = loop.dataloader
        self._samples = seed_samples(loader, self._seed, get_rank())
        _seed_sampler(runner, loader, self._seed)

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the workers the epoch and seed this process."""
        assert self._samples is not None
        self._samples.epoch.fill_(runner.epoch)
        self._seed_model(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seed this process again before the epoch's first step.

        Starting workers draws a number, which those that persist from the
        epoch before do not.
        """
        if batch_idx == 0:
            self._seed_model(runner)

    def _seed_model(self, runner: Runner) -> None:
        key = key_of(self._seed, runner.epoch, get_rank(), _MODEL)
        seed_sample(key)
        torch.manual_seed(key)  # those of the GPUs as well


class SeededSamples:
    """Prepares samples, each with generators seeded by its key.

    It stands in a data set's ``__getitems__``, through which PyTorch's data
    loaders fetch the samples of a batch.

    Attributes:
        epoch: () int64 in shared memory, so that workers read what the
            training process writes.
    """

    def __init__(self, dataset: Any, seed: int, rank: int) -> None:
        self.dataset = dataset
        self.seed = seed
        self.rank = rank
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __call__(self, indices: Sequence[int]) -> list:
        """The samples of a batch."""
        if get_worker_info() is not None:
            return self._fetch(indices)
        with _generators_kept():
            return self._fetch(indices)

    def _fetch(self, indices: Sequence[int]) -> list:
        epoch = self.epoch.item()
        samples = []
        for index in indices:
            seed_sample(key_of(self.seed, epoch, self.rank, index))
            samples.append(self.dataset[index])
        return samples


def seed_samples(loader: DataLoader, seed: int, rank: int) -> SeededSamples:
    """Have a data loader prepare its samples with seeded generators.

    Args:
        loader: Its workers must not have been started.
        seed: Of the run.
        rank: Of this process.

    Returns:
        What to tell the epoch.

    Raises:
        ValueError: The loader has no numbered samples in batches.
    """
    if isinstance(loader.dataset, IterableDataset) or (
        loader.batch_sampler is None
    ):
        raise ValueError(
            'ExactResumeHook needs samples that have a number and come in '
            f'batches, but train_dataloader ({type(loader.dataset).__name__}'
            f', batch_size={loader.batch_size}) has none: leave the hook out'
        )
    samples = SeededSamples(loader.dataset, seed, rank)
    loader.dataset.__getitems__ = samples
    return samples


def key_of(seed: int, epoch: int, rank: int, sample: int) -> int:
    """63 bits out of four numbers: equal for equal ones alone."""
    packed = struct.pack('<4q', seed, epoch, rank, sample)
    digest = hashlib.blake2b(packed, digest_size=8).digest()
    return int.from_bytes(digest, 'little') >> 1


def seed_sample(key: int) -> None:
    """Seed the global generators of NumPy, Python and PyTorch's CPU."""
    np.random.seed(key % 2**32)  # noqa: NPY002
    random.seed(key)
    torch.default_generator.manual_seed(key)


@contextlib.contextmanager
def _generators_kept() -> Iterator[None]:
    """Leave the global generators as they were, for the model."""
    state = (
        np.random.get_state(),  # noqa: NPY002
        random.getstate(),
        torch.default_generator.get_state(),
    )
    try:
        yield
    finally:
        np.random.set_state(state[0])  # noqa: NPY002
        random.setstate(state[1])
        torch.default_generator.set_state(state[2])


def _seed_sampler(runner: Runner, loader: DataLoader, seed: int) -> None:
    """Give the sampler the run's seed, which a resumed run knows late."""
    config = runner.cfg.get('train_dataloader') or {}
    if (config.get('sampler') or {}).get('seed') is not None:
        return
    inner = getattr(loader.batch_sampler, 'sampler', None)
    for sampler in (loader.sampler, inner):
        if isinstance(getattr(sampler, 'seed', None), int):
            sampler.seed = seed
