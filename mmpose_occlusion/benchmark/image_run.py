"""The benchmark of any predictor on whole images."""

import os
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.oks_pck import UNPUBLISHED
from mmpose_occlusion.predictors.protocol import Predictor, joint_mapping
from mmpose_occlusion.skeleton import Skeleton

from .annotation_file import read_annotations
from .data import UNMATCHED, BenchmarkRun, load_run
from .effects import PADDING, PLACED, ImageAttack
from .image_loop import ALL, ONE, ImageLoop, ImageOptions
from .image_people import count_found, image_people
from .image_worst_case import WorstCaseLoop
from .store import Block, RunStore
from .suite import SuiteAttack, load_suites
from .work import Log, command_facts, compute_run

_FILES = ('annotations', 'images', 'detections')
CASE_HEIGHT = 256  # of a case's image in pixels


def run_predictor(
    predictor: Predictor,
    annotations: str | Path,
    images: str | Path,
    *,
    log: Log = print,
    **settings: Any,
) -> BenchmarkRun | None:
    """Predict images clean and under attacks, into a benchmark's folder; see
    :func:`.api.run_benchmark`, and :class:`.image_loop.ImageOptions` for the
    settings.

    A top-down predictor gets a bbox and the image in which the person of
    that bbox alone is attacked. A whole-image predictor gets the image; its
    poses are matched to the annotated people by OKS, see
    :func:`.image_people.match_people`.
    """
    start, options = time.time(), ImageOptions(**settings)
    who, search = f'predictor "{predictor.name}"', options.search
    if options.people not in (ALL, ONE):
        raise UsageError(f'people is "{options.people}": write {ALL} or {ONE}')
    if options.detections is not None and not predictor.needs_boxes:
        raise UsageError(
            f'{who} finds people by itself and takes no bboxes: leave out the '
            'detections'
        )
    read = read_annotations(annotations)
    skeleton = Skeleton(tuple(read.joints))
    mapping = joint_mapping(predictor.keypoint_names, read.joints, who)
    if search is None:
        suite = load_suites(options.suites, options.attacks, skeleton)
        for attack in suite:  # a mistake is told before images are read
            ImageAttack(attack, options.seed, read.links)
    boxes = options.detections
    recipe: dict[str, Any] = dict(
        kind='images',
        annotations=os.path.abspath(read.path),
        images=os.path.abspath(images),
        detections=None if boxes is None else os.path.abspath(boxes),
        compared=(mapping >= 0).tolist(),
        whole_image=not predictor.needs_boxes,
        max_images=options.max_images,
    )
    data = image_people(read, recipe, log, options.skip_unreadable)
    if search is not None:
        options.search = search.within_budget(data, log)
        suite = options.search.suite(skeleton)
    make = ImageLoop if search is None else WorstCaseLoop
    loop = make(data, suite, predictor, mapping, options)
    store, work, _ = compute_run(loop, options, log)
    if store is None:
        most, each = loop.estimate(work)
        log(
            f'These are at most {most:,} forward passes, about '
            f'{timedelta(seconds=round(most * each))} in one process at the '
            'speed of the first image.'
        )
        return None
    store.note(_facts(loop, store, start))
    return load_run(store, [attack.name for attack in suite])


def _facts(loop: ImageLoop, store: RunStore, start: float) -> dict[str, Any]:
    """What a finished command, begun at a time since the epoch, did."""
    run, recipe, one = load_run(store), loop.data.recipe, loop.one
    names, has = np.array(run.joints.names), loop.mapping >= 0
    facts = dict(
        predictor=run.model,
        identity=loop.predictor.identity(),
        people=len(set(run.boxes.instance_ids.tolist()) - {UNMATCHED}),
        attacked='one person an image pass'
        if one
        else 'all people of an image at once',
        joints_compared=', '.join(names[has]),
        joints_missing=', '.join(names[~has]) or 'none',
        sigmas=loop.data.sigmas_of or f'none published: {UNPUBLISHED}',
        **{key: recipe[key] for key in _FILES if recipe[key]},
        forward_passes=store.passes(),
        **command_facts(start),
    )
    if loop.whole_image:
        facts['people_found'] = count_found(run)
    if loop.options.search:
        facts['search'] = dict(vars(loop.options.search), places=None)
    return facts


def case_images(
    run: BenchmarkRun, people: Sequence[tuple[str, int]]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The ``report.cases.CaseImages`` of attacks and people of a run: the
    region around the person.

    Raises:
        LookupError: A file is missing or has changed; the message names it.
    """
    out = []
    try:
        read = read_annotations(run.dataset['annotations'])
        data = image_people(read, run.dataset)
        old = run.boxes.boxes
        if not np.array_equal(data.boxes.boxes, old, equal_nan=True):
            raise UsageError('the data set has changed since the predictions')
        attacks = {attack.name: attack for attack in run.attacks}
        for name, row in people:
            attack = attacks[name]
            point = None
            if attack.config.get('type') == PLACED:
                assert attack.centres is not None
                point = tuple(attack.centres[row].tolist())
            made = SuiteAttack(attack.name, '', attack.config)
            on_person = ImageAttack(made, run.seed, run.joints.links)
            block = Block(0, row, row + 1)
            (image,) = data.read(block)
            into = data.empty(block)
            (painted,) = image.attacked([row], on_person, into, point)
            warp, size = _warp(data.boxes.person_boxes[row])
            clean, attacked = (
                cv2.warpAffine(each, warp, size)
                for each in (image.pixels, painted.pixels)
            )
            out.append((clean, attacked, warp))
    except UsageError as error:
        raise LookupError(str(error)) from error
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
