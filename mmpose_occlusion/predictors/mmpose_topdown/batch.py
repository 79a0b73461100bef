"""Batches of crops, of which one clean copy is on the model's device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmpose.structures import PoseDataSample

from mmpose_occlusion.engine.pipelines import RECORD_KEY

from .crop_maker import Crop
from .pixel_diff import Change, Outcome


@dataclass(frozen=True)
class Batch:
    """Some crops of a block, clean or under an attack that changes them.

    Args:
        clean: ``(B, C, H, W)`` all crops of the block; see :func:`load`.
        crops: The same B crops.
        rows: Those that are in the batch, at least one.
        attack: Index of the attack; None leaves them clean.
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
        """All of some crops."""
        return cls(load(crops, device), crops, range(len(crops)), attack)

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self) -> list[torch.Tensor]:
        """``(C, H, W)`` each, on the device of the clean ones."""
        if self.attack is None:
            return [self.clean[row] for row in self.rows]
        rows = torch.tensor(self.rows, device=self.clean.device)
        views = self.clean.index_select(0, rows)
        put(views, [self._change(row) for row in self.rows])
        return list(views)

    def samples(self) -> list[Any]:
        """What the model needs to know of each, with the attack's records."""
        return [
            _with_records(
                self.crops[row].sample,
                () if self.attack is None else self._outcome(row).records,
            )
            for row in self.rows
        ]

    def _change(self, row: int) -> Change:
        change = self._outcome(row).change
        assert change is not None
        return change

    def _outcome(self, row: int) -> Outcome:
        assert self.attack is not None
        return self.crops[row].outcomes[self.attack]


def load(crops: Sequence[Crop], device: torch.device | str) -> torch.Tensor:
    """Clean crops on a device: ``(B, C, H, W)``."""
    return torch.from_numpy(np.stack([c.inputs for c in crops])).to(device)


def put(views: torch.Tensor, changes: Sequence[Change]) -> None:
    """Write changed pixels, which are sent to a device in one piece.

    Args:
        views: ``(m, C, H, W)``, modified.
        changes: Of each view.
    """
    if views.device.type == 'cpu':
        for array, change in zip(views.numpy(), changes, strict=True):
            array[change.box] = change.pixels
    else:
        send(views, changes)


def send(views: torch.Tensor, changes: Sequence[Change]) -> None:
    """:func:`put` on a device that has a memory of its own."""
    pixels = np.concatenate([change.pixels.ravel() for change in changes])
    sent = torch.from_numpy(pixels).to(views.device)
    start = 0
    for view, change in zip(views, changes, strict=True):
        stop = start + change.pixels.size
        piece = sent[start:stop].view(change.pixels.shape)
        view[change.box].copy_(piece)
        start = stop


class _Sample(PoseDataSample):
    """Goes to a device without copies of its metainfo, which MMEngine makes
    for each forward pass; nothing there is written to."""

    def to(self, *args: Any, **kwargs: Any) -> '_Sample':
        """The same with its tensors elsewhere."""
        new = _copied(self)
        for name, value in self.items():
            if hasattr(value, 'to'):
                new.set_data({name: value.to(*args, **kwargs)})
        return new


def _copied(sample: PoseDataSample) -> _Sample:
    """A copy of a sample, its values shared."""
    new = _Sample.__new__(_Sample)
    new.__dict__.update(vars(sample))
    for name in ('_metainfo_fields', '_data_fields'):
        object.__setattr__(new, name, set(getattr(sample, name)))
    return new


def _with_records(sample: PoseDataSample, records: Sequence[dict]) -> _Sample:
    """A copy of a sample, its values shared, with other records."""
    new = _copied(sample)
    new.set_field(
        name=RECORD_KEY,
        value=list(records),
        field_type='metainfo',
        dtype=None,
    )
    return new
