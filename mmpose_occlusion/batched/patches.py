"""The patches of a batch as arrays, without their pixels.

They are few numbers each and stay in the host's memory, so that a device
is asked for nothing before it paints.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from mmpose_occlusion.occluders.patch import nearest_pixel
from mmpose_occlusion.occluders.region import (
    Box,
    Disc,
    Region,
    region_from_record,
)

BATCHED_KINDS = ('blur', 'color')


@dataclass(frozen=True)
class Patches:
    """Patches of a batch, in the order in which they are painted.

    Args:
        crop: ``(P,)`` int64, the crop that is painted.
        origin: ``(P,)`` int64, the crop that the patch is made from.
        box: ``(P, 4)`` int64, pixel boxes inside the picture, ends exclusive.
        center: ``(P, 2)`` float64 pixels; of boxes it counts for nothing.
        radius: ``(P,)`` float64 pixels, infinite for boxes.
        ksize: ``(P,)`` int64, kernel of a blur in pixels; 0 for a colour.
        color: ``(P, C)`` float64 grey levels from 0 to 255 in the batch's
            order of channels; NaN takes the mean of the crop.
    """

    crop: np.ndarray
    origin: np.ndarray
    box: np.ndarray
    center: np.ndarray
    radius: np.ndarray
    ksize: np.ndarray
    color: np.ndarray

    def __len__(self) -> int:
        return len(self.crop)

    def __getitem__(self, index: np.ndarray) -> 'Patches':
        return Patches(*(getattr(self, f.name)[index] for f in fields(self)))

    @classmethod
    def from_records(
        cls,
        records: Sequence[Iterable[dict]],
        shape: tuple[int, int],
        origin: Sequence[int] | None = None,
        channels: int = 3,
        swap_channels: bool = False,
    ) -> 'Patches':
        """The patches of ``results['occlusions']`` of several views.

        Args:
            records: Those of each view, see
                :func:`mmpose_occlusion.occluders.make_record`.
            shape: The crops' ``(H, W)``.
            origin: The clean crop of each view; None for one each.
            channels: C.
            swap_channels: Whether the batch has the channels in the other
                order than the pictures that the records are about.

        Raises:
            ValueError: For paints other than blurs and colours, and for
                records of several calls or turns, in which a patch is made
                from what another has painted.
        """
        rows = []
        for view, listed in enumerate(records):
            source = view if origin is None else origin[view]
            painted = [r for r in listed if r['paint'] is not None]
            if len({(r['call'], r['turn']) for r in painted}) > 1:
                raise ValueError(
                    f'the records of view {view} are of several occlusions, '
                    'one painted upon the other; a batch takes those of one '
                    'call: apply the others with replay_all.'
                )
            for record in painted:
                row = _row(record, shape, channels, swap_channels)
                rows.append((view, source, *row))
        if not rows:
            return empty(channels)
        crop, from_, box, center, radius, ksize, color = zip(
            *rows, strict=True
        )
        return cls(
            np.array(crop),
            np.array(from_),
            np.array(box),
            np.array(center, float),
            np.array(radius, float),
            np.array(ksize),
            np.array(color, float),
        )

    def layers(self) -> list[np.ndarray]:
        """Indices of the first patch of each crop, then the second, ..."""
        order = np.argsort(self.crop, kind='stable')
        crops = self.crop[order]
        first = np.searchsorted(crops, crops)
        rank = np.empty(len(self), np.int64)
        rank[order] = np.arange(len(self)) - first
        return [
            np.flatnonzero(rank == turn)
            for turn in range(int(rank.max(initial=-1)) + 1)
        ]

    def tiles(self, size: tuple[int, int]) -> tuple[np.ndarray, 'Patches']:
        """The patches cut into pieces of at most ``(height, width)``.

        Returns:
            ``(T,)`` the patch of each piece, and the pieces, those of a patch
            as alike as can be.
        """
        low, high = self.box[:, :2], self.box[:, 2:]
        most = np.array(size[::-1])
        across_down = np.maximum(-(-(high - low) // most), 1)
        step = -(-(high - low) // across_down)
        count = across_down.prod(axis=1)
        patch = np.repeat(np.arange(len(self)), count)
        number = np.arange(len(patch)) - (np.cumsum(count) - count)[patch]
        down, across = np.divmod(number, across_down[patch, 0])
        start = low[patch] + np.stack([across, down], axis=1) * step[patch]
        start = np.minimum(start, high[patch])
        stop = np.minimum(start + step[patch], high[patch])
        box = np.concatenate([start, stop], axis=1)
        return patch, replace(self[patch], box=box)

    def spans(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The painted pixels, row by row.

        Returns:
            Four ``(R,)`` int64 arrays: index of the patch, row, first column
            and the column behind the last. A row of a disc without pixels
            has as many as none.
        """
        x1, y1, x2, y2 = self.box.T
        heights = y2 - y1
        patch = np.repeat(np.arange(len(self)), heights)
        before = np.cumsum(heights) - heights
        row = np.arange(len(patch)) - (before - y1)[patch]
        start, stop = x1[patch], x2[patch]
        discs = np.isfinite(self.radius)[patch]
        if discs.any():
            of = patch[discs]
            low, high = _chords(row[discs], self.center[of], self.radius[of])
            start[discs] = np.maximum(low, start[discs])
            stop[discs] = np.minimum(high, stop[discs])
        return patch, row, start, np.maximum(start, stop)

    def pixels(self) -> np.ndarray:
        """Number of painted pixels of each: (P,) int64."""
        patch, _, start, stop = self.spans()
        return np.bincount(patch, stop - start, len(self)).astype(np.int64)

    def regions(self) -> list[Region]:
        """Where they are, for records."""
        return [
            Disc(tuple(center), radius)
            if np.isfinite(radius)
            else Box(tuple(box))
            for center, radius, box in zip(
                self.center.tolist(),
                self.radius.tolist(),
                self.box.tolist(),
                strict=True,
            )
        ]

    def paints(self, swap_channels: bool) -> list[dict]:
        """What they are painted with, for records; no colour is NaN."""
        colors = np.rint(self.color).astype(int)
        if swap_channels:
            colors = colors[:, ::-1]
        return [
            dict(kind='blur', ksize=ksize, exact=False)
            if ksize
            else dict(kind='color', color=color)
            for ksize, color in zip(
                self.ksize.tolist(), colors.tolist(), strict=True
            )
        ]

    def covers(self, xy: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Which joints lie on painted pixels, as ``Patch.covers`` says.

        Args:
            xy: ``(P, K, 2)`` joints of the crop of each patch, in pixels.
            shape: The crops' ``(H, W)``.

        Returns:
            ``(P, K)`` bool.
        """
        col, row = nearest_pixel(xy, shape)
        x1, y1, x2, y2 = self.box.T[..., None]
        inside = (col >= x1) & (col < x2) & (row >= y1) & (row < y2)
        dx = col - self.center[:, :1]
        dy = row - self.center[:, 1:]
        radius = self.radius[:, None]
        return inside & (dx * dx + dy * dy <= radius * radius)


def empty(channels: int) -> Patches:
    """No patches."""
    whole = np.zeros(0, np.int64)
    return Patches(
        whole,
        whole,
        np.zeros((0, 4), np.int64),
        np.zeros((0, 2)),
        np.zeros(0),
        whole,
        np.zeros((0, channels)),
    )


def disc_bounds(
    center: np.ndarray, radius: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """``(P, 4)`` pixel boxes of discs, as ``Disc.bounds`` gives them."""
    low = np.maximum(np.ceil(center - radius[:, None]), 0)
    high = np.floor(center + radius[:, None]) + 1
    high = np.minimum(high, (shape[1], shape[0]))
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _chords(
    row: np.ndarray, center: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First column of discs in rows, and the one behind the last."""
    x, y = center.T
    dy2 = (row - y) ** 2
    r2 = radius * radius
    half = np.sqrt(np.maximum(r2 - dy2, 0))

    def within(col: np.ndarray) -> np.ndarray:
        dx = col - x
        return dx * dx + dy2 <= r2

    # the root may be off by its last bit: the disc's own test decides
    low = np.ceil(x - half)
    low = np.where(within(low - 1), low - 1, low)
    low = np.where(within(low), low, low + 1)
    high = np.floor(x + half)
    high = np.where(within(high + 1), high + 1, high)
    high = np.where(within(high), high, high - 1)
    return low.astype(np.int64), high.astype(np.int64) + 1


def _row(
    record: dict, shape: tuple[int, int], channels: int, swap: bool
) -> tuple:
    paint = record['paint']
    if paint['kind'] not in BATCHED_KINDS or paint.get('exact'):
        what = 'an exact blur' if paint.get('exact') else paint['kind']
        raise ValueError(
            f'{record["name"]} is painted with {what}; a batch can be '
            'painted with blur, mean, black and grey: apply this one with '
            'replay_all.'
        )
    region = region_from_record(record['region'])
    color = paint.get('color', [0.0] * channels)
    return (
        region.bounds(shape),
        region.center,
        region.radius if isinstance(region, Disc) else np.inf,
        paint.get('ksize', 0),
        color[::-1] if swap else color,
    )
