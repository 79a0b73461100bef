"""Files beside the annotations: a detector's boxes, and the images."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion.errors import DataError
from mmpose_occlusion.metrics.annotations import IOU_THRESHOLD, overlaps

from .annotation_fields import (
    LEFT_OUT,
    NOTED,
    REPAIRED,
    Faults,
    as_whole,
    at,
    is_box,
    is_number,
    kind_of,
    read_json,
)
from .annotation_file import Annotations


@dataclass
class Detections:
    """A detector's boxes.

    Args:
        image_ids: N ids of known images.
        boxes: N boxes xywh.
        scores: N.
        faults: What was found.
    """

    image_ids: list[int] = field(default_factory=list)
    boxes: list[list[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)


def read_detections(
    path: str | Path, annotations: Annotations, category: int | None = None
) -> Detections:
    """Read a list of boxes as COCO's results have them.

    Args:
        path: Of the file.
        annotations: Whose images they are of.
        category: Of people in this file; that of the annotations by default.

    Raises:
        UsageError: It cannot be opened.
        DataError: None of them can be used.
    """
    raw = read_json(path, 'detection file')
    if not isinstance(raw, list):
        raise DataError(
            f'detection file "{path}" holds a {kind_of(raw)}, and it should '
            'be a list of dict(image_id=..., bbox=[x, y, w, h], score=...)'
        )
    out = Detections()
    wanted = annotations.category if category is None else category
    others = 0
    for i, entry in enumerate(raw):
        where = f'$[{i}]'
        if not isinstance(entry, Mapping):
            out.faults.add(where, 'a detection is no dict', LEFT_OUT)
            continue
        if str(entry.get('category_id', wanted)) != str(wanted):
            others += 1
            continue
        image = as_whole(entry.get('image_id'))
        if image not in annotations.images:
            out.faults.add(
                at(f'{where}.image_id', entry.get('image_id')),
                'its image_id is of no image',
                LEFT_OUT,
            )
            continue
        box, score = entry.get('bbox'), entry.get('score')
        if not is_box(box):
            out.faults.add(
                at(f'{where}.bbox', box), 'bbox is not four numbers', LEFT_OUT
            )
            continue
        if box[2] <= 0 or box[3] <= 0:
            out.faults.add(
                at(f'{where}.bbox', box),
                'bbox has no width or height',
                LEFT_OUT,
            )
            continue
        if not is_number(score) or not math.isfinite(score):
            out.faults.add(
                at(f'{where}.score', score),
                'score is not a number',
                LEFT_OUT,
            )
            continue
        assert image is not None
        out.image_ids.append(image)
        out.boxes.append([float(v) for v in box])
        out.scores.append(float(score))
    if others:
        out.faults.add(
            '$',
            f'{others:,} detections are of other categories',
            NOTED,
            'they are not used',
        )
    _note_corners(out, annotations)
    if not out.boxes:
        why = out.faults.summary() or 'it is empty'
        raise DataError(
            f'detection file "{path}" has no box that can be used ({why}): '
            'write it again, or leave it out'
        )
    return out


def _note_corners(found: Detections, annotations: Annotations) -> None:
    """Note boxes of which few match a person unless read as corners."""
    people: dict[int, list] = {}
    for person in annotations.people:
        people.setdefault(person['image_id'], []).append(person['bbox'])
    rows: dict[int, list[int]] = {}
    for row, image in enumerate(found.image_ids):
        rows.setdefault(image, []).append(row)
    matched = np.zeros(2, int)
    for image in people.keys() & rows.keys():
        written = np.array([found.boxes[row] for row in rows[image]])
        true = _as_corners(people[image])
        for i, boxes in enumerate((_as_corners(written), written)):
            largest = overlaps(boxes, true).max(axis=1)
            matched[i] += (largest >= IOU_THRESHOLD).sum()
    number = len(found.boxes)
    if 2 * matched[0] < number < 2 * matched[1]:
        found.faults.add(
            '$[].bbox',
            f'{matched[0]:,} of {number:,} boxes match an annotated person',
            NOTED,
            f'read as corners x1, y1, x2, y2, {matched[1]:,} do, and they '
            'are read as x, y, width, height, as COCO has them',
        )


def _as_corners(boxes: Any) -> np.ndarray:
    boxes = np.asarray(boxes, np.float64)
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def check_images(
    annotations: Annotations,
    folder: str | Path,
    decode: bool = False,
    skip: bool = True,
) -> dict[int, Path]:
    """Find the images.

    Args:
        annotations: Its faults get those of the images; images without width
            and height get them if they are decoded.
        folder: That the file names are below.
        decode: Whether to decode each one, which finds damaged files.
        skip: Whether unreadable images are left out.

    Returns:
        Image id -> path of those that can be used.

    Raises:
        DataError: None can be used; or, without ``skip``, one cannot.
    """
    found, faults = {}, Faults()
    for key, image in annotations.images.items():
        path = Path(folder) / image['file_name']
        text = _fault_of(path)
        if text is None and decode:
            pixels: Any = cv2.imread(str(path))
            said = [image['height'], image['width']]
            if pixels is None or _is_cut(path):
                text = 'an image cannot be decoded completely'
            elif said != [None, None] and said != list(pixels.shape[:2]):
                annotations.faults.add(
                    str(path),
                    'an image has another size than the file says',
                    REPAIRED,
                    'the size of the image is taken',
                )
            if text is None:
                image['height'], image['width'] = pixels.shape[:2]
        if text is None:
            found[key] = path
        else:
            for each in (faults, annotations.faults):
                each.add(str(path), text, LEFT_OUT)
    if not found:
        raise DataError(
            f'none of the images of "{annotations.path}" in folder '
            f'"{folder}" can be used ({faults.summary()}): give the folder '
            'that the file names are below'
        )
    if len(faults) and not skip:
        raise DataError(
            f'images of "{annotations.path}" cannot be used '
            f'({faults.summary()}): replace them, or leave them out with '
            '--skip-unreadable'
        )
    return found


def _is_cut(path: Path) -> bool:
    """Whether a JPEG or PNG file lacks its end, which OpenCV may not say."""
    with open(path, 'rb') as file:
        start = file.read(4)
        file.seek(max(0, path.stat().st_size - 4096))
        end = file.read()
    mark = {b'\xff\xd8': b'\xff\xd9', b'\x89P': b'IEND'}.get(start[:2])
    return mark is not None and mark not in end


def _fault_of(path: Path) -> str | None:
    if path.is_symlink() and not path.exists():
        return 'an image is a link to nothing'
    if path.is_dir():
        return 'an image is a folder'
    if not path.is_file():
        return 'an image does not exist'
    if not path.stat().st_size:
        return 'an image is an empty file'
    return None
