"""A resumed training has the losses of one that was not interrupted."""

import pickle
import random
import uuid
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import mmpose.datasets  # noqa: F401
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpose.registry import TRANSFORMS
from torch.utils.data import DataLoader, Dataset

from mmpose_occlusion.hooks.interrupted_training import (
    SeededSamples,
    key_of,
)

EPOCHS = 2
BY_EPOCH = dict(by_epoch=True, max_epochs=EPOCHS)


@TRANSFORMS.register_module()
class Jitter(BaseTransform):
    """Draws from the generators that MMPose's own transforms leave alone."""

    def transform(self, results: dict) -> dict:
        gain = 0.8 + 0.2 * random.random() + 0.2 * torch.rand(()).item()
        results['img'] = (results['img'] * gain).clip(0, 255).astype('uint8')
        return results


class TinyPose(BaseModel):
    """Maps 48×64 crops to heatmaps, with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3, stride=4, padding=1),
            torch.nn.BatchNorm2d(4),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.5),
            torch.nn.Conv2d(4, 17, 1),
        )

    def forward(self, inputs, data_samples=None, mode='tensor'):
        maps = self.net(torch.stack(inputs).float() / 255)
        truth = torch.stack([s.gt_fields.heatmaps for s in data_samples])
        return {'loss': torch.nn.functional.mse_loss(maps, truth)}


class Losses(Hook):
    def __init__(self) -> None:
        self.of_epoch: dict[int, list[float]] = {}

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        losses = self.of_epoch.setdefault(runner.epoch, [])
        losses.append(outputs['loss'].item())


def loader_config(root: Path, workers: int, persistent: bool) -> dict:
    codec = dict(
        type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1
    )
    return dict(
        batch_size=4,
        num_workers=workers,
        persistent_workers=persistent,
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(
            type='DonorDataset',
            dataset=dict(
                type='CocoDataset',
                data_root=str(root),
                ann_file='annotations/person_keypoints_train.json',
                data_prefix=dict(img='train/'),
                indices=12,
                serialize_data=False,
                pipeline=[
                    dict(type='LoadImage'),
                    dict(type='GetBBoxCenterScale'),
                    dict(type='RandomFlip'),
                    dict(type='RandomHalfBody', prob=0.5),
                    dict(type='RandomBBoxTransform'),
                    dict(type='TopdownAffine', input_size=(48, 64)),
                    dict(type='KeypointOcclusion', prob=0.5),
                    dict(type='MultiKeypointOcclusion', prob=0.5),
                    dict(type='PartOcclusion', prob=0.5),
                    dict(type='PartMix', prob=0.5),
                    dict(type='Jitter'),
                    dict(type='GenerateTarget', encoder=codec),
                    dict(type='PackPoseInputs'),
                ],
            ),
        ),
    )


def train(
    root: Path,
    work_dir: Path,
    workers: int,
    persistent: bool = False,
    hooked: bool = True,
    resume: Path | None = None,
    **settings,
) -> dict[int, list[float]]:
    """Losses of the epochs that a training ran."""
    losses = Losses()
    hooks = [dict(type='ExactResumeHook')] if hooked else []
    settings.setdefault('randomness', dict(seed=1))
    loader = loader_config(root, workers, persistent)
    loader['sampler'].update(settings.pop('sampler', {}))
    torch.manual_seed(0)  # of the first weights
    runner = Runner(
        model=TinyPose(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=settings.pop('train_cfg', BY_EPOCH),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.01)),
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', interval=1),
            logger=dict(type='LoggerHook', interval=100),
        ),
        custom_hooks=[*hooks, losses],
        resume=resume is not None,
        load_from=str(resume) if resume else None,
        default_scope='mmpose',
        log_level='ERROR',
        experiment_name=uuid.uuid4().hex,
        cfg=Config(dict(train_dataloader=loader)),
        **settings,
    )
    runner.train()
    return losses.of_epoch


@pytest.fixture(scope='module')
def whole(
    synthetic_people: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict, Path]:
    """The losses and the folder of an uninterrupted training."""
    folder = tmp_path_factory.mktemp('whole')
    return train(synthetic_people, folder, workers=0), folder


@pytest.mark.parametrize('workers', [0, 2])
def test_resumed_losses_are_the_same(
    synthetic_people, tmp_path, whole, workers
):
    losses, folder = whole
    checkpoint = folder / 'epoch_1.pth'
    resumed = train(synthetic_people, tmp_path, workers, resume=checkpoint)
    assert resumed == {1: losses[1]}


def test_workers_that_persist_change_nothing(
    synthetic_people, tmp_path, whole
):
    losses, _ = whole
    assert train(synthetic_people, tmp_path, 2, persistent=True) == losses


@pytest.mark.parametrize('hooked', [True, False])
def test_seed_that_was_not_set(synthetic_people, tmp_path, hooked):
    """Is resumed as well; without the hook, the losses differ."""
    unset = dict(randomness=dict(seed=None), hooked=hooked)
    losses = train(synthetic_people, tmp_path / 'a', 0, **unset)
    checkpoint = tmp_path / 'a' / 'epoch_1.pth'
    resumed = train(
        synthetic_people, tmp_path / 'b', 0, resume=checkpoint, **unset
    )
    assert (resumed[1] == losses[1]) == hooked


def test_epochs_differ(whole):
    losses, _ = whole
    assert len({tuple(each) for each in losses.values()}) == EPOCHS


def test_loop_without_epochs_is_refused(synthetic_people, tmp_path):
    with pytest.raises(ValueError, match=r'train_cfg\.by_epoch=True'):
        train(
            synthetic_people,
            tmp_path,
            0,
            train_cfg=dict(by_epoch=False, max_iters=2),
        )


class Draws(Dataset):
    """Samples that are what the three generators draw."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> tuple[float, float, float]:
        return (
            np.random.random(),  # noqa: NPY002
            random.random(),
            torch.rand(()).item(),
        )


