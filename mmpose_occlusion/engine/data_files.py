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

from mmpose_occlusion.benchmark.annotation_file import (
    Annotations,
    read_annotations,
)
from mmpose_occlusion.benchmark.checked_files import (
    MAX_ID,
    check_images,
    is_box,
    read_detections,
)
from mmpose_occlusion.errors import DataError, UsageError
from mmpose_occlusion.files import write_text
from mmpose_occlusion.metrics.annotations import WHOLE_BODY

from .config import class_of, metainfo_of, walk_metrics, walk_split


class DataFile(NamedTuple):
    """A file or folder that a config names: dotted key of the data set's or
    metric's config, name in it (``data_prefix.NAME`` for a folder of images),
    and where a run looks for it."""

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

    @property
    def is_scored(self) -> bool:
        """Whether a metric reads it."""
        return '_evaluator' in self.owner.partition('.')[0]


def data_files(cfg: Mapping, split: str) -> Iterator[DataFile]:
    """The files and folders that a split's (train, val or test) data and
    metrics read; those on other storage (``s3://…``) are left out."""
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


def _path(dataset: Mapping) -> str:
    root, path = dataset.get('data_root') or '', dataset.get('ann_file')
    return _join(root, path) if path else ''


def check_data_files(
    cfg: Config,
    split: str,
    evaluator: bool = True,
    skip_unreadable: bool = False,
) -> None:
    """Check that the files of a split's data and evaluator exist, and what
    is in them, see :func:`check_annotations`.

    Raises:
        UsageError: One is missing; the message names its key.
        DataError: One cannot be used.
    """
    for file in data_files(cfg, split):
        if os.path.exists(file.path) or (file.is_scored and not evaluator):
            continue
        options, end = f'{file.key}=None', ''
        if file.is_scored:
            remedy = 'set'
            end = " to score against the data set's own annotation file"
        elif file.name == 'bbox_file':
            remedy = 'put it there, or use annotated bboxes with'
            end = ' (or --gt-boxes)' * (split == 'test')
        else:
            remedy = 'put the data there, or set its place with'
            options = f'{file.owner}.data_root=FOLDER {file.key}=PATH_BELOW_IT'
        raise UsageError(
            f'{file.key}: {"folder" if file.is_images else "file"} '
            f'"{os.path.normpath(file.path)}" does not exist: {remedy} '
            f'--cfg-options {options}{end}'
        )
    check_annotations(cfg, split, skip_unreadable)


def check_evaluator_file(cfg: Config, split: str) -> None:
    """Check that a metric reads the annotations that the data set reads.

    Raises:
        UsageError: It reads another file.
    """
    files = [f for f in data_files(cfg, split) if f.name == 'ann_file']
    read = [file for file in files if not file.is_scored]
    for file in files if read else []:
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
    """Check the people and boxes that a split's (train, val or test) data
    sets read, and leave out images that cannot be read or refuse them.

    Where MMPose would read a file differently from this package's reader, or
    not at all, the config gets a corrected copy in
    ``WORK_DIR/annotations/``, also in its evaluator. Files of classes that
    read them in their own way (MPII, JHMDB) are not checked, and the log says
    so; nor are files that are not on a local disk.

    Raises:
        DataError: A file cannot be used, or does not have the joints of the
            data set.
    """
    for _, dataset in walk_split(cfg, split):
        path, heads = _path(dataset), dataset.get('headbox_file') or ''
        if reads_plainly(dataset):
            _check(cfg, split, dataset, path, skip_unreadable)
        elif os.path.isfile(path):
            print_log(f'{path}: {unchecked(dataset)}', 'current')
        if heads.endswith('.mat') and all(map(os.path.isfile, (heads, path))):
            _check_head_boxes(heads, path)


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
        and os.path.isfile(_path(dataset))
    )


def _check_head_boxes(path: str, ann_file: str) -> None:
    """MMPose takes MPII's n-th head box for the n-th person."""
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


def _check(
    cfg: Config, split: str, dataset: Any, path: str, skip: bool
) -> None:
    annotations = read_annotations(path)
    check_joints(annotations, dataset)
    if skip or not all(i['width'] for i in annotations.images.values()):
        prefix = (dataset.get('data_prefix') or {}).get('img') or ''
        folder = _join(dataset.get('data_root') or '', prefix)
        kept = check_images(annotations, folder, decode=True, skip=skip)
        images, people = annotations.images, annotations.people
        annotations.images = {key: images[key] for key in kept}
        annotations.people = [p for p in people if p['image_id'] in kept]
    said, boxes = [(path, annotations.faults)], dataset.get('bbox_file')
    if boxes and str(boxes).endswith('.json') and os.path.isfile(boxes):
        read = read_detections(boxes, annotations)
        said.insert(0, (boxes, read.faults))
        if read.faults.losses:
            columns = read.image_ids, read.boxes, read.scores
            content = [
                dict(image_id=i, bbox=b, score=s, category_id=1)
                for i, b, s in zip(*columns, strict=True)
            ]
            dataset['bbox_file'] = _copy(cfg, boxes, content)
    for name, faults in said:
        for fault in faults:
            text = f'{name}: {fault.sentence()}'
            print_log(text, 'current', level=logging.WARNING)
    people = corrected(annotations)
    if people is not None:
        dataset['ann_file'] = _copy(cfg, path, people)
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
    person has the id 0, which COCOeval's matches write for none. Fields that
    the reader does not know are kept. Images without width and height must
    have got them.
    """
    raw, people, used = found.content, [], set()

    def fits(other: Mapping) -> bool:  # of another category
        points = other.get('keypoints')
        number = len(points) if isinstance(points, list) else 0
        return isinstance(other.get('image_id'), int) and (
            not {'bbox', 'keypoints'} <= other.keys()
            or (is_box(other['bbox']) and number == 3 * len(found.joints))
        )

    images = [
        dict(found.given_images[key], id=key, **image)
        for key, image in found.images.items()
    ]
    same = images == raw['images']
    for person in found.people:
        given = found.given_people[person['id']]
        used.add(id(given))
        mine = dict(person, category_id=1, id=person['id'] or MAX_ID)
        segment = mine.pop('segmentation', None)  # MMPose reads none
        # and fills these in
        filled = dict(area=mine['area'], num_keypoints=mine['num_keypoints'])
        filled = dict(filled, iscrowd=0) | given
        same = same and all(filled.get(k) == mine[k] for k in mine)
        people.append({**given, **mine, 'segmentation': segment})
        if segment is None:
            del people[-1]['segmentation']
    others = [o for o in raw['annotations'] if id(o) not in used]
    if same and not found.faults.losses and all(map(fits, others)):
        return None
    named = dict(name='person', keypoints=list(found.joints))
    categories = [dict((found.posed() or [named])[0], id=1)]
    return dict(raw, images=images, annotations=people, categories=categories)
