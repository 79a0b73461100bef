"""Which data are on disk, whether they are complete, which configs can run."""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from data_layout import find
from mmengine.config import Config
from mmengine.hub import get_config
from scipy.io import loadmat

from mmpose_occlusion.benchmark.annotation_file import (
    read_annotations as coco_annotations,
)
from mmpose_occlusion.engine.config import SPLITS
from mmpose_occlusion.engine.data_files import DataFile, data_files
from mmpose_occlusion.errors import UsageError

DATA = 'data'
"""The data folder that configs name."""

OK, INCOMPLETE, BROKEN, MISSING = 'ok', 'incomplete', 'broken', 'missing'


@dataclass(frozen=True)
class Finding:
    """State of a file or folder, one of the four above, and the reason."""

    state: str
    text: str


@dataclass(frozen=True)
class Annotations:
    """Contents of an annotation file.

    Attributes:
        images: File names of the images.
        image_ids: Their ids; none in MPII's format.
        entries: Number of people listed.
        people: Number of people with a labelled joint.
    """

    images: frozenset[str]
    image_ids: frozenset[int]
    entries: int
    people: int


def read_annotations(path: str) -> Annotations:
    """Read an annotation file in COCO's format or in MPII's.

    Raises:
        ValueError: It is in neither.
    """
    data = _read_json(path)
    try:
        if isinstance(data, dict):
            check = coco_annotations(path)
            if check.faults.losses:
                raise ValueError(check.faults.summary())
            people = data['annotations']
            return Annotations(
                frozenset(image['file_name'] for image in data['images']),
                frozenset(image['id'] for image in data['images']),
                len(people),
                sum(any(p.get('keypoints', ())[2::3]) for p in people),
            )
        return Annotations(
            frozenset(person['image'] for person in data),
            frozenset(),
            len(data),
            sum(any(p.get('joints_vis', ())) for p in data),
        )
    except UsageError as error:
        raise ValueError(str(error)) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            "is neither COCO's format (a dict with images and annotations) "
            "nor MPII's (a list of people): "
            f'{type(error).__name__}: {error}'
        ) from error


def _read_json(path: str) -> Any:
    with open(path, encoding='utf-8') as file:
        try:
            return json.load(file)
        except ValueError as error:
            raise ValueError(f'is not complete JSON ({error})') from error


def check_images(folder: str, names: Collection[str]) -> Finding:
    """Whether a folder has all images; an empty file counts as missing."""
    found = set()
    for parent, _, files in os.walk(folder, followlinks=True):
        below = os.path.relpath(parent, folder)
        for name in files:
            if os.path.getsize(os.path.join(parent, name)):
                found.add(os.path.normpath(os.path.join(below, name)))
    missing = set(names) - found
    if not missing:
        return Finding(OK, f'all {len(names):,} images')
    return Finding(
        INCOMPLETE if len(missing) < len(names) else BROKEN,
        f'{len(missing):,} of {len(names):,} images missing or empty, '
        f'such as "{min(missing)}"',
    )


def check_boxes(path: str, annotations: Annotations) -> Finding:
    """Whether a detector's boxes belong to the annotations' images."""
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


def check_head_boxes(path: str, annotations: Annotations) -> Finding:
    """Whether there is one of MPII's head boxes for each person."""
    try:
        shape = loadmat(path)['headboxes_src'].shape
    except Exception as error:  # SciPy raises anything
        return Finding(
            BROKEN,
            'is not a Matlab file with headboxes_src '
            f'({type(error).__name__}: {error})',
        )
    if shape != (2, 2, annotations.entries):
        return Finding(
            BROKEN,
            f'has head boxes of shape {shape}, but {annotations.entries:,} '
            f'people need (2, 2, {annotations.entries})',
        )
    return Finding(OK, f'{shape[2]:,} head boxes')


