"""The benchmark as a test loop of MMEngine's runner."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import (
    all_gather_object,
    barrier,
    broadcast_object_list,
    get_dist_info,
)
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import LOOPS
from torch.utils.data import DataLoader

from mmpose_occlusion.benchmark.blocks import Block, cut
from mmpose_occlusion.benchmark.identity import (
    digest_of_arrays,
    digest_of_images,
    key_of,
)
from mmpose_occlusion.benchmark.passes_progress import PassesProgress
from mmpose_occlusion.benchmark.store import FORMAT, RunStore
from mmpose_occlusion.benchmark.suite import SuiteAttack, load_suites
from mmpose_occlusion.benchmark.work import (
    IMAGE_DIGESTS,
    Recorder,
    Work,
    acquire,
    folder_lock,
    plan,
)
from mmpose_occlusion.datasets import match_detections, offer_donors
from mmpose_occlusion.engine.attacked_config import PARTS_KEY
from mmpose_occlusion.engine.config import metainfo_of
from mmpose_occlusion.engine.pipelines import check_buildable, needs_donors
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .compute import block_crops, compute
from .crop_maker import CropAttack, CropMaker
from .dataset import BenchmarkDataset, model_name, recipe
from .estimate import estimate
from .predict import BatchPredictor, device_of, unwrapped
from .run_key import config_part, digest_of_weights, numerics

BATCH_SIZE = {'cpu': 32}
"""Crops of a block by kind of device; small on a CPU for its caches."""

BATCH_SIZE_ELSEWHERE = 64


@LOOPS.register_module()
class OcclusionBenchmarkLoop(BaseLoop):
    """Predicts a data set clean and under attacks, into a store.

    It computes what the store lacks, in fixed blocks of crops that the
    processes share; see ``docs/benchmark_store.md``. Metrics are computed
    later, from the store.

    Args:
        runner: The runner; its model has its weights when :meth:`run` is
            called.
        dataloader: Config of the test data; of its other settings only
            ``num_workers`` is used.
        evaluator: Config of the metric, for the store.
        out: Folder of the benchmark.
        suites: Names or files of suites, see :func:`.suite.load_suites`.
        attacks: Short forms of further attacks.
        seed: Seed of the attacks' random draws.
        batch_size: Maximum number of crops in a block and in a batch; by
            default see :data:`BATCH_SIZE`.
        max_images: Use the first images only.
        resume: False computes everything again.
        dry_run: Only print an estimate.
        fp16: Compute in PyTorch's default mixed precision.
        threads: See :class:`.predict.BatchPredictor`.

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
        self.resume = resume
        self.dry_run = dry_run
        self.store: RunStore | None = None
        self._fp16 = fp16
        self._threads = threads
        self._num_workers = int(dataloader.get('num_workers', 0))
        config = match_detections(_plain_config(dataloader['dataset']))
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
        self.blocks: list[Block] = cut(
            self.boxes.image_ids.tolist(), self.batch_size
        )
        self._info = dict(
            self.data.info,
            model=model_name(runner.cfg),
            seed=seed,
            dataset=source,
        )
        # hooks may ask for its length; it is not iterated
        super().__init__(runner, DataLoader(self.data.dataset))

    @property
    def _by_key(self) -> dict[str, SuiteAttack]:
        """Key -> attack; attacks that do the same appear once."""
        return {attack.key: attack for attack in self.attacks}

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
        predictor = BatchPredictor(
            runner.model,
            len(self.skeleton.names),
            self._threads,
            self._fp16,
        )
        passes = 0
        with self._lock():
            path, work = on_main(self._open)
            if not self.dry_run:
                self.store = RunStore.open(path)
                passes = self._compute(predictor, work[rank::processes], rank)
                barrier()
            elif rank == 0:
                self._estimate(predictor, work, processes)
        metrics = dict(
            crops=len(self.boxes),
            attacks=len(self.attacks),
            passes=sum(all_gather_object(passes)),
        )
        runner.call_hook('after_test_epoch', metrics=metrics)
        runner.call_hook('after_test')
        return metrics

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the folder in the main process, for all of them.

        The operating system releases the lock when the process ends, however
        it ends.
        """
        lock = folder_lock(self.out)
        try:
            if not self.dry_run:
                on_main(lambda: acquire(lock, self.out))
            yield
        finally:
            lock.release()

    def _open(self) -> tuple[Path, list[Work]]:
        """In the main process: the run's folder, and what it lacks."""
        parts = self._depends_on()
        key = key_of(parts)
        path = self.out / 'store' / key
        if self.dry_run:
            known = self.resume and (path / 'run.json').is_file()
            stored = RunStore.open(path).stored() if known else {}
        else:
            info = dict(self._info, depends_on=parts)
            store = RunStore.create(
                self.out, key, info, self.blocks, self.data.arrays
            )
            store.request([attack.to_json() for attack in self.attacks])
            if not self.resume:
                store.forget()
            stored = store.stored(repair=True)
        keys = list(self._by_key)
        work = plan(self.blocks, keys, stored)
        kept = sum(
            len(stored.get(b.number, set()) & set(keys)) * len(b)
            for b in self.blocks
        )
        if kept:
            requested = len(keys) * len(self.boxes)
            self.runner.logger.info(
                f'{100 * kept / requested:.0f} % of the requested '
                f'predictions are in "{path}" already.'
            )
        return path, work

    def _depends_on(self) -> dict[str, Any]:
        model = unwrapped(self.runner.model)
        return dict(
            format=FORMAT,
            weights=digest_of_weights(model),
            config=config_part(
                self.runner.cfg, [*self.data.before, *self.data.after]
            ),
            data=digest_of_arrays(self.data.arrays),
            images=digest_of_images(
                self.data.paths,
                self.out / 'store' / IMAGE_DIGESTS,
                save=not self.dry_run,
            ),
            seed=self.seed,
            **numerics(self.batch_size, device_of(model)),
        )

    def _maker(self) -> CropMaker:
        return CropMaker(
            self.data.dataset,
            self.data.after,
            [CropAttack(a.configs, self.seed) for a in self._by_key.values()],
            self.skeleton,
            self.data.order,
        )

    def _compute(
        self, predictor: BatchPredictor, work: Sequence[Work], rank: int
    ) -> int:
        if not work:
            return 0
        assert self.store is not None
        total = sum(w.units for w in work)
        progress = PassesProgress(total, self.runner.logger.info)
        batches = block_crops(
            self._maker(), work, self.boxes.image_ids, self._num_workers
        )
        with predictor:
            return compute(
                batches,
                list(self._by_key),
                predictor,
                Recorder(self.store),
                len(self.skeleton.names),
                progress if rank == 0 else lambda units, passes: None,
            )

    def _estimate(
        self, predictor: BatchPredictor, work: Sequence[Work], processes: int
    ) -> None:
        with predictor:
            found = estimate(
                self._maker(), predictor, work, self._num_workers, processes
            )
        print(found.sentence(len(self.boxes), len(self.attacks)))


def read_suites(
    cfg: Mapping,
    suites: Sequence[str],
    attacks: Sequence[str],
    skeleton: Skeleton,
) -> list[SuiteAttack]:
    """The attacks of a benchmark, each of which MMPose can build.

    Args:
        cfg: The run's config, of which ``occlusion_suites`` may be set.
        suites: See :func:`.suite.load_suites`.
        attacks: Short forms of further attacks.
        skeleton: The data set's joints and parts.

    Raises:
        UsageError: An attack cannot be read or built, or there is none.
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
    """Call a function in the main process only.

    Returns:
        Its result, in all processes.

    Raises:
        UsageError: Raised by the function; raised in all processes.
    """
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


def _plain_config(config: Any) -> dict:
    return config.to_dict() if hasattr(config, 'to_dict') else dict(config)
