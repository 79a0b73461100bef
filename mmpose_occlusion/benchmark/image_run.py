"""The benchmark of any predictor on whole images."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.oks import UNPUBLISHED
from mmpose_occlusion.predictors.protocol import Predictor, joint_mapping
from mmpose_occlusion.skeleton import Skeleton

from .annotation_file import Annotations, read_annotations
from .data import UNMATCHED, BenchmarkRun, load_run, to_arrays
from .detections_file import check_images, read_detections
from .identity import digest_of_arrays, digest_of_images, digest_of_sources
from .image_attacks import PADDING, PLACED, ImageAttack
from .image_loop import ImageLoop
from .image_people import ImagePeople, count_found, image_people
from .image_workers import compute_in_processes
from .image_worst_case import WorstCaseLoop, WorstCaseSearch
from .store import FORMAT, RunStore
from .suite import SuiteAttack, load_suites
from .work import IMAGE_DIGESTS, Recorder, command_facts, hold, open_run

if TYPE_CHECKING:
    from .report.cases import Case, CaseImages

ALL, ONE = 'all', 'one'
"""Whom an attack on a whole-image predictor's image acts on at once."""

BLOCK_IMAGES = 16
BATCH_IMAGES = 16

FRAME = (192, 256)
"""Aspect ratio of the region around a bbox that painted pixels are a fraction
of, and whose area NMS takes; MMPose's usual crop."""

CASE_HEIGHT = 256
"""Of a case's image in pixels."""


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
    num_workers: int | None = None,
    timeout: float | None = None,
    load: Callable[[], Predictor] | None = None,
    skip_unreadable: bool = False,
    search: WorstCaseSearch | None = None,
    log: Callable[[str], object] = print,
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
        detections: COCO results file of a detector, whose bboxes a top-down
            predictor gets in place of the annotated ones.
        load: Makes the predictor in other processes; by default it is
            pickled.
        out, suites, attacks, people, seed, resume, max_images, batch_size,
        dry_run, num_workers, timeout, skip_unreadable, search, log:
            See :func:`.api.run_benchmark`.

    Returns:
        The run; None for a dry run.

    Raises:
        UsageError: A file or an attack does not fit, another run works in
            the folder, or the predictor fails; finished blocks stay.
    """
    start, out = time.time(), Path(out)
    if people not in (ALL, ONE):
        raise UsageError(f'people is "{people}": write {ALL} or {ONE}')
    if detections is not None and not predictor.needs_boxes:
        raise UsageError(
            f'predictor "{predictor.name}" finds people by itself and takes '
            'no bboxes: leave out the detections'
        )
    read = read_annotations(annotations)
    skeleton = Skeleton.from_names(tuple(read.joints))
    if search is None:
        suite = load_suites(suites, attacks, skeleton)
    else:
        suite = search.suite(skeleton)
    effects = {a.key: ImageAttack(a, seed, read.links) for a in suite}
    mapping = joint_mapping(
        predictor.keypoint_names, read.joints, f'predictor "{predictor.name}"'
    )
    source = dict(
        annotations=str(read.path),
        images=str(images),
        detections=None if detections is None else str(detections),
    )
    recipe = dict(
        kind='images',
        **{k: v and os.path.abspath(v) for k, v in source.items()},
        compared=(mapping >= 0).tolist(),
        whole_image=not predictor.needs_boxes,
        max_images=max_images,
    )
    data = _people(read, recipe, log, skip_unreadable)
    one = people == ONE or predictor.needs_boxes or search is not None
    size = batch_size or BATCH_IMAGES
    kind: type[ImageLoop] = ImageLoop
    more: dict[str, Any] = {}
    if search is not None:
        search = search.within_budget(data, log)
        suite = search.suite(skeleton)
        effects = {a.key: ImageAttack(a, seed, read.links) for a in suite}
        names = [a.name for a in suite]
        kind, more = WorstCaseLoop, dict(search=search, names=names, seed=seed)
    loop = kind(predictor, data, effects, mapping, one, size, **more)
    lock = None if dry_run else hold(out)
    try:
        arrays = to_arrays(data.boxes, data.people)
        info = dict(
            model=predictor.name,
            data='/'.join(Path(read.path).with_suffix('').parts[-2:]),
            joints=data.joints.to_json(),
            evaluation=_evaluation(loop.whole_image),
            crop_size=list(FRAME),
            seed=seed,
            dataset=recipe,
            depends_on=dict(
                format=FORMAT,
                predictor=predictor.identity(),
                joints=list(predictor.keypoint_names),
                data=digest_of_arrays(arrays),
                images=digest_of_images(
                    map(str, data.paths.values()),
                    out / 'store' / IMAGE_DIGESTS,
                    save=not dry_run,
                ),
                people=ONE if one else ALL,
                seed=seed,
                batch_size=size,
                sources=digest_of_sources(),
                versions=dict(opencv=cv2.__version__, numpy=np.__version__),
                # blocks of another size
                **(dict(search=PLACED) if search else {}),
            ),
        )
        blocks = data.blocks(1 if search else BLOCK_IMAGES)
        path, work = open_run(
            out, info, blocks, arrays, suite, resume, dry_run, log
        )
        if dry_run:
            passes, each = loop.estimate(work)
            left = timedelta(seconds=round(passes * each))
            log(
                f'These are at most {passes:,} forward passes, about {left} '
                'in one process at the speed of the first image.'
            )
            return None
        store = RunStore.open(path)
        with Recorder(store, work, log) as recorder:
            if num_workers or timeout is not None:
                compute_in_processes(
                    loop,
                    load or partial(_same, predictor),
                    num_workers or 1,
                    timeout,
                    work,
                    recorder,
                )
            else:
                loop.compute(work, recorder)
        facts = _facts(loop, load_run(store), source)
        if search is not None:
            facts.update(search=dict(vars(search), places=None))
        facts.update(forward_passes=recorder.passes, **command_facts(start))
        store.note(facts)
        run = load_run(store, [a.name for a in suite])
        return replace(run, run={**run.run, **facts})
    finally:
        if lock is not None:
            lock.release()


def _same(predictor: Predictor) -> Predictor:
    return predictor


def _people(
    annotations: Annotations,
    recipe: dict[str, Any],
    log: Callable[[str], object] | None = None,
    skip_unreadable: bool = False,
) -> ImagePeople:
    """The rows of a run with a ``dataset``.

    Faults of the files are logged; images are then decoded.
    """
    paths = check_images(
        annotations, Path(recipe['images']), log is not None, skip_unreadable
    )
    found = recipe['detections'] and read_detections(
        recipe['detections'], annotations
    )
    for fault in [*annotations.faults, *(found.faults if found else ())]:
        if log is not None:
            log(fault.sentence())
    return image_people(
        annotations,
        paths,
        np.array(recipe['compared']),
        recipe['whole_image'],
        found,
        recipe['max_images'],
    )


def _evaluation(whole_image: bool) -> dict[str, Any]:
    """As MMPose's CocoMetric has it for top-down models by default, and for
    whole-image models COCO's own."""
    out: dict[str, Any] = dict(metric='CocoMetric', frame='image')
    if whole_image:
        return dict(out, score_mode='bbox', nms_mode='none')
    return dict(
        out,
        score_mode='bbox_keypoint',
        keypoint_score_thr=0.2,
        nms_mode='oks_nms',
        nms_thr=0.9,
    )


