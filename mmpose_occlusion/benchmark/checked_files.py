"""A detector's boxes for the people of an annotation file, and the images of
these, read and checked."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion.errors import DataError
from mmpose_occlusion.files import read_json
from mmpose_occlusion.metrics.annotations import IOU_THRESHOLD, overlaps

from .annotation_file import Annotations
from .faults import (
    NOTED,
    Faults,
    UnusableError,
    as_dict,
    fault_of_box,
    is_finite,
)


def read_detections(
    path: str | Path, annotations: Annotations
) -> tuple[list[dict[str, Any]], Faults]:
    """Read a list of boxes as COCO's results have them, of the annotations'
    images and people; returns those that can be used, each with ``image_id``,
    ``bbox`` (xywh), ``score`` and ``category_id`` 1, and the faults.

    Raises:
        UsageError: It cannot be opened.
        DataError: None of them can be used.
    """
    raw, faults = read_json(path, 'detection file'), Faults()
    if not isinstance(raw, list):
        raise DataError(
            f'detection file "{path}" holds a {type(raw).__name__}, and it '
            'should be a list of dict(image_id=..., bbox=[x, y, w, h], '
            'score=...)'
        )
    found: list[dict[str, Any]] = []
    for i, each in enumerate(raw):
        with faults.entry(f'$[{i}]') as say:
            entry = as_dict(each)
            image = annotations.image_of(entry, say)
            if image is None:
                continue
            box: Any = entry.get('bbox')
            score: Any = entry.get('score')
            if text := fault_of_box(box):
                raise UnusableError(text, '.bbox', box)
            if not is_finite(score):
                raise UnusableError('score is not a number', '.score', score)
            box = list(map(float, box))
            about = dict(image_id=image, category_id=1)
            found.append(dict(about, bbox=box, score=float(score)))
    if not found:
        why = faults.summary() or 'it is empty'
        raise DataError(
            f'detection file "{path}" has no box that can be used ({why}): '
            'write it again, or leave it out'
        )
    _note_corners(faults, annotations, found)
    return found, faults


def _note_corners(
    faults: Faults, annotations: Annotations, found: list[dict[str, Any]]
) -> None:
    """Note boxes of which few match a person unless read as corners."""
    groups: dict[int, tuple[list, list]] = defaultdict(lambda: ([], []))
    for side, entries in enumerate((annotations.people, found)):
        for entry in entries:
            groups[entry['image_id']][side].append(entry['bbox'])
    matched = np.zeros(2, int)
    for people, boxes in groups.values():
        for i, read in enumerate((corners_of(boxes), np.array(boxes))):
            iou = overlaps(read, corners_of(people))
            matched[i] += (iou >= IOU_THRESHOLD).any(axis=1).sum()
    if 2 * matched[0] < len(found) < 2 * matched[1]:
        faults.add(
            '$[].bbox',
            f'{matched[0]:,} of {len(found):,} boxes match an annotated '
            f'person: read as corners x1, y1, x2, y2, {matched[1]:,} do, and '
            'they are read as x, y, width, height, as COCO has them',
            effect=NOTED,
        )


def corners_of(boxes: list) -> np.ndarray:
    """``(N, 4)`` xyxy of N boxes xywh."""
    out = np.array(boxes, float).reshape(-1, 4)
    out[:, 2:] += out[:, :2]
    return out


def check_images(
    annotations: Annotations,
    folder: str | Path,
    decode: bool = False,
    skip: bool = True,
) -> dict[int, Path]:
    """Find the images below a folder; returns id -> path of those that can
    be used.

    Args:
        annotations: Its faults get those of the images; images without width
            and height get them.
        folder: That the file names are below.
        decode: Whether to decode each one, which finds damaged files, instead
            of those without width and height alone.
        skip: Whether unreadable images are left out.

    Raises:
        DataError: None can be used; or, without ``skip``, one cannot.
    """
    paths, faults = {}, Faults()
    for key, image in annotations.images.items():
        path = Path(folder) / image['file_name']
        with faults.entry(str(path)) as say:
            _check_there(path)
            given = image['height'], image['width']
            if decode or None in given:
                size = _decoded_size(path)
                if size != given and None not in given:
                    text = 'an image has another size than the file says'
                    say(f'{text}: its own is taken')
                image['height'], image['width'] = size
            paths[key] = path
    if not paths or (faults.losses and not skip):
        raise DataError(
            f'{"not all" if paths else "none"} of the images of '
            f'"{annotations.path}" in folder "{folder}" can be used '
            f'({faults.summary()}): give the folder that the file names are '
            'below, replace them, or leave them out with --skip-unreadable'
        )
    annotations.faults.extend(faults)
    return paths


def _check_there(path: Path) -> None:
    if not path.is_file():
        what = 'a link to nothing' if path.is_symlink() else 'missing'
        what = 'a folder' if path.is_dir() else what
        raise UnusableError(f'an image is {what}')
    if not path.stat().st_size:
        raise UnusableError('an image is an empty file')


def _decoded_size(path: Path) -> tuple[int, ...]:
    """Height and width."""
    pixels: Any = cv2.imread(str(path))
    content = path.read_bytes()
    # OpenCV may not say that the end is missing
    ends = {b'\xff\xd8': b'\xff\xd9', b'\x89P': b'IEND'}
    if pixels is None or ends.get(content[:2], b'') not in content[-4096:]:
        raise UnusableError('an image cannot be decoded completely')
    return pixels.shape[:2]
