"""The benchmark of any predictor on whole images."""

import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.oks_pck import UNPUBLISHED
from mmpose_occlusion.predictors.protocol import Predictor, joint_mapping
from mmpose_occlusion.skeleton import Skeleton

from .annotation_file import Annotations, read_annotations
from .checked_files import check_images, read_detections
from .data import UNMATCHED, BenchmarkRun, load_run
from .effects import PADDING, PLACED, ImageAttack
from .image_loop import ImageLoop
from .image_people import ImagePeople, count_found, image_people
from .image_worst_case import WorstCaseLoop, WorstCaseSearch
from .suite import SuiteAttack, load_suites
from .work import Log, RunOptions, command_facts, compute_run

if TYPE_CHECKING:
    from .report.cases import Case, CaseImages

ALL, ONE = 'all', 'one'
"""Whom an attack on a whole-image predictor's image acts on at once."""

BLOCK_IMAGES, BATCH_IMAGES = 16, 16
FRAME = (192, 256)
"""Aspect ratio of the region around a bbox that painted pixels are a fraction
of, and whose area NMS takes; MMPose's usual crop."""

CASE_HEIGHT = 256  # of a case's image in pixels


def run_predictor(
    predictor: Predictor,
    annotations: str | Path,
    images: str | Path,
    *,
    people: str = ALL,
    detections: str | Path | None = None,
    num_workers: int | None = None,
    timeout: float | None = None,
    load: Callable[[], Predictor] | None = None,
    skip_unreadable: bool = False,
    search: WorstCaseSearch | None = None,
    log: Log = print,
    **others: Any,
) -> BenchmarkRun | None:
    """Predict images clean and under attacks, into a benchmark's folder; see
    :func:`.api.run_benchmark`.

    A top-down predictor gets a bbox and the image in which the person of
    that bbox alone is attacked. A whole-image predictor gets the image; its
    poses are matched to the annotated people by OKS, see
    :func:`.image_people.match_people`. ``load`` makes the predictor in other
    processes; by default it is pickled.
    """
    start, options = time.time(), RunOptions(**others)
    who = f'predictor "{predictor.name}"'
    whole_image = not predictor.needs_boxes
    if people not in (ALL, ONE):
        raise UsageError(f'people is "{people}": write {ALL} or {ONE}')
    if detections is not None and whole_image:
        raise UsageError(
            f'{who} finds people by itself and takes no bboxes: leave out the '
            'detections'
        )
    read = read_annotations(annotations)
    skeleton = Skeleton(tuple(read.joints))
    mapping = joint_mapping(predictor.keypoint_names, read.joints, who)
    source: dict[str, Any] = dict(
        annotations=str(read.path),
        images=str(images),
        detections=detections and str(detections),
    )
    recipe = dict(
        kind='images',
        **{k: path and os.path.abspath(path) for k, path in source.items()},
        compared=(mapping >= 0).tolist(),
        whole_image=whole_image,
        max_images=options.max_images,
    )
    if search is None:
        suite = load_suites(options.suites, options.attacks, skeleton)
        for attack in suite:  # a mistake is told before images are read
            ImageAttack(attack, options.seed, read.links)
    data = _people(read, recipe, log, skip_unreadable)
    make: Callable[..., ImageLoop] = ImageLoop
    if search is not None:
        search = search.within_budget(data, log)
        suite = search.suite(skeleton)
        make = partial(WorstCaseLoop, search=search)
    one = people == ONE or not whole_image or search is not None
    loop = make(
        predictor=predictor,
        data=data,
        attacks=suite,
        seed=options.seed,
        mapping=mapping,
        one=one,
        batch_size=options.batch_size or BATCH_IMAGES,
        block_images=1 if search else BLOCK_IMAGES,
        load=load,
        num_workers=num_workers or 0,
        timeout=timeout,
        identity=dict(
            predictor=predictor.identity(),
            joints=list(predictor.keypoint_names),
            people=ONE if one else ALL,
            versions=dict(opencv=cv2.__version__, numpy=np.__version__),
            # blocks of another size
            **(dict(search=search.name) if search else {}),
        ),
        info=dict(
            model=predictor.name,
            data='/'.join(Path(read.path).with_suffix('').parts[-2:]),
            joints=data.joints,
            evaluation=_evaluation(whole_image),
            crop_size=list(FRAME),
            dataset=recipe,
        ),
    )
    store, work, passes = compute_run(loop, options, log)
    if store is None:
        most, each = loop.estimate(work)
        log(
            f'These are at most {most:,} forward passes, about '
            f'{timedelta(seconds=round(most * each))} in one process at the '
            'speed of the first image.'
        )
        return None
    run, names = load_run(store), np.array(data.joints.names)
    facts = dict(
        predictor=predictor.name,
        identity=predictor.identity(),
        people=len(set(run.boxes.instance_ids.tolist()) - {UNMATCHED}),
        attacked='one person an image pass'
        if one
        else 'all people of an image at once',
        joints_compared=', '.join(names[mapping >= 0]),
        joints_missing=', '.join(names[mapping < 0]) or 'none',
        sigmas=data.sigmas_of or f'none published: {UNPUBLISHED}',
        **(dict(people_found=count_found(run)) if whole_image else {}),
        **{name: path for name, path in source.items() if path},
        **(dict(search=dict(vars(search), places=None)) if search else {}),
        forward_passes=passes,
        **command_facts(start),
    )
    store.note(facts)
    return load_run(store, [attack.name for attack in suite])


