"""The benchmark tool's arguments, put into a config, and its end."""

import platform
import shlex
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import cv2
import mmengine
import mmpose
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.identity import digest_of_file
from mmpose_occlusion.benchmark.report import show_steps, write_report
from mmpose_occlusion.benchmark.store import RunStore
from mmpose_occlusion.benchmark.suite import load_suites
from mmpose_occlusion.checkpoints.read import local_file
from mmpose_occlusion.engine.attack import PARTS_KEY, use_gt_boxes
from mmpose_occlusion.engine.config import (
    dataloader,
    metainfo_of,
    name_visualizer,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.version import __version__

from .case_crops import crops_from
from .loop import OcclusionBenchmarkLoop

CONFIG = 'config.py'
"""The config that a run was made with, in its part of the store."""

PATIENCE = 7 * 24 * 3600
"""Seconds that processes wait for each other at the end: one may have a
block more than the others."""


def apply_arguments(cfg: Config, args: Namespace) -> None:
    """Have a config's test be the benchmark.

    Args:
        cfg: Modified.
        args: Of ``tools/occlusion_benchmark.py``.

    Raises:
        UsageError: The config lacks something, or an attack does not fit.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    cfg.work_dir = str(Path(args.out) / 'logs')
    name_visualizer(cfg)
    cfg.load_from, cfg.resume = None, False
    if args.gt_boxes:
        use_gt_boxes(cfg)
    loader = dataloader(cfg, 'test')
    # a mistake here shall not wait until the data are read
    load_suites(
        args.suite,
        args.attack,
        Skeleton.from_metainfo(
            metainfo_of(loader['dataset']), cfg.get(PARTS_KEY)
        ),
        cfg.get('occlusion_suites'),
    )
    if args.num_workers is not None:
        loader['num_workers'] = args.num_workers
        cfg.test_dataloader = loader
    if not cfg.get('test_evaluator'):
        raise UsageError(
            f'config "{cfg.filename}" has no test_evaluator, which says how '
            'its data set is scored: give a config that has'
        )
    environment = cfg.setdefault('env_cfg', {})
    environment.setdefault('dist_cfg', {}).setdefault('timeout', PATIENCE)
    cfg.test_cfg = dict(
        type=OcclusionBenchmarkLoop.__name__,
        out=args.out,
        suites=args.suite,
        attacks=args.attack,
        seed=args.seed,
        batch_size=args.batch_size,
        max_images=args.max_images,
        resume=args.resume,
        dry_run=args.dry_run,
        autocast=args.autocast,
        channels_last=args.channels_last,
        compile=args.compile,
        threads=args.threads,
        profile=args.profile,
        fp16=bool((cfg.get('test_cfg') or {}).get('fp16', False)),
    )


def facts(
    args: Namespace, loop: OcclusionBenchmarkLoop, start: float
) -> dict[str, Any]:
    """What a report says of the command, and nothing of its results.

    Args:
        args: Of the tool.
        loop: After its run.
        start: Seconds since the epoch.
    """
    return dict(
        command=shlex.join(['python', *sys.argv]),
        config=args.config,
        checkpoint=args.checkpoint,
        checkpoint_sha256=digest_of_file(local_file(args.checkpoint)),
        started=time.strftime('%Y-%m-%dT%H:%M:%S%z', time.localtime(start)),
        seconds=round(time.time() - start, 1),
        forward_passes=loop.total_passes,
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


def report(run: BenchmarkRun, store: RunStore, folder: str) -> None:
    """Write the report of a run.

    Args:
        run: The run.
        store: Where it is from.
        folder: Gets the report.
    """
    path = write_report(
        [run],
        folder,
        case_images=crops_from(folder),
        progress=show_steps(len(run.attacks)),
    )
    print(f'Wrote {path}, report.json, table.md and CSV files')
