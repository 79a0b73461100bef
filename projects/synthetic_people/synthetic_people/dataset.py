"""A data set on disk, drawn by several processes.

Files below the root::

    manifest.json                             settings
    train/000000000001.jpg ...                images
    val/000001000001.jpg ...
    annotations/person_keypoints_train.json   COCO, 17 joints (also _val)

Image i of a split depends on (seed, split, i) alone. A set is built beside
its root and moved there when complete; an interrupted run is resumed.
"""

import hashlib
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

from mmpose_occlusion.errors import UsageError

from .scene import COCO_JOINTS, Person, make_scene

SPLITS = {'train': 0, 'val': 1_000_000}
"""Split -> the number its image ids start after."""
JPEG_QUALITY = 92
MANIFEST = 'manifest.json'
COCO_CATEGORY = dict(
    id=1,
    name='person',
    supercategory='person',
    keypoints=list(COCO_JOINTS),
    skeleton=[
        *[[16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13]],
        *[[6, 7], [6, 8], [7, 9], [8, 10], [9, 11], [2, 3], [1, 2], [1, 3]],
        *[[2, 4], [3, 5], [4, 6], [5, 7]],
    ],
)


def generate(
    root: str | os.PathLike[str],
    train: int = 1500,
    val: int = 200,
    seed: int = 0,
    workers: int = 2,
    progress: bool = False,
) -> Path:
    """Draw a data set of synthetic people, or reuse it; its absolute folder.

    Args:
        root: Folder of the data set. Its parents are created.
        train, val: Number of images of each split.
        seed: Equal settings give equal bytes, whatever ``workers`` is.
        workers: Number of processes; 0 draws in this one.
        progress: Show a progress bar with the time left.

    Raises:
        UsageError: ``root`` holds something else.
    """
    root, sizes = Path(root).absolute(), dict(train=train, val=val)
    manifest = dict(format='synthetic people', **sizes, seed=seed)
    manifest['code'] = code_version()
    part = root.parent / f'.{root.name}.partial'
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(root.parent / f'.{root.name}.lock'):
        if root.is_file() or (root.exists() and any(root.iterdir())):
            _check_manifest(root, manifest)
            return root
        if _manifest(part) != manifest:
            shutil.rmtree(part, ignore_errors=True)
            for name in ('records', 'annotations', *SPLITS):
                (part / name).mkdir(parents=True)
            _dump(part / MANIFEST, manifest)
        for split, count in sizes.items():
            records = _draw_all(part, split, count, seed, workers)
            if progress and count:
                records = track_iter_progress((records, count))
            coco = _coco_file(split, seed, list(records))
            _dump(part / f'annotations/person_keypoints_{split}.json', coco)
        shutil.rmtree(part / 'records')
        if root.exists():
            root.rmdir()  # it is empty
        part.rename(root)
    return root


def _check_manifest(root: Path, manifest: dict[str, Any]) -> None:
    """Raise a UsageError unless a folder holds the set of these settings."""
    found = _manifest(root)
    differs = [
        f'{key} {found.get(key)} instead of {value}'
        for key, value in manifest.items()
        if found.get(key) != value
    ]
    if differs:
        raise UsageError(
            f'{root} holds something else ({", ".join(differs)}): '
            'name another folder, or delete it'
        )


def _coco_file(
    split: str, seed: int, records: list[dict[str, Any]]
) -> dict[str, Any]:
    """The annotation file of a split's images."""
    people = [person for record in records for person in record['people']]
    for number, person in enumerate(people, SPLITS[split] + 1):
        person['id'] = number
    return dict(
        info=dict(description='Synthetic people', split=split, seed=seed),
        licenses=[],
        images=[record['image'] for record in records],
        annotations=people,
        categories=[COCO_CATEGORY],
    )


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


def _dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, separators=(',', ':')) + '\n')


def _draw_all(
    root: Path, split: str, count: int, seed: int, workers: int
) -> Iterator[dict[str, Any]]:
    """Records of all images, in order."""
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

    def end_with_parent() -> None:
        parent_process().join()
        os._exit(1)

    cv2.setNumThreads(0)
    threading.Thread(target=end_with_parent, daemon=True).start()


def draw_image(
    root: Path, split: str, seed: int, index: int
) -> dict[str, Any]:
    """Draw image ``index`` of a split, unless an earlier run did; its
    entries of the annotation file, annotation ids still 0."""
    image_id = SPLITS[split] + index + 1
    name = f'{image_id:012d}.jpg'
    path = root / 'records' / f'{name}.json'
    if path.exists():
        return json.loads(path.read_text())
    scene = make_scene(np.random.default_rng([seed, SPLITS[split], index]))
    height, width = scene.image.shape[:2]
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    if not cv2.imwrite(str(root / split / name), scene.image, options):
        raise OSError(f'OpenCV could not write {root / split / name}.')
    record = dict(
        image=dict(id=image_id, file_name=name, width=width, height=height),
        people=[coco_annotation(p, image_id) for p in scene.people],
    )
    _dump(path.with_suffix('.part'), record)
    path.with_suffix('.part').replace(path)
    return record


def coco_annotation(person: Person, image_id: int) -> dict[str, Any]:
    """One entry of COCO's ``annotations``, its id still 0.

    A joint outside the image has x = y = v = 0. ``visible_area``, the number
    of pixels that are not occluded, is an addition; the polygons of
    ``segmentation`` run around these pixels.
    """
    keypoints: list[float] = []
    for name in COCO_JOINTS:
        flag = person.visible[name]
        keypoints += [*(person.joints[name] if flag else (0, 0)), flag]
    contours, _ = cv2.findContours(
        person.mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    rings = [cv2.approxPolyDP(contour, 0.7, True) for contour in contours]
    return dict(
        id=0,
        image_id=image_id,
        category_id=1,
        iscrowd=0,
        bbox=person.bbox,
        area=person.area,
        visible_area=person.visible_area,
        num_keypoints=sum(v > 0 for v in person.visible.values()),
        keypoints=keypoints,
        segmentation=[r.ravel().tolist() for r in rings if len(r) >= 3],
    )
