"""Run the benchmark of an MMPose config and checkpoint."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mmengine
import mmpose
import torch
from mmengine.dist import is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmpose_occlusion.benchmark.data import BenchmarkRun, load_run
from mmpose_occlusion.benchmark.identity import digest_of_file
from mmpose_occlusion.benchmark.work import command_facts
from mmpose_occlusion.checkpoints import load_into
from mmpose_occlusion.checkpoints.read import local_file
from mmpose_occlusion.engine.config import (
    PARTS_KEY,
    dataloader,
    load_config,
    metainfo_of,
    name_visualizer,
    scoring_metric,
)
from mmpose_occlusion.engine.data_files import (
    check_data_files,
    check_evaluator_file,
)
from mmpose_occlusion.engine.insertion import use_gt_boxes
from mmpose_occlusion.engine.launch import (
    build_runner,
    check_checkpoint,
    prepare_launch,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .loop import OcclusionBenchmarkLoop, read_suites

PATIENCE = 7 * 24 * 3600
"""Seconds that processes wait for each other at the end, where one may have a
block more than the others."""


def run_mmpose(
    model: str,
    checkpoint: str,
    *,
    out: str,
    suites: Sequence[str],
    attacks: Sequence[str],
    data: Mapping[str, Any],
    gt_boxes: bool,
    num_workers: int | None,
    cfg_options: Mapping[str, Any],
    trust_checkpoint: bool,
    launcher: str,
    skip_unreadable: bool,
    **of_loop: Any,
) -> BenchmarkRun | None:
    """Check the options, predict, and read the run from the store.

    Args:
        model, checkpoint, out, suites, attacks, data, gt_boxes, num_workers,
        cfg_options, trust_checkpoint, launcher, skip_unreadable:
            See :func:`mmpose_occlusion.benchmark.api.run_benchmark`.
        of_loop: Further arguments of :class:`.loop.OcclusionBenchmarkLoop`.

    Returns:
        The run, in all processes; None for a dry run.

    Raises:
        UsageError: A file does not exist, the config lacks a setting, or an
            attack does not fit.
    """
    start = time.time()
    cfg = load_config(model, cfg_options)
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    cfg.work_dir = str(Path(out) / 'logs')
    name_visualizer(cfg)
    cfg.load_from, cfg.resume = None, False
    for key, value in data.items():
        cfg.merge_from_dict({f'test_dataloader.dataset.{key}': value})
    if gt_boxes:
        use_gt_boxes(cfg)
    loader = dataloader(cfg, 'test')
    skeleton = Skeleton.from_metainfo(
        metainfo_of(loader['dataset']), cfg.get(PARTS_KEY)
    )
    # so that a mistake is reported before the data are read
    read_suites(cfg, suites, attacks, skeleton)
    if num_workers is not None:
        loader['num_workers'] = num_workers
        cfg.test_dataloader = loader
    if not cfg.get('test_evaluator'):
        raise UsageError(
            f'config "{cfg.filename}" has no test_evaluator, which says how '
            'its data set is scored: give a config that has one'
        )
    scoring_metric(cfg.test_evaluator)
    environment = cfg.setdefault('env_cfg', {})
    environment.setdefault('dist_cfg', {}).setdefault('timeout', PATIENCE)
    cfg.test_cfg = dict(
        of_loop,
        type=OcclusionBenchmarkLoop.__name__,
        out=out,
        suites=list(suites),
        attacks=list(attacks),
        fp16=bool((cfg.get('test_cfg') or {}).get('fp16', False)),
    )
    check_evaluator_file(cfg, 'test')
    check_data_files(cfg, 'test', False, skip_unreadable)
    check_checkpoint(checkpoint)
    prepare_launch(cfg, launcher)
    runner = build_runner(cfg)
    load_into(runner.model, checkpoint, trust_checkpoint)
    loaded = digest_of_file(local_file(checkpoint))
    try:
        passes = runner.test()['passes']
    finally:
        _release(runner)
    loop: Any = runner.test_loop
    if loop.dry_run:
        return None
    if is_main_process():
        libraries = mmpose, mmengine, torch
        versions = {each.__name__: each.__version__ for each in libraries}
        loop.store.note(
            dict(
                command_facts(start, **versions),
                config=model,
                checkpoint=checkpoint,
                checkpoint_sha256=loaded,
                forward_passes=passes,
            )
        )
    return load_run(loop.store, [attack.name for attack in loop.attacks])


def _release(runner: Runner) -> None:
    """Close a runner's log file, and drop what MMEngine keeps of it until the
    process ends: one call of many from Python leaves nothing open."""
    for handler in list(runner.logger.handlers):
        if isinstance(handler, logging.FileHandler):
            runner.logger.removeHandler(handler)
            handler.close()
    kept = runner.logger, runner.message_hub, runner.visualizer
    for each in kept:
        type(each)._instance_dict.pop(each.instance_name, None)
