"""Patches painted into a batch, on the batch's device."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmpose_occlusion.occluders.paint import _gaussian_taps

from .patches import Patches

TILE = (40, 24)
"""Rows and columns at most of the tiles in which boxes are blurred. Smaller
ones have more margin for their size, larger ones lie farther over the ends of
their box."""

AT_ONCE = 48
"""Tiles that are blurred at once, all as if as large as the largest."""

CHUNK = 8
"""Crops that are made float at once for their means."""


@dataclass(frozen=True)
class Levels:
    """How grey levels from 0 to 255 became the numbers of a batch.

    Args:
        mean: What was subtracted, for each channel of the batch or for all.
        std: What it was divided by.
    """

    mean: Sequence[float] = (0.0,)
    std: Sequence[float] = (1.0,)

    def of(self, values: Tensor) -> Tensor:
        """Grey levels of a batch's ``(..., C)`` numbers, in float64."""
        mean, std = self._constants(values)
        return values.double() * std + mean

    def back(self, levels: Tensor) -> Tensor:
        """A batch's numbers of ``(..., C)`` grey levels, in float64."""
        mean, std = self._constants(levels)
        return (levels - mean) / std

    def _constants(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(
            torch.as_tensor(x, dtype=torch.float64, device=like.device)
            for x in (self.mean, self.std)
        )


def views_of(
    clean: Tensor, patches: Patches, origin: Sequence[int], levels: Levels
) -> Tensor:
    """Attacked views of clean crops, made on their device.

    Args:
        clean: ``(B, C, H, W)``, not modified.
        patches: Their ``crop`` is a view, their ``origin`` a clean crop.
        origin: ``(V,)`` the clean crop of each view.
        levels: What the numbers mean.

    Returns:
        ``(V, C, H, W)``.
    """
    index = torch.as_tensor(np.asarray(origin), device=clean.device)
    views = clean.index_select(0, index)
    paint(views, patches, levels, source=clean)
    return views


@torch.no_grad()
def paint(
    batch: Tensor,
    patches: Patches,
    levels: Levels | None = None,
    source: Tensor | None = None,
) -> None:
    """Paint patches into a batch, in place.

    All are made from the crops as they come, then painted in order. The
    pixels are those that :func:`mmpose_occlusion.occluders.make_patch` gives
    for uint8 crops: the same ones, colours to the last bit of float32, blurs
    within one grey level (it rounds them; a float batch is not rounded).

    Args:
        batch: ``(B, C, H, W)`` of any floating type or uint8, on any device.
        patches: What to paint.
        levels: What the numbers mean; None for grey levels.
        source: ``(S, C, H, W)`` what they are made from, if it is not
            the batch itself.
    """
    if not len(patches):
        return
    source = batch if source is None else source
    colors = _colors(source, patches, levels or Levels())
    soft = [
        _blurred(source, patches, np.flatnonzero(patches.ksize == ksize))
        for ksize in np.unique(patches.ksize[patches.ksize > 0])
    ]
    for layer in patches.layers():
        filled = layer[patches.ksize[layer] == 0]
        _put_colors(batch, patches[filled], colors[:, filled])
        for tiles in soft:
            _put_tiles(batch, tiles, np.isin(tiles.patch, layer))


class _Tiles(NamedTuple):
    """Blurred pixels, T tiles of them.

    Args:
        patch: ``(T,)`` of which patch each is.
        boxes: What is painted with each.
        corner: ``(T, 2)`` the pixel that each begins at.
        first: ``(T,)`` where its numbers begin.
        width: ``(T,)`` its columns; the numbers go by row, channel, column.
        levels: All the numbers, float32.
    """

    patch: np.ndarray
    boxes: Patches
    corner: np.ndarray
    first: np.ndarray
    width: np.ndarray
    levels: Tensor


def settle_means(patches: Patches, source: Tensor, levels: Levels) -> Patches:
    """The same patches, the means of their crops in place of NaN."""
    if not np.isnan(patches.color).any():
        return patches
    mean = _means(source, levels).cpu().numpy()[patches.origin]
    color = np.where(np.isnan(patches.color), mean, patches.color)
    return replace(patches, color=color)


def _as(values: Tensor, like: Tensor) -> Tensor:
    if like.dtype.is_floating_point:
        return values.to(like.dtype)
    return values.round().clamp(0, 255).to(like.dtype)


def _colors(source: Tensor, patches: Patches, levels: Levels) -> Tensor:
    """``(C, P)`` of the batch's type; on the host if no mean is wanted."""
    color = torch.as_tensor(patches.color)
    if np.isnan(patches.color).any():
        color = color.to(source.device)
        origin = torch.as_tensor(patches.origin, device=source.device)
        mean = _means(source, levels)[origin]
        color = torch.where(color.isnan(), mean, color)
    return _as(levels.back(color), source).T.contiguous()


def _means(source: Tensor, levels: Levels) -> Tensor:
    """``(B, C)`` float64, the whole grey levels nearest to the means."""
    # a batch of another type is not copied as a whole, which would be slower
    parts = [source] if source.dtype == torch.float32 else source.split(CHUNK)
    mean = torch.cat([part.float().mean((2, 3)) for part in parts])
    return levels.of(mean).round().clamp(0, 255)


def _strips(
    length: np.ndarray,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Strips of equal length that cover runs of pixels, two of them a run:
    the longest power of two from its start on, and up to its end.

    Yields:
        The length, ``(N,)`` the runs, ``(N,)`` where in the run each starts.
    """
    for power in range(int(length.max(initial=0)).bit_length()):
        width = 1 << power
        whole = np.flatnonzero((length >= width) & (length < 2 * width))
        rest = whole[length[whole] > width]
        if len(whole):
            shift = np.concatenate([0 * whole, length[rest] - width])
            yield width, np.concatenate([whole, rest]), shift


def _windows(memory: Tensor, width: int, step: int = 1) -> Tensor:
    """Every ``width`` numbers of a tensor's memory, ``step`` apart, by the
    place of the first: a view."""
    last = sum(
        (size - 1) * stride
        for size, stride in zip(memory.shape, memory.stride(), strict=True)
    )
    count = last + 1 - (width - 1) * step
    return memory.as_strided((count, width), (1, step))


def _taken(memory: Tensor, place: np.ndarray, width: int, step: int) -> Tensor:
    """``(..., width)`` numbers from places on; faster than by an index."""
    index = torch.as_tensor(place.ravel()).to(memory.device)
    taken = _windows(memory, width, step).index_select(0, index)
    return taken.view(*place.shape, width)


def _put_colors(batch: Tensor, patches: Patches, colors: Tensor) -> None:
    """Fill patches with colours ``(C, P)``."""
    if not len(patches):
        return
    s0, s1, s2, s3 = batch.stride()
    patch, row, start, stop = patches.spans()
    place = patches.crop[patch] * s0 + row * s2 + start * s3
    channel = np.arange(batch.shape[1])[:, None] * s1
    alike = (patches.color == patches.color[0]).all()  # no NaN is
    colors = colors.to(batch.device)
    for width, run, shift in _strips(stop - start):
        index = torch.as_tensor(place[run] + shift * s3 + channel)
        if alike:
            values = colors[:, :1, None]
        else:
            of = torch.as_tensor(patch[run]).to(batch.device)
            values = colors[:, of, None]
        _windows(batch, width, s3).index_put_(
            (index.to(batch.device),), values
        )


def _put_tiles(batch: Tensor, tiles: _Tiles, now: np.ndarray) -> None:
    """Paint with some tiles, ``(T,)`` bool."""
    if not now.any():
        return
    boxes = tiles.boxes[now]
    s0, s1, s2, s3 = batch.stride()
    tile, row, start, stop = boxes.spans()
    x, y = tiles.corner[now][tile].T
    width = tiles.width[now][tile]
    channels = batch.shape[1]
    origin = tiles.first[now][tile] + (row - y) * channels * width + start - x
    place = boxes.crop[tile] * s0 + row * s2 + start * s3
    channel = np.arange(channels)[:, None]
    for count, run, shift in _strips(stop - start):
        from_ = origin[run] + shift + channel * width[run]
        values = _as(_taken(tiles.levels, from_, count, 1), batch)
        to = torch.as_tensor(place[run] + shift * s3 + channel * s1)
        _windows(batch, count, s3).index_put_((to.to(batch.device),), values)


def _blurred(source: Tensor, patches: Patches, index: np.ndarray) -> _Tiles:
    """Blur some patches, which have the same kernel."""
    piece, boxes = patches[index].tiles(TILE)
    order = np.argsort(boxes.box[:, 2] - boxes.box[:, 0], kind='stable')
    boxes = boxes[order]
    groups = np.array_split(np.arange(len(order)), -(-len(order) // AT_ONCE))
    corner, sides, parts = boxes.box[:, :2].copy(), [], []
    with torch.autocast(source.device.type, enabled=False):
        for group in groups:
            ends = boxes.box[group]
            side = (ends[:, 2:] - ends[:, :2]).max(axis=0)
            # those that are made larger than they are stay in the picture
            inside = np.array(source.shape[:1:-1]) - side
            corner[group] = np.minimum(corner[group], inside)
            sides.append(np.broadcast_to(side, (len(group), 2)))
            parts.append(
                _filtered(
                    source,
                    boxes.origin[group],
                    corner[group],
                    side,
                    int(boxes.ksize[0]),
                ).flatten()
            )
    size = np.concatenate(sides)
    count = size.prod(axis=1) * source.shape[1]
    return _Tiles(
        index[piece[order]],
        boxes,
        corner,
        np.cumsum(count) - count,
        size[:, 0],
        torch.cat(parts),
    )


def _filtered(
    source: Tensor,
    origin: np.ndarray,
    corner: np.ndarray,
    side: np.ndarray,
    ksize: int,
) -> Tensor:
    """Tiles ``(T, h, C, w)`` of one size, which is (width, height).

    A Gaussian along an axis is a matrix that takes the window (the tile and
    its margin) to the tile. Rows are taken as reflect-101 has them at the
    picture's border; of columns, which lie in a row, the matrix has it in.
    """
    (height, width), on = source.shape[2:], source.device
    left, right = _across(corner[:, 0], side[0], ksize, width, on)
    reach = np.arange(side[1] + ksize - 1) - ksize // 2
    row = _reflected(corner[:, 1:] + reach, height)
    s0, s1, s2, s3 = source.stride()
    first = (origin * s0 + left * s3)[:, None] + row * s2
    place = first[..., None] + np.arange(source.shape[1]) * s1
    window = _taken(source, place, right.shape[1], s3).float()
    across = window.flatten(1, 2) @ right
    across = across.unflatten(1, window.shape[1:3]).flatten(2)
    down = _band(ksize, int(side[1]), str(on)).expand(len(corner), -1, -1)
    return (down @ across).unflatten(2, (source.shape[1], -1))


def _across(
    start: np.ndarray, count: int, ksize: int, size: int, device: Any
) -> tuple[np.ndarray, Tensor]:
    """Filters of rows.

    Args:
        start: ``(T,)`` first columns.
        count: How many are wanted.
        ksize: Taps.
        size: The picture's width.

    Returns:
        ``(T,)`` first columns of the windows, and ``(T, n, count)`` float32
        weights of the n columns of the window.
    """
    whole = _axis_matrix(ksize, size, str(device))
    wide = min(size, count + 2 * (ksize // 2))
    first = np.clip(start - ksize // 2, 0, size - wide)
    seen = first[:, None] + np.arange(wide)
    return first, _taken(whole, seen * size + start[:, None], count, 1)


def _reflected(at: np.ndarray, size: int) -> np.ndarray:
    """Pixels of an axis that reflect-101 has at places on it and off it."""
    period = max(2 * (size - 1), 1)
    return np.abs((at + size - 1) % period - (size - 1))


@lru_cache(maxsize=16)
def _axis_matrix(ksize: int, size: int, device: str) -> Tensor:
    """``(size, size)`` float32: a Gaussian of a whole axis, reflect-101, from
    row to column."""
    pixel = np.arange(size)[:, None]
    seen = _reflected(pixel + np.arange(ksize) - ksize // 2, size)
    matrix = np.zeros((size, size), np.float32)
    np.add.at(matrix, (seen, pixel), _gaussian_taps(ksize)[:, 0])
    return torch.as_tensor(matrix).to(device)


@lru_cache(maxsize=256)
def _band(ksize: int, count: int, device: str) -> Tensor:
    """``(count, count + ksize - 1)`` float32: a Gaussian inside an axis."""
    pixel = np.arange(count)[:, None]
    matrix = np.zeros((count, count + ksize - 1), np.float32)
    matrix[pixel, pixel + np.arange(ksize)] = _gaussian_taps(ksize)[:, 0]
    return torch.as_tensor(matrix).to(device)
