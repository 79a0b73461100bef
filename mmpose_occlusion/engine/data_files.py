"""The files that a config's data sets and metrics read, and their checks."""

import filecmp
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.datasets.datasets import CocoWholeBodyDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
from scipy.io import loadmat

from mmpose_occlusion.benchmark.annotation_fields import Faults
from mmpose_occlusion.benchmark.annotation_file import (
    Annotations,
    corrected,
    read_annotations,
)
from mmpose_occlusion.benchmark.detections_file import (
    check_images,
    read_detections,
)
from mmpose_occlusion.errors import DataError, UsageError
from mmpose_occlusion.files import write_text
from mmpose_occlusion.metrics.annotations import WHOLE_BODY

from .config import class_of, metainfo_of, walk_metrics, walk_split


class DataFile(NamedTuple):
    """A file or folder that a config names.

    Attributes:
        owner: Dotted key of the data set's or metric's config.
        name: Key in it; that of a folder of images is ``data_prefix.NAME``.
        path: Where a run looks for it.
    """

    owner: str
    name: str
    path: str

    @property
    def key(self) -> str:
        """Dotted key in the config."""
        return f'{self.owner}.{self.name}'

    @property
    def is_images(self) -> bool:
        """Whether it is a folder of images."""
        return self.name.startswith('data_prefix.')


def data_files(cfg: Mapping, split: str) -> Iterator[DataFile]:
    """The files and folders on disk that a split's data and metrics read.

    Paths on other storage (``s3://…``) are left out.

    Args:
        cfg: A config, or a dict with its data loaders and evaluators.
        split: train, val or test.
    """
    files = []
    for owner, dataset in walk_split(cfg, split):
        root = dataset.get('data_root') or ''
        for name in ('ann_file', 'bbox_file', 'headbox_file'):
            below = root if name == 'ann_file' else ''  # as MMPose does
            if path := dataset.get(name):
                files.append(DataFile(owner, name, _join(below, path)))
        for name, prefix in (dataset.get('data_prefix') or {}).items():
            # '' stands for the root itself
            if prefix or (root and prefix is not None):
                path = _join(root, prefix)
                files.append(DataFile(owner, f'data_prefix.{name}', path))
    evaluator = f'{split}_evaluator'
    for owner, metric in walk_metrics(cfg.get(evaluator), evaluator):
        path = metric.get('ann_file')
        if isinstance(path, str) and path:
            files.append(DataFile(owner, 'ann_file', path))
    yield from (file for file in files if '://' not in file.path)


def _join(root: str, path: str) -> str:
    return path if '://' in path else os.path.join(root, path)


def check_data_files(
    cfg: Config,
    split: str,
    evaluator: bool = True,
    skip_unreadable: bool = False,
) -> None:
    """Check that the files of a split's data and evaluator exist, and what
    is in them, see :func:`check_annotations`.

    Paths that are not on a local disk are not checked.

    Raises:
        UsageError: One is missing; the message names its key.
        DataError: One cannot be used.
    """
    for file in data_files(cfg, split):
        scores = file.key.startswith(f'{split}_evaluator')
        if os.path.exists(file.path) or (scores and not evaluator):
            continue
        if scores:
            remedy = (
                f'set --cfg-options {file.key}=None to score against the data '
                "set's own annotation file"
            )
        elif file.name == 'bbox_file':
            remedy = (
                'put it there, or use annotated bboxes with --cfg-options '
                f'{file.key}=None{" (or --gt-boxes)" * (split == "test")}'
            )
        else:
            remedy = (
                'put the data there, or set its place with --cfg-options '
                f'{file.owner}.data_root=FOLDER {file.key}=PATH_BELOW_IT'
            )
        kind = 'folder' if file.is_images else 'file'
        raise UsageError(
            f'{file.key}: {kind} "{os.path.normpath(file.path)}" does not '
            f'exist: {remedy}'
        )
    check_annotations(cfg, split, skip_unreadable)


def check_evaluator_file(cfg: Config, split: str) -> None:
    """Check that a metric reads the annotations that the data set reads.

    Raises:
        UsageError: It reads another file.
    """
    files = list(data_files(cfg, split))
    scored = [f for f in files if f.key.startswith(f'{split}_evaluator')]
    read = [f for f in files if f.name == 'ann_file' and f not in scored]
    for file in scored if read else []:
        try:
            if any(_same_content(file.path, other.path) for other in read):
                continue
        except OSError:  # reported by check_data_files
            continue
        raise UsageError(
            f'{file.key} is "{file.path}" and {read[0].key} is '
            f'"{read[0].path}", a file of other contents: predictions of one '
            'would be scored against people of the other; set '
            f'--cfg-options {file.key}=None'
        )


def _same_content(path: str, other: str) -> bool:
    """Compare bytes; one file, usually of hundreds of MB, is not read."""
    return os.path.samefile(path, other) or filecmp.cmp(
        path, other, shallow=False
    )


