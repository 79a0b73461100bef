"""Attacked images as files, and predictions back from files: for models in
other languages, environments or on other machines (docs/any_program.md).

The images of the manifest are those that a predictor would get. It also holds
the arguments from which the attacks are made again.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import (
    digest,
    read_json,
    replaced,
    write_bytes,
    write_json,
)
from mmpose_occlusion.predictors.protocol import (
    Prediction,
    joint_mapping,
    named_joints,
)
from mmpose_occlusion.skeleton import Skeleton

from .annotation_file import read_annotations
from .checked_files import check_images
from .data import BenchmarkRun
from .effects import ImageAttack
from .image_people import ImagePeople, image_people
from .image_run import ALL, ONE, run_predictor
from .store import CLEAN
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
    """Write clean and attacked images, and the manifest last.

    Args:
        annotations, images, suites, attacks, seed, max_images: See
            :func:`.run_predictor`.
        folder: Gets the files; it must not hold a manifest.
        people: 'one' attacked person an image, whose box is given, for
            top-down models; or 'all' at once, for models that find people.
        names: Joints of the predictions, or the name of a convention; those
            of the annotations by default.
        tar: Write the PNGs into :data:`TAR` in the folder.
        progress: Wraps the images, such as ``rich.progress.track``.
        log: Called with faults of the annotations.

    Returns:
        The manifest.

    Raises:
        UsageError: A file or an attack does not fit.
    """
    folder = Path(folder)
    if (folder / MANIFEST).exists():
        raise UsageError(
            f'folder "{folder}" holds a manifest already: give another one'
        )
    read = read_annotations(annotations)
    skeleton = Skeleton(tuple(read.joints))
    steps: dict[str, ImageAttack | None] = {CLEAN: None} | {
        attack.name: ImageAttack(attack, seed, read.links)
        for attack in load_suites(suites, attacks, skeleton)
    }
    joints = named_joints(read.joints if names is None else names)
    data = image_people(
        read,
        check_images(read, images, decode=True),
        joint_mapping(joints, read.joints, 'the results') >= 0,
        people == ALL,
        None,
        max_images,
    )
    for fault in read.faults:
        log(fault.sentence())
    folders = {
        name: f'{i:04d}_{re.sub(r"[^A-Za-z0-9.%-]+", "_", name)[:80]}'
        for i, name in enumerate(steps)
    }
    listed: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        archive = None
        if tar:
            file = stack.enter_context(replaced(folder / TAR))
            archive = stack.enter_context(tarfile.open(file, 'w'))
        for image_id, path in progress(list(data.paths.items())):
            bgr = np.asarray(cv2.imread(str(path)))
            for attack, rows, pixels in _versions(
                data, image_id, bgr, steps, people
            ):
                ident = len(listed) + 1
                name = f'{folders[attack]}/{ident:08d}_{path.stem}.png'
                png: Any = cv2.imencode('.png', pixels, FAST)[1].data
                if archive is None:
                    (folder / name).parent.mkdir(exist_ok=True)
                    write_bytes(folder / name, png)
                else:
                    member = tarfile.TarInfo(name)
                    member.size = len(png)
                    archive.addfile(member, BytesIO(png))
                boxes = None if people == ALL else data.boxes.boxes[rows]
                listed.append(
                    dict(
                        id=ident,
                        file_name=name,
                        attack=attack,
                        width=pixels.shape[1],
                        height=pixels.shape[0],
                        boxes=boxes,
                        content=_content(pixels[..., ::-1], boxes),
                    )
                )
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
        attacks=[dict(name=k, folder=folders[k]) for k in steps],
        images=listed,
    )
    return write_json(folder / MANIFEST, content)


def _versions(
    data: ImagePeople,
    image_id: int,
    bgr: np.ndarray,
    steps: Mapping[str, ImageAttack | None],
    people: str,
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Of an image: the attack, the rows that are asked for, and the pixels;
    nothing where they are unchanged."""
    rows = np.flatnonzero(data.boxes.image_ids == image_id)
    for name, attack in steps.items():
        if attack is None:
            yield name, rows, bgr
            continue
        painted = bgr.copy()
        for row in rows.tolist():
            person = data.person(row, bgr.shape)
            if person is None:
                continue
            effect = attack.on(bgr, bgr.copy(), person, data.raw(row))
            effect.paint(painted)
            if people == ONE and effect.box is not None:
                yield name, np.array([row]), painted
                painted = bgr.copy()
        if people == ALL and (painted != bgr).any():
            yield name, rows, painted


