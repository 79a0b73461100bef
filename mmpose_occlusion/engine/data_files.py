"""The files that a config's data sets and metrics read, and their checks."""

import filecmp
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.datasets.datasets import CocoWholeBodyDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
from scipy.io import loadmat

from mmpose_occlusion.benchmark.annotation_file import (
    Annotations,
    read_annotations,
)
from mmpose_occlusion.benchmark.checked_files import (
    check_images,
    read_detections,
)
from mmpose_occlusion.benchmark.faults import MAX_ID
from mmpose_occlusion.errors import DataError, UsageError
from mmpose_occlusion.files import read_json, write_text
from mmpose_occlusion.metrics.annotations import WHOLE_BODY

from .config import (
    class_of,
    dataloader,
    load_config,
    metainfo_of,
    walk_metrics,
    walk_split,
)

UNCHECKED = (
    'noted: this data set reads its annotations in its own way: they are not '
    'checked'
)


def data_files(cfg: Mapping, split: str) -> dict[str, str]:
    """Dotted key in the config -> place of each file and folder that a split's
    (train, val or test) data and metrics read; those on other storage
    (``s3://…``) are left out."""
    files: dict[str, Any] = {}
    for owner, dataset in walk_split(cfg, split):
        files[f'{owner}.ann_file'] = _path(dataset)
        for name in ('bbox_file', 'headbox_file'):
            files[f'{owner}.{name}'] = dataset.get(name)
        for name, prefix in (dataset.get('data_prefix') or {}).items():
            if prefix is not None:  # '' stands for the root itself
                path = _join(dataset.get('data_root') or '', prefix)
                files[f'{owner}.data_prefix.{name}'] = path
    evaluator = f'{split}_evaluator'
    for owner, metric in walk_metrics(cfg.get(evaluator), evaluator):
        files[f'{owner}.ann_file'] = metric.get('ann_file')
    return {
        key: path
        for key, path in files.items()
        if path and isinstance(path, str) and '://' not in path
    }


def _join(root: str, path: str) -> str:
    return path if '://' in path else os.path.join(root, path)


def _path(dataset: Mapping) -> str:
    root, path = dataset.get('data_root') or '', dataset.get('ann_file')
    return _join(root, path) if path else ''


def check_data_files(
    cfg: Config,
    split: str,
    evaluator: bool = True,
    skip_unreadable: bool = False,
) -> None:
    """Check the files of a split's (train, val or test) data, and of its
    evaluator: that they exist (the latter unless ``evaluator`` is False), that
    a metric reads the data set's annotations, and what is in them.

    Where MMPose would read a file differently from this package's reader, or
    not at all, the config gets a corrected copy in
    ``WORK_DIR/annotations/``, also in its evaluator. Files of classes that
    read them in their own way (MPII, JHMDB) are not checked, and the log says
    so; nor are files that are not on a local disk.

    Raises:
        UsageError: One is missing, or a metric reads another.
        DataError: One cannot be used, or does not have the joints of the data
            set.
    """
    files, evaluators = data_files(cfg, split), f'{split}_evaluator'
    for key, path in files.items():
        scored = key.startswith(evaluators)
        if not os.path.exists(path) and (evaluator or not scored):
            raise UsageError(_missing(key, path, scored))
    annotations = [
        (key, path)
        for key, path in files.items()
        if key.endswith('.ann_file') and os.path.exists(path)
    ]
    read = [(k, p) for k, p in annotations if not k.startswith(evaluators)]
    for key, path in annotations if read else ():
        if not any(_same_content(path, other) for _, other in read):
            raise UsageError(
                f'{key} is "{path}" and {read[0][0]} is "{read[0][1]}", a '
                'file of other contents: predictions of one would be scored '
                'against people of the other; set --cfg-options '
                f'{key}=None'
            )
    for _, dataset in walk_split(cfg, split):
        path, heads = _path(dataset), dataset.get('headbox_file') or ''
        if reads_plainly(dataset):
            _check_content(cfg, split, dataset, skip_unreadable)
        elif os.path.isfile(path):
            print_log(f'{path}: {UNCHECKED}', 'current')
        if heads.endswith('.mat') and all(map(os.path.isfile, (heads, path))):
            # MMPose takes MPII's n-th head box for the n-th person
            boxes = loadmat(heads)['headboxes_src'].shape[-1]
            people = len(read_json(path, 'annotation file'))
            if boxes != people:
                raise DataError(
                    f'"{heads}" has {boxes:,} head boxes and "{path}" has '
                    f'{people:,} people: take people out of both or of none'
                )


