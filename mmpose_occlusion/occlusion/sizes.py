"""The size of a disc, said in one way everywhere."""

import math
from dataclasses import dataclass
from typing import Any

DEFAULT_SIZE = 6
"""The reference's: a radius of 6 pixels in a crop of height 256."""

MAX_RADIUS = 9999
MAX_PERCENT = 400

Size = int | float | str


@dataclass(frozen=True)
class DiscSize:
    """Either a radius at a crop height of 256, or a fraction of the box.

    Args:
        radius: In pixels of a crop of height 256 (on whole images: where the
            person's box has that height).
        fraction: Diameter as a fraction of the height of the person's box.
    """

    radius: float | None = None
    fraction: float | None = None

    @classmethod
    def of(cls, size: Any) -> 'DiscSize':
        """Read a size, to six digits: ``6``, or ``'10%'``.

        Raises:
            ValueError: It is neither.

        >>> DiscSize.of('10%').fraction
        0.1
        """
        if isinstance(size, DiscSize):
            return size
        text = str(size).strip()
        number = text.removesuffix('%')
        percent = number != text
        try:
            # six digits, so that a size is written in one way
            value = float(f'{float(number):.6g}')
        except ValueError:
            value = math.nan
        largest = MAX_PERCENT if percent else MAX_RADIUS
        if isinstance(size, bool) or not 0 < value <= largest:
            raise ValueError(
                f'size={size!r} must be a positive number of pixels, the '
                'radius of a disc in a crop of height 256, or a diameter '
                "such as '10%' of the height of the person's box"
            )
        if percent:
            return cls(fraction=value / 100)
        return cls(radius=int(value) if value.is_integer() else value)

    @property
    def plain(self) -> Size:
        """As users write it."""
        if self.fraction is not None:
            return f'{100 * self.fraction:.6g}%'
        assert self.radius is not None
        return self.radius

    def __str__(self) -> str:
        return str(self.plain)


DEFAULT_DISC = DiscSize.of(DEFAULT_SIZE)
