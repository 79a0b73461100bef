"""The benchmark of any predictor on whole images."""

import logging
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.sigmas import UNPUBLISHED
from mmpose_occlusion.predictors.joint_names import joint_mapping
from mmpose_occlusion.predictors.protocol import (
    Predictor,
)
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.version import __version__

from .annotation_file import Annotations, read_annotations
from .data import UNMATCHED, BenchmarkRun, to_arrays
from .detections_file import check_images, read_detections
from .identity import (
    digest_of_arrays,
    digest_of_images,
    digest_of_sources,
    key_of,
)
from .image_attacks import ImageAttack
from .image_loop import ImageLoop
from .image_people import (
    ImagePeople,
    count_found,
    image_people,
)
from .runs import load_run
from .store import FORMAT, RunStore
from .suite import SuiteAttack, load_suites
from .work import IMAGE_DIGESTS, Work, acquire, folder_lock, plan

ALL, ONE = 'all', 'one'
"""Whom an attack on a whole-image predictor's image acts on at once."""

BLOCK_IMAGES = 16
BATCH_IMAGES = 16

FRAME = (192, 256)
"""Aspect ratio of the region around a bbox that painted pixels are a fraction
of, and whose area NMS takes; MMPose's usual crop."""

_LOG = logging.getLogger(__name__)


def run_predictor(
    predictor: Predictor,
    annotations: str | Path,
    images: str | Path,
    *,
    out: str | Path,
    suites: Sequence[str] = (),
    attacks: Sequence[str] = (),
    people: str = ALL,
    seed: int = 0,
    resume: bool = True,
    max_images: int | None = None,
    detections: str | Path | None = None,
    batch_size: int | None = None,
    dry_run: bool = False,
    skip_unreadable: bool = False,
    log: Callable[[str], object] = _LOG.info,
) -> BenchmarkRun | None:
    """Predict images clean and under attacks, into a benchmark's folder.

    A top-down predictor gets a bbox and the image in which the person of
    that bbox alone is attacked. A whole-image predictor gets the image; its
    poses are matched to the annotated people by OKS, see
    :func:`.image_people.match_people`.

    Args:
        predictor: The model.
        annotations: COCO-style file of people with keypoints.
        images: Folder that its file names are below.
        out: Folder of the benchmark.
        suites: Names of suites, or ``.json`` files.
        attacks: Short forms of further attacks.
        people: Whom an image pass of a whole-image predictor attacks: 'all'
            people at once, or 'one', with a pass for each.
        seed: Of the attacks' random draws.
        resume: False computes everything again.
        max_images: Use the first images only.
        detections: COCO results file of a detector, whose bboxes a top-down
            predictor gets in place of the annotated ones.
        batch_size: Images of one call of the predictor at most.
        dry_run: Only log how many predictions are missing at most.
        skip_unreadable: Leave out images that cannot be read.
        log: Called with lines of progress.

    Returns:
        The run; None for a dry run.

    Raises:
        UsageError: A file or an attack does not fit, another run works in
            the folder, or the predictor fails; finished blocks stay.
    """
    start = time.time()
    if people not in (ALL, ONE):
        raise UsageError(f'people is "{people}": write {ALL} or {ONE}')
    if detections is not None and not predictor.needs_boxes:
        raise UsageError(
            f'predictor "{predictor.name}" finds people by itself and takes '
            'no bboxes: leave out the detections'
        )
    setup = _Setup(
        predictor,
        read_annotations(annotations),
        Path(images),
        (suites, attacks),
        people,
        seed,
        None if detections is None else str(detections),
        max_images,
        batch_size or BATCH_IMAGES,
        skip_unreadable,
        log,
    )
    lock = folder_lock(out)
    if not dry_run:
        acquire(lock, out)
    try:
        store, work = setup.open(Path(out), resume, dry_run)
        if store is None:
            units = sum(w.units for w in work)
            log(f'At most {units:,} predictions of a person are missing.')
            return None
        passes = setup.loop.compute(store, work, log)
        store = RunStore.open(store.path)
        run = load_run(store, [a.name for a in setup.suite])
        facts = {**_command(), **setup.facts(load_run(store), passes, start)}
        store.note(facts)
        return replace(run, run={**run.run, **facts})
    finally:
        lock.release()


