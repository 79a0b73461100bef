"""Batches of crops, of which one clean copy is on the model's device."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmpose_occlusion.attacks import RECORD_KEY

from .change import Change
from .views import Crop


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
        views = self.clean[rows]
        put(views, [self._outcome(row).change for row in self.rows])
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

    def _outcome(self, row: int) -> Any:
        assert self.attack is not None
        return self.crops[row].outcomes[self.attack]


def load(crops: Sequence[Crop], device: torch.device | str) -> torch.Tensor:
    """Clean crops on a device: ``(B, C, H, W)``."""
    return torch.from_numpy(np.stack([c.inputs for c in crops])).to(device)


def put(views: torch.Tensor, changes: Sequence[Change | None]) -> None:
    """Write changed pixels, which are sent to the device in one piece.

    Args:
        views: ``(m, C, H, W)``, modified.
        changes: Of each view; none of them None.
    """
    pixels = [change.pixels for change in changes if change is not None]
    sent = torch.from_numpy(np.concatenate([p.ravel() for p in pixels])).to(
        views.device
    )
    start = 0
    for view, change in zip(views, changes, strict=True):
        assert change is not None
        shape = change.pixels.shape
        stop = start + change.pixels.size
        box = view[
            :,
            change.y : change.y + shape[1],
            change.x : change.x + shape[2],
        ]
        box.copy_(sent[start:stop].view(shape))
        start = stop


class _Records(list):
    """Records that MMEngine does not copy with a sample's metainfo, as it
    does for each forward pass."""

    def __deepcopy__(self, memo: dict) -> '_Records':
        return self


def _with_records(sample: Any, records: Sequence[dict]) -> Any:
    """A copy of a sample, its arrays shared, with other records."""
    new = copy.copy(sample)
    for name in ('_metainfo_fields', '_data_fields'):
        object.__setattr__(new, name, set(getattr(sample, name)))
    new.set_field(
        name=RECORD_KEY,
        value=_Records(records),
        field_type='metainfo',
        dtype=None,
    )
    return new
