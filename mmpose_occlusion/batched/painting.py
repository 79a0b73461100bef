"""Patches painted into a batch, on the batch's device."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mmpose_occlusion.occluders.paint import _gaussian_taps

from .patches import Patches

GROUPS = 4
"""Into how many groups the boxes that are blurred are put at most."""

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
    soft = _alike(patches, np.flatnonzero(patches.ksize > 0))
    blurred = [_blurred(source, patches[group]) for group in soft]
    for layer in patches.layers():
        filled = layer[patches.ksize[layer] == 0]
        _put_colors(batch, patches[filled], colors, filled)
        for group, pixels in zip(soft, blurred, strict=True):
            slot = np.flatnonzero(np.isin(group, layer))
            _put_pixels(batch, patches[group[slot]], pixels, slot)


def _alike(patches: Patches, index: np.ndarray) -> list[np.ndarray]:
    """A few groups of boxes of similar size, since the largest of a group
    says what each of it costs."""
    if not len(index):
        return []
    sides = patches.box[index, 2:] - patches.box[index, :2]
    size = sides.max(axis=1)
    order = np.argsort(size, kind='stable')
    if size[order[-1]] == size[order[0]]:
        return [index]
    groups = np.array_split(index[order], GROUPS)
    return [group for group in groups if len(group)]


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


def _pixels(
    batch: Tensor, patches: Patches
) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray]:
    """Places of all painted pixels in the batch's memory, first channel.

    Returns:
        ``(N,)`` places, ``(N,)`` the span of each, and of the spans, on the
        host, the patch and where its pixels are in the ``(h, w)`` box of it
        as ``(row, column - pixels before)``.
    """
    patch, row, start, stop = patches.spans()
    length = stop - start
    before = np.cumsum(length) - length
    s0, _, s2, s3 = batch.stride()
    first = patches.crop[patch] * s0 + row * s2 + (start - before) * s3
    x1, y1 = patches.box[patch, 0], patches.box[patch, 1]
    within = np.stack([row - y1, start - x1 - before])
    total = int(length.sum())
    on = batch.device
    sent = torch.as_tensor(np.stack([first, length])).to(on)
    span = torch.repeat_interleave(
        torch.arange(len(patch), device=on), sent[1], output_size=total
    )
    place = sent[0][span] + torch.arange(total, device=on) * s3
    return place, span, patch, within


def _memory(batch: Tensor, channel: int) -> Tensor:
    """A batch's memory from its first number of a channel on, in a row."""
    ahead = sum(
        (size - 1) * stride
        for axis, (size, stride) in enumerate(
            zip(batch.shape, batch.stride(), strict=True)
        )
        if axis != 1
    )
    offset = batch.storage_offset() + channel * batch.stride(1)
    return batch.as_strided((ahead + 1,), (1,), offset)


def _put_colors(
    batch: Tensor, patches: Patches, colors: Tensor, index: np.ndarray
) -> None:
    if not len(patches):
        return
    place, span, patch, _ = _pixels(batch, patches)
    alike = (patches.color == patches.color[0]).all()
    if alike:  # a NaN is not like another
        for channel, color in enumerate(colors[:, index[0]].tolist()):
            _memory(batch, channel).scatter_(0, place, color)
        return
    of_pixel = torch.as_tensor(index[patch], device=batch.device)[span]
    for channel, color in enumerate(colors.to(batch.device)):
        _memory(batch, channel).scatter_(0, place, color[of_pixel])


def _put_pixels(
    batch: Tensor, patches: Patches, blurred: Tensor, slot: np.ndarray
) -> None:
    if not len(patches):
        return
    place, span, patch, (row, col) = _pixels(batch, patches)
    _, channels, height, width = blurred.shape
    base = slot[patch] * channels * height * width + row * width + col
    base = torch.as_tensor(base, device=batch.device)
    where = base[span] + torch.arange(len(span), device=batch.device)
    flat = _as(blurred, batch).view(-1)
    for channel in range(channels):
        values = flat[where + channel * height * width]
        _memory(batch, channel).scatter_(0, place, values)


def _blurred(source: Tensor, patches: Patches) -> Tensor:
    """Blurred pixels of the patches' boxes.

    A Gaussian along each axis is a matrix that takes the window (the box and
    its margin) to the box, reflect-101 at the picture's border folded in.

    Returns:
        ``(P, C, h, w)`` float32, h and w those of the largest box; what lies
        behind a smaller one's end means nothing.
    """
    H, W = source.shape[2:]
    rows, down = _matrices(patches.box[:, 1::2], patches.ksize, H)
    cols, right = _matrices(patches.box[:, 0::2], patches.ksize, W)
    on = source.device
    origin, rows, cols, down, right = (
        torch.as_tensor(x).to(on)
        for x in (patches.origin, rows, cols, down, right)
    )
    window = source[
        origin[:, None, None, None],
        torch.arange(source.shape[1], device=on)[:, None, None],
        rows[:, None, :, None],
        cols[:, None, None, :],
    ]
    with torch.autocast(on.type, enabled=False):
        return down[:, None] @ window.float() @ right[:, None].mT


def _matrices(
    ends: np.ndarray, ksize: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Filters along one axis.

    Args:
        ends: ``(P, 2)`` first pixel of the boxes and the one behind the last.
        ksize: ``(P,)`` taps.
        size: The picture's.

    Returns:
        ``(P, n)`` pixels of the windows, and ``(P, m, n)`` float32 weights.
    """
    count = len(ends)
    margin = ksize // 2
    longest = int((ends[:, 1] - ends[:, 0]).max())
    taps = int(ksize.max())
    width = min(size, longest + 2 * int(margin.max()))
    start = np.clip(ends[:, 0] - margin, 0, size - width)
    weights = np.zeros((count, taps), np.float32)
    for k in np.unique(ksize):
        weights[ksize == k, :k] = _gaussian_taps(int(k))[:, 0]
    seen = (ends[:, :1] - margin[:, None])[..., None] + (
        np.arange(longest)[:, None] + np.arange(taps)
    )
    period = max(2 * (size - 1), 1)
    seen = np.abs((seen + size - 1) % period - (size - 1))
    at = np.clip(seen - start[:, None, None], 0, width - 1)
    flat = (
        np.arange(count * longest).reshape(count, longest, 1) * width + at
    ).ravel()
    summed = np.bincount(
        flat,
        np.broadcast_to(weights[:, None], at.shape).ravel(),
        count * longest * width,
    )
    matrix = summed.reshape(count, longest, width).astype(np.float32)
    return start[:, None] + np.arange(width), matrix
