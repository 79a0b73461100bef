"""One crop before and after an occlusion, with its joints and records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CropPair:
    """A crop or a whole image, clean and occluded.

    All joints are in pixels of the crop, whose first pixel has its centre at
    (0, 0).

    Args:
        title: Caption, such as the ids of image and person.
        clean: ``(H, W, 3)`` uint8, BGR.
        occluded: ``(H, W, 3)`` uint8, BGR.
        joints: ``(N, K, 2)`` annotated joints.
        labelled: ``(N, K)`` bool, the joints that have a label.
        records: Records of the occlusions, ``results['occlusions']``.
        predicted: ``(N', K, 2)`` predicted joints.
        scores: ``(N', K)`` scores of the predicted joints.
        matched: Whether prediction i is of person i, so that errors can be
            drawn.
        name: Name of the view, for data sets that make several of a crop.
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
    name: str = ''

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width = self.clean.shape[:2]
        return width, height

    @property
    def is_changed(self) -> bool:
        """Whether an occlusion painted pixels."""
        return any(record.get('pixels') for record in self.records)

    def targets(self) -> set[tuple[int, str]]:
        """(instance, joint name) of the hidden joints that were asked for."""
        return self._listed('targets')

    def hidden(self) -> set[tuple[int, str]]:
        """(instance, joint name) of targets and bystanders."""
        return self.targets() | self._listed('bystanders')

    def removed(self) -> set[tuple[int, str]]:
        """(instance, joint name) of all joints that lost their label."""
        return self._listed('removed')

    def _listed(self, key: str) -> set[tuple[int, str]]:
        return {
            (int(instance), name)
            for record in self.records
            for instance, name in record.get(key) or ()
        }


def record_caption(record: Mapping) -> str:
    """One line that says what an occlusion did.

    >>> record_caption(dict(kind='keypoint', target='nose', fill='black',
    ...                     pixels=113, targets=[[0, 'nose']],
    ...                     bystanders=[[0, 'left_eye']], reason=None))
    'keypoint:nose black: 113 px, hides nose; bystanders left_eye'
    """
    head = f'{record["kind"]}:{record["target"]} {record["fill"]}'
    if record.get('place', 'target') != 'target':
        head += f' {record["place"]}'
    if record.get('reason'):
        return f'{head}: no pixels painted, {record["reason"]}'
    targets, bystanders = (
        ', '.join(
            name
            if person == record.get('instance', 0)
            else f'{name} (other person)'
            for person, name in record.get(key) or ()
        )
        for key in ('targets', 'bystanders')
    )
    text = f'{head}: {record["pixels"]:,} px, hides {targets or "no target"}'
    if bystanders:
        text += f'; bystanders {bystanders}'
    removed = len(record.get('removed') or ())
    return f'{text}; {removed} labels removed' if removed else text