def _people(
    annotations: Annotations,
    recipe: dict[str, Any],
    log: Log | None = None,
    skip_unreadable: bool = False,
) -> ImagePeople:
    """The rows of a run with a ``dataset``. Faults of the files are logged;
    images are then decoded."""
    paths = check_images(
        annotations, Path(recipe['images']), log is not None, skip_unreadable
    )
    found = recipe['detections'] and read_detections(
        recipe['detections'], annotations
    )
    for fault in [*annotations.faults, *(found.faults if found else ())]:
        if log is not None:
            log(fault.sentence())
    who = np.array(recipe['compared']), recipe['whole_image']
    return image_people(annotations, paths, *who, found, recipe['max_images'])


def _evaluation(whole_image: bool) -> dict[str, Any]:
    """As MMPose's CocoMetric has it for top-down models by default, and for
    whole-image models COCO's own."""
    if whole_image:
        how: dict[str, Any] = dict(score_mode='bbox', nms_mode='none')
    else:
        how = dict(score_mode='bbox_keypoint', keypoint_score_thr=0.2)
        how |= dict(nms_mode='oks_nms', nms_thr=0.9)
    return dict(metric='CocoMetric', frame='image', **how)


def case_images(
    run: BenchmarkRun, cases: 'Sequence[Case]'
) -> 'dict[Case, CaseImages]':
    """The region around the person of each case of a run, clean and attacked.

    Raises:
        LookupError: A file is missing or has changed; the message names it.
    """
    from .report.cases import CaseImages

    try:
        read = read_annotations(run.dataset['annotations'])
        data = _people(read, run.dataset)
    except UsageError as error:
        raise LookupError(str(error)) from error
    if not np.array_equal(data.boxes.boxes, run.boxes.boxes, equal_nan=True):
        raise LookupError('the data set has changed since the predictions')
    attacks = {attack.name: attack for attack in run.attacks}
    out = {}
    for case in cases:
        image, found = cv2.imread(str(data.paths[case.image_id])), None
        if image is not None:
            found = data.person(case.row, image.shape)
        if image is None or found is None:
            raise LookupError(f'image {case.image_id} cannot be read again')
        attack, painted = attacks[case.attack], image.copy()
        centre = None
        if attack.config.get('type') == PLACED and attack.centres is not None:
            centre = tuple(attack.centres[case.row].tolist())
        made = SuiteAttack(case.attack, '', attack.config)
        on_person = ImageAttack(made, run.seed, run.joints.links).on
        raw = data.raw(case.row)
        on_person(image, image.copy(), found, raw, centre).paint(painted)
        warp, size = _warp(data.boxes.person_boxes[case.row])
        clean, attacked = (
            cv2.warpAffine(each, warp, size) for each in (image, painted)
        )
        out[case] = CaseImages(clean, attacked, warp)
    return out


def _warp(box: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """From the image to a padded bbox, and its (width, height)."""
    center = (box[:2] + box[2:]) / 2
    extent = np.maximum(PADDING * (box[2:] - box[:2]), 1)
    zoom, low = CASE_HEIGHT / extent[1], CASE_HEIGHT // 2
    width = int(np.clip(round(zoom * extent[0]), low, 2 * CASE_HEIGHT))
    warp = np.array([[zoom, 0, 0], [0, zoom, 0]])
    warp[:, 2] = np.array([width, CASE_HEIGHT]) / 2 - zoom * center
    return warp, (width, CASE_HEIGHT)
