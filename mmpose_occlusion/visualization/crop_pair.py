"""One crop before and after an occlusion, and the look of its joints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.skeleton import Skeleton

Color = tuple[int, int, int]

# of the palette of Okabe and Ito, which is safe for colour-blind readers; RGB
LEFT = (86, 180, 233)
RIGHT = (230, 120, 30)
MIDDLE = (0, 188, 140)
REGION = (250, 230, 60)
TRUTH = (255, 255, 255)
ERROR = (255, 70, 120)

INK = (34, 38, 46)
FAINT = (110, 118, 130)
PAPER = (250, 250, 248)


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
        return self._listed('targets', 'bystanders')

    def removed(self) -> set[tuple[int, str]]:
        """(instance, joint name) of all joints that lost their label."""
        return self._listed('removed')

    def _listed(self, *keys: str) -> set[tuple[int, str]]:
        return {
            (int(instance), name)
            for record in self.records
            for key in keys
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


@dataclass(frozen=True)
class PoseStyle:
    """How the joints of a data set are drawn.

    Args:
        names: Joint names, length K.
        links: Pairs of joint indices.
        colors: RGB of each joint, by the side of the body.
    """

    names: tuple[str, ...]
    links: tuple[tuple[int, int], ...]
    colors: tuple[Color, ...]

    @classmethod
    def from_names(
        cls, names: Sequence[str], links: Sequence[Sequence[int]]
    ) -> 'PoseStyle':
        """Colour the joints by the side that their names say."""
        return cls(
            tuple(names),
            tuple((int(a), int(b)) for a, b in links),
            tuple(side_color(name) for name in names),
        )

    @classmethod
    def from_metainfo(cls, metainfo: Mapping) -> 'PoseStyle':
        """Read names and links from a data set's parsed metainfo."""
        return cls.from_names(
            Skeleton.from_metainfo(metainfo).names,
            metainfo.get('skeleton_links') or (),
        )

    def link_color(self, link: tuple[int, int]) -> Color:
        """Colour of its joints; of the middle where these differ."""
        first, second = (self.colors[i] for i in link)
        if first == second or second == MIDDLE:
            return first
        return second if first == MIDDLE else MIDDLE


def side_color(name: str) -> Color:
    """RGB of a joint by the side that its name says."""
    word = name.lower().replace('-', '_').split('_')[0]
    return {'left': LEFT, 'l': LEFT, 'right': RIGHT, 'r': RIGHT}.get(
        word, MIDDLE
    )
