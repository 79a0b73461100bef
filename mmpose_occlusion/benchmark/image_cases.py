"""Images of a report's cases, of runs on whole images."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError

from .annotation_file import read_annotations
from .data import BenchmarkRun
from .detections_file import check_images, read_detections
from .image_attacks import PADDING, ImageAttack
from .image_people import image_people
from .report.cases import Case, CaseImages
from .suite import SuiteAttack

HEIGHT = 256
"""Of a case's image in pixels."""


def case_images(
    run: BenchmarkRun, cases: Sequence[Case]
) -> dict[Case, CaseImages]:
    """The region around the person of each case, clean and attacked.

    Args:
        run: Of :func:`.image_run.run_predictor`.
        cases: Of the run.

    Raises:
        LookupError: A file is missing or has changed; the message names it.
    """
    source = run.dataset
    try:
        annotations = read_annotations(source['annotations'])
        found = (
            read_detections(source['detections'], annotations)
            if source.get('detections')
            else None
        )
        data = image_people(
            annotations,
            check_images(annotations, Path(source['images'])),
            np.array(source['compared']),
            source['whole_image'],
            found,
            source['max_images'],
        )
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
        box = data.boxes.person_boxes[case.row]
        rgb = np.ascontiguousarray(image[..., ::-1])
        attack.on(image, image.copy(), person, box, raw).paint(rgb)
        warp, size = _warp(box)
        clean, attacked = (
            cv2.warpAffine(pixels, warp, size)
            for pixels in (image, np.ascontiguousarray(rgb[..., ::-1]))
        )
        out[case] = CaseImages(clean, attacked, warp)
    return out


def _warp(box: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """From the image to a padded bbox, and its (width, height)."""
    center = (box[:2] + box[2:]) / 2
    extent = np.maximum(PADDING * (box[2:] - box[:2]), 1)
    zoom = HEIGHT / extent[1]
    width = int(np.clip(round(zoom * extent[0]), HEIGHT // 2, 2 * HEIGHT))
    warp = np.array([[zoom, 0, 0], [0, zoom, 0]])
    warp[:, 2] = np.array([width, HEIGHT]) / 2 - zoom * center
    return warp, (width, HEIGHT)
