"""A benchmark in a second: a narrow network on a few drawn people."""

import copy
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpose.registry import MODELS

from mmpose_occlusion.benchmark.data import BenchmarkRun, load_run
from mmpose_occlusion.predictors.mmpose_loop import (
    OcclusionBenchmarkLoop,
)
from tests.test_evaluation.runs import synthetic

ATTACKS = (
    'keypoint:nose:black',
    'keypoint:left_wrist:blur',
    'part:head:mean',
    'keypoint:random:black',
)

MODEL = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3
    ),
    backbone=dict(type='ResNet', depth=18, base_channels=8),
    head=dict(
        type='HeatmapHead',
        in_channels=64,
        out_channels=17,
        deconv_out_channels=(16, 16, 16),
        loss=dict(type='KeypointMSELoss'),
        decoder=dict(
            type='MSRAHeatmap',
            input_size=(48, 64),
            heatmap_size=(12, 16),
            sigma=1,
        ),
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap'),
)


def config(root: Path, **dataset: Any) -> Config:
    """Of the drawn people below a folder."""
    detected, mpii = dataset.pop('detected', False), dataset.pop('mpii', False)
    return Config(
        dict(
            model=MODEL,
            test_dataloader=dict(
                num_workers=0,
                dataset=dict(synthetic(root, detected, mpii), **dataset),
            ),
            test_evaluator=dict(type='CocoMetric', nms_thr=0.8),
        )
    )


def network(seed: int = 0) -> torch.nn.Module:
    """With weights that answer differently to different crops."""
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope('mmpose'):
        model = MODELS.build(copy.deepcopy(MODEL))  # tests change it
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    return model.eval()


class Counting(torch.nn.Module):
    """Counts the crops that go through a network."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model
        self.batches: list[int] = []

    def test_step(self, data: dict) -> list:
        self.batches.append(len(data['inputs']))
        return self.model.test_step(data)


def runner(cfg: Config, model: torch.nn.Module) -> Any:
    """What the loop needs of a runner."""
    return SimpleNamespace(
        cfg=cfg,
        model=model,
        logger=logging.getLogger('benchmark'),
        call_hook=lambda name, **kwargs: None,
    )


def loop(
    cfg: Config,
    model: torch.nn.Module,
    out: Path,
    attacks: tuple[str, ...] = ATTACKS,
    num_workers: int = 0,
    **options: Any,
) -> OcclusionBenchmarkLoop:
    """The loop, before its run."""
    options.setdefault('batch_size', 4)
    with DefaultScope.overwrite_default_scope('mmpose'):
        return OcclusionBenchmarkLoop(
            runner(cfg, model),
            dict(cfg.test_dataloader, num_workers=num_workers),
            cfg.test_evaluator,
            out=str(out),
            attacks=attacks,
            **options,
        )


def run(*args: Any, **options: Any) -> tuple[BenchmarkRun, int]:
    """Arguments as of :func:`loop`: the run, and the forward passes."""
    made = loop(*args, **options)
    passes = made.run()['passes']
    return load_run(made.store, [a.name for a in made.attacks]), passes


def assert_same(a: BenchmarkRun, b: BenchmarkRun) -> None:
    """To the last bit."""
    assert np.array_equal(a.clean.keypoints, b.clean.keypoints)
    assert np.array_equal(a.clean.scores, b.clean.scores)
    assert [x.name for x in a.attacks] == [x.name for x in b.attacks]
    for one, other in zip(a.attacks, b.attacks, strict=True):
        for name in (
            'changed',
            'excluded',
            'targets',
            'bystanders',
            'pixels',
        ):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        p, q = one.predictions, other.predictions
        assert np.array_equal(p.keypoints, q.keypoints), one.name
        assert np.array_equal(p.scores, q.scores), one.name
    for name, array in vars(a.boxes).items():
        assert np.array_equal(
            array, getattr(b.boxes, name), equal_nan=array.dtype.kind == 'f'
        ), name
    assert a.people == b.people
