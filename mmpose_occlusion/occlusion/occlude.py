"""Hide joints or body parts in one image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import UsageError
from ..skeleton import Skeleton
from ..skeleton import joint_names as named_joints
from .attack import Attack
from .occlusion import Record
from .paints import FILLS, Donor
from .placement import Surroundings
from .regions import DEFAULT_SIZE, DiscSize, Size
from .rules import CorrectedRules, person_from_joints
from .targets import KEYPOINT, KINDS, PART, Target

_RANDOM = dict(random=KEYPOINT, random_part=PART)


@dataclass(frozen=True)
class Occluded:
    """An image in which joints were hidden.

    Args:
        image: A new array, of the shape and dtype of the given one.
        hidden: ``(K,)`` or ``(N, K)`` bool, as the keypoints came: labelled
            joints that lie under paint.
        targets: The same, only of the joints that were asked for.
        records: See :class:`mmpose_occlusion.occlusion.Record`.
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
    size: Size = DEFAULT_SIZE,
    names: str | Sequence[str] = 'coco',
    bbox: Any = None,
    seed: int | None = None,
    parts: Mapping[str, Sequence[str]] | None = None,
    place: str = 'target',
    offset: float = 0.0,
    stay_covered: bool = True,
) -> Occluded:
    """Hide joints or body parts of the people in an image.

    Args:
        image: ``(H, W)`` or ``(H, W, C)`` uint8; not modified. The order of
            the channels changes nothing but the colours of drawn objects.
        keypoints: ``(K, 2)``, ``(K, 3)``, ``(N, K, 2)`` or ``(N, K, 3)`` in
            image pixels; a third column is a visibility or score, of which 0
            means not labelled. NaN means not labelled, too.
        target: A joint or part, such as 'left_wrist' or 'head'; several in a
            list; 'random', one of the person's joints, or 'random_part', one
            of the basic parts. A name that is both a joint and a part means
            the joint; the part is 'part:NAME'.
        fill: 'object' (a drawn ball, parcel, plant, ...), 'black', 'grey',
            'mean' (the image's mean colour), 'blur' (Gaussian), 'pixelate'
            (squares of half the blur's kernel), 'noise' (each value of each
            pixel drawn from 0 to 255) or 'texture' (a pattern of two
            colours).
        size: Of the disc over a joint: '20%', its diameter as a fraction of
            the height of the person's box, or a number, its radius in pixels
            where that box is 256 pixels high.
        names: Joint names in the order of the keypoints, or 'coco' or 'mpii'.
        bbox: ``(4,)`` or ``(N, 4)`` xyxy; where it is not given, or its
            height is not positive, the box around the labelled joints in the
            image counts, of one joint the image's height.
        seed: Of random draws; None draws anew in each call.
        parts: Own parts, name -> joint names.
        place: 'target'; or, as a control, the same area at another place in
            the photograph: 'on_person', centred on the person without
            touching the target's region, 'off_person', where no pixel is the
            person's (the annotation's segment, or else the shape of limbs,
            torso and head around the labelled joints), or 'decoy', 1 to 3
            radii beside the target, over no joint of the person. Where there
            is no such place, the record is ``excluded``.
        offset: The centre of a joint's disc moves by a random vector, uniform
            in a disc of this fraction of its radius; with ``stay_covered``,
            which an offset above 1 must not have, the joint stays under it.

    Raises:
        UsageError: An argument does not fit; the message names it.

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
        raise UsageError(
            f'image is {image.dtype} of shape {image.shape}: give uint8 of '
            '(H, W) or (H, W, C)'
        )
    if FILLS.get(fill) is Donor:
        raise UsageError(f'fill={fill!r} needs donors: take another one')
    array = np.asarray(keypoints, np.float64)
    if array.ndim not in (2, 3) or array.shape[-1] not in (2, 3):
        raise UsageError(
            f'keypoints are of shape {array.shape}: give (K, 2), (K, 3), '
            '(N, K, 2) or (N, K, 3)'
        )
    shape = array.shape[:-1]
    array = array if array.ndim == 3 else array[None]
    xy = array[..., :2]
    known = np.dstack([np.isfinite(xy), array[..., 2:] > 0])
    labelled: Any = known.all(axis=-1)
    skeleton = Skeleton(named_joints(names), parts or {})
    if len(skeleton.names) != xy.shape[1]:
        raise UsageError(
            f'there are {xy.shape[1]} keypoints and {len(skeleton.names)} '
            'joint names: give names in the order of the keypoints'
        )
    boxes = np.full((len(xy), 4), np.nan)
    if bbox is not None:
        boxes = np.atleast_2d(np.asarray(bbox, np.float64))
    if boxes.shape != (len(xy), 4):
        raise UsageError(
            f'bbox is of shape {boxes.shape}: give ({len(xy)}, 4), one xyxy '
            'for each person'
        )
    people, rules = [], CorrectedRules()
    for joints, known, box in zip(xy, labelled, boxes.tolist(), strict=True):
        boxed = image.shape, 0.0, box[3] - box[1], box
        person = person_from_joints(rules, skeleton, joints, known, *boxed)
        height = person.height_in(image.shape[0])
        people.append(replace(person, height=height, box_height=height))
    rng = np.random.default_rng(seed)
    keys = rng.integers(2**32, size=(len(people), 2)).tolist()
    out = image.copy()
    records: list[Record] = []
    around = Surroundings(image.shape, people)
    how = DiscSize.of(size), place, parts, offset, stay_covered
    for (kind, _), named in _by_attack(target, skeleton).items():
        occlusion = Attack(kind, tuple(named), fill, *how).occlusion()
        call = len(records)
        numbers = occlusion.draw(keys, 0, call)
        records += occlusion.apply(out, around, numbers, call)[0]
    masks = np.zeros((2, *labelled.shape), bool)
    for record in records:
        for mask, key in zip(masks, ('targets', 'bystanders'), strict=True):
            for person, joint in record[key]:
                mask[person, skeleton.joint_index(joint)] = True
    targets, bystanders = masks.reshape(2, *shape)
    return Occluded(out, targets | bystanders, targets, records)


def _by_attack(target: Any, skeleton: Skeleton) -> dict[tuple, dict]:
    """The targets of each attack, by kind and whether they are random."""
    out: dict[tuple, dict] = {}
    for word in [target] if isinstance(target, str) else target:
        kind, colon, name = word.partition(':')
        if word in _RANDOM:
            kind, name = _RANDOM[word], 'random'
        elif colon and kind in KINDS:
            Target(kind, name).joints(skeleton)
        elif word in (*skeleton.names, *skeleton.parts):
            kind, name = (KEYPOINT if word in skeleton.names else PART), word
        else:
            raise UsageError(
                f'target {word!r} is neither a joint nor a part: joints are '
                f'{", ".join(skeleton.names)}; parts are '
                f'{", ".join(skeleton.parts)}'
            )
        out.setdefault((kind, word in _RANDOM), {})[name] = None
    if not out:
        raise UsageError(
            f'target={target!r} must be the name of a joint or a part, a '
            "list of names, 'random' or 'random_part'"
        )
    return out
