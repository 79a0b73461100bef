"""Donors: the people of a training set whose parts PartMix pastes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from mmpose_occlusion.occluders import labelled_joints


@dataclass(frozen=True)
class Donor:
    """One person of the index.

    Args:
        image_path: File of the picture.
        annotation: Id of the annotation.
        xy: ``(K, 2)`` float32 joints in image pixels.
        labelled: ``(K,)`` bool.
        height: Height of the person's box in image pixels.
    """

    image_path: str
    annotation: Any
    xy: np.ndarray
    labelled: np.ndarray
    height: float


class DonorIndex:
    """All annotated people of a data set, in a few arrays.

    The arrays are made once, in the main process, and shared by the workers
    that are forked from it.

    Args:
        data_list: The data set's own list, one dict per person (top-down).

    Raises:
        ValueError: Where the list holds nobody, or pictures of many people.
    """

    def __init__(self, data_list: Sequence[Mapping]) -> None:
        if not data_list or np.ndim(data_list[0].get('id')) != 0:
            raise ValueError(
                'Donors are taken from a top-down data set with at least '
                'one annotated person; this one has '
                f'{"many to a picture" if data_list else "none"}.'
            )
        self.xy = np.concatenate([d['keypoints'][..., :2] for d in data_list])
        visible = np.concatenate([d['keypoints_visible'] for d in data_list])
        self.labelled = labelled_joints(visible)
        boxes = np.concatenate([d['bbox'] for d in data_list])
        self.height = boxes[:, 3] - boxes[:, 1]
        self.annotation = np.array([d['id'] for d in data_list])
        numbers: dict[str, int] = {}
        self.image = np.array(
            [
                numbers.setdefault(d['img_path'], len(numbers))
                for d in data_list
            ],
            np.int32,
        )
        self._paths = np.array([os.fsencode(path) for path in numbers])
        first = np.zeros(len(self), bool)
        first[np.unique(self.image, return_index=True)[1]] = True
        self.first = first
        self._rows: dict[tuple, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.xy)

    def __getitem__(self, row: int) -> Donor:
        return Donor(
            os.fsdecode(self._paths[self.image[row]]),
            self.annotation[row].item(),
            self.xy[row],
            self.labelled[row],
            float(self.height[row]),
        )

    def rows_with(
        self, joints: Sequence[int], first_only: bool = False
    ) -> np.ndarray:
        """People who have all of the joints labelled.

        Args:
            joints: Indices of the joints.
            first_only: Only the first person of each picture.

        Returns:
            ``(M,)`` int32 rows of the index, kept for the next call.
        """
        key = (tuple(joints), first_only)
        if key not in self._rows:
            able = self.labelled[:, list(joints)].all(axis=1)
            if first_only:
                able &= self.first
            self._rows[key] = np.flatnonzero(able).astype(np.int32)
        return self._rows[key]

    @property
    def nbytes(self) -> int:
        """Memory of the index in bytes."""
        arrays = [v for v in vars(self).values() if hasattr(v, 'nbytes')]
        return sum(a.nbytes for a in [*arrays, *self._rows.values()])


@DATASETS.register_module()
class DonorDataset(Dataset):
    """A training set that also offers its people as donors to PartMix.

    The index is made while the data set loads its annotations, from the very
    list that it makes; the annotation file is not read again.

    Args:
        dataset: Config of a top-down data set, or the data set (not yet
            loaded: ``lazy_init=True``).
        lazy_init: Leave the loading to ``full_init``.

    Raises:
        ValueError: Where the data set has been loaded already.
    """

    def __init__(
        self, dataset: dict | Dataset, lazy_init: bool = False
    ) -> None:
        if isinstance(dataset, Mapping):
            dataset = DATASETS.build(dict(dataset, lazy_init=True))
        self.dataset: Any = dataset
        if getattr(dataset, '_fully_initialized', False):
            raise ValueError(
                'DonorDataset takes the index from the loading of its data '
                'set, but that has been loaded already: pass its config, or '
                'build it with lazy_init=True.'
            )
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Load the annotations, and make the index on the way."""
        if hasattr(self.dataset, 'donors'):
            return
        choose = self.dataset.filter_data

        def filter_data() -> list[dict]:
            data_list = choose()
            self.dataset.donors = DonorIndex(data_list)
            return data_list

        self.dataset.filter_data = filter_data
        try:
            self.dataset.full_init()
        finally:
            del self.dataset.filter_data

    def get_data_info(self, index: int) -> dict:
        return self.dataset.get_data_info(index)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict:
        return self.dataset[index]
