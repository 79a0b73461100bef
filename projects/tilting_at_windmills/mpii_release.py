"""MPII's release as the JSON annotations that MMPose and HRNet read.

The release is one Matlab file, ``mpii_human_pose_v1_u12_1.mat``. Its struct
``RELEASE`` has ``annolist`` (per image: name and people) and ``img_train``. A
person has ``objpos`` (a rough centre), ``scale`` (height in units of 200 px),
the head's box ``x1, y1, x2, y2`` and, in training images,
``annopoints.point`` with ``id, x, y``, counted from 1.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import write_bytes

NUM_JOINTS = 16
_HEADER = 128
"""Bytes at the start of a .mat file, with the time."""

# names that HRNet's evaluation looks up, in the order of the ids
JOINT_NAMES = (
    *('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor'),
    *('neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri'),
)

Person = dict[str, Any]
"""An entry of MMPose's file: ``image`` (file name), ``center`` [x, y] px,
``scale``, ``joints`` 16 × [x, y] px (-1 where missing), ``joints_vis`` 16 ×
0 or 1; and here ``train`` (bool) and ``head_box`` [[x, y], [x, y]] or None."""


def read_release(path: str | Path) -> Iterator[Person]:
    """The people of MPII's release, image by image, without those who lack
    centre or scale or, in training images, joints."""
    try:
        release = loadmat(path, simplify_cells=True)['RELEASE']
        images, splits = _structs(release['annolist']), release['img_train']
    except Exception as error:  # SciPy raises anything
        raise UsageError(
            f'"{path}" is not MPII\'s release, a Matlab file with a struct '
            f'RELEASE of annolist and img_train ({error}): give its '
            'mpii_human_pose_v1_u12_1.mat'
        ) from error
    for entry, train in zip(images, np.atleast_1d(splits), strict=True):
        for person in _structs(entry['annorect']):
            # absent and empty fields are the same
            person = {k: v for k, v in person.items() if np.size(v)}
            read = _read_person(person, entry['image']['name'], bool(train))
            if read is not None:
                yield read


def _structs(value: Any) -> list[dict]:
    """The elements of a struct array, which SciPy squeezes."""
    found = [value] if isinstance(value, Mapping) else value
    return [each for each in found if isinstance(each, Mapping)]


def _read_person(person: Mapping, image: str, train: bool) -> Person | None:
    joints = np.full((NUM_JOINTS, 2), -1.0)
    labelled = np.zeros(NUM_JOINTS, int)
    points = person.get('annopoints', {}).get('point', [])
    for point in _structs(points):
        joints[point['id']] = point['x'], point['y']
        labelled[point['id']] = 1
    placed = person.keys() >= {'objpos', 'scale'}
    if not placed or (train and not labelled.any()):
        return None
    box = [person.get(name) for name in ('x1', 'y1', 'x2', 'y2')]
    return {
        'joints_vis': labelled.tolist(),
        'joints': joints.tolist(),
        'image': image,
        'scale': float(person['scale']),
        'center': [float(person['objpos'][axis]) for axis in 'xy'],
        'train': train,
        'head_box': None if None in box else [box[:2], box[2:]],
    }


def write_annotations(
    people: Collection[Person],
    out: str | Path,
    val_images: Collection[str] = (),
) -> dict[str, int]:
    """Write MMPose's annotation files; file name -> number of people.

    With ``val_images``, names of training images, also ``mpii_train.json``,
    ``mpii_val.json`` and ``mpii_gt_val.mat``, the last two without people who
    have no head box, since these cannot be scored. Where another file exists,
    none is written.
    """
    val = set(val_images)
    train = [p for p in people if p['train']]
    splits = {
        'mpii_trainval.json': train,
        'mpii_test.json': [p for p in people if not p['train']],
    }
    if val:
        unknown = val - {p['image'] for p in train}
        if unknown:
            raise UsageError(
                f'{len(unknown)} of {len(val)} names of the split are '
                'not training images with people, the first of them '
                f'"{min(unknown)}": correct them or remove them'
            )
        scored = [p for p in train if p['image'] in val and p['head_box']]
        splits['mpii_train.json'] = [p for p in train if p['image'] not in val]
        splits['mpii_val.json'] = splits['mpii_gt_val.mat'] = scored
    contents = {Path(out) / n: _content(n, p) for n, p in splits.items()}
    for path, content in contents.items():
        # an interrupted run leaves equal ones
        start = _HEADER if path.suffix == '.mat' else 0
        if path.exists() and path.read_bytes()[start:] != content[start:]:
            raise UsageError(
                f'"{path}" exists: remove it, or name another folder'
            )
    Path(out).mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        write_bytes(path, content)
    return {name: len(split) for name, split in splits.items()}


def _content(name: str, people: Collection[Person]) -> bytes:
    """Of a JSON file; or of ``mpii_gt_val.mat``, person last:
    ``headboxes_src`` (2, 2, N), ``pos_gt_src`` (16, 2, N), ``jnt_missing``
    (16, N) of 0 and 1, and ``dataset_joints`` (1, 16) names."""
    if name.endswith('.json'):
        kept = ('joints_vis', 'joints', 'image', 'scale', 'center')
        return json.dumps([{k: p[k] for k in kept} for p in people]).encode()
    labelled = np.array([p['joints_vis'] for p in people], float)
    file = BytesIO()
    truth = {
        'dataset_joints': np.array([JOINT_NAMES], object),
        'headboxes_src': np.stack([p['head_box'] for p in people], -1),
        'jnt_missing': 1 - labelled.T,
        'pos_gt_src': np.stack([p['joints'] for p in people], -1),
    }
    savemat(file, truth)
    return file.getvalue()
