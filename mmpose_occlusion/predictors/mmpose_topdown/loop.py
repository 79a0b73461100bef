"""The benchmark as a test loop of MMEngine's runner."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import mmpose
import numpy as np
import torch
from filelock import FileLock
from mmengine.config import Config
from mmengine.dist import (
    all_gather_object,
    barrier,
    broadcast_object_list,
    get_dist_info,
)
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import LOOPS
from torch.utils.data import DataLoader

from mmpose_occlusion.benchmark.identity import (
    digest_of_arrays,
    digest_of_images,
    digest_of_sources,
    digests_of_files,
    plain,
)
from mmpose_occlusion.benchmark.store import FORMAT, RunStore
from mmpose_occlusion.benchmark.suite import SuiteAttack, load_suites
from mmpose_occlusion.benchmark.work import (
    IMAGE_DIGESTS,
    Recorder,
    Work,
    cut,
    hold,
    open_run,
)
from mmpose_occlusion.datasets import match_detections, offer_donors
from mmpose_occlusion.engine.config import PARTS_KEY, metainfo_of
from mmpose_occlusion.engine.pipelines import check_buildable, needs_donors
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .crop_maker import CropAttack, CropMaker
from .dataset import BenchmarkDataset, recipe
from .predict import BatchPredictor, device_of, unwrapped

BATCH_SIZE = {'cpu': 32}
"""Crops of a block by kind of device; small on a CPU for its caches."""

BATCH_SIZE_ELSEWHERE = 64

IDENTITY = 'occlusion_identity'
"""Attribute or method of a module whose weights are not in its state."""

_OF_TRAINING = ('init_cfg', 'pretrained', 'train_cfg', 'loss')
"""Keys of a model's config that predictions do not depend on."""


@LOOPS.register_module()
class OcclusionBenchmarkLoop(BaseLoop):
    """Predicts a data set clean and under attacks, into a store.

    It computes what the store lacks, in fixed blocks of crops that the
    processes share; see ``docs/benchmark_store.md``. Metrics are computed
    later, from the store.

    Args:
        runner: The runner; its model has its weights when :meth:`run` is
            called.
        dataloader: Config of the test data; of its other settings
            ``num_workers`` and ``timeout`` are used.
        evaluator: Config of the metric, for the store.
        out, suites, attacks, seed, batch_size, max_images, resume, dry_run,
        threads:
            See :func:`mmpose_occlusion.benchmark.api.run_benchmark`.
        fp16: Compute in PyTorch's default mixed precision.

    Attributes:
        store: The run's part of the store, after :meth:`run`.

    Raises:
        UsageError: The data or the model is not top-down, an attack does not
            fit, or another run holds the folder.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: Mapping,
        evaluator: Any,
        out: str,
        suites: Sequence[str] = (),
        attacks: Sequence[str] = (),
        seed: int = 0,
        batch_size: int | None = None,
        max_images: int | None = None,
        resume: bool = True,
        dry_run: bool = False,
        fp16: bool = False,
        threads: int | None = None,
    ) -> None:
        self.evaluator = None
        self.out = Path(out)
        self.seed = seed
        device = device_of(runner.model).type
        self.batch_size = batch_size or BATCH_SIZE.get(
            device, BATCH_SIZE_ELSEWHERE
        )
        self.resume, self.dry_run = resume, dry_run
        self.store: RunStore | None = None
        self._fp16, self._threads = fp16, threads
        self._num_workers = int(dataloader.get('num_workers', 0))
        self._timeout = float(dataloader.get('timeout', 0))
        config = dataloader['dataset']
        if isinstance(config, Config):
            config = config.to_dict()
        config = match_detections(dict(config))
        self.skeleton = Skeleton.from_metainfo(
            metainfo_of(config), runner.cfg.get(PARTS_KEY)
        )
        self.attacks = read_suites(runner.cfg, suites, attacks, self.skeleton)
        if any(needs_donors(c) for a in self.attacks for c in a.configs):
            config = offer_donors(config)
        source = recipe(runner.cfg, config)
        self.data = BenchmarkDataset(
            config, self.skeleton, evaluator, max_images
        )
        self.boxes = self.data.boxes
        self.blocks = cut(self.boxes.image_ids.tolist(), self.batch_size)
        name = Path(runner.cfg.filename or 'model').stem
        self._info = dict(
            self.data.info,
            model=runner.cfg.get('model_name') or name,
            seed=seed,
            dataset=source,
        )
        # hooks may ask for its length; it is not iterated
        super().__init__(runner, DataLoader(self.data.dataset))

    def run(self) -> dict[str, int]:
        """Compute what is missing.

        Returns:
            ``crops``, ``attacks`` and ``passes``: numbers of crops, attacks
            and forward passes of one crop.
        """
        runner = self.runner
        runner.call_hook('before_test')
        runner.call_hook('before_test_epoch')
        runner.model.eval()
        rank, processes = get_dist_info()
        passes = 0
        held: list[FileLock] = []  # in the main process, for all of them
        try:
            if not self.dry_run:
                on_main(lambda: held.append(hold(self.out)))
            path, work = on_main(self._open)
            if not self.dry_run:
                self.store = RunStore.open(path)
                passes = self._compute(work[rank::processes], rank)
                barrier()
        finally:
            for lock in held:
                lock.release()
        metrics = dict(
            crops=len(self.boxes),
            attacks=len(self.attacks),
            passes=sum(all_gather_object(passes)),
        )
        runner.call_hook('after_test_epoch', metrics=metrics)
        runner.call_hook('after_test')
        return metrics

    def _open(self) -> tuple[Path, list[Work]]:
        """In the main process: the run's folder, and what it lacks."""
        return open_run(
            self.out,
            dict(self._info, depends_on=self._depends_on()),
            self.blocks,
            self.data.arrays,
            self.attacks,
            self.resume,
            self.dry_run,
            print if self.dry_run else self.runner.logger.info,
        )

    def _depends_on(self) -> dict[str, Any]:
        model = unwrapped(self.runner.model)
        device = device_of(model)
        if device.type == 'cuda':
            kind = torch.cuda.get_device_name(device)
        elif device.type == 'cpu':
            kind = f'CPU {torch.backends.cpu.get_cpu_capability()}'
        else:
            kind = device.type
        pipeline = [*self.data.before, *self.data.after]
        config = _config_part(self.runner.cfg, pipeline)
        files = digests_of_files(config)
        return dict(
            {'files': files} if files else {},
            format=FORMAT,
            weights=digest_of_weights(model),
            config=config,
            data=digest_of_arrays(self.data.arrays),
            images=digest_of_images(
                self.data.paths,
                self.out / 'store' / IMAGE_DIGESTS,
                save=not self.dry_run,
            ),
            seed=self.seed,
            batch_size=self.batch_size,
            device=kind,
            sources=digest_of_sources(),
            versions=dict(
                mmpose=mmpose.__version__,
                torch=torch.__version__,
                opencv=cv2.__version__,
            ),
        )

    def maker(self) -> CropMaker:
        """Of the crops under the attacks; of those that do the same, under
        the last one."""
        attacks = {attack.key: attack for attack in self.attacks}
        return CropMaker(
            self.data.dataset,
            self.data.after,
            [CropAttack(a.configs, self.seed) for a in attacks.values()],
            self.skeleton,
            self.data.order,
        )

    def _compute(self, work: Sequence[Work], rank: int) -> int:
        if not work:
            return 0
        assert self.store is not None
        log = self.runner.logger.info if rank == 0 else lambda text: None
        predictor = BatchPredictor(
            self.runner.model,
            len(self.skeleton.names),
            self._threads,
            self._fp16,
        )
        keys = list(dict.fromkeys(attack.key for attack in self.attacks))
        with Recorder(self.store, work, log) as recorder, predictor:
            crops = self.maker().blocks(
                work, self.boxes.image_ids, self._num_workers, self._timeout
            )
            predictor.compute(crops, keys, recorder)
        return recorder.passes