def _content(rgb: np.ndarray, boxes: np.ndarray | None) -> str:
    """What tells an image and its boxes from others."""
    sha = hashlib.blake2b(np.ascontiguousarray(rgb).data, digest_size=16)
    sha.update(b'' if boxes is None else np.asarray(boxes, float).tobytes())
    return sha.hexdigest()


class FilePredictor:
    """Predictions that another program wrote for an exported folder.

    Args:
        folder: Of :func:`export_images`.
        results: Results files, one for each attack, named after its folder;
            or a folder of them.
        name: To be shown.

    Raises:
        UsageError: A file is missing or damaged, or lacks people; the
            message lists what is missing.
    """

    def __init__(
        self,
        folder: str | Path,
        results: Sequence[str | Path],
        name: str = 'imported',
    ) -> None:
        path = Path(folder) / MANIFEST
        self.manifest = manifest = read_json(path, 'manifest')
        known = manifest if isinstance(manifest, dict) else {}
        if known.get('format') != FORMAT or not all(
            isinstance(known.get(key), kind) for key, kind in _FIELDS.items()
        ):
            raise UsageError(
                f'manifest "{path}" is not one of occlusion-export in format '
                f'{FORMAT}: export the images again'
            )
        self.name = name
        self.keypoint_names = tuple(manifest['keypoint_names'])
        self.needs_boxes = manifest['people'] == ONE
        files = {
            file.stem: file
            for path in map(Path, results)
            for file in (path.glob('*.json') if path.is_dir() else [path])
        }
        attacks = {a['name']: a['folder'] for a in manifest['attacks']}
        _refuse(
            [f'{stem}.json' for stem in attacks.values() if stem not in files],
            'results files',
        )
        images = manifest['images']
        found: dict[int, list[Mapping[str, Any]]] = {}
        for attack, stem in attacks.items():
            mine = [i['id'] for i in images if i['attack'] == attack]
            found |= self._read(files[stem], attack, mine)
        if self.needs_boxes:
            pairs = [(i, len(found[i['id']]), len(i['boxes'])) for i in images]
            _refuse(
                [
                    f'{image["file_name"]} ({has} of {wants} people)'
                    for image, has, wants in pairs
                    if has != wants
                ],
                'predictions of images',
            )
        self._found = {}
        for image in images:
            poses = found[image['id']]
            values = np.array([e['keypoints'] for e in poses], float)
            values = values.reshape(-1, len(self.keypoint_names), 3)
            scores = [e.get('score') for e in poses]
            self._found[image['content']] = Prediction(
                values[..., :2],
                values[..., 2],
                person_scores=None if None in scores else np.array(scores),
            )
        self._identity = f'files {digest(found)}'

    def identity(self) -> str:
        """Of the results."""
        return self._identity

    def _read(
        self, file: Path, attack: str, images: Sequence[int]
    ) -> dict[int, list[Mapping[str, Any]]]:
        """The poses of an attack's images in a results file."""
        found: dict[int, list[Mapping[str, Any]]] = {i: [] for i in images}
        count = 3 * len(self.keypoint_names)
        raw = read_json(file, 'results file')
        for i, entry in enumerate(raw if isinstance(raw, list) else [raw]):
            try:
                values, poses = entry['keypoints'], found[entry['image_id']]
                values = np.array([*values, entry.get('score') or 0], float)
            except (KeyError, TypeError, ValueError):
                values = []
            if len(values) != count + 1:
                raise UsageError(
                    f'results file "{file}", entry {i}: needs an image_id of '
                    f'attack "{attack}" in the manifest, and keypoints with '
                    f'{count} numbers (x, y, score)'
                )
            poses.append(entry)
        return found

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """See :class:`mmpose_occlusion.predictors.Predictor`."""
        keys = [_content(*pair) for pair in zip(images, boxes, strict=True)]
        if not all(key in self._found for key in keys):
            raise UsageError(
                'an attacked image is not one of the exported ones: the data '
                'set, the suite or this package has changed; export again'
            )
        return [self._found[key] for key in keys]


def _refuse(missing: Sequence[str], what: str) -> None:
    if missing:
        raise UsageError(
            f'{len(missing):,} {what} are missing: {", ".join(missing[:5])}'
            + ', ...' * (len(missing) > 5)
        )


def import_results(
    folder: str | Path,
    results: Sequence[str | Path],
    out: str | Path,
    *,
    name: str = 'imported',
    log: Callable[[str], object] = print,
) -> BenchmarkRun:
    """A benchmark's run in a folder ``out``, from the results of an exported
    folder; errors are those of :class:`FilePredictor`."""
    predictor = FilePredictor(folder, results, name)
    run = run_predictor(
        predictor,
        out=out,
        people=predictor.manifest['people'],
        log=log,
        **predictor.manifest['arguments'],
    )
    assert run is not None
    return run
