"""MPII's official annotations as the JSON that MMPose and HRNet read.

The release is one Matlab file, ``mpii_human_pose_v1_u12_1.mat``, whose
``RELEASE`` holds, for each image, ``annolist`` (name and people), and
``img_train``. A person has ``objpos`` (a rough centre), ``scale`` (height in
units of 200 px), the corners ``x1, y1, x2, y2`` of the head's box, and, in
training images, ``annopoints.point`` with ``id, x, y, is_visible``.

Numbers stay as the release has them, counted from 1 as in Matlab; the data
sets subtract what has to be subtracted.
"""

import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

NUM_JOINTS = 16
MISSING = (-1.0, -1.0)

# as HRNet's evaluation looks them up, in the order of the ids
JOINT_NAMES = (
    *('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor'),
    *('neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri'),
)


@dataclass(frozen=True)
class MpiiPerson:
    """A person of the release.

    Attributes:
        image: File name of the image.
        train: Whether it is a training image; the others have no joints.
        center: x, y in pixels.
        scale: Height in units of 200 px.
        joints: (16, 2) float64 x, y in pixels, -1 where missing; all
            missing where there are none.
        labelled: (16,) bool.
        head_box: (2, 2) float64, x, y of two opposite corners, or None.
    """

    image: str
    train: bool
    center: tuple[float, float]
    scale: float
    joints: np.ndarray
    labelled: np.ndarray
    head_box: np.ndarray | None


def read_release(path: str | Path) -> Iterator[MpiiPerson]:
    """The people of MPII's release, image by image.

    People without a centre or scale are left out, and so are people in
    training images who have no joint.

    Raises:
        ValueError: The file is not MPII's release.
    """
    release = _load(path)
    images = _listed(release.annolist)
    trains = np.atleast_1d(release.img_train)
    for entry, train in zip(images, trains, strict=True):
        image = str(entry.image.name)
        for person in _listed(entry.annorect):
            read = _read_person(person, image, bool(train))
            if read is not None:
                yield read


def _load(path: str | Path) -> Any:
    needed = {'annolist', 'img_train'}
    try:
        mat = loadmat(path, squeeze_me=True, struct_as_record=False)
    except FileNotFoundError:
        raise
    except Exception as error:
        # SciPy raises anything for a file of another kind
        raise ValueError(
            f'"{path}" cannot be read as a Matlab file ({error}): give '
            "MPII's mpii_human_pose_v1_u12_1.mat"
        ) from error
    release = mat.get('RELEASE')
    if not needed <= set(getattr(release, '_fieldnames', ())):
        names = ', '.join(name for name in mat if not name.startswith('__'))
        raise ValueError(
            f'"{path}" has no struct RELEASE with '
            f'{" and ".join(sorted(needed))} (it has {names or "nothing"}): '
            "give MPII's mpii_human_pose_v1_u12_1.mat"
        )
    return release


def _read_person(person: Any, image: str, train: bool) -> MpiiPerson | None:
    position = _get(person, 'objpos')
    scale = _get(person, 'scale')
    if position is None or scale is None:
        return None
    joints, labelled = _read_joints(person, image)
    if train and not labelled.any():
        return None
    corners = [_get(person, name) for name in ('x1', 'y1', 'x2', 'y2')]
    head_box = None
    if all(corner is not None for corner in corners):
        head_box = np.array(corners, float).reshape(2, 2)
    return MpiiPerson(
        image=image,
        train=train,
        center=(float(position.x), float(position.y)),
        scale=float(scale),
        joints=joints,
        labelled=labelled,
        head_box=head_box,
    )


def _read_joints(person: Any, image: str) -> tuple[np.ndarray, np.ndarray]:
    joints = np.tile(MISSING, (NUM_JOINTS, 1))
    labelled = np.zeros(NUM_JOINTS, bool)
    points = _get(_get(person, 'annopoints'), 'point')
    for point in _listed(points):
        joint = int(point.id)
        if not 0 <= joint < NUM_JOINTS:
            raise ValueError(
                f'image "{image}" has a joint with the id {joint}, but '
                f"MPII's ids are 0 to {NUM_JOINTS - 1}"
            )
        joints[joint] = float(point.x), float(point.y)
        labelled[joint] = True
    return joints, labelled


def _get(struct: Any, name: str) -> Any:
    """A field of a Matlab struct; None where it is absent or empty."""
    value = getattr(struct, name, None)
    return None if value is None or np.size(value) == 0 else value


def _listed(value: Any) -> list:
    """The structs of a Matlab struct array, which SciPy squeezes."""
    if value is None:
        return []
    return [
        each
        for each in np.atleast_1d(np.asarray(value, object)).ravel()
        if hasattr(each, '_fieldnames')
    ]


