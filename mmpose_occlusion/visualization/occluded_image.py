"""An image under attacks, beside what a model finds before and after."""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.progress import track

from mmpose_occlusion.benchmark.annotation_file import read_annotations
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import read_json, replaced, write_bytes
from mmpose_occlusion.occlusion import Attack, occlude
from mmpose_occlusion.occlusion.targets import KEYPOINT
from mmpose_occlusion.predictors import Prediction, Predictor
from mmpose_occlusion.skeleton import COCO_JOINTS, MPII_ORDER

from .drawing import SCORE, captioned, draw_pose
from .gallery import PoseStyle

VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm')
IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
LINES = 4  # of text below an image
_EXISTS = '"{}" exists: give another --out, or --overwrite'

_LIMBS = (
    *(('left_shoulder', 'right_shoulder'), ('left_hip', 'right_hip')),
    *(('shoulder', 'elbow'), ('elbow', 'wrist'), ('hip', 'knee')),
    *(('knee', 'ankle'), ('shoulder', 'hip'), ('ear', 'eye')),
    *(('nose', 'left_eye'), ('nose', 'right_eye')),
)
"""Joints, or words of joints on both sides."""


@dataclass(frozen=True)
class ImageOccluder:
    """Occludes images, by annotated or by predicted keypoints.

    Args:
        attacks: Applied to each person, in this order.
        predictor: Is shown before and after; None only occludes. One that
            needs boxes gets those around the annotated keypoints, or the
            whole image as one person's.
        names: Joints of annotated keypoints.
        seed: Of random draws, the same in each frame of a video: an occluder
            keeps its look while it follows its joint.
        threshold: People with a lower mean score are left out.
    """

    attacks: Sequence[Attack]
    predictor: Predictor | None = None
    names: Sequence[str] = COCO_JOINTS
    seed: int = 0
    threshold: float = SCORE

    def __post_init__(self) -> None:
        for attack in self.attacks:
            if attack.options or attack.word not in (None, 'random'):
                raise UsageError(
                    f'attack "{attack}" is not for single images, which have '
                    'no wildcards, "random_all" or further options: give '
                    'names, or "random"'
                )

    def __call__(
        self, bgr: np.ndarray, keypoints: np.ndarray | None
    ) -> np.ndarray:
        """Occlude ``(H, W, 3)`` BGR by keypoints ``(N, K, 2 or 3)`` in pixels,
        None for those of the predictor; with a predictor the result is
        ``(H + text, 2 W, 3)``, before on the left and after on the right."""
        names, predictor = self.names, self.predictor
        if predictor is None:
            if keypoints is None:
                raise UsageError(
                    'there are neither keypoints nor a predictor: give one'
                )
            return self._occlude(bgr, keypoints, names)[0]
        boxes = _boxes(keypoints, bgr.shape) if predictor.needs_boxes else None
        before = _people(predictor, bgr, boxes, self.threshold)
        if keypoints is None:
            names = predictor.keypoint_names
            keypoints = np.dstack([before.keypoints, before.scores])
        attacked, hidden = self._occlude(bgr, keypoints, names)
        after = _people(predictor, attacked, boxes, self.threshold)
        sides = [
            _drawn(predictor, bgr, before, 'before', hidden),
            _drawn(predictor, attacked, after, 'after', hidden),
        ]
        return np.hstack(sides)[..., ::-1]

    def _occlude(
        self, bgr: np.ndarray, keypoints: np.ndarray, names: Sequence[str]
    ) -> tuple[np.ndarray, list[str]]:
        """The image under the attacks, and the targets that it hides."""
        hidden = np.zeros(keypoints.shape[:2], bool)
        for attack in self.attacks if len(keypoints) else ():
            target: Any = [f'{attack.kind}:{name}' for name in attack.names]
            if attack.word is not None:
                target = 'random' if attack.kind == KEYPOINT else 'random_part'
            done = occlude(
                bgr,
                keypoints,
                target=target,
                fill=attack.fill,
                size=str(attack.size),
                place=attack.place,
                names=names,
                seed=self.seed,
                parts=attack.parts,
                offset=attack.offset,
                stay_covered=attack.stay_covered,
            )
            bgr, hidden = done.image, hidden | done.targets
        found = np.flatnonzero(hidden.any(axis=0)).tolist()
        return bgr, [names[k] for k in found]


