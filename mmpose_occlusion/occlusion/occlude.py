"""Hide joints or body parts in one image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..skeleton import Skeleton
from ..skeleton import joint_names as named_joints
from .attack import Attack
from .corrected import CorrectedRules
from .paints import FILLS, Donor
from .person import Person
from .placement import PLACES
from .records import Record
from .sizes import DiscSize, Size
from .surroundings import BareImage
from .targets import KEYPOINT, PART


@dataclass(frozen=True)
class Occluded:
    """An image in which joints were hidden.

    Args:
        image: A new array, of the shape and dtype of the one that came.
        hidden: ``(K,)`` or ``(N, K)`` bool, as the keypoints came: labelled
            joints that lie under paint.
        targets: The same of those that were asked for.
        records: What was done, or why not, see
            :func:`mmpose_occlusion.occlusion.make_record`.
    """

    image: np.ndarray
    hidden: np.ndarray
    targets: np.ndarray
    records: list[Record] = field(repr=False)


def occlude(
    image: np.ndarray,
    keypoints: Any,
    *,
    target: str | Sequence[str] = 'random',
    fill: str = 'object',
    size: Size = '10%',
    names: str | Sequence[str] = 'coco',
    bbox: Any = None,
    seed: int | None = None,
    parts: Mapping[str, Sequence[str]] | None = None,
    place: str = 'target',
) -> Occluded:
    """Hide joints or body parts of the people in an image.

    Args:
        image: ``(H, W)`` or ``(H, W, C)`` uint8; not modified. The order of
            the channels does not matter but for the colours of drawn things.
        keypoints: ``(K, 2)``, ``(K, 3)``, ``(N, K, 2)`` or ``(N, K, 3)`` in
            image pixels; a third column is a visibility or score, of which 0
            means not labelled. NaN means not labelled, too.
        target: A joint or part, such as 'left_wrist' or 'head'; several in a
            list; 'random', one of the person's joints, or 'random_part'. A
            name that is both is written 'part:NAME'.
        fill: 'object', 'black', 'grey', 'mean', 'blur', 'pixelate', 'noise'
            or 'texture'.
        size: Of the disc over a joint: '10%', its diameter as a fraction of
            the height of the person's box, or a number, its radius in pixels
            where that box is 256 pixels high.
        names: Joint names in the order of the keypoints, or 'coco' or 'mpii'.
        bbox: ``(4,)`` or ``(N, 4)`` xyxy; by default the box around the
            labelled joints of each person.
        seed: Of random draws; None draws anew in each call.
        parts: Own parts, name -> joint names.
        place: 'target', or as a control 'on_person' or 'off_person'.

    Raises:
        ValueError: An argument does not fit; the sentence says which.

    >>> import numpy as np
    >>> image = np.full((200, 100, 3), 200, np.uint8)
    >>> keypoints = np.zeros((17, 3))
    >>> keypoints[9] = 30, 90, 2  # left wrist
    >>> keypoints[5] = 40, 40, 2  # left shoulder
    >>> keypoints[15] = 45, 190, 2  # left ankle
    >>> found = occlude(image, keypoints, target='left_wrist', fill='black')
    >>> found.hidden.nonzero()[0].tolist(), found.image[90, 30].tolist()
    ([9], [0, 0, 0])
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3):
        raise ValueError(
            f'image is {image.dtype} of shape {image.shape}: give uint8 of '
            '(H, W) or (H, W, C)'
        )
    if fill not in FILLS or FILLS[fill] is Donor:
        known = ', '.join(f for f, c in FILLS.items() if c is not Donor)
        raise ValueError(f'fill={fill!r} is unknown: it is one of {known}')
    if place not in PLACES:
        raise ValueError(
            f'place={place!r} is unknown: it is one of {", ".join(PLACES)}'
        )
    xy, labelled, single = _read_keypoints(keypoints)
    skeleton = Skeleton.from_names(named_joints(names), parts)
    if len(skeleton.names) != xy.shape[1]:
        raise ValueError(
            f'there are {xy.shape[1]} keypoints and {len(skeleton.names)} '
            'joint names: give names in the order of the keypoints'
        )
    boxes = _read_boxes(bbox, xy, labelled)
    people = [
        _person(skeleton, xy[i], labelled[i], boxes[i], image.shape)
        for i in range(len(xy))
    ]
    shape = xy.shape[:2]
    hidden, targets = np.zeros(shape, bool), np.zeros(shape, bool)
    out = image.copy()
    records: list[Record] = []
    rng = np.random.default_rng(seed)
    keys = rng.integers(2**32, size=(len(people), 2)).tolist()
    surroundings = BareImage(image.shape, people)
    for attack in _attacks(target, fill, size, place, skeleton):
        occlusion = attack.occlusion()
        numbers = occlusion.draw(keys, 0, len(records))
        outcome = occlusion.apply(
            out, people, numbers, surroundings, call=len(records)
        )
        out = outcome.image
        records += outcome.records
    for record in records:
        for array, listed in (
            (targets, record['targets']),
            (hidden, record['targets'] + record['bystanders']),
        ):
            for i, joint in listed:
                array[i, skeleton.joint_index(joint)] = True
    if out is image:
        out = image.copy()
    if single:
        hidden, targets = hidden[0], targets[0]
    return Occluded(out, hidden, targets, records)


