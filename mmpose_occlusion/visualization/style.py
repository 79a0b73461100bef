"""Colours and links of a data set's joints."""

from collections.abc import Mapping
from dataclasses import dataclass

from mmpose_occlusion.skeleton import Skeleton

# of Okabe and Ito's palette, which colour-blind people can tell apart; RGB
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
class Style:
    """How joints are drawn.

    Args:
        names: Joint names, length K.
        links: Pairs of joint indices.
        colors: RGB of each joint, by the side of the body.
    """

    names: tuple[str, ...]
    links: tuple[tuple[int, int], ...]
    colors: tuple[tuple[int, int, int], ...]

    @classmethod
    def from_metainfo(cls, metainfo: Mapping) -> 'Style':
        """Read it from a data set's parsed metainfo."""
        names = Skeleton.from_metainfo(metainfo).names
        links = tuple(
            (int(a), int(b)) for a, b in metainfo.get('skeleton_links') or ()
        )
        return cls(names, links, tuple(side_color(name) for name in names))

    def link_color(self, link: tuple[int, int]) -> tuple[int, int, int]:
        """A link has its joints' colour, or is of the middle."""
        first, second = (self.colors[i] for i in link)
        if first == second or second == MIDDLE:
            return first
        return second if first == MIDDLE else MIDDLE


def side_color(name: str) -> tuple[int, int, int]:
    """RGB of a joint by the side that its name says."""
    words = name.lower().replace('-', '_').split('_')
    if words[0] in ('left', 'l'):
        return LEFT
    if words[0] in ('right', 'r'):
        return RIGHT
    return MIDDLE