class _Setup:
    """A predictor, its data and the attacks."""

    def __init__(
        self,
        predictor: Predictor,
        annotations: Annotations,
        folder: Path,
        requested: tuple[Sequence[str], Sequence[str]],
        people: str,
        seed: int,
        detections: str | None,
        max_images: int | None,
        batch_size: int,
        skip_unreadable: bool,
        log: Callable[[str], object],
    ) -> None:
        self.predictor, self.seed, self.log = predictor, seed, log
        self.batch_size = batch_size
        self.whole_image = not predictor.needs_boxes
        self.one = people == ONE or not self.whole_image
        names = annotations.joints
        self.suite: list[SuiteAttack] = load_suites(
            *requested, Skeleton.from_names(tuple(names))
        )
        attacks_of_key = {
            a.key: ImageAttack(a, seed, annotations.links) for a in self.suite
        }
        self.mapping = joint_mapping(
            predictor.keypoint_names, names, f'predictor "{predictor.name}"'
        )
        paths = check_images(annotations, folder, True, skip_unreadable)
        found = (
            None
            if detections is None
            else read_detections(detections, annotations)
        )
        for fault in [*annotations.faults, *(found.faults if found else ())]:
            log(fault.sentence())
        self.data: ImagePeople = image_people(
            annotations,
            paths,
            self.mapping >= 0,
            self.whole_image,
            found,
            max_images,
        )
        self.source = dict(
            annotations=annotations.path,
            images=str(folder),
            detections=detections,
        )
        self.recipe = dict(
            kind='images',
            **{k: v and os.path.abspath(v) for k, v in self.source.items()},
            compared=(self.mapping >= 0).tolist(),
            whole_image=self.whole_image,
            max_images=max_images,
        )
        self.loop = ImageLoop(
            predictor,
            self.data,
            attacks_of_key,
            self.mapping,
            self.one,
            self.batch_size,
        )

    def open(
        self, out: Path, resume: bool, dry_run: bool
    ) -> tuple[RunStore | None, list[Work]]:
        """The run's part of the folder, and what it lacks; no store for a
        dry run."""
        arrays = to_arrays(self.data.boxes, self.data.people)
        blocks = self.data.blocks(BLOCK_IMAGES)
        parts = dict(
            format=FORMAT,
            predictor=self.predictor.identity(),
            joints=list(self.predictor.keypoint_names),
            data=digest_of_arrays(arrays),
            images=digest_of_images(
                map(str, self.data.paths.values()),
                out / 'store' / IMAGE_DIGESTS,
                save=not dry_run,
            ),
            people=ONE if self.one else ALL,
            seed=self.seed,
            batch_size=self.batch_size,
            sources=digest_of_sources(),
            versions=dict(opencv=cv2.__version__, numpy=np.__version__),
        )
        key = key_of(parts)
        path = out / 'store' / key
        if dry_run:
            known = resume and (path / 'run.json').is_file()
            stored = RunStore.open(path).stored() if known else {}
            return None, plan(blocks, list(self.loop.attacks), stored)
        info = dict(
            model=self.predictor.name,
            data='/'.join(
                Path(str(self.source['annotations']))
                .with_suffix('')
                .parts[-2:]
            ),
            joints=self.data.joints.to_json(),
            evaluation=self.evaluation,
            crop_size=list(FRAME),
            seed=self.seed,
            dataset=self.recipe,
            depends_on=parts,
        )
        store = RunStore.create(out, key, info, blocks, arrays)
        store.request([attack.to_json() for attack in self.suite])
        if not resume:
            store.forget()
        stored = store.stored(repair=True)
        return store, plan(blocks, list(self.loop.attacks), stored)

    @property
    def evaluation(self) -> dict[str, Any]:
        """As MMPose's CocoMetric has it for top-down models by default, and
        for whole-image models COCO's own."""
        out: dict[str, Any] = dict(metric='CocoMetric', frame='image')
        if self.whole_image:
            return dict(out, score_mode='bbox', nms_mode='none')
        return dict(
            out,
            score_mode='bbox_keypoint',
            keypoint_score_thr=0.2,
            nms_mode='oks_nms',
            nms_thr=0.9,
        )

    def facts(
        self, run: BenchmarkRun, passes: int, start: float
    ) -> dict[str, Any]:
        """Facts about the run, for the store and the report."""
        names = np.array(self.data.joints.names)
        missing = names[self.mapping < 0].tolist()
        out: dict[str, Any] = dict(
            predictor=self.predictor.name,
            identity=self.predictor.identity(),
            people=len(set(run.boxes.instance_ids.tolist()) - {UNMATCHED}),
            attacked=(
                'one person an image pass'
                if self.one
                else 'all people of an image at once'
            ),
            joints_compared=', '.join(names[self.mapping >= 0]),
            joints_missing=', '.join(missing) or 'none',
            sigmas=self.data.sigmas_of or f'none published: {UNPUBLISHED}',
            **{k: v for k, v in self.source.items() if v is not None},
            started=time.strftime(
                '%Y-%m-%dT%H:%M:%S%z', time.localtime(start)
            ),
            seconds=round(time.time() - start, 1),
            forward_passes=passes,
        )
        if self.whole_image:
            out['people_found'] = count_found(run)
        return out


def _command() -> dict[str, Any]:
    return dict(
        command=shlex.join(['python', *sys.argv]),
        versions=dict(
            mmpose_occlusion=__version__,
            opencv=cv2.__version__,
            numpy=np.__version__,
            python=platform.python_version(),
        ),
    )
