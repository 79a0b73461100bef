"""The reference's 19 experiments are built, and trained and tested.

Trained is each occlusion once, each network and data set once, and with
OCCLUSION_MATRIX=1 all: from the config as it stands, narrowed, on synthetic
people that lie on disk as users of the reference have COCO and MPII.
"""

import functools
import json
import math
import os

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from run import experiments

from mmpose_occlusion.engine.config import load_config
from tests.narrow import arguments, few, narrowing, small_crops

WEIGHTS = {
    'hrnet': 28.5,
    'resnet': 34.0,
    # in each of 8 stacks 26 blocks of two 3x3 convolutions, 256 channels wide
    'hourglass': 262.6,
}
"""Millions of weights, the first two as published for 17 joints."""

TESTED: set[str] = set()
"""Model and test data of tested configs, as JSON; equal ones run once."""

EXPERIMENTS = experiments()


def chosen() -> list[str]:
    """Those with a network, data set or occlusion that is new."""
    seen, out = set(), []
    for experiment, path in EXPERIMENTS.items():
        stem = path.stem.partition('_')[2]
        network = stem.partition('_')[0], experiment[:4]
        new = {network, stem.partition('_')[2].partition('-8xb')[0]} - seen
        seen |= new
        if new or os.environ.get('OCCLUSION_MATRIX'):
            out.append(experiment)
    return out


@functools.cache
def config_of(experiment: str) -> Config:
    return load_config(str(EXPERIMENTS[experiment]))


@functools.cache
def forward(model: str, width: int, height: int) -> tuple[float, tuple]:
    """Millions of weights, and the shape of what one crop gives.

    Args:
        model: Its config as JSON: equal models run once.
        width: Of the crop.
        height: Of the crop.
    """
    import mmpose.models  # noqa: F401
    from mmpose.registry import MODELS

    init_default_scope('mmpose')
    with torch.no_grad(), torch.device('meta'):  # shapes without values
        built = MODELS.build(json.loads(model)).eval()
        maps = built(torch.empty(1, 3, height, width), None, mode='tensor')
    maps = maps[-1] if isinstance(maps, list) else maps
    return sum(p.numel() for p in built.parameters()) / 1e6, maps.shape


@pytest.mark.slow
@pytest.mark.parametrize('experiment', EXPERIMENTS)
def test_forward_at_full_size(experiment):
    cfg = config_of(experiment)
    data, family, _ = experiment.split('/')
    width, height, joints = 192, 256, 17
    if data == 'mpii':
        width, height, joints = 256, 256, 16
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        pipeline = dataset.get('dataset', dataset).pipeline
        (crop,) = (step for step in pipeline if 'input_size' in step)
        assert crop['input_size'] == (width, height)
    assert cfg.codec.input_size == (width, height)
    model = dict(cfg.model.to_dict())
    model['backbone'] = dict(model['backbone'], init_cfg=None)
    weights, shape = forward(json.dumps(model), width, height)
    assert weights == pytest.approx(WEIGHTS[family], abs=0.1)
    assert shape == (1, joints, height // 4, width // 4)


@pytest.mark.slow
@pytest.mark.parametrize('experiment', chosen())
def test_two_iterations_and_a_test(
    experiment, tool, reference_folder, monkeypatch, tmp_path
):
    monkeypatch.chdir(reference_folder)
    cfg = config_of(experiment)
    small = narrowing(cfg.model)
    if 'hourglass' in experiment:  # its first layers are wide
        for split in ('train', 'test'):
            small |= small_crops(cfg, split, width=64, height=128)
    config = str(EXPERIMENTS[experiment])
    work_dir = tmp_path / 'run'
    options = {
        **small,
        **few(cfg, 'train', samples=4, batch_size=2),
        'train_cfg.max_epochs': 1,
        'default_hooks.logger.interval': 1,
    }
    argv = [config, '--work-dir', str(work_dir), '--no-validate']
    assert tool('train').main(argv + arguments(options)) == 0
    (scalars,) = work_dir.glob('*/vis_data/scalars.json')
    losses = [json.loads(line)['loss'] for line in scalars.open()]
    assert len(losses) == 2
    assert all(0 < loss < math.inf for loss in losses)

    tested = json.dumps([cfg.model, cfg.test_dataloader, cfg.test_evaluator])
    if tested in TESTED:
        return
    TESTED.add(tested)
    metrics = tmp_path / 'metrics.json'
    options = {**small, **few(cfg, 'test', samples=2, batch_size=2)}
    argv = [config, str(work_dir / 'epoch_1.pth'), '--out', str(metrics)]
    argv += ['--work-dir', str(tmp_path / 'test')]
    assert tool('test').main(argv + arguments(options)) == 0
    found = json.loads(metrics.read_text())
    name = 'PCK' if experiment.startswith('mpii') else 'coco/AP'
    assert 0 <= found[name] <= 100
