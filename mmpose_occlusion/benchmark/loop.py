"""The benchmark as a test loop of MMEngine's runner."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import barrier, broadcast_object_list, get_dist_info
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import DATASETS, LOOPS
from torch.utils.data import DataLoader

from mmpose_occlusion.attacks import (
    CROP,
    makes_crop,
    needs_donors,
    split_pipeline,
)
from mmpose_occlusion.datasets import match_detections, offer_donors
from mmpose_occlusion.engine.attack import PARTS_KEY
from mmpose_occlusion.engine.config import metainfo_of
from mmpose_occlusion.engine.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .blocks import Block, cut, order_by_image
from .compute import Recorder, Work, block_crops, compute, plan
from .estimate import estimate
from .identity import (
    attack_key,
    config_part,
    digest_of_arrays,
    digest_of_images,
    digest_of_weights,
    numerics,
    plain,
    run_key,
)
from .lock import FolderLock
from .predict import Predictor, device_of, unwrapped
from .progress import Progress
from .store import FORMAT, RunStore
from .suite import SuiteAttack, load_suites
from .truth import (
    check_dataset,
    coco_people,
    describe_joints,
    describe_metric,
    infos_of,
    make_boxes,
    read_people,
    to_arrays,
)
from .views import Attack, CropMaker

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
        fp16: Compute in mixed precision.
        threads: See :class:`.predict.Predictor`.

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
        self.passes = self.total_passes = 0
        self._fp16 = fp16
        self._threads = threads
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
        source = config.get('dataset', config)
        self._before, self._after = _split(source)
        source['pipeline'] = self._before
        self.dataset = DATASETS.build(config)
        check_dataset(self.dataset)
        # hooks may ask for its length; it makes no crops
        super().__init__(runner, DataLoader(self.dataset, self.batch_size))
        self._read_data(runner.cfg, source, max_images, evaluator)

    def _read_data(
        self,
        cfg: Config,
        config: Mapping,
        max_images: int | None,
        evaluator: Any,
    ) -> None:
        """Boxes, people, joints and blocks."""
        metainfo = self.dataset.metainfo
        evaluation = describe_metric(evaluator)
        infos = infos_of(self.dataset)
        order = order_by_image(np.array([i['img_id'] for i in infos]))
        infos = [infos[i] for i in order]
        if max_images is not None:
            ids = list(dict.fromkeys(i['img_id'] for i in infos))
            chosen = set(ids[:max_images])
            infos = [i for i in infos if i['img_id'] in chosen]
        if not infos:
            raise UsageError(
                'the test data has no crop: check test_dataloader.dataset '
                'and --max-images'
            )
        self._order = order[: len(infos)]
        self._paths = [info['img_path'] for info in infos]
        joints = len(self.skeleton.names)
        people = read_people(config)
        boxes = make_boxes(infos, people, joints)
        if max_images is not None or config.get('indices') is not None:
            here = set(boxes.image_ids.tolist())
            people = {
                key: person
                for key, person in people.items()
                if person['img_id'] in here
            }
        self.boxes = boxes
        self._arrays = to_arrays(
            boxes,
            coco_people(
                people.values(), joints, evaluation.get('use_area', True)
            ),
        )
        self.blocks: list[Block] = cut(
            boxes.image_ids.tolist(), self.batch_size
        )
        self._info = dict(
            model=cfg.get('model_name') or Path(cfg.filename or 'model').stem,
            data=_name_of_data(metainfo, config),
            joints=describe_joints(metainfo, self.skeleton),
            evaluation=plain(evaluation),
            crop_size=[int(x) for x in _crop_size(self._before)],
            seed=self.seed,
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
                _on_main(lambda: lock.append(FolderLock(self.out)))
            path, work = _on_main(self._open)
            predictor = Predictor(
                runner.model,
                len(self.skeleton.names),
                self._threads,
                self._fp16,
            )
            if self.dry_run:
                if rank == 0:
                    self._estimate(predictor, work, processes)
            else:
                self.store = RunStore.open(path)
                self._compute(predictor, work[rank::processes], rank)
                barrier()
        finally:
            for held in lock:
                held.release()
        self.total_passes = _sum(self.passes)
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
                self.out, key, info, self.blocks, self._arrays
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
            config=config_part(self.runner.cfg, [*self._before, *self._after]),
            data=digest_of_arrays(self._arrays),
            images=digest_of_images(self._paths),
            seed=self.seed,
            **numerics(self.batch_size, device_of(model)),
        )

    def _maker(self) -> CropMaker:
        by_key = dict(zip(self.keys, self.attacks, strict=True))
        names = self.skeleton.names
        return CropMaker(
            self.dataset,
            self._after,
            [Attack(attack.configs, self.seed) for attack in by_key.values()],
            {name: index for index, name in enumerate(names)},
            self._order,
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
            self._maker(), work, image_ids, self._num_workers
        )
        with predictor:
            self.passes = compute(
                batches,
                list(dict.fromkeys(self.keys)),
                predictor,
                Recorder(self.store),
                len(self.skeleton.names),
                progress,
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


def _split(config: Mapping) -> tuple[list[dict], list[dict]]:
    """A test pipeline up to the crop, and the rest."""
    pipeline = config.get('pipeline') or []
    if not makes_crop(pipeline):
        raise UsageError(
            f'the test pipeline has no "{CROP}", so that there are no crops '
            'to attack: give the config of a top-down model'
        )
    try:
        return split_pipeline(pipeline)
    except ValueError as error:
        raise UsageError(f'test_dataloader.dataset: {error}') from error


def _crop_size(pipeline: Sequence[Mapping]) -> Sequence[int]:
    return next(
        step['input_size']
        for step in reversed(pipeline)
        if 'input_size' in step
    )


def _name_of_data(metainfo: Mapping, config: Mapping) -> str:
    stem = Path(config.get('ann_file') or '').stem
    return (
        f'{metainfo["dataset_name"]} ({stem})'
        if stem
        else str(metainfo['dataset_name'])
    )


def _as_dict(attack: SuiteAttack) -> dict:
    return dict(
        name=attack.name,
        suite=attack.suite,
        configs=plain(attack.configs),
        details=plain(attack.details),
    )


def _on_main(work: Callable[[], Any]) -> Any:
    """Do something in the main process; all get its result, or its error."""
    rank, _ = get_dist_info()
    outcome: list = [None, None]
    if rank == 0:
        try:
            outcome[0] = work()
        except UsageError as error:
            outcome[1] = str(error)
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise UsageError(outcome[1])
    return outcome[0]


def _sum(number: int) -> int:
    """Over all processes."""
    if not torch.distributed.is_initialized():
        return number
    counts: list = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(counts, number)
    return sum(counts)
