"""Records of occlusions: what was done, or why nothing was.

A record holds plain numbers, strings, lists and None, so that it can be
written to JSON, and is enough to make its patch again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import cv2
import numpy as np

from .paints import Paint, ReadImage, make_patch, paint_from_record
from .patch import Patch
from .placement import TARGET
from .regions import Region, region_from_record


class Record(dict):
    """An entry of ``results['occlusions']``, not to be modified.

    Deep copies of a sample, such as ``PackPoseInputs`` makes, share it.
    """

    def __deepcopy__(self, memo: dict) -> 'Record':
        return self


def make_record(
    *,
    transform: str,
    call: int,
    instance: int | None,
    kind: str,
    target: str,
    fill: str,
    place: str = TARGET,
    turn: int = 0,
    region: Region | None = None,
    paint: Paint | None = None,
    patch: Patch | None = None,
    targets: Sequence = (),
    bystanders: Sequence = (),
    removed: Sequence = (),
    reason: str | None = None,
    excluded: bool = False,
) -> Record:
    """One record.

    Args:
        transform: Class of the transform.
        call: Number of occlusions that have written records before it.
        instance: Index of the person in the image.
        kind: 'keypoint' or 'part'.
        target: Name of the joint or part; 'random' where none was drawn.
        fill: The fill that was asked for.
        place: One of :data:`.placement.PLACES`.
        turn: Targets of one call and turn are made from the same image; only
            under ``paper_exact`` there is more than one turn.
        region: Where, before clipping.
        paint: What.
        patch: What was painted.
        targets: ``[instance, joint]`` of the labelled joints that were asked
            for and lie on painted pixels.
        bystanders: The same of all other joints on painted pixels, of any
            person.
        removed: ``[instance, joint]`` of the joints that lost their label.
        reason: Why nothing was done, a clause without a full stop.
        excluded: Whether that is so although the person has the target: a
            control fits nowhere.

    Returns:
        The record; ``box`` is the painted pixel box, ends exclusive, and
        ``pixels`` the number of painted pixels.
    """
    return Record(
        transform=transform,
        call=call,
        turn=turn,
        instance=instance,
        kind=kind,
        target=target,
        fill=fill,
        place=place,
        region=region.to_record() if region else None,
        paint=paint.to_record() if paint else None,
        box=list(patch.box) if patch else None,
        pixels=patch.num_pixels if patch else 0,
        targets=list(targets),
        bystanders=list(bystanders),
        removed=list(removed),
        reason=reason,
        excluded=excluded,
    )


def replay(
    image: np.ndarray,
    record: Mapping[str, Any],
    read: ReadImage = cv2.imread,
) -> Patch | None:
    """Make a record's patch again.

    Args:
        image: The image as the transform found it; not modified.
        record: An entry of ``results['occlusions']``.
        read: Reads a donor's image, (H, W, 3) BGR, from its path.

    Returns:
        The patch, to be applied with :meth:`.Patch.apply`; None where the
        transform did nothing.
    """
    if record['paint'] is None:
        return None
    paint = paint_from_record(record['paint'], read)
    return make_patch(image, region_from_record(record['region']), paint)


def replay_all(
    image: np.ndarray, records: Iterable[Mapping[str, Any]]
) -> np.ndarray:
    """Apply all records, in order, to a copy of an image.

    All patches of one call and turn are made from the image before them.
    """
    out = image.copy()
    by_turn: Callable = lambda r: (r['call'], r['turn'])  # noqa: E731
    for _, turn in groupby(records, key=by_turn):
        for patch in [replay(out, record) for record in list(turn)]:
            if patch is not None:
                patch.apply(out)
    return out
