"""What there is to see of one picture before and after an occlusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class View:
    """One crop (or whole image), clean and occluded.

    Args:
        title: Which image and person.
        clean: (H, W, 3) uint8, BGR.
        occluded: (H, W, 3) uint8, BGR.
        joints: (N, K, 2) true joints in the picture's pixels.
        labelled: (N, K) bool, which of them are true.
        records: What the occlusions did, ``results['occlusions']``.
        predicted: (N', K, 2) joints in the picture's pixels.
        scores: (N', K) of the predicted joints.
        matched: Whether the first prediction is of the first person, and so
            on, so that errors can be shown.
    """

    title: str
    clean: np.ndarray
    occluded: np.ndarray
    joints: np.ndarray
    labelled: np.ndarray
    records: Sequence[Mapping] = ()
    predicted: np.ndarray | None = None
    scores: np.ndarray | None = None
    matched: bool = True
    size: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        height, width = self.clean.shape[:2]
        object.__setattr__(self, 'size', (width, height))

    def hidden(self) -> set[tuple[int, str]]:
        """(instance, joint name) of all that lies under painted pixels."""
        return {
            (int(instance), name)
            for record in self.records
            for instance, name in record.get('hidden') or ()
        }

    def removed(self) -> set[tuple[int, str]]:
        """(instance, joint name) of all that lost their label."""
        return {
            (int(instance), name)
            for record in self.records
            for instance, name in record.get('removed') or ()
        }


def outcome(record: Mapping) -> str:
    """One line that says what a record did, for captions.

    >>> outcome(dict(name='keypoint:nose', fill='black', pixels=113,
    ...              hidden=[[0, 'nose']], reason=None))
    'keypoint:nose black: 113 px, hides nose'
    """
    head = f'{record["name"]} {record["fill"]}'
    if record.get('place', 'target') != 'target':
        head += f' {record["place"]}'
    if record.get('reason'):
        return f'{head}: nothing done, {record["reason"]}'
    names = ', '.join(
        name if instance == record.get('instance', 0) else f'{name} (other)'
        for instance, name in record.get('hidden') or ()
    )
    text = f'{head}: {record["pixels"]:,} px, hides {names or "no joint"}'
    removed = len(record.get('removed') or ())
    return f'{text}; {removed} labels removed' if removed else text
