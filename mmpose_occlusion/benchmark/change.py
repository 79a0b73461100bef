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

    def apply(self, inputs: np.ndarray) -> np.ndarray:
        """The changed crop.

        Args:
            inputs: ``(C, H, W)``; not modified.
        """
        out = inputs.copy()
        _, h, w = self.pixels.shape
        out[:, self.y : self.y + h, self.x : self.x + w] = self.pixels
        return out


def find_change(clean: np.ndarray, attacked: np.ndarray) -> Change | None:
    """Compare a crop before and after an attack.

    Args:
        clean: ``(H, W, C)``.
        attacked: The same after the attack.

    Returns:
        The difference, or None where there is none.
    """
    different = clean != attacked
    rows = np.flatnonzero(different.reshape(len(clean), -1).any(axis=1))
    if not len(rows):
        return None
    y, bottom = rows[0], rows[-1] + 1
    columns = np.flatnonzero(different[y:bottom].any(axis=0).any(axis=1))
    x, right = columns[0], columns[-1] + 1
    pixels = attacked[y:bottom, x:right].transpose(2, 0, 1)
    return Change(int(x), int(y), np.ascontiguousarray(pixels))


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
