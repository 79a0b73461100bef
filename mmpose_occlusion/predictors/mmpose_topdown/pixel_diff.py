"""What an attack does to a crop: the pixels that it really changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Change:
    """The smallest box of a crop that holds all changed pixels.

    Args:
        x: Its first column.
        y: Its first row.
        pixels: ``(C, h, w)`` what is there now.
    """

    x: int
    y: int
    pixels: np.ndarray

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where the pixels are in a crop ``(C, H, W)``."""
        _, h, w = self.pixels.shape
        return (
            slice(None),
            slice(self.y, self.y + h),
            slice(self.x, self.x + w),
        )


def find_change(clean: np.ndarray, attacked: np.ndarray) -> Change | None:
    """Compare a crop before and after an attack.

    Args:
        clean: ``(H, W, C)``.
        attacked: The same after the attack.

    Returns:
        The difference, or None where there is none.
    """
    rows = np.flatnonzero((_rows(clean) != _rows(attacked)).any(axis=1))
    if not len(rows):
        return None
    y, bottom = rows[0], rows[-1] + 1
    different = clean[y:bottom] != attacked[y:bottom]
    columns = np.flatnonzero(different.any(axis=0).any(axis=1))
    x, right = columns[0], columns[-1] + 1
    pixels = attacked[y:bottom, x:right].transpose(2, 0, 1)
    return Change(int(x), int(y), np.ascontiguousarray(pixels))


def _rows(crop: np.ndarray) -> np.ndarray:
    """A crop row by row, eight bytes at a time where that can be."""
    rows = crop.reshape(len(crop), -1)
    if rows.dtype == np.uint8 and rows.shape[1] % 8 == 0:
        return np.ascontiguousarray(rows).view(np.uint64)
    return rows


@dataclass(frozen=True)
class Outcome:
    """What became of one attack on one crop.

    Args:
        change: The changed pixels, or None.
        hidden: Indices of the person's joints under paint.
        pixels: Number of painted pixels.
        excluded: Whether the attack found no place, although the person has
            what it names.
        records: What the transforms wrote down; none without a change.
    """

    change: Change | None
    hidden: tuple[int, ...] = ()
    pixels: int = 0
    excluded: bool = False
    records: tuple[dict, ...] = ()


def outcome_of(
    change: Change | None,
    records: Iterable[dict],
    index: Mapping[str, int],
) -> Outcome:
    """Read the records of an attack.

    Args:
        change: What it did.
        records: ``results['occlusions']`` that it wrote.
        index: Name of a joint -> its index.
    """
    records = tuple(records)
    if change is None:
        # an attack that paints black on black hides nothing
        excluded = any(record.get('excluded') for record in records)
        return Outcome(None, excluded=excluded)
    hidden = {
        index[joint] for record in records for _, joint in record['hidden']
    }
    pixels = sum(record['pixels'] for record in records)
    return Outcome(change, tuple(sorted(hidden)), pixels, records=records)