def _people(
    predictor: Predictor,
    bgr: np.ndarray,
    boxes: np.ndarray | None,
    threshold: float,
) -> Prediction:
    """The people in boxes, or all who are found with a sufficient score."""
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    (found,) = predictor([rgb], [boxes])
    if boxes is not None:
        return found
    total = found.person_scores
    total = found.scores.mean(axis=1) if total is None else total
    keep = np.asarray(total) >= threshold
    return Prediction(found.keypoints[keep], found.scores[keep])


def _drawn(
    predictor: Predictor,
    bgr: np.ndarray,
    found: Prediction,
    word: str,
    hidden: Sequence[str],
) -> np.ndarray:
    """An image with the people found, as RGB, and lines of text below: the
    word and the scores of hidden joints."""
    names, canvas = predictor.keypoint_names, bgr[..., ::-1].copy()
    style = PoseStyle(names, _links(names))
    shown, unit = np.ones(len(names), bool), max(1, min(bgr.shape[:2]) / 300)
    for joints, scores in zip(found.keypoints, found.scores, strict=True):
        draw_pose(canvas, joints, shown, style, scores, unit)
    lines = [f'{word}: {predictor.name}, {len(found.scores)} people']
    for k in (names.index(name) for name in hidden if name in names):
        some = ', '.join(f'{score:.2f}' for score in found.scores[:, k])
        lines.append(f'{names[k]}: {some or "not found"}')
    if len(lines) > LINES:
        lines[LINES - 1] += f'; {len(lines) - LINES} more hidden joints'
    return captioned(canvas, lines, max(10.0, canvas.shape[1] / 40), LINES)


def occlude_file(
    path: Path,
    out: Path,
    occluder: ImageOccluder,
    keypoints: Mapping[str, np.ndarray] | np.ndarray | None,
    overwrite: bool,
) -> int:
    """Occlude an image, the images of a folder, or a video, with progress.

    Args:
        path: Of one of these.
        out: File, or folder for a folder.
        occluder: What is done with an image.
        keypoints: File name -> ``(N, K, 3)``; or ``(N, K, 3)`` of an image,
            ``(frames, N, K, 3)`` of a video; None for those of a predictor.
        overwrite: Whether files of another content, and videos, are replaced.

    Returns:
        Number of images or frames.

    Raises:
        UsageError: Something cannot be read, has no keypoints, or exists.
    """
    targets = {path: out}
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGES)
        targets = {each: out / f'{each.stem}.png' for each in paths}
        if len({*targets.values()}) < len(targets):
            raise UsageError(
                f'folder "{path}" has images whose names differ in the ending '
                'alone, which would be written into one file: rename them'
            )
    if isinstance(keypoints, Mapping):
        for file in targets:
            if file.name not in keypoints:
                raise UsageError(f'image "{file.name}" has no keypoints')
    if path.suffix.lower() in VIDEOS:
        if out.exists() and not overwrite:
            raise UsageError(_EXISTS.format(out))
        return _occlude_video(path, out, occluder, keypoints)
    if path.is_dir():
        out.mkdir(parents=True, exist_ok=True)
    for file, target in track(list(targets.items()), 'occluding'):
        bgr = cv2.imread(str(file))
        if bgr is None:
            raise UsageError(f'image "{file}" cannot be read')
        if not cv2.haveImageWriter(str(target)):
            raise UsageError(
                f'image "{target}" cannot be written: give a name that ends '
                'in .png or .jpg'
            )
        mine: Any = keypoints
        if isinstance(keypoints, Mapping):
            mine = keypoints[file.name]
        drawn = np.asarray(occluder(bgr, mine))
        data = cv2.imencode(target.suffix, drawn)[1].tobytes()
        if overwrite or not target.exists():
            write_bytes(target, data)
        elif not target.is_file() or target.read_bytes() != data:
            raise UsageError(_EXISTS.format(target))
    return len(targets)


