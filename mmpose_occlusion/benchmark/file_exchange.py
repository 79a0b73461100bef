"""Attacked images as files, and predictions back from files: for models in
other languages, environments or on other machines (docs/any_program.md).

The images of the manifest are those that a predictor would get. It also holds
the arguments from which the attacks are made again.
"""

import hashlib
import math
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion import files
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.protocol import (
    Prediction,
    as_predictor,
    joint_mapping,
    named_joints,
)
from mmpose_occlusion.skeleton import Skeleton

from .annotation_file import read_annotations
from .data import BenchmarkRun
from .effects import ImageAttack
from .image_loop import ALL, ONE
from .image_people import ImagePeople, image_people
from .image_run import run_predictor
from .store import CLEAN, Block
from .suite import load_suites

MANIFEST = 'manifest.json'
TAR = 'images.tar'
FORMAT = 1
_FIELDS = dict(
    arguments=dict, people=str, keypoint_names=list, attacks=list, images=list
)
FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def export_images(
    annotations: str | Path,
    images: str | Path,
    folder: str | Path,
    *,
    suites: Sequence[str] = (),
    attacks: Sequence[str] = (),
    people: str = ONE,
    names: str | Sequence[str] | None = None,
    seed: int = 0,
    max_images: int | None = None,
    tar: bool = False,
    progress: Callable[[Sequence[Any]], Iterable[Any]] = iter,
    log: Callable[[str], object] = print,
) -> Path:
    """Write clean and attacked images, and the manifest last, whose path is
    returned; the other arguments are those of :func:`.api.run_benchmark`.

    Args:
        folder: Gets the files; it must not hold a manifest.
        people: 'one' attacked person an image, whose box is given, for
            top-down models; or 'all' at once, for models that find people.
        names: Joints of the predictions, or the name of a convention; those
            of the annotations by default.
        tar: Write the PNGs into :data:`TAR` in the folder.
        progress: Wraps the images, such as ``rich.progress.track``.

    Raises:
        UsageError: A file or an attack does not fit.
    """
    folder = Path(folder)
    if (folder / MANIFEST).exists():
        raise UsageError(
            f'folder "{folder}" holds a manifest already: give another one'
        )
    read = read_annotations(annotations)
    suite = load_suites(suites, attacks, Skeleton(tuple(read.joints)))
    effects = {a.name: ImageAttack(a, seed, read.links) for a in suite}
    joints = named_joints(read.joints if names is None else names)
    recipe = dict(
        images=images,
        detections=None,
        compared=joint_mapping(joints, read.joints, 'the results') >= 0,
        whole_image=people == ALL,
        max_images=max_images,
    )
    data = image_people(read, recipe, log)
    folders = {
        name: f'{i:04d}_{re.sub(r"[^A-Za-z0-9.%-]+", "_", name)[:80]}'
        for i, name in enumerate((CLEAN, *effects))
    }
    listed: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        archive = None
        if tar:
            file = stack.enter_context(files.replaced(folder / TAR))
            archive = stack.enter_context(tarfile.open(file, 'w'))
        for block in progress(data.blocks(1)):
            for png, entry in _attacked(data, block, effects, people == ONE):
                ident, name = len(listed) + 1, entry['file_name']
                name = f'{folders[entry["attack"]]}/{ident:08d}_{name}'
                if archive is None:
                    (folder / name).parent.mkdir(exist_ok=True)
                    files.write_bytes(folder / name, png)
                else:
                    member = tarfile.TarInfo(name)
                    member.size = len(png)
                    archive.addfile(member, BytesIO(png))
                listed.append(dict(id=ident, **dict(entry, file_name=name)))
    log(f'{len(data.paths):,} images: {len(listed):,} files')
    arguments = dict(
        annotations=str(Path(annotations).resolve()),
        images=str(Path(images).resolve()),
        suites=list(suites),
        attacks=list(attacks),
        seed=seed,
        max_images=max_images,
    )
    content = dict(
        format=FORMAT,
        arguments=arguments,
        people=people,
        keypoint_names=joints,
        attacks=[dict(name=k, folder=v) for k, v in folders.items()],
        images=listed,
    )
    return files.write_json(folder / MANIFEST, content)


