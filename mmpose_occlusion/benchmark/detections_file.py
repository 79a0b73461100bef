"""Files beside the annotations: a detector's boxes, and the images."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion.errors import DataError
from mmpose_occlusion.metrics.annotations import IOU_THRESHOLD, overlaps

from .annotation_fields import (
    LEFT_OUT,
    Faults,
    as_whole,
    is_box,
    is_finite,
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
    rules: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
        (
            'image_id',
            'its image_id is of no image',
            lambda value: as_whole(value) in annotations.images,
        ),
        ('bbox', 'bbox is not four numbers', is_box),
        ('bbox', 'bbox has no width or height', lambda b: min(b[2:]) > 0),
        ('score', 'score is not a number', is_finite),
    )
    others = 0
    for i, entry in enumerate(raw):
        if not isinstance(entry, Mapping):
            out.faults.add(f'$[{i}]', 'a detection is no dict')
            continue
        if str(entry.get('category_id', wanted)) != str(wanted):
            others += 1
            continue
        for key, text, test in rules:
            if not test(entry.get(key)):
                value = entry.get(key)
                out.faults.add(f'$[{i}].{key}', text, value, LEFT_OUT)
                break
        else:
            out.image_ids.append(as_whole(entry['image_id']) or 0)
            out.boxes.append([float(v) for v in entry['bbox']])
            out.scores.append(float(entry['score']))
    if others:
        out.faults.note(
            '$',
            f'{others:,} detections are of other categories',
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
    people, boxes = defaultdict(list), defaultdict(list)
    for person in annotations.people:
        people[person['image_id']].append(person['bbox'])
    for image, box in zip(found.image_ids, found.boxes, strict=True):
        boxes[image].append(box)
    matched = np.zeros(2, int)
    for image in people.keys() & boxes.keys():
        true = _as_corners(people[image])
        written = np.array(boxes[image])
        for i, read in enumerate((_as_corners(written), written)):
            largest = overlaps(read, true).max(axis=1)
            matched[i] += (largest >= IOU_THRESHOLD).sum()
    number = len(found.boxes)
    if 2 * matched[0] < number < 2 * matched[1]:
        found.faults.note(
            '$[].bbox',
            f'{matched[0]:,} of {number:,} boxes match an annotated person',
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
        if not text and decode:
            pixels: Any = cv2.imread(str(path))
            if pixels is None or _is_cut(path):
                text = 'an image cannot be decoded completely'
            else:
                said = [image['height'], image['width']]
                if said not in ([None, None], list(pixels.shape[:2])):
                    annotations.faults.add(
                        str(path),
                        'an image has another size than the file says',
                    )
                image['height'], image['width'] = pixels.shape[:2]
        if not text:
            found[key] = path
            continue
        for each in (faults, annotations.faults):
            each.add(str(path), text)
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


def _fault_of(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return 'an image is a link to nothing'
    if path.is_dir():
        return 'an image is a folder'
    if not path.is_file():
        return 'an image does not exist'
    return '' if path.stat().st_size else 'an image is an empty file'
