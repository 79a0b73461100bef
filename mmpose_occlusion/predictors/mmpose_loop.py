"""The benchmark of an MMPose config and checkpoint, as a test loop of
MMEngine's runner."""

import copy
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import mmengine
import mmpose
import numpy as np
import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import LOOPS
from torch.utils.data import DataLoader

from mmpose_occlusion.benchmark.data import (
    BenchmarkRun,
    load_run,
    to_arrays,
)
from mmpose_occlusion.benchmark.store import (
    CLEAN,
    BlockResult,
    RunStore,
    empty_result,
)
from mmpose_occlusion.benchmark.suite import SuiteAttack, load_suites
from mmpose_occlusion.benchmark.work import (
    Recorder,
    RunOptions,
    Work,
    command_facts,
    compute_run,
    cut,
)
from mmpose_occlusion.checkpoints import load_into, local_file
from mmpose_occlusion.datasets import match_detections, offer_donors
from mmpose_occlusion.engine import config, data_files, launch
from mmpose_occlusion.engine.crop_frame import from_crop
from mmpose_occlusion.engine.insertion import use_gt_boxes
from mmpose_occlusion.engine.pipelines import check_buildable, needs_donors
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import digest_of_file, digests_of_files, plain
from mmpose_occlusion.skeleton import Skeleton

from .mmpose_crops import Crop, CropAttack, CropBlocks, Crops, inputs_of
from .mmpose_dataset import describe_data
from .mmpose_network import deterministic, digest_of_weights, predicted

CPU_BATCH, GPU_BATCH = 32, 64
"""Crops of a block; fewer on a CPU for its caches."""

TRAINING = 'init_cfg', 'pretrained', 'train_cfg', 'loss'
"""Keys of a model's config that predictions do not depend on."""

PATIENCE = 7 * 24 * 3600
"""Seconds that processes wait for each other at the end, where one may have a
block more than the others."""


