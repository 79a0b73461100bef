"""Donors: people of a data set whose pixels are pasted over others."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from mmpose_occlusion.occlusion import labelled_joints
from mmpose_occlusion.skeleton import Skeleton


class DonorPerson(NamedTuple):
    """One person of the index: file of the image, id of the annotation, joints
    ``(K, 2)`` float32 and height of the box in image pixels, and which joints
    are labelled, ``(K,)`` bool."""

    image_path: str
    annotation: Any
    xy: np.ndarray
    labelled: np.ndarray
    height: float


class DonorIndex:
    """All annotated people of a data set, in a few arrays, made once in the
    main process and shared by forked workers.

    Args:
        data_list: The data set's own list, one dict per person (top-down).
        listed: All people of the file, in its order, by default
            ``data_list``; they tell who is the first of an image.

    Raises:
        ValueError: The list holds no person, or images of many people.
    """

    def __init__(
        self,
        data_list: Sequence[Mapping],
        listed: Sequence[Mapping] = (),
    ) -> None:
        if not data_list or np.ndim(data_list[0].get('id')) != 0:
            raise ValueError(
                'Donors are taken from a top-down data set with at least '
                'one annotated person; this one has '
                f'{"many to an image" if data_list else "none"}.'
            )
        self.xy = np.concatenate([d['keypoints'][..., :2] for d in data_list])
        visible = np.concatenate([d['keypoints_visible'] for d in data_list])
        self.labelled = labelled_joints(visible)
        boxes = np.concatenate([d['bbox'] for d in data_list])
        self.height = boxes[:, 3] - boxes[:, 1]
        self.annotation = np.array([d['id'] for d in data_list])
        paths = [os.fsencode(d['img_path']) for d in data_list]
        self._paths, image = np.unique(paths, return_inverse=True)
        self.image = image.astype(np.int32)
        first_ids: dict[str, Any] = {}
        for person in listed or data_list:
            if not person.get('iscrowd'):
                first_ids.setdefault(person['img_path'], person['id'])
        first = [first_ids.get(d['img_path']) for d in data_list]
        self.first = self.annotation == np.array(first)
        self._rows: dict[tuple, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.xy)

    def __getitem__(self, row: int) -> DonorPerson:
        return DonorPerson(
            os.fsdecode(self._paths[self.image[row]]),
            self.annotation[row].item(),
            self.xy[row],
            self.labelled[row],
            float(self.height[row]),
        )

    def rows_with(
        self, joints: Sequence[int], first_only: bool = False
    ) -> np.ndarray:
        """``(M,)`` int32 rows, kept for the next call, of the people who
        have all of the joints (indices) labelled; with ``first_only`` of
        the first person of each image."""
        key = (tuple(joints), first_only)
        if key not in self._rows:
            able = self.labelled[:, list(joints)].all(axis=1)
            able &= self.first | (not first_only)
            self._rows[key] = np.flatnonzero(able).astype(np.int32)
        return self._rows[key]

    def with_part(
        self, skeleton: Skeleton, part: str, paper: bool = False
    ) -> np.ndarray:
        """Rows of the people who have all joints of a part; with ``paper`` as
        the reference takes them, to which no MPII joint is missing."""
        joints = skeleton.part_indices(part)
        anybody = paper and skeleton.is_mpii
        return self.rows_with(() if anybody else joints, first_only=paper)


class DatasetWrapper(Dataset):
    """A data set that hands on another one's samples and metainfo."""

    def __init__(self, dataset: Mapping) -> None:
        self.dataset: Any = DATASETS.build(dict(dataset, lazy_init=True))
        self.full_init()

    @property
    def metainfo(self) -> dict:
        return self.dataset.metainfo

    def full_init(self) -> None:
        self.dataset.full_init()

    def get_data_info(self, index: int) -> dict:
        return self.dataset.get_data_info(index)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index]


@DATASETS.register_module()
class DonorDataset(DatasetWrapper):
    """A training set that also offers its people as donors to PartMix.

    Args:
        dataset: Config of a top-down data set.

    Raises:
        ValueError: The data set is a wrapper, or has boxes of a detector.
    """

    def full_init(self) -> None:
        """Load the annotations, and make the index of the people on the way:
        their file is not read again."""
        dataset, listed = self.dataset, []
        if getattr(dataset, 'bbox_file', 'unknown'):
            raise ValueError(
                'DonorDataset goes right around a data set of annotated '
                'people, such as a CocoDataset without bbox_file, inside '
                f'other wrappers, but got a {type(dataset).__name__}.'
            )
        sanitize = dataset._get_topdown_data_infos
        choose = dataset.filter_data

        def get_topdown_data_infos(instances: list[dict]) -> list[dict]:
            listed.extend(instances)
            return sanitize(instances)

        def filter_data() -> list[dict]:
            data_list = choose()
            dataset.donors = DonorIndex(data_list, listed)
            return data_list

        dataset._get_topdown_data_infos = get_topdown_data_infos
        dataset.filter_data = filter_data
        try:
            dataset.full_init()
        finally:
            del dataset._get_topdown_data_infos, dataset.filter_data


def load_people(dataset: BaseCocoStyleDataset) -> list[dict]:
    """Data infos of all annotated people, also of a data set whose boxes are
    a detector's."""
    people, _ = dataset._load_annotations()
    vars(dataset).pop('coco', None)  # as after its own loading
    return people
