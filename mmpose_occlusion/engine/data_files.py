"""The files that a config's data sets read, and finding them on disk."""

import copy
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmpose_occlusion.datasets.layout import (
    image_prefix,
    locate,
)
from mmpose_occlusion.datasets.zip_backend import (
    SCHEME,
    open_archive,
    split_path,
)
from mmpose_occlusion.errors import UsageError

from .config import SPLITS, walk_datasets

_OUTSIDE_ROOT = ('bbox_file', 'headbox_file')
"""Files that MMPose does not look for below ``data_root``."""


@dataclass(frozen=True)
class DataFile:
    """A file or folder that a config names.

    Attributes:
        key: Dotted key in the config.
        path: Where a run would look for it.
        data_root: What the config's value is relative to; '' for nothing.
    """

    key: str
    path: str
    data_root: str = ''

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.key.rpartition('.')[2]

    @property
    def is_images(self) -> bool:
        return '.data_prefix.' in self.key

    @property
    def owner(self) -> str:
        """Dotted key of the data set's or metric's config."""
        return self.key.rsplit('.', 2 if self.is_images else 1)[0]

    @property
    def found(self) -> str | None:
        """Where it lies in one layout or the other, or None."""
        return locate(self.path)


def data_files(cfg: Mapping, split: str) -> Iterator[DataFile]:
    """The files and folders on disk that a split's data and metrics read.

    Paths on other storage (``s3://…``) are left out.

    Args:
        cfg: A config, or a dict with its data loaders and evaluators.
        split: train, val or test.
    """
    loader = cfg.get(f'{split}_dataloader')
    if loader:
        for key, dataset in walk_datasets(loader['dataset']):
            yield from _files_of(dataset, f'{split}_dataloader.{key}')
    evaluator = cfg.get(f'{split}_evaluator')
    yield from _files_of_evaluator(evaluator, f'{split}_evaluator')


def _files_of(dataset: Mapping, key: str) -> Iterator[DataFile]:
    root = dataset.get('data_root') or ''
    named = {
        name: dataset.get(name)
        for name in ('ann_file', 'bbox_file', 'headbox_file')
    }
    for name, prefix in (dataset.get('data_prefix') or {}).items():
        # '' stands for the root itself
        named[f'data_prefix.{name}'] = prefix if root else prefix or None
    for name, path in named.items():
        if path is None or (path == '' and 'data_prefix' not in name):
            continue
        used_root = '' if name in _OUTSIDE_ROOT else root
        joined = _join(used_root, path)
        if _is_local(joined):
            yield DataFile(f'{key}.{name}', joined, used_root)


def _files_of_evaluator(evaluator: Any, key: str) -> Iterator[DataFile]:
    if isinstance(evaluator, Mapping):
        path = evaluator.get('ann_file')
        if isinstance(path, str) and path and _is_local(path):
            yield DataFile(f'{key}.ann_file', path)
        evaluator, key = evaluator.get('metrics') or [], f'{key}.metrics'
    for index, inner in enumerate(evaluator or []):
        yield from _files_of_evaluator(inner, f'{key}.{index}')


def find_data(
    cfg: Mapping, splits: Sequence[str] = SPLITS
) -> tuple[dict[str, Any], dict[str, str]]:
    """Where a config's data lies, if not where the config says.

    Args:
        cfg: See :func:`data_files`; not modified.
        splits: Those to look at.

    Returns:
        What to change in the config, as dotted key -> value, for
        ``Config.merge_from_dict`` or ``--cfg-options``; and for each path
        that is not there, or is an archive of images, what to open instead.
        What lies in neither layout stays as it is.
    """
    changes: dict[str, Any] = {}
    moved: dict[str, str] = {}
    for split in splits:
        for owner, group in groupby(data_files(cfg, split), _owner):
            places = {file: _place(file) for file in group}
            # data_root, which is put in front, cannot always stay
            rootless = any(
                _below(file.data_root, place) is None
                for file, place in places.items()
                if place != file.path or SCHEME in place
            )
            if rootless:
                changes[f'{owner}.data_root'] = None
            for file, place in places.items():
                if place != file.path:
                    moved[file.path] = place
                if rootless and file.data_root:
                    changes[file.key] = place
                elif place != file.path:
                    changes[file.key] = _below(file.data_root, place)
    return changes, moved


def _owner(file: DataFile) -> str:
    return file.owner


def _below(root: str, place: str) -> str | None:
    """A path as a value that follows data_root, or None if it cannot."""
    if not root:
        return place
    inside = os.path.relpath(place, root)
    return None if SCHEME in place or inside.startswith('..') else inside


def _place(file: DataFile) -> str:
    """What a run should open for a file."""
    found = file.found
    if found is None or found.startswith(SCHEME):
        return file.path
    if file.is_images and image_prefix(found) != found:
        return image_prefix(found)
    return file.path if os.path.exists(file.path) else found


def use_data_on_disk(cfg: Config, splits: Sequence[str] = SPLITS) -> None:
    """Have a config read its data where they lie, and say so in one line.

    For COCO and MPII in MMPose's layout or in the reference's, unpacked or
    with images in a zip archive.

    Args:
        cfg: Modified.
        splits: Those to look at.
    """
    changes, moved = find_data(cfg, splits)
    if not changes:
        return
    cfg.merge_from_dict(copy.deepcopy(changes))
    listed = ', '.join(f'"{a}" is "{b}"' for a, b in moved.items())
    if listed and os.environ.get('RANK', '0') == '0':
        print_log(f'Data found on disk: {listed}.', 'current')


def open_archives(cfg: Mapping, split: str) -> None:
    """Open the archives of images that a split reads.

    Workers that are forked later share what is open here.

    Raises:
        UsageError: One is missing or damaged.
    """
    for file in data_files(cfg, split):
        if file.path.startswith(SCHEME):
            try:
                open_archive(split_path(file.path)[0])
            except (FileNotFoundError, zipfile.BadZipFile) as error:
                raise UsageError(f'{file.key}: {error}') from error


def _join(root: str, path: str) -> str:
    if not root or os.path.isabs(path) or '://' in path:
        return path
    return os.path.join(root, path)


def _is_local(path: str) -> bool:
    return '://' not in path or path.startswith(SCHEME)