def _missing(key: str, path: str, scored: bool) -> str:
    owner, is_folder, _ = key.partition('.data_prefix.')
    owner = owner if is_folder else key.rpartition('.')[0]
    remedy = f'{owner}.data_root=FOLDER {key}=PATH_BELOW_IT'
    if scored or key.endswith('.bbox_file'):
        why = 'which takes the annotations of the data set'
        remedy = f'{key}=None, {why}'
    return (
        f'{key}: {"folder" if is_folder else "file"} '
        f'"{os.path.normpath(path)}" does not exist: put the data there, or '
        f'set --cfg-options {remedy}'
    )


def _same_content(path: str, other: str) -> bool:
    """Compare bytes; one file, usually of hundreds of MB, is not read."""
    return os.path.samefile(path, other) or filecmp.cmp(
        path, other, shallow=False
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
        and os.path.isfile(_path(dataset))
    )


def _check_content(
    cfg: Config, split: str, dataset: Any, skip_unreadable: bool
) -> None:
    """Check people, boxes and images, and write copies where needed."""
    path, boxes = _path(dataset), str(dataset.get('bbox_file'))
    found = read_annotations(path)
    check_joints(found, dataset)
    if skip_unreadable or not all(i['width'] for i in found.images.values()):
        prefix = (dataset.get('data_prefix') or {}).get('img') or ''
        folder = _join(dataset.get('data_root') or '', prefix)
        kept = check_images(found, folder, decode=True, skip=skip_unreadable)
        found.images = {key: found.images[key] for key in kept}
        found.people = [p for p in found.people if p['image_id'] in kept]
    said = {path: found.faults}
    if boxes.endswith('.json') and os.path.isfile(boxes):
        detected, faults = read_detections(boxes, found)
        said = {boxes: faults, **said}
        if detected != read_json(boxes, 'detection file'):
            dataset['bbox_file'] = _copy(cfg, boxes, detected)
    for name, faults in said.items():
        for fault in faults:
            text = f'{name}: {fault.sentence()}'
            print_log(text, 'current', level=logging.WARNING)
    content = corrected(found)
    if content is not None:
        dataset['ann_file'] = _copy(cfg, path, content)
        for _, metric in walk_metrics(cfg.get(f'{split}_evaluator')):
            scored = metric.get('ann_file')
            if scored and _same_content(scored, path):
                metric['ann_file'] = dataset['ann_file']


def check_config(annotations: Annotations, path: str) -> None:
    """Check that a file has the joints of a config's test data."""
    loader = dataloader(load_config(path), 'test')
    dataset = dict(
        loader['dataset'], ann_file=annotations.path, data_root=None
    )
    metainfo_of(dataset)  # or a UsageError, of a data set that is unknown
    if reads_plainly(dataset):
        check_joints(annotations, dataset)
    else:
        print(f'{path}: {UNCHECKED}')


def check_joints(annotations: Annotations, dataset: Mapping) -> None:
    """Check that a file has the joints of a data set's metainfo.

    Raises:
        DataError: It has others, or another order.
    """
    ours = list(metainfo_of(dataset)['keypoint_id2name'].values())
    theirs = list(annotations.joints)
    if len(annotations.parts) > 1 and len(ours) > len(theirs):
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


def _copy(cfg: Config, path: str, content: Any) -> str:
    """Write a corrected file below the work dir; returns its path."""
    text = json.dumps(content)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = Path(cfg.get('work_dir') or 'work_dirs') / 'annotations' / digest
    folder.mkdir(parents=True, exist_ok=True)
    copy = write_text(folder / Path(path).name, text).resolve()
    print_log(f'{path}: the corrected copy {copy} is read', 'current')
    return str(copy)


def corrected(found: Annotations) -> dict[str, Any] | None:
    """The file's content as the reader understands it, for MMPose; None where
    MMPose understands the file in the same way.

    The people's category is 1, the only one that MMPose scores right, and no
    person has the id 0, which COCOeval's matches write for none. Images
    without width and height must have got them.
    """
    images = list(found.images.values())
    if (
        found.as_given
        and not found.faults.losses
        and found.category == 1
        and all(person['id'] for person in found.people)
        and images == found.content['images']
    ):
        return None
    people = [
        dict(person, category_id=1, id=person['id'] or MAX_ID)
        for person in found.people
    ]
    named = dict(id=1, name='person', keypoints=list(found.joints))
    named['skeleton'] = [[a + 1, b + 1] for a, b in found.links]
    made = dict(images=images, annotations=people, categories=[named])
    return dict(found.content, **made)
