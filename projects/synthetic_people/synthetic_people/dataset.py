"""A data set on disk, drawn by several processes.

Files below the root::

    manifest.json                             settings
    train/000000000001.jpg ...                images
    val/000001000001.jpg ...
    annotations/person_keypoints_train.json   COCO, 17 joints (also _val)
    annotations/mpii_train.json               MPII, 16 joints (also _val)
    annotations/mpii_gt_train.mat             MPII's head boxes (also _val)
    person_detection_results/detections_train.json   boxes of a simulated
                                              detector (also _val)

Image i of a split depends on (seed, split, i) alone. A set is built beside
its root and moved there when complete; an interrupted run is resumed.
"""

import hashlib
import io
import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from filelock import FileLock
from mmengine.utils import track_iter_progress
from scipy.io import savemat

from .annotations import (
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
    train: int = 1500,
    val: int = 200,
    seed: int = 0,
    workers: int = 2,
    progress: bool = False,
) -> Path:
    """Draw a data set of synthetic people, or reuse it.

    Args:
        root: Folder of the data set. Its parents are created.
        train, val: Number of images of each split.
        seed: Equal settings give equal bytes, whatever ``workers`` is.
        workers: Number of processes; 0 draws in this one.
        progress: Show a progress bar with the time left.

    Returns:
        ``root``, absolute.

    Raises:
        FileExistsError: ``root`` holds something else.
    """
    root = Path(root).absolute()
    root.parent.mkdir(parents=True, exist_ok=True)
    manifest = dict(format='synthetic people', train=train, val=val)
    manifest |= dict(seed=seed, code=code_version())
    with FileLock(root.parent / f'.{root.name}.lock'):
        if root.is_file() or (root.exists() and any(root.iterdir())):
            found = _manifest(root)
            differs = [
                f'{key} {found.get(key)} instead of {value}'
                for key, value in manifest.items()
                if found.get(key) != value
            ]
            if differs:
                raise FileExistsError(
                    f'{root} holds something else ({", ".join(differs)}): '
                    'name another folder, or delete it.'
                )
            return root
        part = root.parent / f'.{root.name}.partial'
        if _manifest(part) != manifest:
            shutil.rmtree(part, ignore_errors=True)
            (part / 'records').mkdir(parents=True)
            _dump(part / MANIFEST, manifest)
        for split in SPLITS:
            count = dict(train=train, val=val)[split]
            records = _draw_all(part, split, count, seed, workers)
            if progress and count:
                records = track_iter_progress((records, count))
            _write_annotations(part, split, seed, list(records))
        shutil.rmtree(part / 'records')
        if root.exists():
            root.rmdir()  # it is empty
        part.rename(root)
    return root


def code_version() -> str:
    """A hash of the generator's source and of the libraries it draws with."""
    digest = hashlib.sha256(f'{np.__version__} {cv2.__version__}'.encode())
    for path in sorted(Path(__file__).parent.glob('*.py')):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _write_annotations(
    root: Path, split: str, seed: int, records: list[dict[str, Any]]
) -> None:
    """Write the annotation files of a split."""
    notes, boxes = root / 'annotations', root / 'person_detection_results'
    for folder in (notes, boxes):
        folder.mkdir(exist_ok=True)

    def gather(key: str) -> list[Any]:
        return [item for record in records for item in record[key]]

    people = gather('people')
    for number, person in enumerate(people):
        person['id'] = SPLITS[split] + number + 1
    coco = dict(
        info=dict(description='Synthetic people', split=split, seed=seed),
        licenses=[],
        images=[record['image'] for record in records],
        annotations=people,
        categories=[COCO_CATEGORY],
    )
    mpii = gather('mpii')
    _dump(notes / f'person_keypoints_{split}.json', coco)
    _dump(notes / f'mpii_{split}.json', mpii)
    _dump(boxes / f'detections_{split}.json', gather('detections'))
    flags = [entry['joints_vis'] for entry in mpii]
    stream = io.BytesIO()
    savemat(stream, mpii_head_boxes(gather('heads'), flags))
    data = stream.getvalue()  # its header, 116 bytes of text, holds the time
    header = b'MATLAB 5.0 MAT-file, synthetic people'.ljust(116)
    (notes / f'mpii_gt_{split}.mat').write_bytes(header + data[116:])


def _draw_all(
    root: Path, split: str, count: int, seed: int, workers: int
) -> Iterator[dict[str, Any]]:
    """Records of all images, in order."""
    (root / split).mkdir(exist_ok=True)
    work = partial(draw_image, root, split, seed)
    if workers == 0 or count == 0:
        yield from map(work, range(count))
        return
    with ProcessPoolExecutor(
        workers, get_context('fork'), initializer=_begin_worker
    ) as pool:
        try:
            yield from pool.map(work, range(count), chunksize=4)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_worker() -> None:
    """In a worker: draw with one thread, and end when the parent does."""
    cv2.setNumThreads(0)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)


def draw_image(
    root: Path, split: str, seed: int, index: int
) -> dict[str, Any]:
    """Draw image ``index`` of a split, unless an earlier run did.

    Returns:
        Its entries of the annotation files, annotation ids still 0.
    """
    image_id = SPLITS[split] + index + 1
    name = f'{image_id:012d}.jpg'
    path = root / 'records' / f'{name}.json'
    if path.exists():
        return json.loads(path.read_text())
    rng = np.random.default_rng([seed, SPLITS[split], index])
    scene = make_scene(rng)
    height, width = scene.image.shape[:2]
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    if not cv2.imwrite(str(root / split / name), scene.image, options):
        raise OSError(f'OpenCV could not write {root / split / name}.')
    record = dict(
        image=dict(id=image_id, file_name=name, width=width, height=height),
        people=[coco_annotation(p, image_id, 0) for p in scene.people],
        detections=detections(rng, scene.people, image_id, width, height),
        mpii=[mpii_annotation(p, name, width, height) for p in scene.people],
        heads=[p.head_box for p in scene.people],
    )
    _dump(path.with_suffix('.part'), record)
    path.with_suffix('.part').replace(path)
    return record


def _dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, separators=(',', ':')) + '\n')