def _attacks(
    target: str | Sequence[str],
    fill: str,
    size: Size,
    place: str,
    skeleton: Skeleton,
) -> list[Attack]:
    """One attack for each kind of target that was asked for."""
    wanted: dict[str, list[str]] = {}
    for word in [target] if isinstance(target, str) else list(target):
        kind, colon, name = word.partition(':')
        if not colon:
            kind, name = _kind(word, skeleton), word
        if word == 'random_part':
            kind, name = PART, 'random'
        wanted.setdefault(kind, []).append(name)
    disc = DiscSize.of(size)
    attacks = [
        Attack(kind, tuple(names), fill, disc, place, skeleton.own_parts)
        for kind, names in wanted.items()
    ]
    if not attacks:
        raise ValueError('target is empty: name a joint or a part')
    for attack in attacks:
        attack.check(skeleton)
    return attacks


def _kind(name: str, skeleton: Skeleton) -> str:
    if name in ('random', 'random_part') or name in skeleton.names:
        return KEYPOINT
    if name in skeleton.parts:
        return PART
    raise ValueError(
        f'target {name!r} is neither a joint nor a part: joints are '
        f'{", ".join(skeleton.names)}; parts are {", ".join(skeleton.parts)}'
    )


def _read_keypoints(keypoints: Any) -> tuple[np.ndarray, np.ndarray, bool]:
    """(N, K, 2), (N, K) bool, and whether it was one person alone."""
    array = np.asarray(keypoints, np.float64)
    if array.ndim not in (2, 3) or array.shape[-1] not in (2, 3):
        raise ValueError(
            f'keypoints are of shape {array.shape}: give (K, 2), (K, 3), '
            '(N, K, 2) or (N, K, 3)'
        )
    single = array.ndim == 2
    array = array[None] if single else array
    labelled = np.asarray(np.isfinite(array[..., :2]).all(axis=-1))
    if array.shape[-1] == 3:
        labelled = labelled & (array[..., 2] > 0)
    return array[..., :2], labelled, single


def _read_boxes(bbox: Any, xy: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    if bbox is not None:
        boxes = np.asarray(bbox, np.float64).reshape(-1, 4)
        if len(boxes) != len(xy):
            raise ValueError(
                f'bbox has {len(boxes)} boxes for {len(xy)} people: give one '
                'xyxy for each'
            )
        return boxes
    boxes = np.full((len(xy), 4), np.nan)
    for i, known in enumerate(labelled):
        if known.any():
            points = xy[i, known]
            boxes[i] = [*points.min(axis=0), *points.max(axis=0)]
    return boxes


def _person(
    skeleton: Skeleton,
    xy: np.ndarray,
    labelled: np.ndarray,
    box: np.ndarray,
    shape: tuple[int, ...],
) -> Person:
    height = float(box[3] - box[1])
    if not math.isfinite(height) or height <= 0:
        height = float(shape[0])
    points, flags = xy.tolist(), labelled.tolist()
    available = CorrectedRules().available(
        skeleton.names, points, flags, shape
    )
    return Person(skeleton, points, flags, available, height, height)
