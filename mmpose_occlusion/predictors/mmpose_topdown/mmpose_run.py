"""Run the benchmark of an MMPose config and checkpoint."""

import platform
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import mmengine
import mmpose
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.identity import digest_of_file
from mmpose_occlusion.benchmark.options import BenchmarkOptions
from mmpose_occlusion.benchmark.runs import load_run
from mmpose_occlusion.checkpoints import load_into
from mmpose_occlusion.checkpoints.read import local_file
from mmpose_occlusion.engine.attacked_config import PARTS_KEY, use_gt_boxes
from mmpose_occlusion.engine.checks import (
    check_checkpoint,
    check_data_files,
    check_evaluator_file,
)
from mmpose_occlusion.engine.config import (
    dataloader,
    load_config,
    metainfo_of,
    name_visualizer,
)
from mmpose_occlusion.engine.launch import prepare_launch
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.version import __version__

from .loop import OcclusionBenchmarkLoop, read_suites

PATIENCE = 7 * 24 * 3600
"""Seconds that processes wait for each other at the end, where one may have a
block more than the others."""


def run_mmpose(options: BenchmarkOptions) -> BenchmarkRun | None:
    """Check the options, predict, and read the run from the store.

    Args:
        options: The model, its data and the attacks.

    Returns:
        The run, in all processes; None for a dry run.

    Raises:
        UsageError: A file does not exist, or an attack does not fit.
    """
    start = time.time()
    cfg = load_config(options.model, options.cfg_options)
    configure(cfg, options)
    check_evaluator_file(cfg, 'test')
    check_data_files(cfg, 'test', False, options.skip_unreadable)
    check_checkpoint(options.checkpoint)
    prepare_launch(cfg, options.launcher)
    runner = Runner.from_cfg(cfg)
    load_into(runner.model, options.checkpoint, options.trust_checkpoint)
    passes = runner.test()['passes']
    if options.dry_run:
        return None
    loop: Any = runner.test_loop
    if is_main_process():
        loop.store.note(_facts(options, passes, start))
    return load_run(loop.store, [attack.name for attack in loop.attacks])


def configure(cfg: Config, options: BenchmarkOptions) -> None:
    """Make a config's test the benchmark.

    Args:
        cfg: Modified.
        options: The run's options.

    Raises:
        UsageError: The config lacks a setting, or an attack does not fit.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    cfg.work_dir = str(Path(options.out) / 'logs')
    name_visualizer(cfg)
    cfg.load_from, cfg.resume = None, False
    for key, value in options.data.items():
        cfg.merge_from_dict({f'test_dataloader.dataset.{key}': value})
    if options.gt_boxes:
        use_gt_boxes(cfg)
    loader = dataloader(cfg, 'test')
    # so that a mistake is reported before the data are read
    read_suites(
        cfg,
        options.suites,
        options.attacks,
        Skeleton.from_metainfo(
            metainfo_of(loader['dataset']), cfg.get(PARTS_KEY)
        ),
    )
    if options.num_workers is not None:
        loader['num_workers'] = options.num_workers
        cfg.test_dataloader = loader
    if not cfg.get('test_evaluator'):
        raise UsageError(
            f'config "{cfg.filename}" has no test_evaluator, which says how '
            'its data set is scored: give a config that has one'
        )
    environment = cfg.setdefault('env_cfg', {})
    environment.setdefault('dist_cfg', {}).setdefault('timeout', PATIENCE)
    cfg.test_cfg = dict(
        type=OcclusionBenchmarkLoop.__name__,
        out=options.out,
        suites=list(options.suites),
        attacks=list(options.attacks),
        seed=options.seed,
        batch_size=options.batch_size,
        max_images=options.max_images,
        resume=options.resume,
        dry_run=options.dry_run,
        threads=options.threads,
        fp16=bool((cfg.get('test_cfg') or {}).get('fp16', False)),
    )


def _facts(
    options: BenchmarkOptions, passes: int, start: float
) -> dict[str, Any]:
    """Facts about the command, for the store and the report.

    Args:
        options: The run's options.
        passes: Number of forward passes.
        start: Seconds since the epoch.
    """
    return dict(
        command=shlex.join(['python', *sys.argv]),
        config=str(options.model),
        checkpoint=options.checkpoint,
        checkpoint_sha256=digest_of_file(local_file(options.checkpoint)),
        started=time.strftime('%Y-%m-%dT%H:%M:%S%z', time.localtime(start)),
        seconds=round(time.time() - start, 1),
        forward_passes=passes,
        versions=dict(
            mmpose_occlusion=__version__,
            mmpose=mmpose.__version__,
            mmengine=mmengine.__version__,
            torch=torch.__version__,
            opencv=cv2.__version__,
            numpy=np.__version__,
            python=platform.python_version(),
        ),
    )