@LOOPS.register_module()
class OcclusionBenchmarkLoop(BaseLoop):
    """Predicts a data set clean and under attacks, into a store.

    It computes what the store lacks, in fixed blocks of crops that the
    processes share; see ``docs/benchmark_store.md``. Metrics are computed
    later, from the store. It is a source of :func:`.work.compute_run`.

    Args:
        runner: The runner; its model has its weights when :meth:`run` is
            called.
        dataloader: Config of the test data; of its other settings
            ``num_workers`` and ``timeout`` are used.
        evaluator: Config of the metric, for the store.
        fp16: Compute in PyTorch's default mixed precision.
        options: Of :class:`.work.RunOptions`.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: Mapping,
        evaluator: Any,
        fp16: bool = False,
        **options: Any,
    ) -> None:
        self.evaluator = None
        self.options = RunOptions(**options)
        self.store: RunStore | None = None
        cfg, model = runner.cfg, runner.model
        self.model: Any = model.module if is_model_wrapper(model) else model
        self.device = next(model.parameters(), torch.zeros(0)).device
        size = CPU_BATCH if self.device.type == 'cpu' else GPU_BATCH
        self.batch_size = self.options.batch_size or size
        self._fp16, self._loading = fp16, {}
        if workers := int(dataloader.get('num_workers', 0)):
            timeout = float(dataloader.get('timeout', 0))
            self._loading = dict(num_workers=workers, timeout=timeout)
            self._loading['prefetch_factor'] = 1  # blocks are large
        data = dataloader['dataset']
        data = data.to_dict() if isinstance(data, Config) else dict(data)
        data = match_detections(data)
        self.skeleton, self.attacks = read_attacks(cfg, data, self.options)
        if any(needs_donors(attack.config) for attack in self.attacks):
            data = offer_donors(data)
        source = dict(  # from which the data set is built again
            default_scope=cfg.get('default_scope') or 'mmpose',
            custom_imports=cfg.get('custom_imports'),
            dataset=plain(data),
        )
        self.crops = Crops(data, self.options.max_images)
        boxes, people, about = describe_data(
            self.crops, self.skeleton, evaluator
        )
        self.arrays = to_arrays(boxes, people)
        self.paths = [info['img_path'] for info in self.crops.infos()]
        self.blocks = cut(self.crops.image_ids.tolist(), self.batch_size)
        name = cfg.get('model_name') or Path(cfg.filename or 'model').stem
        self.info = dict(about, model=name, dataset=source)
        # hooks may ask for its length; it is not iterated
        super().__init__(runner, DataLoader(self.crops.dataset))

    def run(self) -> dict[str, int]:
        """Compute what is missing; returns ``crops``, ``attacks`` and
        ``passes``, numbers of crops, attacks and forward passes of one."""
        runner = self.runner
        runner.call_hook('before_test')
        runner.call_hook('before_test_epoch')
        log = print if self.options.dry_run else runner.logger.info
        ranks = *dist.get_dist_info(), on_main, dist.barrier
        self.store, _, passes = compute_run(self, self.options, log, *ranks)
        metrics = dict(
            crops=len(self.crops),
            attacks=len(self.attacks),
            passes=sum(dist.all_gather_object(passes)),
        )
        runner.call_hook('after_test_epoch', metrics=metrics)
        runner.call_hook('after_test')
        return metrics

    def depends_on(self) -> dict[str, Any]:
        """What predictions depend on beside the images."""
        cfg, kind = self.runner.cfg, self.device.type
        if kind == 'cuda':
            kind = torch.cuda.get_device_name(self.device)
        elif kind == 'cpu':
            kind = f'CPU {torch.backends.cpu.get_cpu_capability()}'
        model_config = plain(
            dict(
                model=cfg.model,
                pipeline=[*self.crops.before, *self.crops.after],
                hooks=cfg.get('custom_hooks') or [],
                fp16=self._fp16,
            )
        )
        for _, part in config.walk(model_config['model']):
            for key in TRAINING:
                part.pop(key, None)
        files = digests_of_files(model_config)
        return dict(
            {'files': files} if files else {},
            weights=digest_of_weights(self.model),
            config=model_config,
            device=kind,
            versions=_versions(mmpose, torch) | dict(opencv=cv2.__version__),
        )

    def compute(self, work: Sequence[Work], recorder: Recorder) -> None:
        """Predict what is missing; workers prepare the next blocks
        meanwhile.

        The crops of a block under one attack are one batch, so that
        predictions do not depend on other attacks. The last bits of a
        network's outputs depend on the number of threads of a forward pass
        on a CPU: there a pass has one, and the cores compute several batches
        at a time, which is at least as fast.
        """
        attacks = {  # of those that do the same, the last
            each.key: CropAttack(each.config, self.options.seed)
            for each in self.attacks
        }
        data = CropBlocks(self.crops, attacks, self.skeleton, work)
        blocks = DataLoader(
            data, batch_size=None, collate_fn=list, **self._loading
        )
        self.model.eval()
        on_cpu = self.device.type == 'cpu'
        pool = ThreadPoolExecutor(torch.get_num_threads() if on_cpu else 1)
        try:
            with deterministic(self.device):
                for (block, keys), crops in zip(work, blocks, strict=True):
                    found = pool.map(partial(self.result, crops), keys)
                    for key, result in zip(keys, found, strict=True):
                        passes = int(result.changed.sum())
                        recorder.add(block, key, result, passes)
        finally:
            pool.shutdown(cancel_futures=True)

    def result(self, crops: Sequence[Crop], key: str) -> BlockResult:
        """Predict the crops of a block that an attack changes, or all of them
        clean."""
        joints = len(self.skeleton.names)
        out = empty_result(len(crops), joints)
        out.changed[:] = key == CLEAN
        for row, crop in enumerate(crops if key != CLEAN else ()):
            crop.effects[key].note(out, row)
            meta = crop.sample.metainfo
            out.centres[row] = from_crop(out.centres[row], meta)
        rows = np.flatnonzero(out.changed)
        if not len(rows):
            return out
        batch = [crops[row] for row in rows]
        data = dict(
            inputs=inputs_of(batch, key, self.device),
            data_samples=[copy.copy(crop.sample) for crop in batch],
        )
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=self._fp16),
        ):
            samples = self.model.test_step(data)
        keypoints, scores, seen = predicted(samples)
        if scores.shape != (len(rows), joints):
            raise UsageError(
                f'the model predicts {keypoints.shape[1]} joints for each of '
                f'{len(keypoints)} people, and its data set has {joints} for '
                f'{len(rows)}: give a top-down model of this data set'
            )
        out.keypoints[rows], out.scores[rows] = keypoints, scores
        if seen is not None:
            out.visibility[rows] = seen
        return out


def _versions(*modules: Any) -> dict[str, str]:
    return {each.__name__: each.__version__ for each in modules}


def read_attacks(
    cfg: Config, dataset: Mapping, options: RunOptions
) -> tuple[Skeleton, list[SuiteAttack]]:
    """The joints and parts of a config's data set, and the attacks that are
    asked for; MMPose can build all."""
    parts = cfg.get(config.PARTS_KEY)
    skeleton = Skeleton.from_metainfo(config.metainfo_of(dataset), parts)
    attacks = load_suites(options.suites, options.attacks, skeleton)
    for attack in attacks:
        check_buildable(attack.config, attack.name)
    return skeleton, attacks


def on_main(work: Callable[[], Any]) -> Any:
    """Call a function in the main process; its outcome is that of all."""
    outcome: list = [None]
    if dist.is_main_process():
        try:
            outcome[0] = work()
        except UsageError as error:
            outcome[0] = UsageError(str(error))
    dist.broadcast_object_list(outcome)
    if isinstance(outcome[0], UsageError):
        raise outcome[0]
    return outcome[0]


def run_mmpose(
    model: str,
    checkpoint: str,
    data: Mapping[str, Any],
    *,
    gt_boxes: bool = False,
    num_workers: int | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    trust_checkpoint: bool = False,
    launcher: str = 'none',
    skip_unreadable: bool = False,
    **others: Any,
) -> BenchmarkRun | None:
    """Check the options, predict, and read the run from the store, see
    :func:`mmpose_occlusion.benchmark.api.run_benchmark`."""
    start, options = time.time(), RunOptions(**others)
    cfg = config.load_config(model, cfg_options)
    for key, value in data.items():
        cfg.merge_from_dict({f'test_dataloader.dataset.{key}': value})
    _configure(cfg, options, gt_boxes, num_workers)
    data_files.check_data_files(cfg, 'test', False, skip_unreadable)
    local = local_file(checkpoint)
    launch.prepare_launch(cfg, launcher)
    runner = launch.build_runner(cfg)
    load_into(runner.model, checkpoint, trust_checkpoint)
    loaded = digest_of_file(local)
    try:
        runner.test()
    finally:
        _release(runner)
    loop: Any = runner.test_loop
    if loop.store is None:
        return None
    if dist.is_main_process():
        facts = dict(
            command_facts(start, **_versions(mmpose, mmengine, torch)),
            config=model,
            checkpoint=checkpoint,
            checkpoint_sha256=loaded,
            forward_passes=loop.store.passes(),
        )
        loop.store.note(facts)
    return load_run(loop.store, [attack.name for attack in loop.attacks])


def _configure(
    cfg: Config, options: RunOptions, gt_boxes: bool, num_workers: int | None
) -> None:
    """Make the benchmark a config's test loop; mistakes in attacks and
    evaluator are reported before the data are read."""
    config.prepare_run(cfg, str(Path(options.out) / 'logs'))
    cfg.load_from, cfg.resume = None, False
    if gt_boxes:
        use_gt_boxes(cfg)
    loader = config.dataloader(cfg, 'test')
    read_attacks(cfg, loader['dataset'], options)
    if num_workers is not None:
        loader['num_workers'] = num_workers
        cfg.test_dataloader = loader
    if not config.scoring_metric(cfg.get('test_evaluator')):
        raise UsageError(
            f'config "{cfg.filename}" has no test_evaluator, which says how '
            'its data set is scored: give a config that has one'
        )
    environment = cfg.setdefault('env_cfg', {})
    environment.setdefault('dist_cfg', {}).setdefault('timeout', PATIENCE)
    cfg.test_cfg = dict(
        vars(options),
        type=OcclusionBenchmarkLoop.__name__,
        fp16=bool((cfg.get('test_cfg') or {}).get('fp16', False)),
    )


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