def draws(workers: int, rank: int = 0, epochs=(0,), **kwargs) -> list[list]:
    loader = DataLoader(
        Draws(),
        batch_size=2,
        num_workers=workers,
        collate_fn=list,
        persistent_workers=workers > 0,
        **kwargs,
    )
    samples = SeededSamples(loader, seed=3, rank=rank)
    found = []
    for epoch in epochs:
        samples.epoch.fill_(epoch)
        found.append([sample for batch in loader for sample in batch])
    return found


def test_samples_have_streams_of_their_own():
    first, second = draws(0, epochs=(0, 1))
    (other_rank,) = draws(0, rank=1)
    numbers = [
        x for each in (first, second, other_rank) for s in each for x in s
    ]
    assert len(set(numbers)) == 3 * 6 * 3


def test_persistent_workers_hear_of_the_epoch():
    assert draws(2, epochs=(0, 1, 0)) == draws(0, epochs=(0, 1, 0))


def test_workers_of_their_own_interpreter_hear_of_the_epoch():
    """They get the data set pickled, as here."""
    loader = DataLoader(Draws(), batch_size=2, collate_fn=list)
    samples = SeededSamples(loader, seed=3, rank=0)
    sent = pickle.loads(ForkingPickler.dumps(loader.dataset))
    samples.epoch.fill_(5)
    assert sent.__getitems__([0, 1]) == samples([0, 1])
    assert sent.__getitems__.epoch.item() == 5


def test_generators_of_the_model_are_left_alone():
    def next_numbers():
        return Draws()[0]

    def seed():
        np.random.seed(5)  # noqa: NPY002
        random.seed(5)
        torch.manual_seed(5)

    seed()
    expected = next_numbers()
    seed()
    loader = DataLoader(Draws(), batch_size=2, collate_fn=list)
    samples = SeededSamples(loader, seed=0, rank=0)
    samples([0, 1])
    assert next_numbers() == expected


def test_keys_tell_their_numbers_apart():
    keys = {
        key_of(seed, epoch, rank, sample)
        for seed in (0, 1, 2**31)
        for epoch in range(4)
        for rank in range(4)
        for sample in range(-1, 20)
    }
    assert len(keys) == 3 * 4 * 4 * 21
    assert all(0 <= key < 2**63 for key in keys)


def test_sampler_keeps_a_seed_of_its_own(synthetic_people, tmp_path, whole):
    losses, folder = whole
    resumed = train(
        synthetic_people,
        tmp_path,
        0,
        resume=folder / 'epoch_1.pth',
        sampler=dict(seed=7),
    )
    assert resumed[1] != losses[1]
