"""The pixels of a crop that an attack changes, and the joints under them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.skeleton import Skeleton


@dataclass(frozen=True)
class PixelDiff:
    """The smallest box of a crop that contains all changed pixels.

    Args:
        x: First column.
        y: First row.
        pixels: ``(C, h, w)`` new pixels.
    """

    x: int
    y: int
    pixels: np.ndarray

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Index of the pixels in a crop ``(C, H, W)``."""
        _, h, w = self.pixels.shape
        return (
            slice(None),
            slice(self.y, self.y + h),
            slice(self.x, self.x + w),
        )


def find_diff(clean: np.ndarray, attacked: np.ndarray) -> PixelDiff | None:
    """Compare a crop before and after an attack.

    Args:
        clean: ``(H, W, C)``.
        attacked: ``(H, W, C)``.

    Returns:
        The difference; None if the crops are equal.
    """
    rows = np.flatnonzero((_rows(clean) != _rows(attacked)).any(axis=1))
    if not len(rows):
        return None
    y, bottom = rows[0], rows[-1] + 1
    different = clean[y:bottom] != attacked[y:bottom]
    columns = np.flatnonzero(different.any(axis=0).any(axis=1))
    x, right = columns[0], columns[-1] + 1
    pixels = attacked[y:bottom, x:right].transpose(2, 0, 1)
    return PixelDiff(int(x), int(y), np.ascontiguousarray(pixels))


def _rows(crop: np.ndarray) -> np.ndarray:
    """A crop's rows, as 8-byte integers where its size allows (faster)."""
    rows = crop.reshape(len(crop), -1)
    if rows.dtype == np.uint8 and rows.shape[1] % 8 == 0:
        return np.ascontiguousarray(rows).view(np.uint64)
    return rows


@dataclass(frozen=True)
class CropOutcome:
    """The effect of one attack on one crop.

    Args:
        diff: The changed pixels, or None.
        targets: Indices of the joints that the attack asks for and that lie
            under painted pixels.
        bystanders: Indices of the other joints under painted pixels.
        pixels: Number of painted pixels.
        excluded: Whether the attack found no place although the person has
            the target.
        records: The transforms' records; empty without a change.
    """

    diff: PixelDiff | None
    targets: tuple[int, ...] = ()
    bystanders: tuple[int, ...] = ()
    pixels: int = 0
    excluded: bool = False
    records: tuple[dict, ...] = ()


def outcome_of(
    diff: PixelDiff | None, records: Iterable[dict], skeleton: Skeleton
) -> CropOutcome:
    """Summarise the records of an attack.

    Args:
        diff: The changed pixels.
        records: ``results['occlusions']`` of the attack.
        skeleton: The data set's joints and parts.
    """
    records = tuple(records)
    if diff is None:
        # black paint on black pixels hides nothing
        excluded = any(record.get('excluded') for record in records)
        return CropOutcome(None, excluded=excluded)
    targets, others = (
        {name for r in records for _, name in r.get(key, ())}
        for key in ('targets', 'bystanders')
    )
    return CropOutcome(
        diff,
        targets=_indices(targets, skeleton),
        bystanders=_indices(others - targets, skeleton),
        pixels=sum(record['pixels'] for record in records),
        records=records,
    )


def _indices(names: Iterable[str], skeleton: Skeleton) -> tuple[int, ...]:
    return tuple(sorted(skeleton.joint_index(name) for name in names))
