"""Contrastive training: the config, and at the demo's size."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed
from mmpose.registry import MODELS

import projects.tilting_at_windmills.contrastive_views  # noqa: F401
from tests.narrow import narrowing, small_crops
from tests.test_models.conftest import _one_thread  # noqa: F401

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
(PATH,) = CONFIGS.rglob('*_contrastive-*.py')
SMALL = (
    CONFIGS / 'synthetic_people/td-hm_res18d-w16_2xb16-24e_synthetic-128x96.py'
)
TERMS = ('loss_kpt', 'loss_keypoint_view', 'loss_part_view')


def config(path, people):
    """A config that reads synthetic people and downloads nothing."""
    cfg = Config.fromfile(path)
    init_default_scope('mmpose')
    cfg.model.backbone.init_cfg = None
    for split in ('train', 'val'):
        loader = cfg[f'{split}_dataloader']
        loader.num_workers = 0
        loader.persistent_workers = False
        dataset = loader.dataset.get('dataset', loader.dataset)
        dataset.data_root = str(people)
        dataset.ann_file = f'annotations/person_keypoints_{split}.json'
        dataset.data_prefix = dict(img=f'{split}/')
    return cfg


def first_batch(cfg, size):
    set_random_seed(0)  # of the augmentations and occlusions
    loader = dict(cfg.train_dataloader, batch_size=size)
    return next(iter(Runner.build_dataloader(loader, seed=0)))


def test_the_config_learns_from_three_views(synthetic_people):
    cfg = config(PATH, synthetic_people)
    cfg.merge_from_dict(narrowing(cfg.model))
    model = MODELS.build(cfg.model)
    data = model.data_preprocessor(first_batch(cfg, 1), True)
    width, height = cfg.codec.input_size
    assert data['inputs'].shape == (3, 3, height, width)
    losses = model(**data, mode='loss')
    assert losses.keys() == set(TERMS)
    assert all(torch.isfinite(losses[term]) for term in TERMS)


def train(model, batch, steps):
    """The log of each step."""
    optimizer = OptimWrapper(torch.optim.Adam(model.parameters(), lr=2e-3))
    return [
        {k: float(v.detach()) for k, v in log.items()}
        for log in (
            model.train_step(copy.deepcopy(batch), optimizer)
            for _ in range(steps)
        )
    ]


def in_the_demos_size(people):
    """The config with the demo's crops, heatmaps and network."""
    cfg = config(PATH, people)
    demo = Config.fromfile(SMALL)
    size = demo.codec.input_size
    cfg.merge_from_dict(small_crops(cfg, 'train', *size))
    cfg.model = dict(demo.model, type=cfg.model.type)
    return cfg


@pytest.mark.slow
def test_each_term_falls(synthetic_people):
    """A model that has learnt from clean crops alone answers differently
    under occlusions; trained on the views, it goes on learning the joints
    and answers more and more alike."""
    cfg = in_the_demos_size(synthetic_people)
    cfg.train_dataloader.dataset.views = dict(
        keypoint_view=[dict(type='KeypointOcclusion', fill='black', size=12)],
        part_view=[dict(type='PartOcclusion', fill='black')],
    )
    batch = first_batch(cfg, 4)
    plain = {key: value[0] for key, value in batch.items()}
    ordinary = MODELS.build(dict(cfg.model, type='TopdownPoseEstimator'))
    torch.manual_seed(0)
    ordinary.init_weights()
    train(ordinary, plain, 60)
    model = MODELS.build(cfg.model)
    model.load_state_dict(ordinary.state_dict())
    logs = train(model, batch, 40)
    for term in TERMS:
        values = [log[term] for log in logs]
        middle, last = sum(values[15:20]) / 5, sum(values[35:]) / 5
        assert 0 < last < middle < values[0], term
        assert last < values[0] / 2, term


def test_the_runner_logs_each_term_and_tests_as_ever(
    synthetic_people, tmp_path
):
    cfg = config(SMALL, synthetic_people)
    cfg.model.type = 'ContrastivePoseEstimator'
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(
        type='OcclusionViewsDataset', dataset=inner
    )
    cfg.work_dir = str(tmp_path)
    cfg.train_dataloader.batch_size = 10
    cfg.train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
    cfg.default_hooks.logger.interval = 1
    cfg.visualizer = None
    cfg.log_level = 'WARNING'
    runner = Runner.from_cfg(cfg)
    runner.train()
    scalars = runner.message_hub.log_scalars
    for term in TERMS:
        history, _ = scalars[f'train/{term}'].data
        assert len(history) >= 2
    assert 0 <= scalars['val/coco/AP'].current() <= 1
    saved = torch.load(
        tmp_path / 'epoch_1.pth', weights_only=False, map_location='cpu'
    )
    ordinary = MODELS.build(dict(cfg.model, type='TopdownPoseEstimator'))
    ordinary.load_state_dict(saved['state_dict'])
