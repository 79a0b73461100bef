"""What a data set's files hold, and whether they fit together.

Everything here reads files and says what it found; nothing is changed.
"""

import json
import os
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scipy.io import loadmat

from .zip_backend import SCHEME, Archive, split_path

OK = 'ok'
INCOMPLETE = 'incomplete'
BROKEN = 'broken'
MISSING = 'missing'


@dataclass(frozen=True)
class Finding:
    """The state of a file or folder: one of the four above, and why."""

    state: str
    words: str


@dataclass(frozen=True)
class Annotations:
    """What an annotation file says.

    Attributes:
        images: File names of the images.
        image_ids: Their ids; none in MPII's format.
        entries: Number of people listed.
        people: Of those, people with at least one labelled joint.
    """

    images: frozenset[str]
    image_ids: frozenset[int] = field(default=frozenset())
    entries: int = 0
    people: int = 0

    @property
    def finding(self) -> Finding:
        words = f'{len(self.images):,} images, '
        return Finding(OK, f'{words}{self.people:,} people with joints')


def read_annotations(path: str | Path) -> Annotations:
    """Read an annotation file in COCO's format or in MPII's.

    Raises:
        ValueError: It is in neither.
    """
    data = _read_json(path)
    try:
        if isinstance(data, dict):
            return _of_coco(data)
        return _of_mpii(data)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            "is neither COCO's format (a dict with images and annotations) "
            "nor MPII's (a list of people): "
            f'{type(error).__name__}: {error}'
        ) from error


def _of_coco(data: dict) -> Annotations:
    people = data['annotations']
    return Annotations(
        images=frozenset(image['file_name'] for image in data['images']),
        image_ids=frozenset(image['id'] for image in data['images']),
        entries=len(people),
        people=sum(any(p.get('keypoints', ())[2::3]) for p in people),
    )


def _of_mpii(data: list) -> Annotations:
    return Annotations(
        images=frozenset(person['image'] for person in data),
        entries=len(data),
        people=sum(any(p.get('joints_vis', ())) for p in data),
    )


def check_images(path: str | Path, names: Collection[str]) -> Finding:
    """Whether a folder or zip archive has the images that are asked for.

    Args:
        path: Folder, zip archive, or an archive's URI.
        names: Paths below it; an empty file counts as missing.
    """
    try:
        there = _images_below(str(path))
    except (zipfile.BadZipFile, OSError) as error:
        return Finding(BROKEN, str(error))
    missing = set(names) - there
    if not missing:
        return Finding(OK, f'all {len(names):,} images')
    state = INCOMPLETE if len(missing) < len(names) else BROKEN
    return Finding(
        state,
        f'{len(missing):,} of {len(names):,} images missing or empty, '
        f'such as "{min(missing)}"',
    )


def _images_below(path: str) -> set[str]:
    if path.startswith(SCHEME) or path.lower().endswith('.zip'):
        archive, inside = split_path(path)
        opened = Archive(archive)
        try:
            return set(opened.files(inside))
        finally:
            opened.close()
    there = set()
    for folder, _, _ in os.walk(path, followlinks=True):
        below = os.path.relpath(folder, path)
        start = '' if below == '.' else f'{below}/'
        with os.scandir(folder) as entries:
            there |= {
                start + entry.name
                for entry in entries
                if entry.is_file() and entry.stat().st_size
            }
    return there


def check_boxes(path: str | Path, annotations: Annotations) -> Finding:
    """Whether a detector's boxes are of the annotations' images."""
    try:
        boxes = _read_json(path)
        ids = {box['image_id'] for box in boxes if box['score'] is not None}
    except (ValueError, KeyError, TypeError) as error:
        return Finding(
            BROKEN,
            'is not a list of boxes with image_id and score '
            f'({type(error).__name__}: {error})',
        )
    unknown = ids - annotations.image_ids
    if unknown:
        return Finding(
            BROKEN,
            f'{len(unknown):,} of its {len(ids):,} images are not in the '
            'annotations',
        )
    return Finding(OK, f'{len(boxes):,} boxes in {len(ids):,} images')


def check_head_boxes(path: str | Path, annotations: Annotations) -> Finding:
    """Whether there is one of MPII's head boxes for each person."""
    try:
        shape = loadmat(path)['headboxes_src'].shape
    except Exception as error:
        # SciPy raises anything for a file of another kind
        return Finding(
            BROKEN,
            'is not a Matlab file with headboxes_src '
            f'({type(error).__name__}: {error})',
        )
    if shape != (2, 2, annotations.entries):
        return Finding(
            BROKEN,
            f'has head boxes of shape {shape}, but the annotations list '
            f'{annotations.entries:,} people, which needs (2, 2, '
            f'{annotations.entries})',
        )
    return Finding(OK, f'{shape[2]:,} head boxes')


def _read_json(path: str | Path) -> Any:
    with open(path, encoding='utf-8') as file:
        try:
            return json.load(file)
        except ValueError as error:
            raise ValueError(f'is not complete JSON ({error})') from error