def digest_of_weights(model: torch.nn.Module) -> str:
    """SHA-256 of a model's state, independent of its checkpoint's format, and
    of what modules with weights elsewhere say they are: their attribute or
    method ``occlusion_identity``, a text."""
    arrays = {
        name: tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy()
        for name, tensor in model.state_dict().items()
        if isinstance(tensor, torch.Tensor) and tensor.numel()
    }
    for name, module in model.named_modules():
        said = getattr(module, IDENTITY, None)
        if said is not None:
            text = str(said() if callable(said) else said)
            arrays[f'{name} {IDENTITY}'] = np.array(text)
    return digest_of_arrays(arrays)


def _config_part(cfg: Config, pipeline: Sequence[Mapping]) -> dict:
    """What predictions depend on, as plain values: the model without its
    training settings, the test pipeline, the user's hooks, the precision.
    """
    test_cfg = cfg.get('test_cfg') or {}
    return plain(
        dict(
            model=_without_training(cfg.model),
            pipeline=list(pipeline),
            hooks=cfg.get('custom_hooks') or [],
            fp16=bool(test_cfg.get('fp16', False)),
        )
    )


def _without_training(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_training(entry)
            for key, entry in value.items()
            if key not in _OF_TRAINING
        }
    if isinstance(value, list | tuple):
        return [_without_training(entry) for entry in value]
    return value


def read_suites(
    cfg: Mapping,
    suites: Sequence[str],
    attacks: Sequence[str],
    skeleton: Skeleton,
) -> list[SuiteAttack]:
    """The attacks of :func:`.suite.load_suites` and of a config's
    ``occlusion_suites``.

    Raises:
        UsageError: MMPose cannot build one, or there is none.
    """
    own = cfg.get('occlusion_suites')
    found = load_suites(suites, attacks, skeleton, own)
    for attack in found:
        for config in attack.configs:
            try:
                check_buildable(config, attack.name)
            except ValueError as error:
                raise UsageError(f'suite "{attack.suite}": {error}') from error
    return found


def on_main(work: Callable[[], Any]) -> Any:
    """Call a function in the main process; its outcome is that of all."""
    outcome: list = [None, None]
    if get_dist_info()[0] == 0:
        try:
            outcome[0] = work()
        except UsageError as error:
            outcome[1] = str(error)
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise UsageError(outcome[1])
    return outcome[0]