@dataclass
class DataCheck:
    """Checks the files that configs read, each file once.

    Args:
        folder: The data folder, in place of ``data`` in configs' paths.

    Attributes:
        findings: File or folder (and the annotations that name its images)
            -> its state.
        needs: Config -> split -> keys of ``findings``.
        failed: Config -> why it cannot be read.
    """

    folder: str = DATA
    findings: dict[str, Finding] = field(default_factory=dict)
    needs: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    _annotations: dict[str, Annotations | Finding] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        if not Path(self.folder).is_dir():
            raise UsageError(
                f'"{self.folder}" is not a folder: name the one that holds '
                'coco/ and mpii/'
            )

    def add(self, config: str) -> None:
        """Check the data of a config, a file or MMPose's own."""
        try:
            if '::' in config:
                cfg = get_config(config)
            else:
                cfg = Config.fromfile(config, import_custom_modules=False)
        except Exception as error:  # whatever a config's own code raises
            reason = ' '.join(str(error).split())
            self.failed[config] = f'{type(error).__name__}: {reason}'
            return
        self.needs[config] = {
            split: list(dict.fromkeys(self._check_split(cfg, split)))
            for split in SPLITS
            if cfg.get(f'{split}_dataloader')
        }

    def lacks(self, config: str) -> list[str]:
        """The files that a config needs and that are not ok."""
        names = (n for each in self.needs[config].values() for n in each)
        return [n for n in names if self.findings[n].state != OK]

    def runs(self, config: str, split: str) -> bool | None:
        """Whether a config's split can run; None if it has none."""
        if config in self.failed:
            return False
        names = self.needs[config].get(split)
        if names is None:
            return None
        return all(self.findings[name].state == OK for name in names)

    def runs_wholly(self, config: str) -> bool:
        """Whether all splits that a config has can run."""
        return all(self.runs(config, split) is not False for split in SPLITS)

    def _check_split(self, cfg: Mapping, split: str) -> Iterator[str]:
        files = (self._rebased(file) for file in data_files(cfg, split))
        for _, group in groupby(files, lambda file: file.owner):
            same = list(group)
            main = next((f for f in same if f.name == 'ann_file'), None)
            for file in same:
                name = os.path.normpath(file.path)
                if file.is_images and main and os.path.exists(file.path):
                    name = f'{name} for {Path(main.path).name}'
                if name not in self.findings:
                    self.findings[name] = self._find(file, main)
                yield name

    def _find(self, file: DataFile, main: DataFile | None) -> Finding:
        if not os.path.exists(file.path):
            return Finding(MISSING, self._remedy(file))
        annotations = self._read(main.path) if main else None
        if isinstance(annotations, Finding) and file is main:
            return annotations
        if not isinstance(annotations, Annotations):
            return Finding(OK, 'exists; not checked without annotations')
        if file is main:
            return Finding(
                OK,
                f'{len(annotations.images):,} images, '
                f'{annotations.people:,} people with joints',
            )
        if file.name == 'bbox_file':
            return check_boxes(file.path, annotations)
        if file.name == 'headbox_file':
            return check_head_boxes(file.path, annotations)
        return check_images(file.path, annotations.images)

    def _read(self, path: str) -> Annotations | Finding | None:
        if path not in self._annotations and os.path.exists(path):
            try:
                self._annotations[path] = read_annotations(path)
            except ValueError as error:
                self._annotations[path] = Finding(BROKEN, str(error))
        return self._annotations.get(path)

    def _rebased(self, file: DataFile) -> DataFile:
        """The file in the folder that was asked for."""
        below = file.path.removeprefix(f'{DATA}/')
        if below == file.path:
            return file
        return file._replace(path=os.path.join(self.folder, below))

    def _remedy(self, file: DataFile) -> str:
        name = os.path.relpath(file.path, self.folder)
        found = find(self.folder, name)
        if found:
            return f'is at {found}: run "prepare_data.py link"'
        made = 'made by "prepare_data.py mpii" from MPII\'s release'
        return made if 'mpii_' in name else ''


def report(check: DataCheck) -> str:
    """Two tables: numbered files, then configs."""
    numbers = {name: f'#{i}' for i, name in enumerate(check.findings, 1)}
    files = [
        (numbers[name], name, finding.state, finding.text)
        for name, finding in check.findings.items()
    ]
    words = {True: 'yes', False: 'no', None: '-'}
    configs = []
    for name in [*check.needs, *check.failed]:
        cells = [words[check.runs(name, split)] for split in SPLITS]
        if name in check.failed:
            reason = f'cannot be read: {check.failed[name]}'
        else:
            lacking = dict.fromkeys(check.lacks(name))
            reason = ' '.join(numbers[each] for each in lacking)
        configs.append((name, *cells, reason))
    return '\n\n'.join(
        [
            _table([('', 'file or folder', 'state', ''), *files]),
            _table([('config', *SPLITS, 'lacks'), *configs]),
        ]
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ('  '.join(map(str.ljust, row, widths)) for row in rows)
    return '\n'.join(line.rstrip() for line in lines)
