"""Records of occlusions: what was done, or why nothing was.

A record holds plain numbers, strings, lists and None, so that it can be
written to JSON, and is enough to make its patch again.
"""

from collections.abc import Callable, Iterable
from itertools import groupby

import mmcv
import numpy as np

from .controls import TARGET
from .paint import make_patch
from .patch import Patch
from .region import Region, region_from_record


class Record(dict):
    """An entry of ``results['occlusions']``.

    It is written once and not to be changed: deep copies of a sample, such as
    ``PackPoseInputs`` makes, share it.
    """

    def __deepcopy__(self, memo: dict) -> 'Record':
        return self


def make_record(
    *,
    transform: str,
    call: int,
    instance: int | None,
    name: str,
    fill: str,
    place: str = TARGET,
    turn: int = 0,
    region: Region | None = None,
    paint: dict | None = None,
    patch: Patch | None = None,
    hidden: list | None = None,
    removed: list | None = None,
    reason: str | None = None,
    excluded: bool = False,
) -> Record:
    """One entry of ``results['occlusions']``.

    Args:
        transform: Class of the transform.
        call: How many occlusions have written records before it.
        instance: Index of the person in the picture.
        name: ``keypoint:NAME`` or ``part:NAME``.
        fill: What was asked for, one of :data:`.paint.FILLS`.
        place: Where, one of :data:`.elsewhere.PLACES`.
        turn: Targets of one call and turn are made from the same picture;
            only under ``paper_exact`` there is more than one turn.
        region: Where, before clipping.
        paint: What, see :func:`.paint.make_patch`.
        patch: What was painted.
        hidden: ``[instance, joint]`` of the available joints, of anybody in
            the picture, that lie on painted pixels.
        removed: ``[instance, joint]`` of the joints that lost their label.
        reason: Why nothing was done, a clause without a full stop.
        excluded: Whether that is so although the person has the target:
            there is no other place for it.

    Returns:
        The record; ``box`` is the painted pixel box, ends exclusive, and
        ``pixels`` the number of painted pixels.
    """
    return Record(
        transform=transform,
        call=call,
        turn=turn,
        instance=instance,
        name=name,
        fill=fill,
        place=place,
        region=region.as_record() if region else None,
        paint=paint,
        box=list(patch.box) if patch else None,
        pixels=patch.num_pixels if patch else 0,
        hidden=hidden or [],
        removed=removed or [],
        reason=reason,
        excluded=excluded,
    )


def replay(
    image: np.ndarray,
    record: dict,
    read: Callable[[str], np.ndarray] = mmcv.imread,
) -> Patch | None:
    """Make a record's patch again.

    Args:
        image: The picture as the transform found it; not modified.
        record: An entry of ``results['occlusions']``.
        read: Reads a donor's picture, (H, W, 3) BGR, from its path.

    Returns:
        The patch, to be applied with :meth:`.Patch.apply`; None where the
        transform did nothing.
    """
    paint = record['paint']
    if paint is None:
        return None
    donor = read(paint['image_path']) if paint['kind'] == 'donor' else None
    return make_patch(
        image, region_from_record(record['region']), paint, donor
    )


def replay_all(image: np.ndarray, records: Iterable[dict]) -> np.ndarray:
    """Do to a copy of a picture all that its records say, in order.

    All patches of one call and turn are made from the picture before them.
    """
    out = image.copy()
    for _, turn in groupby(records, key=lambda r: (r['call'], r['turn'])):
        patches = [replay(out, record) for record in list(turn)]
        for patch in patches:
            if patch is not None:
                patch.apply(out)
    return out