def _occlude_video(
    path: Path, out: Path, occluder: ImageOccluder, keypoints: Any
) -> int:
    reader, writer, number = cv2.VideoCapture(str(path)), None, 0
    frames = range(int(reader.get(cv2.CAP_PROP_FRAME_COUNT)))
    rate = reader.get(cv2.CAP_PROP_FPS) or 25.0
    code = cv2.VideoWriter.fourcc(*'mp4v')
    with replaced(out, out.suffix) as temporary:
        for _ in track(frames, 'occluding'):
            good, frame = reader.read()
            if not good:
                break
            if keypoints is not None and number >= len(keypoints):
                raise UsageError(
                    f'video "{path}" has more frames than the '
                    f'{len(keypoints)} with keypoints'
                )
            mine = None if keypoints is None else keypoints[number]
            drawn = np.ascontiguousarray(occluder(frame, mine))
            writer = writer or cv2.VideoWriter(
                str(temporary), code, rate, drawn.shape[1::-1]
            )
            writer.write(drawn)
            number += 1
        if writer is None:
            raise UsageError(f'video "{path}" cannot be read')
        writer.release()  # says nothing of a full disk
        whole = cv2.VideoCapture(str(temporary))
        if whole.get(cv2.CAP_PROP_FRAME_COUNT) < number:
            raise OSError(errno.EIO, 'The video is incomplete', str(out))
    return number


def read_keypoints(path: str) -> Any:
    """Keypoints of a JSON file, as :func:`occlude_file` takes them, and joint
    names: of lists of numbers (K, 3), (N, K, 3) or (frames, N, K, 3), or of
    COCO-style annotations, whose faults are printed; else a UsageError."""
    content = read_json(path, 'keypoint file')
    if not isinstance(content, list):
        known = read_annotations(path)
        for fault in known.faults:
            print(fault.sentence())
        file = {key: i['file_name'] for key, i in known.images.items()}
        people: dict[str, list] = {name: [] for name in file.values()}
        for person in known.people:
            if person['num_keypoints']:
                people[file[person['image_id']]].append(person['keypoints'])
        shape = (-1, len(known.joints), 3)
        found = {n: np.reshape(p, shape) for n, p in people.items()}
        return found, known.joints
    try:
        array = np.asarray(content, float)
    except (TypeError, ValueError):
        array = np.zeros(0)
    names = {len(n): n for n in (COCO_JOINTS, MPII_ORDER)}
    if array.ndim < 2 or array.shape[-2] not in names:
        raise UsageError(
            f'keypoints "{path}" are neither a COCO-style file nor lists of '
            '17 (COCO) or 16 (MPII) joints with x, y and visibility'
        )
    return (array[None] if array.ndim == 2 else array), names[array.shape[-2]]


def _boxes(keypoints: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """Around the keypoints of those who have any, a tenth wider; of the whole
    image without."""
    if keypoints is None:
        return np.array([[0, 0, shape[1] - 1, shape[0] - 1]], float)
    out = []
    for person in keypoints:
        known = person[person[:, 2] > 0] if person.shape[1] > 2 else person
        if not len(known):
            continue
        low, high = known[:, :2].min(axis=0), known[:, :2].max(axis=0)
        margin = 0.1 * (high - low).max()
        out.append([*(low - margin), *(high + margin)])
    return np.reshape(out, (-1, 4))


def _links(names: Sequence[str]) -> list[tuple[int, int]]:
    """Limbs as pairs of indices."""
    return [
        (names.index(a), names.index(b))
        for limb in _LIMBS
        for side in ('', 'left_', 'right_')
        for a, b in [(side + limb[0], side + limb[1])]
        if a in names and b in names
    ]