def check_annotations(
    cfg: Config, split: str, skip_unreadable: bool = False
) -> None:
    """Check the people and boxes that a split's data sets read.

    Where MMPose would read a file differently from this package's reader, or
    not at all, the config gets a corrected copy in
    ``WORK_DIR/annotations/``, also in its evaluator.

    Files of classes that read them in their own way (MPII, JHMDB) are not
    checked, and the log says so; nor are files that are not on a local disk.

    Args:
        cfg: Modified.
        split: train, val or test.
        skip_unreadable: Leave out images that cannot be read.

    Raises:
        DataError: A file cannot be used, or does not have the joints of the
            data set.
    """
    for _, dataset in walk_split(cfg, split):
        if reads_plainly(dataset):
            _check(cfg, split, dataset, skip_unreadable)
        elif Path(_path(dataset)).is_file():
            print_log(f'{_path(dataset)}: {unchecked(dataset)}', 'current')
        files = [dataset.get('headbox_file'), _path(dataset)]
        if all(path and Path(path).is_file() for path in files):
            _check_head_boxes(*files)


def unchecked(dataset: Mapping) -> str:
    """The note for a data set that does not read plainly."""
    return (
        f'noted: {dataset.get("type")} reads its annotations in its own way: '
        'they are not checked'
    )


def reads_plainly(dataset: Mapping) -> bool:
    """Whether a data set reads a JSON file on disk as MMPose's base does."""
    base, cls = BaseCocoStyleDataset, class_of(dataset, DATASETS)
    return (
        isinstance(cls, type)
        and issubclass(cls, base)
        and cls.parse_data_info
        in (base.parse_data_info, CocoWholeBodyDataset.parse_data_info)
        and cls._load_annotations is base._load_annotations
        and _path(dataset).endswith('.json')
        and Path(_path(dataset)).is_file()
    )


def _check_head_boxes(path: str, ann_file: str) -> None:
    """MMPose takes MPII's n-th head box for the n-th person."""
    if not path.endswith('.mat'):
        return
    try:
        boxes = loadmat(path)['headboxes_src'].shape[-1]
    except (KeyError, NotImplementedError, ValueError) as error:
        raise DataError(
            f'"{path}" has no head boxes of MPII (headboxes_src): give the '
            ".mat file of MPII's annotations"
        ) from error
    people = len(json.loads(Path(ann_file).read_text(encoding='utf-8')))
    if boxes != people:
        raise DataError(
            f'"{path}" has {boxes:,} head boxes and "{ann_file}" has '
            f'{people:,} people, so they do not belong together: take people '
            'out of both or of none'
        )


def _path(dataset: Mapping) -> str:
    root, path = dataset.get('data_root') or '', dataset.get('ann_file')
    return _join(root, path) if path else ''


def _check(cfg: Config, split: str, dataset: Any, skip: bool) -> None:
    path = _path(dataset)
    annotations = read_annotations(path)
    check_joints(annotations, dataset)
    folder = _join(
        dataset.get('data_root') or '',
        (dataset.get('data_prefix') or {}).get('img') or '',
    )
    incomplete = any(not i['width'] for i in annotations.images.values())
    if skip or incomplete:
        found = check_images(annotations, folder, decode=True, skip=skip)
        annotations.keep(found)
    boxes = dataset.get('bbox_file')
    if boxes and str(boxes).endswith('.json') and Path(boxes).is_file():
        detections = read_detections(boxes, annotations)
        _log(boxes, detections.faults)
        if detections.faults.losses:
            columns = zip(
                detections.image_ids,
                detections.boxes,
                detections.scores,
                strict=True,
            )
            content = [
                dict(image_id=i, bbox=b, score=s, category_id=1)
                for i, b, s in columns
            ]
            dataset['bbox_file'] = _copy(cfg, boxes, content)
    _log(path, annotations.faults)
    content = corrected(annotations)
    if content is None:
        return
    dataset['ann_file'] = _copy(cfg, path, content)
    for _, metric in walk_metrics(cfg.get(f'{split}_evaluator')):
        scored = metric.get('ann_file')
        if scored and _same_content(scored, path):
            metric['ann_file'] = dataset['ann_file']


def check_joints(annotations: Annotations, dataset: Mapping) -> None:
    """Check that a file has the joints of a data set's metainfo.

    Raises:
        DataError: It has others, or another order.
    """
    ours = list(metainfo_of(dataset)['keypoint_id2name'].values())
    theirs = list(annotations.joints)
    if annotations.whole_body and len(ours) > len(theirs):
        ours = ours[: -sum(WHOLE_BODY.values())]
    if len(ours) != len(theirs):
        what = f'{len(theirs)} keypoints per person'
    elif set(ours) == set(theirs) and ours != theirs:
        what = f'its keypoints in another order ({", ".join(theirs)})'
    else:
        return
    raise DataError(
        f'annotation file "{annotations.path}" has {what}, and the metainfo '
        f'of {dataset.get("type")} names {len(ours)} ({", ".join(ours)}): '
        'give the data set the metainfo of this file'
    )


def _log(path: str, faults: Faults) -> None:
    for fault in faults:
        print_log(
            f'{path}: {fault.sentence()}', 'current', level=logging.WARNING
        )


def _copy(cfg: Config, path: str, content: Any) -> str:
    """Write a corrected file below the work dir; returns its path."""
    text = json.dumps(content)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = Path(cfg.get('work_dir') or 'work_dirs') / 'annotations' / digest
    folder.mkdir(parents=True, exist_ok=True)
    copy = write_text(folder / Path(path).name, text).resolve()
    print_log(f'{path}: the corrected copy {copy} is read', 'current')
    return str(copy)