def _attacked(
    data: ImagePeople,
    block: Block,
    effects: Mapping[str, ImageAttack],
    one: bool,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The PNGs of an image, clean and under each attack, and their entries in
    the manifest."""
    (image,), into = data.read(block), data.empty(block)
    for attack in (CLEAN, *effects):
        for each in image.passes(effects.get(attack), into, one):
            pixels, boxes = each.pixels, None
            if not data.recipe['whole_image']:
                boxes = data.boxes.boxes[each.rows]
            entry = dict(
                file_name=f'{Path(image.path).stem}.png',
                attack=attack,
                width=pixels.shape[1],
                height=pixels.shape[0],
                boxes=boxes,
                content=_content(pixels[..., ::-1], boxes),
            )
            yield cv2.imencode('.png', pixels, FAST)[1].data, entry


def _content(rgb: np.ndarray, boxes: np.ndarray | None) -> str:
    """What tells an image and its boxes from others."""
    sha = hashlib.blake2b(np.ascontiguousarray(rgb).data, digest_size=16)
    sha.update(b'' if boxes is None else np.asarray(boxes, float).tobytes())
    return sha.hexdigest()


def import_results(
    folder: str | Path,
    results: Sequence[str | Path],
    out: str | Path,
    *,
    name: str = 'imported',
    log: Callable[[str], object] = print,
) -> BenchmarkRun:
    """A benchmark's run in a folder ``out``, from predictions that another
    program wrote for a folder of :func:`export_images`: results files, one for
    each attack, named after its folder; or folders of them. ``name`` is the
    model's, to be shown.

    Raises:
        UsageError: A file is missing or damaged, or lacks people; the
            message lists what is missing.
    """
    path = Path(folder) / MANIFEST
    manifest = files.read_json(path, 'manifest')
    known = manifest if isinstance(manifest, dict) else {}
    if known.get('format') != FORMAT or not all(
        isinstance(known.get(key), kind) for key, kind in _FIELDS.items()
    ):
        raise UsageError(
            f'manifest "{path}" is not one of occlusion-export in format '
            f'{FORMAT}: export the images again'
        )
    found = _read_results(manifest, results)

    def predict(
        images: Sequence[np.ndarray], boxes: Sequence[np.ndarray | None]
    ) -> list[Prediction]:
        keys = [_content(*pair) for pair in zip(images, boxes, strict=True)]
        if not all(key in found for key in keys):
            raise UsageError(
                'an attacked image is not one of the exported ones: the data '
                'set, the suite or this package has changed; export again'
            )
        return [found[key] for key in keys]

    content = files.digest({key: vars(each) for key, each in found.items()})
    joints, people = tuple(manifest['keypoint_names']), manifest['people']
    about = name, joints, people == ONE, f'files {content}'
    model, others = as_predictor(predict, *about), manifest['arguments']
    run = run_predictor(model, out=out, people=people, log=log, **others)
    assert run is not None
    return run


def _read_results(
    manifest: Mapping[str, Any], results: Sequence[str | Path]
) -> dict[str, Prediction]:
    """Content of an image -> its predictions."""
    known = {
        file.stem: file
        for path in map(Path, results)
        for file in (path.glob('*.json') if path.is_dir() else [path])
    }
    attacks = {a['name']: a['folder'] for a in manifest['attacks']}
    stems = attacks.values()
    missing = [f'{stem}.json' for stem in stems if stem not in known]
    _refuse(missing, 'results files')
    joints, out = len(manifest['keypoint_names']), {}
    for attack, stem in attacks.items():
        images = [i for i in manifest['images'] if i['attack'] == attack]
        found: dict[int, list[np.ndarray]] = {i['id']: [] for i in images}
        raw = files.read_json(known[stem], 'results file')
        for i, entry in enumerate(raw if isinstance(raw, list) else [raw]):
            try:
                score = entry.get('score')
                last = math.nan if score is None else score
                pose = np.array([*entry['keypoints'], last], float)
                found[entry['image_id']].append(pose.reshape(3 * joints + 1))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise UsageError(
                    f'results file "{known[stem]}", entry {i}: needs an '
                    f'image_id of attack "{attack}" in the manifest, and '
                    f'keypoints with {3 * joints} numbers (x, y, score)'
                ) from error
        for image in images:
            poses = np.reshape(found[image['id']], (-1, 3 * joints + 1))
            points = poses[:, :-1].reshape(-1, joints, 3)
            scores = None if np.isnan(poses[:, -1]).any() else poses[:, -1]
            out[image['content']] = Prediction(
                points[..., :2], points[..., 2], person_scores=scores
            )
            if image['boxes'] and len(poses) != len(image['boxes']):
                counts = f'({len(poses)} of {len(image["boxes"])} people)'
                missing.append(f'{image["file_name"]} {counts}')
    _refuse(missing, 'predictions of images')
    return out


def _refuse(missing: Sequence[str], what: str) -> None:
    if missing:
        raise UsageError(
            f'{len(missing):,} {what} are missing: {", ".join(missing[:5])}'
            + ', ...' * (len(missing) > 5)
        )
