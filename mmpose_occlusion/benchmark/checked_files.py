"""Data files, checked: each kind of fault is said once, with examples.

A detector's boxes and the images beside a file of people are read here.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mmpose_occlusion.errors import DataError
from mmpose_occlusion.files import read_json
from mmpose_occlusion.metrics.annotations import IOU_THRESHOLD, overlaps

if TYPE_CHECKING:
    from .annotation_file import Annotations

MAX_ID = 2**53  # greatest whole number that JSON readers keep exactly
EXAMPLES = 3  # whose paths are shown, of each kind of fault


@dataclass
class Fault:
    """One kind of fault in a file: what is wrong and, after a colon, how it is
    repaired or can be mended; what is done about it (repaired, left out, or
    noted: used as it is), how often it occurs, and the JSON paths of the first
    ones."""

    text: str
    effect: str
    count: int = 0
    where: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """One line for the terminal."""
        what, colon, remedy = self.text.partition(': ')
        times = f'{self.count:,} x ' if self.count > 1 else ''
        more = ', ...' if self.count > len(self.where) else ''
        at = ', '.join(self.where) + more
        return f'{self.effect}: {times}{what} ({at}){colon}{remedy}'


class UnusableError(Exception):
    """Arguments of :meth:`Faults.add` for an entry that is left out."""


class Faults(list[Fault]):
    """Each kind once, in the order of their first occurrence."""

    def add(
        self,
        where: str,
        text: str,
        key: str = '',
        value: Any = None,
        effect: str = '',
    ) -> None:
        """Count one, repaired if the text has a remedy and else left out, at a
        JSON path and a key below it; the value is shown if it is not None."""
        effect = effect or ('repaired' if ': ' in text else 'left out')
        for fault in self:
            if (fault.text, fault.effect) == (text, effect):
                break
        else:
            fault = Fault(text, effect)
            self.append(fault)
        fault.count += 1
        if len(fault.where) < EXAMPLES:
            shown = '' if value is None else f' = {json.dumps(value)[:40]}'
            fault.where.append(where + key + shown)

    def note(self, where: str, text: str) -> None:
        """Count one that is used as it is."""
        self.add(where, text, effect='noted')

    @property
    def losses(self) -> list[Fault]:
        """The kinds that leave something out."""
        return [fault for fault in self if fault.effect == 'left out']

    def summary(self) -> str:
        """The kinds that leave something out, or else all, in a clause."""
        return '; '.join(f.sentence() for f in self.losses or self)

    def read(self, entries: list, where: str, read: Callable) -> list[Any]:
        """What ``read(entry, path)`` makes of each usable entry of a list,
        where it is not None."""
        out = []
        for i, entry in enumerate(entries):
            at = f'{where}[{i}]'
            try:
                if not isinstance(entry, Mapping):
                    raise UnusableError('an entry is no dict')
                out.append(read(entry, at))
            except UnusableError as error:
                self.add(at, *error.args)
        return [made for made in out if made is not None]


def as_whole(value: Any) -> int | None:
    """A whole number, also from a text or a float."""
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def is_number(value: Any) -> bool:
    """Also NaN and infinite ones, but no whole number beyond floats."""
    return isinstance(value, float) or (
        isinstance(value, int) and abs(value) <= MAX_ID
    )


def is_finite(value: Any) -> bool:
    """Whether it is a finite number."""
    return is_number(value) and math.isfinite(value)


def is_box(value: Any) -> bool:
    """Whether it is a list of four finite numbers."""
    is_list = isinstance(value, list) and len(value) == 4
    return is_list and all(map(is_finite, value))


def fault_of_box(value: Any) -> str:
    """What is wrong with a bbox; empty if it can be used."""
    if is_box(value):
        return '' if min(value[2:]) > 0 else 'bbox has no width or height'
    return f'bbox is {"missing" if value is None else "not four numbers"}'


def kind_of(value: Any) -> str:
    """The JSON type of a value."""
    names = {list: 'list', dict: 'dict', str: 'text', type(None): 'null'}
    return names.get(type(value), type(value).__name__)


def read_detections(
    path: str | Path, annotations: 'Annotations'
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
            f'detection file "{path}" holds a {kind_of(raw)}, and it should '
            'be a list of dict(image_id=..., bbox=[x, y, w, h], score=...)'
        )

    def read(entry: Mapping, where: str) -> dict[str, Any] | None:
        image = annotations.image_of(entry, where, faults)
        if image is None:
            return None
        box: Any = entry.get('bbox')
        score: Any = entry.get('score')
        if text := fault_of_box(box):
            raise UnusableError(text, '.bbox', box)
        if not is_finite(score):
            raise UnusableError('score is not a number', '.score', score)
        found = dict(bbox=list(map(float, box)), score=float(score))
        return dict(found, image_id=image, category_id=1)

    found = faults.read(raw, '$', read)
    if not found:
        why = faults.summary() or 'it is empty'
        raise DataError(
            f'detection file "{path}" has no box that can be used ({why}): '
            'write it again, or leave it out'
        )
    _note_corners(faults, annotations, found)
    return found, faults


def _note_corners(
    faults: Faults, annotations: 'Annotations', found: list[dict[str, Any]]
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
        faults.note(
            '$[].bbox',
            f'{matched[0]:,} of {len(found):,} boxes match an annotated '
            f'person: read as corners x1, y1, x2, y2, {matched[1]:,} do, and '
            'they are read as x, y, width, height, as COCO has them',
        )


def corners_of(boxes: list) -> np.ndarray:
    """``(N, 4)`` xyxy of N boxes xywh."""
    out = np.array(boxes, float).reshape(-1, 4)
    out[:, 2:] += out[:, :2]
    return out


def check_images(
    annotations: 'Annotations',
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
        try:
            size = _size_of(path, decode or not image['width'])
        except UnusableError as error:
            faults.add(str(path), *error.args)
            continue
        paths[key] = path
        if size:
            given = image['height'] or size[0], image['width'] or size[1]
            if given != size:
                faults.add(
                    str(path),
                    'an image has another size than the file says: its own is '
                    'taken',
                )
            image['height'], image['width'] = size
    if not paths or (faults.losses and not skip):
        raise DataError(
            f'{"not all" if paths else "none"} of the images of '
            f'"{annotations.path}" in folder "{folder}" can be used '
            f'({faults.summary()}): give the folder that the file names are '
            'below, replace them, or leave them out with --skip-unreadable'
        )
    annotations.faults.extend(faults)
    return paths


def _size_of(path: Path, decode: bool) -> tuple[int, ...]:
    """Height and width of an image, empty if it is not decoded; or an
    UnusableError."""
    if not path.is_file():
        what = 'a link to nothing' if path.is_symlink() else 'missing'
        what = 'a folder' if path.is_dir() else what
        raise UnusableError(f'an image is {what}')
    if not path.stat().st_size:
        raise UnusableError('an image is an empty file')
    if not decode:
        return ()
    pixels: Any = cv2.imread(str(path))
    content = path.read_bytes()
    # OpenCV may not say that the end is missing
    ends = {b'\xff\xd8': b'\xff\xd9', b'\x89P': b'IEND'}
    if pixels is None or ends.get(content[:2], b'') not in content[-4096:]:
        raise UnusableError('an image cannot be decoded completely')
    return pixels.shape[:2]
