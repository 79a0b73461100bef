"""Batches of crops; clean crops of a block are on the device once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmpose.structures import PoseDataSample

from mmpose_occlusion.engine.pipelines import RECORD_KEY

from .crop_maker import Crop
from .pixel_diff import CropOutcome, PixelDiff


@dataclass(frozen=True)
class Batch:
    """Some crops of a block, clean or under an attack that changes them.

    Args:
        clean: ``(B, C, H, W)`` all crops of the block, see :func:`load`.
        crops: The same B crops.
        rows: Indices of the batch's crops, at least one.
        attack: Index of the attack; None for clean crops.
    """

    clean: torch.Tensor
    crops: Sequence[Crop]
    rows: Sequence[int]
    attack: int | None = None

    @classmethod
    def of(
        cls,
        crops: Sequence[Crop],
        attack: int | None = None,
        device: torch.device | str = 'cpu',
    ) -> 'Batch':
        """A batch of all given crops."""
        return cls(load(crops, device), crops, range(len(crops)), attack)

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self) -> list[torch.Tensor]:
        """``(C, H, W)`` of each crop, on the device of :attr:`clean`."""
        if self.attack is None:
            return [self.clean[row] for row in self.rows]
        rows = torch.tensor(self.rows, device=self.clean.device)
        views = self.clean.index_select(0, rows)
        put(views, [self._diff(row) for row in self.rows])
        return list(views)

    def samples(self) -> list[Any]:
        """Data sample of each crop, with the attack's records."""
        return [
            _with_records(
                self.crops[row].sample,
                () if self.attack is None else self._outcome(row).records,
            )
            for row in self.rows
        ]

    def _diff(self, row: int) -> PixelDiff:
        diff = self._outcome(row).diff
        assert diff is not None
        return diff

    def _outcome(self, row: int) -> CropOutcome:
        assert self.attack is not None
        return self.crops[row].outcomes[self.attack]


def load(crops: Sequence[Crop], device: torch.device | str) -> torch.Tensor:
    """Copy clean crops to a device: ``(B, C, H, W)``."""
    return torch.from_numpy(np.stack([c.inputs for c in crops])).to(device)


def put(views: torch.Tensor, diffs: Sequence[PixelDiff]) -> None:
    """Write changed pixels into crops.

    Args:
        views: ``(m, C, H, W)``, modified.
        diffs: Changed pixels of each.
    """
    if views.device.type == 'cpu':
        for array, diff in zip(views.numpy(), diffs, strict=True):
            array[diff.box] = diff.pixels
    else:
        send(views, diffs)


def send(views: torch.Tensor, diffs: Sequence[PixelDiff]) -> None:
    """:func:`put` for a device with its own memory, in one transfer."""
    pixels = np.concatenate([diff.pixels.ravel() for diff in diffs])
    sent = torch.from_numpy(pixels).to(views.device)
    start = 0
    for view, diff in zip(views, diffs, strict=True):
        stop = start + diff.pixels.size
        view[diff.box].copy_(sent[start:stop].view(diff.pixels.shape))
        start = stop


class _Sample(PoseDataSample):
    """A data sample whose ``to`` does not deep-copy its metainfo, which
    MMEngine does for each forward pass and which nothing modifies."""

    def to(self, *args: Any, **kwargs: Any) -> '_Sample':
        """A copy with its tensors on another device."""
        new = _copied(self)
        for name, value in self.items():
            if hasattr(value, 'to'):
                new.set_data({name: value.to(*args, **kwargs)})
        return new


def _copied(sample: PoseDataSample) -> _Sample:
    """A shallow copy of a sample."""
    new = _Sample.__new__(_Sample)
    new.__dict__.update(vars(sample))
    for name in ('_metainfo_fields', '_data_fields'):
        object.__setattr__(new, name, set(getattr(sample, name)))
    return new


def _with_records(sample: PoseDataSample, records: Sequence[dict]) -> _Sample:
    """A shallow copy of a sample with other records."""
    new = _copied(sample)
    new.set_field(
        name=RECORD_KEY,
        value=list(records),
        field_type='metainfo',
        dtype=None,
    )
    return new
