"""The check of annotation and detection files before MMPose reads them."""

import filecmp
import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
from scipy.io import loadmat

from mmpose_occlusion.benchmark.annotation_file import (
    Annotations,
    corrected,
    read_annotations,
)
from mmpose_occlusion.benchmark.detections_file import (
    check_images,
    read_detections,
)
from mmpose_occlusion.benchmark.faults import Faults
from mmpose_occlusion.errors import DataError
from mmpose_occlusion.files import write_text

from .config import class_of, metainfo_of, walk_datasets
from .data_files import _join


def check_annotations(
    cfg: Config, split: str, skip_unreadable: bool = False
) -> None:
    """Check the people and boxes that a split's data sets read.

    Where MMPose would read a file differently from this package's reader, or
    not at all, the config gets a corrected copy in
    ``WORK_DIR/annotations/``, also in its evaluator.

    Classes that read COCO's format in their own way, and files that are not
    on a local disk, are not checked.

    Args:
        cfg: Modified.
        split: train, val or test.
        skip_unreadable: Leave out images that cannot be read.

    Raises:
        DataError: A file cannot be used, or does not have the joints of the
            data set.
    """
    loader = cfg.get(f'{split}_dataloader')
    if not loader:
        return
    for _, dataset in walk_datasets(loader['dataset']):
        if _is_plain(class_of(dataset, DATASETS), dataset):
            _check(cfg, split, dataset, skip_unreadable)
        if dataset.get('headbox_file') and Path(_path(dataset)).is_file():
            _check_head_boxes(dataset['headbox_file'], _path(dataset))


def _is_plain(cls: Any, dataset: Mapping) -> bool:
    """Whether a data set reads a JSON file on disk as MMPose's base does."""
    base = BaseCocoStyleDataset
    return (
        isinstance(cls, type)
        and issubclass(cls, base)
        and cls.parse_data_info is base.parse_data_info
        and cls._load_annotations is base._load_annotations
        and str(dataset.get('ann_file')).endswith('.json')
        and Path(_path(dataset)).is_file()
    )


def _check_head_boxes(path: str, ann_file: str) -> None:
    """MMPose takes MPII's n-th head box for the n-th person."""
    if not path.endswith('.mat') or not Path(path).is_file():
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
    return _join(dataset.get('data_root') or '', dataset['ann_file'])


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
            dataset['bbox_file'] = _copy(
                cfg,
                boxes,
                [
                    dict(image_id=i, bbox=b, score=s, category_id=1)
                    for i, b, s in columns
                ],
            )
    _log(path, annotations.faults)
    content = corrected(annotations)
    if content is None:
        return
    dataset['ann_file'] = _copy(cfg, path, content)
    evaluator = cfg.get(f'{split}_evaluator') or []
    for metric in [evaluator] if isinstance(evaluator, dict) else evaluator:
        scored = metric.get('ann_file')
        if scored and filecmp.cmp(scored, path, shallow=False):
            metric['ann_file'] = dataset['ann_file']


def check_joints(annotations: Annotations, dataset: Mapping) -> None:
    """Check that a file has the joints of a data set's metainfo.

    Raises:
        DataError: It has others, or another order.
    """
    ours = list(metainfo_of(dataset)['keypoint_id2name'].values())
    theirs = list(annotations.joints)
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
