"""Colours and links of a data set's joints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    words = name.lower().replace('-', '_').split('_')
    if words[0] in ('left', 'l'):
        return LEFT
    if words[0] in ('right', 'r'):
        return RIGHT
    return MIDDLE
