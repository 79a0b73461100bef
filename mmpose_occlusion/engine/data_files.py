"""The files and folders that a config's data sets and metrics read."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .config import walk_datasets

_OUTSIDE_ROOT = ('bbox_file', 'headbox_file')
"""Files that MMPose does not look for below ``data_root``."""


@dataclass(frozen=True)
class DataFile:
    """A file or folder that a config names.

    Attributes:
        key: Dotted key in the config.
        path: Where a run looks for it.
    """

    key: str
    path: str

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.key.rpartition('.')[2]

    @property
    def is_images(self) -> bool:
        """Whether it is a folder of images."""
        return '.data_prefix.' in self.key

    @property
    def owner(self) -> str:
        """Dotted key of the data set's or metric's config."""
        return self.key.rsplit('.', 2 if self.is_images else 1)[0]


def data_files(cfg: Mapping, split: str) -> Iterator[DataFile]:
    """The files and folders on disk that a split's data and metrics read.

    Paths on other storage (``s3://…``) are left out.

    Args:
        cfg: A config, or a dict with its data loaders and evaluators.
        split: train, val or test.
    """
    files = []
    loader = cfg.get(f'{split}_dataloader')
    if loader:
        for key, dataset in walk_datasets(loader['dataset']):
            files += _files_of(dataset, f'{split}_dataloader.{key}')
    key = f'{split}_evaluator'
    files += _files_of_evaluator(cfg.get(key), key)
    yield from (file for file in files if '://' not in file.path)


def _files_of(dataset: Mapping, key: str) -> Iterator[DataFile]:
    root = dataset.get('data_root') or ''
    for name in ('ann_file', 'bbox_file', 'headbox_file'):
        path = dataset.get(name)
        if path:
            below = '' if name in _OUTSIDE_ROOT else root
            yield DataFile(f'{key}.{name}', _join(below, path))
    for name, prefix in (dataset.get('data_prefix') or {}).items():
        # '' stands for the root itself
        if prefix or (root and prefix is not None):
            yield DataFile(f'{key}.data_prefix.{name}', _join(root, prefix))


def _files_of_evaluator(evaluator: Any, key: str) -> Iterator[DataFile]:
    if isinstance(evaluator, Mapping):
        path = evaluator.get('ann_file')
        if isinstance(path, str) and path:
            yield DataFile(f'{key}.ann_file', path)
        evaluator, key = evaluator.get('metrics') or [], f'{key}.metrics'
    for index, inner in enumerate(evaluator or []):
        yield from _files_of_evaluator(inner, f'{key}.{index}')


def _join(root: str, path: str) -> str:
    return path if '://' in path else os.path.join(root, path)
