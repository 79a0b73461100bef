"""The benchmark as a test loop of MMEngine's runner."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mmengine.dist import barrier, get_dist_info
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import LOOPS
from torch.utils.data import DataLoader

from mmpose_occlusion.benchmark.blocks import Block, cut
from mmpose_occlusion.benchmark.clock import NO_CLOCK
from mmpose_occlusion.benchmark.identity import (
    attack_key,
    config_part,
    digest_of_arrays,
    digest_of_images,
    digest_of_weights,
    numerics,
    plain,
    run_key,
)
from mmpose_occlusion.benchmark.lock import FolderLock
from mmpose_occlusion.benchmark.profile import Profile
from mmpose_occlusion.benchmark.store import FORMAT, RunStore
from mmpose_occlusion.benchmark.suite import SuiteAttack, load_suites
from mmpose_occlusion.datasets import match_detections, offer_donors
from mmpose_occlusion.engine.attack import PARTS_KEY
from mmpose_occlusion.engine.config import metainfo_of
from mmpose_occlusion.engine.pipelines import needs_donors
from mmpose_occlusion.skeleton import Skeleton

from .compute import Recorder, Work, block_crops, compute, plan
from .crop_maker import Attack, CropMaker
from .dataset import Subject, model_name
from .estimate import estimate
from .options import Options
from .predict import Predictor, device_of, unwrapped
from .processes import gather, on_main
from .progress import Progress

BATCH_SIZE = {'cpu': 32}
"""Crops of a block by the kind of device, small on a CPU for its caches."""

BATCH_SIZE_ELSEWHERE = 64


@LOOPS.register_module()
class OcclusionBenchmarkLoop(BaseLoop):
    """Predict a data set clean and under attacks, into a store.

    It computes what the store lacks, in fixed blocks of crops that the
    processes share; see ``docs/benchmark_store.md``. Metrics are made from
    the store afterwards, not here.

    Args:
        runner: The runner; its model has its weights when :meth:`run` is
            called.
        dataloader: Config of the test data; of its own settings
            ``num_workers`` alone counts.
        evaluator: Config of the metric, to be stored.
        out: Folder of the benchmark.
        suites: Names or files of suites, see :func:`.suite.load_suites`.
        attacks: Short forms of further attacks.
        seed: Of what attacks leave to chance.
        batch_size: Crops of a block, and of a batch at most; by default as
            :data:`BATCH_SIZE` says.
        max_images: Take the first images alone.
        resume: False computes all anew.
        dry_run: Only say what would be done.
        fp16: Compute in the mixed precision that PyTorch takes by default.
        autocast, channels_last, compile: See :class:`.options.Options`.
        threads: See :class:`.predict.Predictor`.
        profile: Measure where the time goes, see :attr:`profile`.

    Attributes:
        profile: What took how long, or None.

    Raises:
        UsageError: The data or the model is not top-down, an attack does not
            fit, or another run works in the folder.
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
        autocast: str | None = None,
        channels_last: bool = False,
        compile: bool = False,
        threads: int | None = None,
        profile: bool = False,
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
        self.passes = self.total_passes = 0
        self._fp16 = fp16
        self._options = Options(autocast, channels_last, compile)
        self._threads = threads
        self.profile = Profile() if profile and not dry_run else None
        self._num_workers = int(dataloader.get('num_workers', 0))
        config = match_detections(_plain_config(dataloader['dataset']))
        self.skeleton = Skeleton.from_metainfo(
            metainfo_of(config), runner.cfg.get(PARTS_KEY)
        )
        self.attacks = load_suites(
            suites,
            attacks,
            self.skeleton,
            runner.cfg.get('occlusion_suites'),
        )
        self.keys = [attack_key(attack.configs) for attack in self.attacks]
        if any(needs_donors(c) for a in self.attacks for c in a.configs):
            config = offer_donors(config)
        self.subject = Subject(config, self.skeleton, evaluator, max_images)
        self.boxes = self.subject.boxes
        self.blocks: list[Block] = cut(
            self.boxes.image_ids.tolist(), self.batch_size
        )
        self._info = dict(
            self.subject.info, model=model_name(runner.cfg), seed=seed
        )
        # hooks may ask for its length; it makes no crops
        super().__init__(
            runner, DataLoader(self.subject.dataset, self.batch_size)
        )

    def run(self) -> dict[str, int]:
        """Compute what is missing.

        Returns:
            Numbers of crops, attacks and forward passes.
        """
        runner = self.runner
        runner.call_hook('before_test')
        runner.call_hook('before_test_epoch')
        runner.model.eval()
        rank, processes = get_dist_info()
        lock: list[FolderLock] = []
        try:
            if not self.dry_run:
                on_main(lambda: lock.append(FolderLock(self.out)))
            path, work = on_main(self._open)
            predictor = Predictor(
                runner.model,
                len(self.skeleton.names),
                self._threads,
                self._fp16,
                self._options,
                self.profile,
            )
            if self.dry_run:
                if rank == 0:
                    self._estimate(predictor, work, processes)
            else:
                self.store = RunStore.open(path)
                phase = self.profile.phase('loop') if self.profile else None
                with phase or nullcontext():
                    self._compute(predictor, work[rank::processes], rank)
                    barrier()
        finally:
            for held in lock:
                held.release()
        self.total_passes = sum(gather(self.passes))
        if self.profile is not None:
            self.profile.gather()
            self.profile.facts.update(
                workers=self._num_workers,
                threads=predictor.threads,
                crops=len(self.boxes),
                attacks=len(self.attacks),
                passes=self.total_passes,
            )
        metrics = dict(
            crops=len(self.boxes),
            attacks=len(self.attacks),
            passes=self.total_passes,
        )
        runner.call_hook('after_test_epoch', metrics=metrics)
        runner.call_hook('after_test')
        return metrics

    def _open(self) -> tuple[Path, list[Work]]:
        """In the main process: the store, and what it lacks."""
        parts = self._depends_on()
        key = run_key(parts)
        path = self.out / 'store' / key
        if self.dry_run:
            known = self.resume and (path / 'run.json').is_file()
            stored = RunStore.open(path).stored() if known else {}
        else:
            info = dict(self._info, depends_on=parts)
            store = RunStore.create(
                self.out, key, info, self.blocks, self.subject.arrays
            )
            store.ask_for(
                [
                    dict(_as_dict(attack), key=key)
                    for attack, key in zip(
                        self.attacks, self.keys, strict=True
                    )
                ]
            )
            if not self.resume:
                store.forget()
            stored = store.stored(repair=True)
        unique = list(dict.fromkeys(self.keys))
        work = plan(self.blocks, unique, stored)
        kept = sum(
            len(stored.get(b.number, set()) & set(unique)) * len(b)
            for b in self.blocks
        )
        if kept:
            asked = len(unique) * len(self.boxes)
            self.runner.logger.info(
                f'{100 * kept / asked:.0f} % of what is asked for is '
                f'in "{path}" already.'
            )
        return path, work

    def _depends_on(self) -> dict[str, Any]:
        model = unwrapped(self.runner.model)
        return dict(
            format=FORMAT,
            weights=digest_of_weights(model),
            config=config_part(
                self.runner.cfg,
                [*self.subject.before, *self.subject.after],
            ),
            data=digest_of_arrays(self.subject.arrays),
            images=digest_of_images(self.subject.paths),
            seed=self.seed,
            **numerics(
                self.batch_size, device_of(model), self._options.chosen()
            ),
        )

    def _maker(self) -> CropMaker:
        by_key = dict(zip(self.keys, self.attacks, strict=True))
        names = self.skeleton.names
        return CropMaker(
            self.subject.dataset,
            self.subject.after,
            [Attack(attack.configs, self.seed) for attack in by_key.values()],
            {name: index for index, name in enumerate(names)},
            self.subject.order,
        )

    def _compute(
        self, predictor: Predictor, work: Sequence[Work], rank: int
    ) -> None:
        if not work:
            return
        assert self.store is not None
        say = self.runner.logger.info
        total = sum(w.units for w in work)
        progress = Progress(total, say) if rank == 0 else _quiet
        image_ids = self.boxes.image_ids
        batches = block_crops(
            self._maker(),
            work,
            image_ids,
            self._num_workers,
            self.profile,
        )
        with predictor:
            self.passes = compute(
                batches,
                list(dict.fromkeys(self.keys)),
                predictor,
                Recorder(self.store),
                len(self.skeleton.names),
                progress,
                self.profile.main if self.profile else NO_CLOCK,
            )

    def _estimate(
        self, predictor: Predictor, work: Sequence[Work], processes: int
    ) -> None:
        with predictor:
            found = estimate(
                self._maker(), predictor, work, self._num_workers, processes
            )
        print(found.sentence(len(self.boxes), len(self.attacks)))


def _quiet(units: int, passes: int) -> None:
    pass


def _plain_config(config: Any) -> dict:
    return config.to_dict() if hasattr(config, 'to_dict') else dict(config)


def _as_dict(attack: SuiteAttack) -> dict:
    return dict(
        name=attack.name,
        suite=attack.suite,
        configs=plain(attack.configs),
        details=plain(attack.details),
    )
