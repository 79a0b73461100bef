"""Files beside the annotations: a detector's boxes, and the images."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from mmpose_occlusion.errors import UsageError

from .annotation_fields import as_whole, is_number, kind_of, read_json
from .annotation_file import Annotations
from .faults import LEFT_OUT, NOTED, UNUSABLE, Faults


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
        UsageError: None of them can be used.
    """
    raw = read_json(path, 'detection file')
    if not isinstance(raw, list):
        raise UsageError(
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
            out.faults.add(where, 'its image_id is of no image', LEFT_OUT)
            continue
        box, score = entry.get('bbox'), entry.get('score')
        if (
            not isinstance(box, list)
            or len(box) != 4
            or not all(is_number(v) and math.isfinite(v) for v in box)
        ):
            out.faults.add(where, 'bbox is not four numbers', LEFT_OUT)
            continue
        if box[2] <= 0 or box[3] <= 0:
            out.faults.add(where, 'bbox is empty', LEFT_OUT)
            continue
        if not is_number(score) or not math.isfinite(score):
            out.faults.add(where, 'score is not a number', LEFT_OUT)
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
        why = '; '.join(f.sentence() for f in out.faults) or 'it is empty'
        raise UsageError(
            f'detection file "{path}" has no box that can be used ({why})'
        )
    return out


def _note_corners(detections: Detections, annotations: Annotations) -> None:
    """Boxes given as xyxy reach beyond their images when read as xywh."""
    beyond = known = 0
    for key, (x, y, w, h) in zip(
        detections.image_ids, detections.boxes, strict=True
    ):
        image = annotations.images[key]
        if image['width']:
            known += 1
            beyond += x + w > 1.1 * image['width'] and w > x and h > y
    if known and beyond > known / 3:
        detections.faults.add(
            '$[].bbox',
            f'{beyond:,} of {known:,} boxes reach far beyond their images',
            NOTED,
            'they look like corners x1, y1, x2, y2; COCO has x, y, width, '
            'height',
        )


def check_images(
    annotations: Annotations, folder: str | Path, decode: bool = False
) -> dict[int, Path]:
    """Find the images.

    Args:
        annotations: Its faults get those of the images.
        folder: That the file names are below.
        decode: Whether to decode each one, which finds truncated files.

    Returns:
        Image id -> path of those that can be used.
    """
    found = {}
    for key, image in annotations.images.items():
        path = Path(folder) / image['file_name']
        text = _fault_of(path)
        if text is None and decode:
            pixels = cv2.imread(str(path))
            if pixels is None:
                text = 'an image cannot be decoded'
            elif image['width'] and pixels.shape[:2] != (
                image['height'],
                image['width'],
            ):
                text = None
                annotations.faults.add(
                    str(path),
                    'an image has another size than the file says',
                    NOTED,
                    'the size of the image counts',
                )
        if text is None:
            found[key] = path
        else:
            annotations.faults.add(str(path), text, LEFT_OUT)
    if not found:
        annotations.faults.add(
            str(folder),
            'none of the images can be used',
            UNUSABLE,
            'give the folder that the file names are below',
        )
    return found


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