def _facts(
    loop: ImageLoop, run: BenchmarkRun, source: dict[str, Any]
) -> dict[str, Any]:
    """Facts about a run, for the store and the report."""
    names = np.array(loop.data.joints.names)
    missing = ', '.join(names[loop.mapping < 0])
    out: dict[str, Any] = dict(
        predictor=loop.predictor.name,
        identity=loop.predictor.identity(),
        people=len(set(run.boxes.instance_ids.tolist()) - {UNMATCHED}),
        attacked='one person an image pass'
        if loop.one
        else 'all people of an image at once',
        joints_compared=', '.join(names[loop.mapping >= 0]),
        joints_missing=missing or 'none',
        sigmas=loop.data.sigmas_of or f'none published: {UNPUBLISHED}',
        **{k: v for k, v in source.items() if v is not None},
    )
    if loop.whole_image:
        out['people_found'] = count_found(run)
    return out


def case_images(
    run: BenchmarkRun, cases: 'Sequence[Case]'
) -> 'dict[Case, CaseImages]':
    """The region around the person of each case, clean and attacked.

    Args:
        run: Of :func:`run_predictor`.
        cases: Of the run.

    Raises:
        LookupError: A file is missing or has changed; the message names it.
    """
    from .report.cases import CaseImages

    try:
        annotations = read_annotations(run.dataset['annotations'])
        data = _people(annotations, run.dataset)
    except UsageError as error:
        raise LookupError(str(error)) from error
    same = np.array_equal(data.boxes.boxes, run.boxes.boxes, equal_nan=True)
    if not same:
        raise LookupError('the data set has changed since the predictions')
    attacks = {attack.name: attack for attack in run.attacks}
    out = {}
    for case in cases:
        image = cv2.imread(str(data.paths[case.image_id]))
        person = None if image is None else data.person(case.row, image.shape)
        raw = data.annotations[case.row]
        if image is None or person is None or raw is None:
            raise LookupError(f'image {case.image_id} cannot be read again')
        config = attacks[case.attack].config
        configs = tuple(config) if isinstance(config, list) else (config,)
        attack = ImageAttack(
            SuiteAttack(case.attack, '', configs), run.seed, run.joints.links
        )
        box, painted = data.boxes.person_boxes[case.row], image.copy()
        at = None
        if configs[0].get('type') == PLACED:
            centres = attacks[case.attack].centres
            at = None if centres is None else tuple(centres[case.row].tolist())
        attack.on(image, image.copy(), person, box, raw, at).paint(painted)
        warp, size = _warp(box)
        clean, attacked = (
            cv2.warpAffine(pixels, warp, size) for pixels in (image, painted)
        )
        out[case] = CaseImages(clean, attacked, warp)
    return out


def _warp(box: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """From the image to a padded bbox, and its (width, height)."""
    center = (box[:2] + box[2:]) / 2
    extent = np.maximum(PADDING * (box[2:] - box[:2]), 1)
    zoom = CASE_HEIGHT / extent[1]
    width = int(
        np.clip(round(zoom * extent[0]), CASE_HEIGHT // 2, 2 * CASE_HEIGHT)
    )
    warp = np.array([[zoom, 0, 0], [0, zoom, 0]])
    warp[:, 2] = np.array([width, CASE_HEIGHT]) / 2 - zoom * center
    return warp, (width, CASE_HEIGHT)
