"""Writing a whole data set: many processes, one identical result.

What stands under the root::

    manifest.json                         settings and a checksum of the rest
    train/000000000001.jpg ...            pictures
    val/000001000001.jpg ...
    annotations/person_keypoints_train.json   COCO, 17 joints
    annotations/person_keypoints_val.json
    annotations/mpii_train.json               MPII, 16 joints
    annotations/mpii_val.json
    annotations/mpii_gt_val.mat               MPII's head boxes (also _train)
    person_detection_results/detections_val.json   boxes of a made-up
                                              detector (also _train)

Picture i of a split depends on (seed, split, i) alone. A set is built beside
its root and moved there when it is complete, so a root is whole or absent.
"""

import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.utils import ProgressBar
from scipy.io import savemat

from .formats import (
    COCO_CATEGORY,
    coco_annotation,
    detections,
    mpii_annotation,
    mpii_head_boxes,
)
from .scene import make_scene

SPLITS = {'train': 0, 'val': 1_000_000}
"""Split -> the number its image ids start after."""

JPEG_QUALITY = 92
MANIFEST = 'manifest.json'


def generate(
    root: str | os.PathLike[str],
    train: int = 1000,
    val: int = 200,
    seed: int = 0,
    workers: int = 2,
    overwrite: bool = False,
    progress: bool = False,
) -> Path:
    """Make a data set of synthetic people, or find it there already.

    Args:
        root: Folder of the data set. Its parent is created if need be.
        train, val: Number of pictures of each split.
        seed: Equal settings give equal bytes, whatever ``workers`` is.
        workers: Processes to draw with; 0 draws in this one.
        overwrite: Replace another set of synthetic people in ``root``.
        progress: Show a bar with the time left.

    Returns:
        ``root``, absolute.

    Raises:
        ValueError: A count or the seed is negative.
        FileExistsError: ``root`` holds something else.
    """
    settings = dict(train=train, val=val, seed=seed)
    for name, value in settings.items() | {('workers', workers)}:
        if value < 0:
            raise ValueError(f'{name} must not be negative, got {value}.')
    root = Path(root).absolute()
    root.parent.mkdir(parents=True, exist_ok=True)
    with open(root.parent / f'.{root.name}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits, then reuses
        if _is_there(root, settings, overwrite):
            return root
        partial_root = root.parent / f'.{root.name}.partial'
        if partial_root.exists():  # left by a run that was killed
            shutil.rmtree(partial_root)
        partial_root.mkdir()
        for split in SPLITS:
            _write_split(
                partial_root, split, settings[split], seed, workers, progress
            )
        manifest = dict(
            format='synthetic people',
            settings=settings,
            code=code_version(),
            libraries=dict(numpy=np.__version__, opencv=cv2.__version__),
            checksum=checksum(partial_root),
        )
        _dump(partial_root / MANIFEST, manifest)
        if root.exists():
            old = root.parent / f'.{root.name}.old'
            shutil.rmtree(old, ignore_errors=True)
            root.rename(old)
            partial_root.rename(root)
            shutil.rmtree(old)
        else:
            partial_root.rename(root)
    return root


def code_version() -> str:
    """A hash of this package's source: another source, another set."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob('*.py')):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def checksum(root: Path) -> str:
    """A hash over the names and contents of all files but the manifest."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob('*')):
        if path.is_file() and path.name != MANIFEST:
            digest.update(str(path.relative_to(root)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _is_there(root: Path, settings: dict[str, int], overwrite: bool) -> bool:
    """Whether ``root`` holds this very set; errors if it holds another."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        manifest = json.loads((root / MANIFEST).read_text())
        known = manifest['format'] == 'synthetic people'
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise FileExistsError(
            f'{root} is not empty and not a set of synthetic people: '
            'name another folder.'
        )
    differs = [
        f'{name} {manifest["settings"].get(name)} instead of {value}'
        for name, value in settings.items()
        if manifest['settings'].get(name) != value
    ]
    if manifest['code'] != code_version():
        differs.append('another version of the generator')
    if manifest['checksum'] != checksum(root):
        differs.append('files changed since they were made')
    if not differs:
        return True
    if overwrite:
        return False
    raise FileExistsError(
        f'{root} holds another set of synthetic people '
        f'({"; ".join(differs)}): name another folder, or replace it with '
        '--overwrite (overwrite=True).'
    )


def _write_split(
    root: Path, split: str, count: int, seed: int, workers: int, progress: bool
) -> None:
    """Draw the pictures of a split and write its annotation files."""
    (root / split).mkdir()
    (root / 'annotations').mkdir(exist_ok=True)
    (root / 'person_detection_results').mkdir(exist_ok=True)
    images, people, found, mpii, heads = [], [], [], [], []
    bar = ProgressBar(count) if progress and count else None
    for record in _draw_all(root, split, count, seed, workers):
        images.append(record['image'])
        for annotation in record['people']:
            annotation['id'] = SPLITS[split] + len(people) + 1
            people.append(annotation)
        found += record['detections']
        mpii += record['mpii']
        heads += record['heads']
        if bar:
            bar.update()
    if bar:
        print()
    notes = root / 'annotations'
    info = dict(
        description='Synthetic people: drawn, not photographed',
        split=split,
        seed=seed,
    )
    _dump(
        notes / f'person_keypoints_{split}.json',
        dict(
            info=info,
            licenses=[],
            images=images,
            annotations=people,
            categories=[COCO_CATEGORY],
        ),
    )
    _dump(notes / f'mpii_{split}.json', mpii)
    _dump(
        root / 'person_detection_results' / f'detections_{split}.json', found
    )
    flags = [entry['joints_vis'] for entry in mpii]
    _save_mat(notes / f'mpii_gt_{split}.mat', mpii_head_boxes(heads, flags))


def _draw_all(
    root: Path, split: str, count: int, seed: int, workers: int
) -> Iterator[dict[str, Any]]:
    """Records of all pictures, in order."""
    work = partial(draw_picture, root / split, split, seed)
    if workers == 0 or count == 0:
        yield from map(work, range(count))
        return
    method = 'fork' if 'fork' in get_all_start_methods() else 'spawn'
    with ProcessPoolExecutor(
        workers, mp_context=get_context(method), initializer=_one_thread
    ) as pool:
        try:
            yield from pool.map(work, range(count), chunksize=4)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_thread() -> None:
    cv2.setNumThreads(0)


def draw_picture(
    folder: Path, split: str, seed: int, index: int
) -> dict[str, Any]:
    """Draw picture ``index`` into ``folder``.

    Returns:
        Its entries for the annotation files, annotation ids still 0.
    """
    rng = np.random.default_rng([seed, SPLITS[split], index])
    scene = make_scene(rng)
    height, width = scene.image.shape[:2]
    image_id = SPLITS[split] + index + 1
    name = f'{image_id:012d}.jpg'
    done, data = cv2.imencode(
        '.jpg', scene.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    if not done:
        raise OSError(f'OpenCV could not encode {folder / name} as JPEG.')
    (folder / name).write_bytes(data.tobytes())
    return dict(
        image=dict(id=image_id, file_name=name, width=width, height=height),
        people=[coco_annotation(p, image_id, 0) for p in scene.people],
        detections=detections(rng, scene.people, image_id, width, height),
        mpii=[mpii_annotation(p, name, width, height) for p in scene.people],
        heads=[p.head_box for p in scene.people],
    )


def _dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, separators=(',', ':')) + '\n')


def _save_mat(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """As ``scipy.io.savemat``, without the time in its header."""
    stream = io.BytesIO()
    savemat(stream, arrays)
    data = stream.getvalue()
    header = b'MATLAB 5.0 MAT-file, synthetic people'
    path.write_bytes(header.ljust(116) + data[116:])