def as_json(person: MpiiPerson) -> dict:
    """A person as MMPose's and HRNet's annotation files have it."""
    return {
        'joints_vis': person.labelled.astype(int).tolist(),
        'joints': person.joints.tolist(),
        'image': person.image,
        'scale': person.scale,
        'center': list(person.center),
    }


def head_boxes(people: Sequence[MpiiPerson]) -> dict[str, np.ndarray]:
    """What ``mpii_gt_val.mat`` holds, for MMPose's and HRNet's evaluation.

    Args:
        people: N people, in the order of the annotation file. Each has a
            head's box.

    Returns:
        ``headboxes_src`` (2, 2, N): [corner, x or y, person];
        ``pos_gt_src`` (16, 2, N); ``jnt_missing`` (16, N), 1 where a joint
        is missing; ``dataset_joints`` (1, 16) names.
    """
    names = np.empty((1, NUM_JOINTS), object)
    names[0] = JOINT_NAMES
    return {
        'dataset_joints': names,
        'headboxes_src': np.stack([p.head_box for p in people], axis=-1),
        'jnt_missing': 1
        - np.stack([p.labelled for p in people], -1).astype(np.float64),
        'pos_gt_src': np.stack([p.joints for p in people], axis=-1),
    }


def read_split(path: str | Path) -> set[str]:
    """Names of the images of a split.

    Args:
        path: A text file with one name a line, or an annotation file in
            MMPose's or HRNet's format, such as ``valid.json``.

    Raises:
        ValueError: It is neither.
    """
    text = Path(path).read_text()
    if Path(path).suffix != '.json':
        names = set(text.split())
    else:
        try:
            names = {entry['image'] for entry in json.loads(text)}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f'"{path}" is not a list of people with an "image" each '
                f'({type(error).__name__}: {error}): give such a file, or a '
                'text file with the name of one image a line'
            ) from error
    if not names:
        raise ValueError(f'"{path}" names no image')
    return names


def write_annotations(
    people: Collection[MpiiPerson],
    out: str | Path,
    val_images: Collection[str] = (),
) -> dict[str, int]:
    """Write a release as MMPose's annotation files.

    ``mpii_trainval.json`` and ``mpii_test.json`` are always written; with
    ``val_images`` also ``mpii_train.json``, ``mpii_val.json`` and
    ``mpii_gt_val.mat``. People without a head's box cannot be scored, so
    they are left out of the last two.

    Args:
        people: Those of :func:`read_release`.
        out: Folder of the files; made where there is none.
        val_images: Names of the training images to validate on.

    Returns:
        File name -> number of people.

    Raises:
        FileExistsError: A file is there already; none is written.
        ValueError: A name is not that of a training image with people, or
            nobody to validate on has a head's box.
    """
    labelled = [person for person in people if person.train]
    splits = {
        'mpii_trainval.json': labelled,
        'mpii_test.json': [person for person in people if not person.train],
    }
    if val_images:
        val_images = set(val_images)
        unknown = val_images - {person.image for person in labelled}
        if unknown:
            raise ValueError(
                f'{len(unknown)} of {len(val_images)} names of the split are '
                'not training images with people, the first of them '
                f'"{min(unknown)}": correct them or remove them'
            )
        splits['mpii_train.json'] = [
            person for person in labelled if person.image not in val_images
        ]
        splits['mpii_val.json'] = [
            person
            for person in labelled
            if person.image in val_images and person.head_box is not None
        ]
        if not splits['mpii_val.json']:
            raise ValueError(
                f'nobody in the {len(val_images)} images of the split has a '
                "head's box, without which nothing can be scored: name others"
            )
    out = Path(out)
    scored = splits.get('mpii_val.json', [])
    names = [*splits, *(['mpii_gt_val.mat'] if scored else [])]
    for name in names:
        if (out / name).exists():
            raise FileExistsError(
                f'"{out / name}" exists: remove it, or name another folder'
            )
    out.mkdir(parents=True, exist_ok=True)
    counts = {name: len(split) for name, split in splits.items()}
    for name, split in splits.items():
        text = json.dumps([as_json(person) for person in split])
        _write_whole(out / name, text.encode())
    if scored:
        buffer = io.BytesIO()
        savemat(buffer, head_boxes(scored))
        _write_whole(out / 'mpii_gt_val.mat', buffer.getvalue())
        return {**counts, 'mpii_gt_val.mat': len(scored)}
    return counts


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is never there in part."""
    part = path.with_name(f'{path.name}.part')
    part.write_bytes(content)
    part.replace(path)
